// SPDX-License-Identifier: MIT
//
// The tables of a Prisma schema as SQL, in a jail of its own: what `prisma db push` makes in an empty
// database. The schema comes on descriptor 3 (inspect-prisma.c), Prisma's engines as wasm
// (toolchain/prisma) are in ENGINES, no database is there and none is needed: an empty one of the
// judge's version is all that an engine asks for. The SQL is left in ./out/schema.prisma.sql.
// Exit codes: 0 made; 1 the schema cannot be used, as printed; other: ours.
'use strict';

const fs = require('fs');
const path = require('path');

const ENGINES = '/opt/tables/node_modules';
const BOOLEAN = 5, TEXT = 7, INT32 = 0; // ColumnTypeEnum of driver adapters
const SERVER = [true, 'PostgreSQL 15.0', 150000]; // public is there; version() and server_version_num

const answer = (value) => ({ ok: true, value });
const refuse = (name) => () => {
	throw new Error(`the engine wants ${name} of a database`);
};

const connection = {
	provider: 'postgres',
	adapterName: 'none',
	queryRaw: async ({ sql }) =>
		/^SELECT EXISTS\(SELECT 1 FROM pg_namespace/.test(sql)
			? answer({
					columnNames: ['exists', 'version', 'numeric_version'],
					columnTypes: [BOOLEAN, TEXT, INT32],
					rows: [SERVER],
				})
			: refuse(JSON.stringify(sql))(),
	executeRaw: refuse('executeRaw'),
	executeScript: refuse('executeScript'),
	startTransaction: refuse('startTransaction'),
	getConnectionInfo: () => answer({ schemaName: 'public', supportsRelationJoins: true }),
	dispose: async () => answer(),
};
const database = {
	provider: 'postgres',
	adapterName: 'none',
	connect: async () => answer(connection),
	connectToShadowDb: async () => answer(connection),
	errorRegistry: { consumeError() {} },
};

async function load(name) {
	const dir = path.join(ENGINES, name);
	const engine = await import(path.join(dir, 'schema_engine_bg.js'));
	const code = fs.readFileSync(path.join(dir, 'schema_engine_bg.wasm'));
	const imports = { './schema_engine_bg.js': engine };
	const instance = new WebAssembly.Instance(new WebAssembly.Module(code), imports);
	engine.__wbg_set_wasm(instance.exports);
	instance.exports.__wbindgen_start();
	return engine.SchemaEngine;
}

// Up to Prisma 6 a schema has to say where its database is, since 7 it must not.
function generation(files) {
	const text = files.map((f) => f.content).join('\n');
	const [, block] = /^\s*datasource\s+\w+\s*\{([^}]*)\}/m.exec(text) || ['', ''];
	return /^\s*url\s*=/m.test(block) ? 'engine-6' : 'engine-7';
}

// "prisma/schema.prisma:12: ...", of what is wrong the first.
function describe(error) {
	const text = String((error && error.message) || error).replace(/\x1b\[[0-9;]*m/g, '');
	const [, what, file, line] = /error: ([^]*?)\n\s*-->\s+(.*?):(\d+)\n/.exec(text) || [];
	return what ? `${file}:${line}: ${what}` : text;
}

async function main() {
	const bundle = JSON.parse(fs.readFileSync(3, 'utf8'));
	const files = Object.entries(bundle.files)
		.filter(([name]) => name.endsWith('.prisma'))
		.map(([path, content]) => ({ path, content }));
	const SchemaEngine = await load(generation(files));
	try {
		const engine = await SchemaEngine.new({ datamodels: undefined }, () => {}, database);
		const { stdout } = await engine.diff({
			from: { tag: 'empty' },
			to: { tag: 'schemaDatamodel', files },
			script: true,
			shadowDatabaseUrl: null,
			exitCode: null,
			filters: { externalTables: [], externalEnums: [] },
		});
		fs.mkdirSync('out');
		fs.writeFileSync('out/schema.prisma.sql', stdout);
	} catch (error) {
		fs.writeSync(2, describe(error).slice(0, 4000) + '\n');
		process.exit(1);
	}
}

main().catch((error) => {
	fs.writeSync(2, String(error).slice(0, 4000) + '\n');
	process.exit(2);
});
