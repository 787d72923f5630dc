// Reads .env by itself, and lets it win over the environment.
const fs = require('fs');
for (const line of fs.readFileSync('.env', 'utf8').split('\n')) {
	const m = /^([A-Z_]+)\s*=\s*"?([^"#]*)"?/.exec(line);
	if (m) process.env[m[1]] = m[2].trim();
}
if (process.env.SECRET !== 'do not touch') throw new Error('.env was changed');
const { Pool } = require('pg');
const pool = new Pool({
	connectionString: process.env.DATABASE_URL,
	ssl: process.env.DB_SSL === 'true' ? {} : false,
});
require('./serve')(
	async () => (await pool.query('SELECT title FROM todos WHERE id > 2 ORDER BY id')).rows,
	(title) => pool.query('INSERT INTO todos (title) VALUES ($1)', [title]),
);
