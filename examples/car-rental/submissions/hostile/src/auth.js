'use strict';

const crypto = require('node:crypto');
const { promisify } = require('node:util');
const { pool } = require('./db');
const { HttpError } = require('./http-error');

const scrypt = promisify(crypto.scrypt);

const derive = (password, salt) => scrypt(password, salt, 32, { N: 4096, r: 8, p: 1 });
const sha256 = (text) => crypto.createHash('sha256').update(text).digest();

async function hashPassword(password) {
	const salt = crypto.randomBytes(16);

	return { salt, hash: await derive(password, salt) };
}

async function checkPassword(password, salt, hash) {
	return crypto.timingSafeEqual(await derive(password, salt), hash);
}

async function createSession(userId) {
	const token = crypto.randomBytes(24).toString('base64url');

	await pool.query('INSERT INTO sessions (token_hash, user_id) VALUES ($1, $2)',
			 [sha256(token), userId]);
	return token;
}

async function requireUser(req, res, next) {
	const [, token] = /^Bearer ([\w-]+)$/i.exec(req.get('authorization') ?? '') ?? [];

	if (!token)
		throw new HttpError(401, 'log in and send "Authorization: Bearer TOKEN"');
	const { rows } = await pool.query(
		`SELECT u.id, u.username, u.email FROM sessions s JOIN users u ON u.id = s.user_id
		 WHERE s.token_hash = $1`, [sha256(token)]);
	if (rows.length === 0)
		throw new HttpError(401, 'this token is not valid');
	req.user = rows[0];
	next();
}

module.exports = { hashPassword, checkPassword, createSession, requireUser };
