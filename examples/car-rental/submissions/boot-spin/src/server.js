const express = require('express');
const { Pool } = require('pg');

const pool = new Pool({ connectionString: process.env.DATABASE_URL });
const app = express();

let connected = false;

console.log('waiting for the database ...');
pool.query('SELECT 1').then(() => {
	connected = true;
});

// While this loop runs, no callback can run: connected stays false.
while (!connected) {
}

app.get('/', (req, res) => res.json({ ok: true }));

app.listen(process.env.PORT || 8000, () => console.log('listening'));
