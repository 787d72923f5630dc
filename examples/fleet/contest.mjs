// SPDX-License-Identifier: MIT
//
// The students: hand in at the rhythm of a contest, and show on the terminal how it goes. A submission is
// a payload that is pushed into a list of Redis (docs/queue.md), which any program can do; here redis-cli
// does. What is shown is what `sandbox-runner admin rank show` and `sandbox-runner top` say.
//
// The three hours of the contest pass in a few minutes: `submitted_at` says when it was in the contest.
// Who hands in what is drawn from a fixed seed, so two runs are the same but for the machine's speed.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { KINDS } from './kinds.mjs';

const [runner, socket, archives, submissions, students, rate, planFile] = process.argv.slice(2)
	.map((text, i) => (i >= 3 && i <= 5 ? Number(text) : text));
const HOURS_MS = 3 * 3600 * 1000;
const LOOK_MS = 1000;
const SILENCE_MS = 180000; // without any result something is wrong
const ROWS = 15;
const WAITING_MAX = 3; // of one student
const IMPATIENT = 0.15; // hand in again before they have seen a result

const run = promisify(execFile);
const redis = async (...args) => (await run('redis-cli', ['-s', socket, ...args])).stdout;
const ask = async (...args) => JSON.parse((await run(runner, [...args, '--json'])).stdout);

// ---------------------------------------------------------------- the draw

