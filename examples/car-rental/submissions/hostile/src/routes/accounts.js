'use strict';

const express = require('express');
const { pool } = require('../db');
const { HttpError } = require('../http-error');
const auth = require('../auth');
const validate = require('../validate');

const router = express.Router();

const UNIQUE_VIOLATION = '23505';

router.post('/signup', async (req, res) => {
	const username = validate.text(req.body, 'username', 3, 30);
	const email = validate.email(req.body);
	const password = validate.text(req.body, 'password', 8, 100);
	const { salt, hash } = await auth.hashPassword(password);

	try {
		const { rows } = await pool.query(
			`INSERT INTO users (username, email, password_salt, password_hash)
			 VALUES ($1, $2, $3, $4) RETURNING id, username, email`,
			[username, email, salt, hash]);
		res.status(201).json(rows[0]);
	} catch (err) {
		if (err.code === UNIQUE_VIOLATION)
			throw new HttpError(409, 'this username or email is taken');
		throw err;
	}
});

router.post('/login', async (req, res) => {
	const username = validate.text(req.body, 'username', 1, 100);
	const password = validate.text(req.body, 'password', 1, 100);
	const { rows: [user] } = await pool.query(
		'SELECT id, password_salt, password_hash FROM users WHERE username = $1', [username]);

	if (!user || !await auth.checkPassword(password, user.password_salt, user.password_hash))
		throw new HttpError(401, 'wrong username or password');
	res.json({ token: await auth.createSession(user.id) });
});

router.get('/me', auth.requireUser, (req, res) => {
	res.json(req.user);
});

module.exports = router;
