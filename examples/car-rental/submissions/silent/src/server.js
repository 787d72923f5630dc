const express = require('express');
const { Pool } = require('pg');

const pool = new Pool({ connectionString: process.env.DATABASE_URL });
const app = express();

app.use(express.json());

app.get('/', (req, res) => res.json({ ok: true }));

app.get('/users/count', async (req, res) => {
	const { rows } = await pool.query('SELECT count(*)::int AS users FROM users');

	res.json(rows[0]);
});

// Sessions of more than a day are over.
setInterval(() => {
	pool.query("DELETE FROM sessions WHERE created_at < now() - interval '1 day'")
		.catch((err) => console.error(err.message));
}, 60 * 60 * 1000);

console.log('Server started');
