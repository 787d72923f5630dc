// SPDX-License-Identifier: MIT
//
// Makes the Prisma client, in a jail of its own: the schema comes on descriptor 3 (inspect-prisma.c), the
// packages are in ./node_modules, nothing else of the submission is there and no network. The client is
// left in ./out/client, what it is in ./out/about: version, engine, engines' hash, where it belongs; the
// wasm engine of the client in ./out/engine, if it is what will run its queries (engine.cjs).
// Exit codes: 0 made; 1 the schema is wrong, as printed; 3 there is nothing to make; 4 this version needs
// engines; 5 this database does.
'use strict';

const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');

const root = process.cwd();
const tools = '/opt/prisma';

function end(code, text) {
	if (text) fs.writeSync(2, text.slice(0, 4000) + '\n');
	process.exit(code);
}

function find(name, from) {
	try {
		return path.dirname(require.resolve(name + '/package.json', { paths: [from] }));
	} catch {
		return null;
	}
}

function version(dir) {
	return JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8')).version;
}

function unpack(bundle) {
	for (const [name, text] of Object.entries(bundle.files)) {
		const file = path.resolve(root, name);
		if (!file.startsWith(root + '/')) end(1, 'the schema lies outside the project');
		fs.mkdirSync(path.dirname(file), { recursive: true });
		fs.writeFileSync(file, text);
	}
	fs.writeFileSync('package.json', JSON.stringify({ type: bundle.type }));
}

// The generator of the client, and where its output goes.
function generator(bundle) {
	for (const [name, text] of Object.entries(bundle.files)) {
		if (!name.endsWith('.prisma')) continue;
		for (const [, block, body] of text.matchAll(/^\s*generator\s+(\w+)\s*\{([^}]*)\}/gm)) {
			const value = (key) =>
				(body.match(new RegExp('^\\s*' + key + '\\s*=\\s*"([^"]*)"', 'm')) || [])[1];
			const provider = value('provider');
			if (provider !== 'prisma-client-js' && provider !== 'prisma-client') continue;
			const output = value('output');
			return {
				name: block,
				output: output && path.resolve(path.dirname(path.resolve(root, name)), output),
			};
		}
	}
	return null;
}

function engines(cli) {
	const dir = find('@prisma/engines', cli) || cli;
	const of = find('@prisma/engines-version', dir) || find('@prisma/engines-version', cli);
	const named = of && JSON.parse(fs.readFileSync(path.join(of, 'package.json'), 'utf8')).prisma;
	const hash = named && named.enginesVersion;
	if (!hash || !/^[0-9a-f]{40}$/.test(hash)) return { hash: '-' };
	const at = '/opt/engines/' + hash;
	const file = (name) => (fs.existsSync(path.join(at, name)) ? path.join(at, name) : null);
	return { hash, library: file('libquery_engine.so.node'), schema: file('schema-engine') };
}

// "postgresql" and the like.
function database(bundle) {
	const text = Object.values(bundle.files).join('\n');
	const block = /^\s*datasource\s+\w+\s*\{([^}]*)\}/m.exec(text);
	return (block && /^\s*provider\s*=\s*"([^"]*)"/m.exec(block[1]) || [])[1] || '?';
}

// The query engine as wasm, which the packages have for edge runtimes; since 6.15 only as text.
function wasm(client) {
	const file = client && path.join(client, 'runtime/query_engine_bg.postgresql');
	const text = file && file + '.wasm-base64.js';
	if (!file || !fs.existsSync(file + '.js')) return null;
	if (fs.existsSync(file + '.wasm')) return { script: file + '.js', code: fs.readFileSync(file + '.wasm') };
	return fs.existsSync(text) ? { script: file + '.js', code: Buffer.from(require(text).wasm, 'base64') } : null;
}

// Which way this version can be served.
function plan(v, native, provider, engine) {
	const [major, minor] = v.split('.').map(Number);
	const compiles = major === 6 && minor >= 16;
	const env = { PRISMA_SCHEMA_ENGINE_BINARY: native.schema || tools + '/stub' };
	if (major >= 7) return { mode: 'adapter', env };
	if (native.library) {
		env.PRISMA_QUERY_ENGINE_LIBRARY = native.library;
		return { mode: 'native', env };
	}
	const known = compiles || (engine && (major === 6 || (major === 5 && minor >= 22)));
	if (!known) end(4, `${v} ${native.hash}`);
	if (!/^postgres(ql)?$/.test(provider)) end(5, provider);
	env.PRISMA_QUERY_ENGINE_LIBRARY = tools + '/empty.node';
	if (!compiles) return { mode: 'engine', env };
	env.PRISMA_CLIENT_ENGINE_TYPE = 'client';
	return { mode: 'client', env };
}

function run(cli, schema, name, env) {
	const made = spawnSync(
		process.execPath,
		[path.join(cli, 'build/index.js'), 'generate', '--schema', schema, '--generator', name],
		{
			stdio: ['ignore', 'pipe', 'pipe'],
			encoding: 'utf8',
			env: {
				PATH: process.env.PATH,
				HOME: '/tmp',
				CHECKPOINT_DISABLE: '1',
				PRISMA_HIDE_UPDATE_MESSAGE: '1',
				PRISMA_GENERATE_SKIP_AUTOINSTALL: '1',
				NO_COLOR: '1',
				DATABASE_URL: 'postgresql://app:app@127.0.0.1:5432/app',
				...env,
			},
		},
	);
	const text = ((made.stderr || '') + (made.status ? made.stdout || '' : '')).replace(/\x1b\[[0-9;]*m/g, '');
	if (made.status !== 0) end(1, text.trim() || 'prisma generate ended with ' + (made.status ?? made.signal));
}

const bundle = JSON.parse(fs.readFileSync(3, 'utf8'));
const chosen = generator(bundle);
const cli = find('prisma', root);
if (!chosen || !cli) end(3);
const native = engines(cli);
const v = version(cli);
const client = find('@prisma/client', root);
const engine = wasm(client);
const { mode, env } = plan(v, native, database(bundle), engine);
unpack(bundle);
run(cli, bundle.schema, chosen.name, env);
const output = fs.realpathSync(chosen.output || path.join(fs.realpathSync(client), '../../.prisma/client'));
if (!output.startsWith(root + '/')) end(1, 'the output of the generator lies outside the project');
fs.cpSync(output, 'out/client', { recursive: true, dereference: true });
if (mode === 'engine') {
	fs.mkdirSync('out/engine');
	fs.copyFileSync(engine.script, 'out/engine/query_engine_bg.js');
	fs.writeFileSync('out/engine/query_engine_bg.wasm', engine.code);
}
// The adapter has to fit the engine, which comes with the client.
const about = mode === 'engine' ? version(client) : v;
fs.writeFileSync('out/about', [about, mode, native.hash, path.relative(root, output), ''].join('\n'));
