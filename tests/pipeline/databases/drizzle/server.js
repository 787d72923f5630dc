const { drizzle } = require('drizzle-orm/node-postgres');
const { migrate } = require('drizzle-orm/node-postgres/migrator');
const { pgTable, serial, text } = require('drizzle-orm/pg-core');
const db = drizzle(process.env.DATABASE_URL);
const todos = pgTable('todos', { id: serial().primaryKey(), title: text() });
const rows = async () =>
	(await db.execute(`SELECT to_jsonb(m) - 'applied_at' AS row
		FROM drizzle.__drizzle_migrations m ORDER BY id`)).rows;
const columns = async () =>
	(await db.execute(`SELECT table_schema, table_name, column_name, data_type, is_nullable, column_default
		FROM information_schema.columns WHERE table_schema IN ('public', 'drizzle') ORDER BY 1, 2, 3`)).rows;

// What we applied, what the real tool adds to that, and what it makes of an empty database.
const compare = async () => {
	const ours = [await rows(), await columns()];
	await migrate(db, { migrationsFolder: 'drizzle' });
	const after = [await rows(), await columns()];
	await db.execute('DROP SCHEMA drizzle CASCADE');
	await db.execute('DROP SCHEMA public CASCADE');
	await db.execute('CREATE SCHEMA public');
	await migrate(db, { migrationsFolder: 'drizzle' });
	const theirs = [await rows(), await columns()];
	return {
		applied: ours[0].length,
		nothing_to_do: JSON.stringify(after) === JSON.stringify(ours),
		equal: JSON.stringify(theirs) === JSON.stringify(ours),
	};
};
require('./serve')(() => db.select().from(todos), (title) => db.insert(todos).values({ title }), compare);
