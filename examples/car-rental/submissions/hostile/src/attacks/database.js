'use strict';

/* Tries to be more than the owner of its own database. */

const pg = require('pg');

const TIMEOUT_MS = 400;

async function query(attack, url, sql) {
	const client = new pg.Client({
		connectionString: url.href,
		connectionTimeoutMillis: TIMEOUT_MS,
		query_timeout: TIMEOUT_MS,
	});

	client.on('error', () => {});
	try {
		await client.connect();
		await client.query(sql);
		return { attack, got: true, detail: 'done' };
	} catch (err) {
		return { attack, got: false, detail: err.message };
	} finally {
		client.end().catch(() => {});
	}
}

function as(url, changes) {
	return Object.assign(new URL(url), changes);
}

async function database() {
	const url = process.env.DATABASE_URL;

	if (!url)
		return [];

	const own = new URL(url);

	return Promise.all([
		query('database: log in as the superuser', as(url, { username: 'sandbox_admin' }), 'SELECT 1'),
		query('database: become the superuser as postgres',
		      as(url, { username: 'postgres', password: '' }), 'RESET ROLE; ALTER ROLE postgres SUPERUSER'),
		query('database: connect to "postgres"', as(url, { pathname: '/postgres' }), 'SELECT 1'),
		query('database: connect to "template1"', as(url, { pathname: '/template1' }), 'SELECT 1'),
		query('database: run a program', own, "COPY (SELECT 1) TO PROGRAM 'cat'"),
		query('database: read a file of the server', own, "SELECT pg_read_file('/etc/passwd')"),
		query('database: create a superuser', own, 'CREATE ROLE evil SUPERUSER'),
	]);
}

module.exports = database;