let seed = 20261123;
function random() { // mulberry32
	seed = (seed + 0x6d2b79f5) | 0;
	let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
	return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

function drawn(list) {
	return list[Math.floor(random() * list.length)];
}

// Each kind once, as far as there is room, then by weight; in any order.
function drawKinds(n) {
	const names = Object.keys(KINDS);
	const weighted = names.flatMap((name) => Array(KINDS[name].weight).fill(name));
	const kinds = Array.from({ length: n }, (_, i) => names[i] ?? drawn(weighted));
	for (let i = n - 1; i > 0; i--) {
		const j = Math.floor(random() * (i + 1));
		[kinds[i], kinds[j]] = [kinds[j], kinds[i]];
	}
	return kinds;
}

// When, as parts of the contest: twice as many at its beginning and end as in the middle.
function drawTimes(n) {
	const times = [];
	while (times.length < n) {
		const at = random();
		if (random() < 0.5 + 0.5 * (2 * at - 1) ** 2) times.push(at);
	}
	return times.sort((a, b) => a - b);
}

const names = Array.from({ length: students }, (_, i) => `s${String(i + 1).padStart(2, '0')}`);
const waiting = new Map(names.map((name) => [name, 0]));
const solved = new Set(); // "student challenge"

// Mostly somebody who waits for nothing and has not solved it yet.
async function drawStudent(challenge) {
	const most = random() < IMPATIENT ? WAITING_MAX : 1;
	for (;;) {
		const free = names.filter((name) => waiting.get(name) < most);
		const eager = free.filter((name) => !solved.has(`${name} ${challenge}`));
		if (free.length > 0) return drawn(eager.length > 0 ? eager : free);
		await pause(100);
	}
}

// ------------------------------------------------------------- handing in

const began = Date.now();
const handed = new Map(); // id -> { id, student, kind, handed_ms, result_ms, verdict }
const latest = [];
let cursor = '0';
let heard = Date.now();
let ended = false;

async function handIn(kind, part, number) {
	const { archive, challenge } = KINDS[kind];
	const student = await drawStudent(challenge);
	const one = { id: `autumn-${String(number).padStart(4, '0')}`, student, kind, handed_ms: Date.now() };
	const payload = {
		id: one.id, student, contest: 'autumn', challenge,
		url: archive.includes('://') ? archive : `${archives}/${archive}`,
		submitted_at: Math.floor(began - HOURS_MS + part * HOURS_MS),
	};
	waiting.set(student, waiting.get(student) + 1);
	handed.set(one.id, one);
	await redis('lpush', 'submissions', JSON.stringify(payload));
}

async function handInAll() {
	const duration = (submissions / rate) * 60000 * 1.5; // at the height it is 1.5 times the mean
	const kinds = drawKinds(submissions);
	const times = drawTimes(submissions);
	for (let i = 0; i < submissions; i++) {
		await pause(Math.max(0, began + times[i] * duration - Date.now()));
		await handIn(kinds[i], times[i], i + 1);
	}
}

// ------------------------------------------------------------------ results

// Whoever remembers the last entry misses nothing.
async function readResults() {
	const answer = JSON.parse(await redis('--json', 'xread', 'count', '1000', 'streams', 'sbx:{q}:results', cursor));
	for (const [id, fields] of answer?.['sbx:{q}:results'] ?? []) {
		cursor = id;
		const result = Object.fromEntries(fields.flatMap((name, i) => (i % 2 ? [] : [[name, fields[i + 1]]])));
		takeResult(Number(id.split('-')[0]), result);
	}
}

function takeResult(at, result) {
	const one = handed.get(result.id);
	if (!one || one.verdict) return; // a second one would be found by the summary
	one.verdict = result.verdict;
	one.result_ms = at;
	heard = Date.now();
	waiting.set(one.student, waiting.get(one.student) - 1);
	if (one.verdict === 'AC') solved.add(`${one.student} ${result.challenge}`);
	latest.unshift(`${one.student} ${one.kind} ${one.verdict}`);
	latest.length = Math.min(latest.length, 5);
}

// ----------------------------------------------------------------- the view

const live = process.stdout.isTTY;
const size = () => (live ? process.stdout.getWindowSize() : [80, 24]);
const cut = (text) => [...text].slice(0, size()[0] - 1).join('');
const paint = (code, text) => `\x1b[${code}m${cut(text)}\x1b[0m`;
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

function bar(part, width) {
	const full = Math.round(part * width);
	return '█'.repeat(full) + '░'.repeat(width - full);
}

function percentile(values, part) {
	const sorted = values.toSorted((a, b) => a - b);
	return sorted[Math.ceil(sorted.length * part) - 1] ?? 0;
}

function figures() {
	const done = [...handed.values()].filter((one) => one.verdict);
	const times = done.map((one) => one.result_ms - one.handed_ms);
	return { done: done.length, p50: percentile(times, 0.5), p95: percentile(times, 0.95) };
}

function frame(rows, status) {
	const { done, p50, p95 } = figures();
	const most = Math.max(1, ...rows.map((row) => row.solved));
	return [
		paint(1, `Autumn contest   ${bar(done / submissions, 30)} ${done} of ${submissions} judged`),
		cut(`  handed in ${handed.size}   waiting ${status.depth}   running ${status.running}` +
			`   until the result: p50 ${seconds(p50)}, p95 ${seconds(p95)}`),
		'',
		paint(2, '  RANK  STUDENT   SOLVED       PENALTY'),
		...rows.map((row) => `  ${String(row.rank).padStart(4)}  ${row.student.padEnd(8)}  ` +
			`${paint(32, bar(row.solved / most, 6))} ${row.solved}  ${String(Math.floor(row.penalty_s / 60)).padStart(7)} min`),
		'',
		paint(2, `  last: ${latest.join(', ')}`),
	];
}

function line(rows, { depth, running }) {
	const { done, p50, p95 } = figures();
	const first = rows[0] ? `; first: ${rows[0].student} with ${rows[0].solved}` : '';
	return `handed in ${handed.size}, judged ${done} of ${submissions}, waiting ${depth}, running ${running}, ` +
		`p50 ${seconds(p50)}, p95 ${seconds(p95)}${first}`;
}

let looks = 0;

async function show() {
	const [rows, status] = await Promise.all([
		ask('admin', 'rank', 'show', 'autumn', '--limit', String(Math.max(1, Math.min(ROWS, size()[1] - 8)))),
		ask('admin', 'status'),
	]);
	if (live) process.stdout.write(`\x1b[H${frame(rows, status).map((text) => `${text}\x1b[K`).join('\n')}\n\x1b[J`);
	else if (looks++ % 10 === 0 || ended) console.log(line(rows, status));
}

async function watch() {
	for (;;) {
		await readResults();
		ended = figures().done === submissions;
		await show();
		if (ended) return;
		if (Date.now() - heard > SILENCE_MS) throw new Error('no result for three minutes: look at the logs of the workers');
		await pause(LOOK_MS);
	}
}

function leave() {
	if (live) process.stdout.write('\x1b[?25h');
}
process.on('exit', leave);
process.on('SIGTERM', () => process.exit(143));
process.on('SIGINT', () => process.exit(130));

if (live) process.stdout.write('\x1b[?25l\x1b[2J');
try {
	await Promise.all([handInAll(), watch()]);
} catch (error) {
	console.error(`contest: ${error.message}`);
	process.exit(1);
}
writeFileSync(planFile, JSON.stringify([...handed.values()]));
