const postgres = require('postgres');
const sql = postgres(process.env.MY_PG_DSN);
require('./serve')(
	() => sql`SELECT title FROM todos`,
	(title) => sql`INSERT INTO todos ${sql({ title })}`,
);
