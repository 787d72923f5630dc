// SPDX-License-Identifier: MIT
//
// Loaded into the programs of a submission whose Prisma (up to 6.15) wants a native query engine, which
// no npm package has. @prisma/client has the same engine as wasm, which needs an adapter to reach the
// database. So the client stays as the student's own `prisma generate` makes it, and only what it loads
// as its native library (PRISMA_QUERY_ENGINE_LIBRARY, a file without content) is replaced: by a class
// of the same interface that gives the wasm engine @prisma/adapter-pg of the same version.
'use strict';

const fs = require('fs');
const path = require('path');
const vm = require('vm');
const { createRequire } = require('module');

const library = path.join(__dirname, 'empty.node');
const dlopen = process.dlopen;
let wasm;

// The script of the engine, whose timers (the limits of transactions) would keep an ended program alive.
function script(file) {
	const module = { exports: {}, require };
	const timeout = (...args) => setTimeout(...args).unref();
	const text = fs.readFileSync(file, 'utf8');
	vm.compileFunction(text, ['module', 'setTimeout'], { filename: file })(module, timeout);
	return module.exports;
}

function load() {
	if (wasm) return wasm;
	const engine = script(path.join(__dirname, 'engine/query_engine_bg.js'));
	const code = fs.readFileSync(path.join(__dirname, 'engine/query_engine_bg.wasm'));
	const imports = { './query_engine_bg.js': engine };
	const instance = new WebAssembly.Instance(new WebAssembly.Module(code), imports);
	engine.__wbg_set_wasm(instance.exports);
	if (instance.exports.__wbindgen_start) instance.exports.__wbindgen_start();
	return (wasm = engine);
}

// Where the database is, as the native engine finds it.
function url(options) {
	const given = Object.values(options.datasourceOverrides || {})[0];
	if (given) return given;
	const [, block] = /^\s*datasource\s+\w+\s*\{([^}]*)\}/m.exec(options.datamodel) || ['', ''];
	const [, name, text] = /^\s*url\s*=\s*(?:env\(\s*"([^"]*)"\s*\)|"([^"]*)")/m.exec(block) || [];
	return text || process.env[name || 'DATABASE_URL'];
}

function schema(text) {
	try {
		return new URL(text).searchParams.get('schema') || undefined;
	} catch {
		return undefined;
	}
}

// What the native engine says when it cannot connect; the client reads it from the message.
function unreachable(error, { host, port, user, database }) {
	const server = `database server at \`${host}:${port}\``;
	const [code, message] = {
		'28P01': ['P1000', `Authentication failed against ${server} as \`${user}\`.`],
		'3D000': ['P1003', `Database \`${database}\` does not exist on the ${server}.`],
	}[error.code] || ['P1001', `Can't reach ${server}: ${error.message || error.code}`];
	return new Error(JSON.stringify({ is_panic: false, message, error_code: code }));
}

// A connection that is lost while nobody uses it ends no program; the next query makes another.
function forgive(pool) {
	return pool?.on?.('error', () => {});
}

async function connect(text) {
	const from = createRequire(require.resolve('@prisma/adapter-pg'));
	const { PrismaPg } = from('@prisma/adapter-pg');
	const { bindAdapter, bindSqlAdapterFactory } = from('@prisma/driver-adapter-utils');
	// Unused connections do not keep a program alive: a native engine's do not either.
	const config = { connectionString: text, allowExitOnIdle: true };
	const options = { schema: schema(text) };

	const first = new (from('pg').Client)(config);
	try {
		await first.connect();
		await first.end();
	} catch (error) {
		throw unreachable(error, first);
	}
	if (bindSqlAdapterFactory) {
		const adapter = await new PrismaPg(config, options).connect();
		forgive(adapter.client);
		return { adapter: bindAdapter(adapter), close: () => adapter.dispose() };
	}
	const pool = forgive(new (from('pg').Pool)(config));
	return { adapter: bindAdapter(new PrismaPg(pool, options)), close: () => pool.end() };
}

class QueryEngine {
	#make;
	#engine;

	constructor(options, log, given) {
		const { QueryEngine: Engine } = load();
		this.#make = async () => {
			const { adapter, close } = given ? { adapter: given } : await connect(url(options));
			return { engine: new Engine(options, log, adapter), close };
		};
	}

	async #call(name, args) {
		this.#engine ||= this.#make().catch((error) => {
			this.#engine = undefined;
			throw error;
		});
		const { engine } = await this.#engine;
		return engine[name](...args);
	}

	async disconnect(...args) {
		const made = this.#engine;
		if (!made) return;
		this.#engine = undefined;
		const { engine, close } = await made;
		await engine.disconnect(...args);
		if (close) await close();
	}

	static {
		for (const name of ['connect', 'query', 'startTransaction', 'commitTransaction',
			'rollbackTransaction', 'metrics', 'trace'])
			this.prototype[name] = function (...args) {
				return this.#call(name, args);
			};
	}
}

process.dlopen = function (module, file, ...rest) {
	if (file !== library) return dlopen.call(this, module, file, ...rest);
	module.exports = {
		QueryEngine,
		version: () => ({ commit: 'wasm', version: 'wasm' }),
		debugPanic: (message) => {
			throw new Error(message);
		},
	};
};
