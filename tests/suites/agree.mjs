// SPDX-License-Identifier: MIT
// agree.mjs JS PACKAGES FOLDER: runs every suite of FOLDER by the real Vitest and in the fast way,
// against a small server, and prints TAP: do they report the same tests with the same outcomes and
// messages? The last lines are what processor time both took.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';

const [js, packages, folder] = process.argv.slice(2);
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'agree-'));
const root = path.join(scratch, 'tests');
fs.cpSync(folder, root, { recursive: true });
fs.symlinkSync(packages, path.join(scratch, 'node_modules'));

// The todo list of examples/todo, as far as the suites ask for it.
function serve(todos = [], next = 1) {
	return http.createServer((request, response) => {
		let body = '';
		const answer = (code, value) => {
			response.writeHead(code, { 'content-type': 'application/json' });
			response.end(value === undefined ? undefined : JSON.stringify(value));
		};
		request.on('data', (chunk) => { body += chunk; }).on('end', () => {
			const id = /^\/todos\/(\d+)$/.exec(request.url)?.[1];
			const todo = todos.find((one) => one.id === Number(id));
			if (request.url === '/todos' && request.method === 'GET')
				return answer(200, todos);
			if (request.url === '/todos' && request.method === 'POST') {
				let title;
				try {
					({ title } = JSON.parse(body));
				} catch { /* answered below */ }
				if (typeof title !== 'string')
					return answer(400, { error: 'a title is needed' });
				todos.push({ id: next++, title, done: false });
				return answer(201, todos.at(-1));
			}
			if (!todo)
				return answer(404, { error: 'there is no such todo' });
			if (request.method !== 'DELETE')
				return answer(200, todo);
			todos.splice(todos.indexOf(todo), 1);
			return answer(204);
		});
	});
}

const go = path.join(scratch, 'go');
fs.writeFileSync(go, 'g');

const cpu = { real: 0, fast: 0 };

// Runs one of our programs as the tester's jail does: plan, report on 3, go on 4.
function program(name, file, plan, kind) {
	return new Promise((resolve, reject) => {
		const server = serve();
		server.listen(0, () => {
			const planFile = path.join(scratch, 'plan.json');
			fs.writeFileSync(planFile, JSON.stringify(plan));
			const report = path.join(scratch, 'report');
			const descriptors = [fs.openSync(report, 'w'), fs.openSync(go, 'r')];
			const child = spawn('bash', ['-c', 'TIMEFORMAT="cpu %U %S"; time "$@"', 'bash', process.execPath, file], {
				cwd: root,
				stdio: ['ignore', 'ignore', 'pipe', ...descriptors],
				env: { PATH: process.env.PATH, HOME: scratch, TMPDIR: scratch, SUITE_PLAN: planFile,
					PORT: String(server.address().port), NO_COLOR: '1', NODE_NO_WARNINGS: '1',
					NODE_COMPILE_CACHE: kind === 'fast' ? path.join(scratch, 'cache') : '' },
			});
			let errors = '';
			descriptors.forEach((fd) => fs.closeSync(fd));
			child.stderr.on('data', (chunk) => { errors += chunk; });
			child.on('error', reject);
			child.on('close', (code) => {
				server.closeAllConnections();
				server.close();
				const time = /cpu ([\d.]+) ([\d.]+)\s*$/.exec(errors);
				if (kind && time)
					cpu[kind] += Number(time[1]) + Number(time[2]);
				if (code !== 0)
					return reject(new Error(`${name} ended with ${code}: ${errors}`));
				resolve(fs.readFileSync(report, 'utf8').trim().split('\n').map((line) => JSON.parse(line)));
			});
		});
	});
}

// What must be equal; messages that name a port or an id of one run are made equal.
function comparable(events) {
	return events.filter((one) => one.event === 'found' || one.event === 'broken').map((one) => JSON.stringify({
		event: one.event, file: one.file, path: one.path, status: one.status,
		message: one.message?.replace(/localhost:\d+|127\.0\.0\.1:\d+|::1:\d+/g, 'HOST'),
	}));
}

let number = 0;
let runs = 0;
let failed = 0;
const totals = { passed: 0, failed: 0, skipped: 0, broken: 0 };

function tap(ok, name, detail = []) {
	console.log(`${ok ? 'ok' : 'not ok'} ${++number} - ${name}`);
	if (!ok) {
		failed++;
		detail.forEach((line) => console.log('# ' + line));
	}
}

