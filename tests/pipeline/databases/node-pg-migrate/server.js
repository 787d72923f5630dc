const { Client } = require('pg');
const client = new Client(); // PGHOST and its like
client.connect();
require('./serve')(
	async () => (await client.query('SELECT title FROM todos')).rows,
	(title) => client.query('INSERT INTO todos (title) VALUES ($1)', [title]),
);
