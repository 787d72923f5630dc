// SPDX-License-Identifier: MIT
'use strict';
// What all ways of running a suite share: the plan, the byte that says go, and the report.
//
// The plan says which tests the suite had when it was published ("cases"), or nothing of them while
// it is being published: then every test is reported as found. The report is JSON lines on a
// descriptor of its own; the host reads them (tests-report.c) and believes nothing but what it
// expects. A test is known by its file and its names, and by how many of the same name came before.
//
// What is needed after tests have run is taken before: their code, or an answer that they merged
// into a prototype, must not change what is reported.

const fs = require('node:fs');
const { inspect } = require('node:util');
const { writeSync, readSync } = fs;
const { stringify } = JSON;

const REPORT_FD = 3;
const GO_FD = 4;
const MESSAGE_MAX = 2000;
const NAME_MAX = 500;
// The host takes 16 MiB of a report. What comes after half of it says less.
const DETAIL_MAX = 8 << 20;
const BROKEN_MAX = 1000;

const plan = JSON.parse(fs.readFileSync(process.env.SUITE_PLAN, 'utf8'));

let written = 0;

function write(event) {
	const line = Buffer.from(stringify(event) + '\n');
	let at = 0;
	written += line.length;
	while (at < line.length)
		at += writeSync(REPORT_FD, line, at);
}

// Own properties only: nothing that a prototype could have been given.
function event(members) {
	return Object.setPrototypeOf(members, null);
}

// Waits, without turning the event loop, until the server is there. False: nobody wants the tests.
function waitForGo() {
	const byte = Buffer.alloc(1);
	write(event({ event: 'ready' }));
	return readSync(GO_FD, byte, 0, 1, null) === 1;
}

function text(value, max) {
	let s;
	if (value === undefined || value === null)
		return undefined;
	try {
		s = typeof value === 'string' ? value : String(value);
	} catch {
		return undefined;
	}
	s = s.slice(0, 8 * max);
	// eslint-disable-next-line no-control-regex
	s = s.replace(/\x1b\[[0-9;]*m/g, '').trim();
	s = s.length > max ? s.slice(0, max) + '…' : s;
	// The host's parser takes neither NUL nor half a character; colours are cleaned above.
	return s.toWellFormed().replaceAll('\0', '\ufffd');
}

// Values that are no texts yet, as Node shows them.
function shown(value) {
	if (value === undefined || typeof value === 'string')
		return value;
	try {
		return inspect(value, { depth: 4, maxArrayLength: 100, maxStringLength: MESSAGE_MAX });
	} catch {
		return undefined;
	}
}

// What was thrown in one sentence. It may be anything: a test may throw what a server answered, and
// then its members are whatever that server wanted.
function said(error) {
	for (const one of [error?.message, error?.name]) {
		if (typeof one === 'string' && one)
			return text(one, MESSAGE_MAX) || 'failed';
	}
	return text(shown(error), MESSAGE_MAX) || 'failed';
}

// Where in the test file an error came from: the first frame of its stack that names the file.
function position(stack, file) {
	const lines = typeof stack === 'string' ? stack.slice(0, 20000).split('\n') : [];
	for (const line of lines) {
		const at = line.indexOf(file + ':');
		const m = at < 0 ? null : /^:(\d+)(?::(\d+))?/.exec(line.slice(at + file.length));
		if (m)
			return { line: Number(m[1]), column: Number(m[2] || 0) };
	}
	return {};
}

// { message, expected, actual, stack } of an error to what the host shows.
function failure(error, file) {
	if (!error)
		return event({ message: 'failed' });
	const where = position(error.stack, file);
	if (written > DETAIL_MAX)
		return event({ message: text(said(error), 200) });
	return event({
		message: said(error),
		expected: text(shown(error.expected), MESSAGE_MAX),
		actual: text(shown(error.actual), MESSAGE_MAX),
		line: where.line,
		column: where.column,
	});
}

class Report {
	constructor() {
		this.known = new Map();
		this.found = [];
		this.broken = [];
		this.down = new Set();
		this.failures = 0;
		for (const [index, one] of (plan.cases || []).entries()) {
			const key = Report.key(one.file, one.path);
			if (!this.known.has(key))
				this.known.set(key, []);
			this.known.get(key).push(index);
		}
		if (plan.cases)
			write(event({ event: 'plan', cases: plan.cases.length }));
	}

	static key(file, path) {
		return stringify([file, ...path]);
	}

	// One test. `file` as in the plan, `path` its describe blocks and its name.
	test({ file, path, line, status, duration, error }) {
		const status3 = status === 'passed' || status === 'failed' ? status : 'skipped';
		this.failures += status3 === 'failed';
		if (!plan.cases) {
			this.found.push(event({
				event: 'found', file, path: path.map((name) => text(name, NAME_MAX) || ''),
				line: line || 0, status: status3,
				message: error ? text(said(error), NAME_MAX) : undefined,
			}));
			return;
		}
		const index = (this.known.get(Report.key(file, path.map((n) => text(n, NAME_MAX) || ''))) || []).shift();
		if (index === undefined) {
			this.fileBroken(file, 'the file ran a test that it did not have when it was published: ' +
				path.join(' > '));
			return;
		}
		write(event({
			event: 'case', index, status: status3, duration_ms: duration || 0,
			failure: status3 === 'passed' ? undefined :
				error ? failure(error, file) :
					event({ message: status3 === 'skipped' ? 'the suite skipped this test' : 'failed' }),
		}));
	}

	// Something that no test of these failed for, but that fails them: a hook after them, an
	// error that nobody caught, a file that cannot be loaded. `wanted` chooses among the file's;
	// what it was is said once for each, however often a server brings it about. An error that
	// cannot be told whose it is fails them all.
	fileBroken(file, error, wanted = () => true, before = '') {
		const message = text(before + (typeof error === 'string' ? error : said(error)), MESSAGE_MAX) || 'failed';
		if (!plan.cases) {
			if (this.broken.length < BROKEN_MAX)
				this.broken.push(event({ event: 'broken', file, message }));
			return;
		}
		const all = [...plan.cases.keys()];
		const ofFile = all.filter((index) => plan.cases[index].file === file);
		const chosen = ofFile.filter((index) => wanted(plan.cases[index].path));
		this.break(chosen.length > 0 ? chosen : ofFile.length > 0 ? ofFile : all, message);
	}

	// The file ended before all of its tests were reported: these have failed.
	fileEnded(file, message) {
		const left = [...this.known.values()].flat();
		if (!plan.cases)
			this.fileBroken(file, message);
		else
			this.break(left.filter((index) => plan.cases[index].file === file), message);
	}

	// The runner says that a file failed. A hook that threw an empty list leaves no error to tell:
	// if nothing has failed since there were `before` failures, all of it has.
	fileFailed(file, before) {
		if (plan.cases && this.failures === before)
			this.fileBroken(file, 'failed: a hook, or something else that is no test');
	}

	break(cases, message) {
		this.failures++;
		const fresh = cases.filter((index) => !this.down.has(index));
		fresh.forEach((index) => this.down.add(index));
		for (let i = 0; i < fresh.length; i += 1000)
			write(event({ event: 'broken', cases: fresh.slice(i, i + 1000),
				message: written > DETAIL_MAX ? text(message, 200) : message }));
	}

	end() {
		this.found.forEach(write);
		this.broken.forEach(write);
		write(event({ event: 'end' }));
	}
}

module.exports = { plan, Report, waitForGo, text, said, write, event };
