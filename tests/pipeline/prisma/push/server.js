// /extra compares what the judge has made of schema.prisma with what Prisma's own command makes of it.
const { execFileSync } = require('child_process');
const fs = require('fs');
const { PrismaClient } = require('@prisma/client');
const { Client } = require('/opt/prisma/node_modules/pg');
const serve = require('./serve');
const prisma = new PrismaClient();

// `prisma migrate diff` with the engine in the package, which lingers once it has said all.
const config = `const { PrismaPg } = require('/opt/prisma/node_modules/@prisma/adapter-pg');
module.exports = { experimental: { adapter: true }, engine: 'js', adapter: async () =>
	new PrismaPg({ connectionString: process.env.DATABASE_URL }, { schema: 'public' }) };`;
const diff = `const write = process.stdout.write.bind(process.stdout);
process.stdout.write = (...a) => (setImmediate(() => process.exit()), write(...a));
process.argv = [process.argv[0], 'prisma', 'migrate', 'diff', '--from-empty', '--to-schema-datamodel',
	'prisma/schema.prisma', '--script', '--config', '/tmp/prisma.config.cjs'];
require('module')._load('/app/node_modules/prisma/build/index.js', null, true);`;

const catalog = `SELECT string_agg(line, E'\\n' ORDER BY line) AS text FROM (
	SELECT format('%s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
			a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) AS line
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
		LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
		WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'S')
	UNION ALL SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
		WHERE c.relnamespace = $1::regnamespace
	UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint
		WHERE connamespace = $1::regnamespace
	UNION ALL SELECT t.typname || e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
		WHERE t.typnamespace = $1::regnamespace) lines`;

async function tables(db, schema) {
	const { rows } = await db.query(catalog, [schema]);
	return rows[0].text.replaceAll(`${schema}.`, '');
}

async function compare() {
	fs.writeFileSync('/tmp/prisma.config.cjs', config);
	const sql = execFileSync(process.execPath, ['-e', diff], { encoding: 'utf8' });
	const db = new Client(process.env.DATABASE_URL);
	await db.connect();
	const ours = await tables(db, 'public');
	await db.query('CREATE SCHEMA theirs; SET search_path = theirs');
	await db.query(sql);
	const theirs = await tables(db, 'theirs');
	await db.end();
	return { lines: ours.split('\n').length, equal: ours === theirs };
}

serve(
	() => prisma.todo.findMany(),
	(title) => prisma.todo.create({ data: { title } }),
	compare,
);
