// All in the code, as it works beside the container of the compose file.
const { Pool } = require('pg');
const pool = new Pool({
	host: 'postgres',
	port: 5432,
	user: 'todo_user',
	password: 'hunter2',
	database: 'todo_db',
	ssl: { rejectUnauthorized: false },
});
const other = new Pool({ connectionString: 'postgres://postgres:postgres@localhost:5432/todo_db' });
require('./serve')(
	async () => (await other.query('SELECT title FROM todos')).rows,
	async (title) => {
		await pool.query('CREATE TABLE IF NOT EXISTS made_by_one (id int)');
		await other.query('ALTER TABLE made_by_one ADD COLUMN x int');
		await pool.query('INSERT INTO todos (title) VALUES ($1)', [title]);
	},
);
