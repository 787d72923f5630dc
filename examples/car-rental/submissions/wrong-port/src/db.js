'use strict';

const pg = require('pg');

// A date stays the text YYYY-MM-DD: as a JavaScript Date it would move with the time zone.
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 5 });

pool.on('error', (err) => console.error('idle database connection failed:', err.message));

async function transaction(work) {
	const client = await pool.connect();
	let broken = false;

	try {
		await client.query('BEGIN');
		const result = await work(client);
		await client.query('COMMIT');
		return result;
	} catch (err) {
		await client.query('ROLLBACK').catch(() => { broken = true; });
		throw err;
	} finally {
		client.release(broken);
	}
}

module.exports = { pool, transaction };
