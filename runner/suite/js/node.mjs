// SPDX-License-Identifier: MIT
// The real node:test: every file in a process of its own, one after another.

import { createRequire } from 'node:module';
import path from 'node:path';
import { run } from 'node:test';

const { plan, Report, waitForGo } = createRequire(import.meta.url)('./report.cjs');
const root = process.cwd();

const key = ({ nesting, name, line, column }) => [nesting, line, column, name].join('\0');

// Of a run of one file: what is declared in describe blocks is a test, what a test starts while it
// runs is a part of it. `open` are the suites and tests around what is reported next, by nesting.
class File {
	constructor(report, name) {
		this.report = report;
		this.name = name;
		this.open = [];
		this.types = new Map();
		this.uncaught = undefined; // what the runner says of an error that nobody caught
	}

	start(data) {
		this.open.length = data.nesting;
		this.open[data.nesting] = { name: data.name, type: this.types.get(key(data)) };
	}

	// The runner itself reports a file that failed as a test with the name of the file.
	isFile(data) {
		return data.nesting === 0 && path.resolve(data.name) === path.resolve(this.name);
	}

	result(data, passed) {
		const above = this.open.slice(0, data.nesting);
		const names = [...above.map((one) => one.name), data.name];
		const cause = data.details?.error?.cause ?? data.details?.error;
		const error = typeof cause === 'string' ? { message: cause } : cause;

		if (above.some((one) => one.type === 'test'))
			return;
		if (data.details?.type === 'suite' || this.isFile(data)) {
			// Its tests say themselves why they failed; what is left is a hook, or the file.
			if (!passed && data.details?.error?.failureType !== 'subtestsFailed')
				this.isFile(data) ? this.broken(this.uncaught ?? error, []) : this.broken(error, names);
			return;
		}
		this.report.test({
			file: this.name,
			path: names,
			line: data.line,
			status: data.skip !== undefined || data.todo !== undefined ? 'skipped' :
				passed ? 'passed' : 'failed',
			duration: data.details?.duration_ms,
			error,
		});
	}

	broken(error, above) {
		this.report.fileBroken(this.name, error?.message || 'the file could not be run',
			(cases) => above.every((name, i) => cases[i] === name));
	}
}

async function runFile(report, name) {
	const file = new File(report, name);
	const events = run({ files: [path.join(root, name)], concurrency: false, isolation: 'process' });

	for await (const { type, data } of events) {
		if (type === 'test:enqueue')
			file.types.set(key(data), data.type);
		else if (type === 'test:start')
			file.start(data);
		else if (type === 'test:pass' || type === 'test:fail')
			file.result(data, type === 'test:pass');
		else if (type === 'test:diagnostic' && data.message?.startsWith('Error: '))
			file.uncaught = data;
	}
}

if (!waitForGo())
	process.exit(0);
const report = new Report();
for (const name of plan.files)
	await runFile(report, name);
report.end();
process.exit(0);
