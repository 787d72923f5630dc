// Inserts until it cannot.
const { Client } = require('pg');
const client = new Client({ connectionString: process.env.DATABASE_URL });
client.on('error', () => {});
(async () => {
	await client.connect();
	await client.query('CREATE TABLE t (x text)');
	for (;;) await client.query("INSERT INTO t SELECT repeat(md5(i::text), 30) FROM generate_series(1, 5000) AS i");
})().catch((e) => { console.log('stopped:', e.code ?? e.message); process.exit(1); });