async function compare(name, files) {
	const plan = { files, packages, out: path.join(scratch, 'fast') };
	fs.rmSync(plan.out, { recursive: true, force: true });
	fs.mkdirSync(plan.out);
	const [answer] = await program('publish', path.join(js, 'publish.mjs'), plan);
	if (answer.event !== 'fast')
		return tap(false, name, ['the fast way refused it: ' + answer.message]);
	plan.bundles = answer.bundles;
	await program('fast', path.join(plan.out, 'core.cjs'), plan);
	const fast = comparable(await program('fast', path.join(plan.out, 'core.cjs'), plan, 'fast'));
	const events = await program('vitest', path.join(js, 'vitest.mjs'), plan, 'real');
	const real = comparable(events);
	const differ = [];
	runs++;
	for (const one of real.filter((line) => !fast.includes(line)))
		differ.push('real: ' + one);
	for (const one of fast.filter((line) => !real.includes(line)))
		differ.push('fast: ' + one);
	if (differ.length === 0 && real.join() !== fast.join())
		differ.push('the order differs');
	for (const one of events)
		totals[one.event === 'broken' ? 'broken' : one.status] += one.event === 'found' || one.event === 'broken' ? 1 : 0;
	tap(differ.length === 0, `${name}: ${real.length} results agree`, differ);
}

// What the fast way must leave to the real one.
const REFUSED = {
	mocks: "import { vi, test } from 'vitest'; test('a', () => { vi.fn() })",
	snapshot: "import { test, expect } from 'vitest'; test('a', () => { expect(1).toMatchInlineSnapshot('1') })",
	poll: "import { test, expect } from 'vitest'; test('a', async () => { await expect.poll(() => 1).toBe(1) })",
	meta: "import { test } from 'vitest'; test(import.meta.url, () => {})",
	dynamic: "import { test } from 'vitest'; test('a', async () => { await import('node:fs') })",
	namespace: "import * as vitest from 'vitest'; const { test } = vitest; test('a', () => {})",
	'a default import': "import v from 'vitest'; v.test('a', () => {})",
	globals: "test('a', () => { expect(1).toBe(1) })",
	require: "const { test } = require('vitest'); test('a', () => {})",
	environment: "// @vitest-environment jsdom\nimport { test } from 'vitest'; test('a', () => {})",
	'another package': "import { test } from 'vitest'; import chai from 'chai'; test('a', () => { chai.expect(1) })",
	'top-level await': "import { test } from 'vitest'; await 1; test('a', () => {})",
	'a missing file': "import { test } from 'vitest'; import './nowhere'; test('a', () => {})",
	syntax: "import { test } from 'vitest'; test('a', () => {",
	fixtures: "import { test as base } from 'vitest'; const test = base.extend({ a: 1 }); test('a', () => {})",
};

async function refuse(name, source) {
	const file = 'refused.test.ts';
	fs.writeFileSync(path.join(root, file), source);
	const plan = { files: [file], packages, out: path.join(scratch, 'fast') };
	const [answer] = await program('publish', path.join(js, 'publish.mjs'), plan);
	tap(answer.event === 'real' && answer.message.length > 10, `left to the real way: ${name}`,
		[JSON.stringify(answer)]);
}

try {
	const files = fs.readdirSync(root).filter((name) => /\.test\.[cm]?[jt]s$/.test(name)).sort();
	for (const file of files)
		await compare(file, [file]);
	const several = ['each.test.ts', 'hooks.test.ts', 'only.test.ts', 'outcomes.test.ts', 'unloadable.test.ts'];
	await compare('several files at once', several.filter((file) => files.includes(file)));
	console.log(`# ${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped, ` +
		`${totals.broken} broken in the real way`);
	console.log(`# processor time of ${runs} runs: real ${cpu.real.toFixed(2)} s, fast ${cpu.fast.toFixed(2)} s, ` +
		`${(cpu.real / cpu.fast).toFixed(1)} times less`);
	for (const [name, source] of Object.entries(REFUSED))
		await refuse(name, source);
	tap(totals.passed > 40 && totals.failed > 40 && totals.skipped > 10 && totals.broken > 4,
		'the suites have outcomes of all kinds');
	console.log(`1..${number}`);
} finally {
	fs.rmSync(scratch, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);
