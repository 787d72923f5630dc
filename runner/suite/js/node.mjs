// SPDX-License-Identifier: MIT
// The real node:test: every file in a process of its own, one after another.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { run } from 'node:test';

const { plan, Report, waitForGo } = createRequire(import.meta.url)('./report.cjs');
const root = process.cwd();

// The processes of files report on their standard output. Sources that write there themselves could
// carry there what a server answered: then nothing counts of a process that came to a bad end.
const speaks = fs.globSync('**/*.{js,mjs,cjs,ts,mts,cts}', { cwd: root, exclude: (name) => name === 'node_modules' })
	.some((file) => /\bstdout\b|\bwriteSync\b/.test(fs.readFileSync(path.join(root, file), 'utf8')));

const key = ({ nesting, name, line, column }) => [nesting, line, column, name].join('\0');

// Of a run of one file: what is declared in describe blocks is a test, what a test starts while it
// runs is a part of it. `open` are the suites and tests around what is reported next, by nesting.
class File {
	constructor(report, name) {
		this.report = report;
		this.name = name;
		this.open = [];
		this.types = new Map();
		this.told = false;
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
		if (this.isFile(data))
			return passed || this.fileFailed(data.details?.error, error);
		// What stands in a block that is skipped is not even looked at: it counts as one test.
		if (data.details?.type === 'suite' && data.skip === undefined) {
			// Its tests say themselves why they failed; what is left is a hook.
			if (!passed && data.details?.error?.failureType !== 'subtestsFailed')
				this.broken(error, names);
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

	// A process that was ended (its memory was full) leaves tests that it had not reported; else
	// something failed that is no test, unless the diagnostics have said whose it is.
	fileFailed(details, error) {
		if (!speaks && (details?.signal || details?.exitCode > 128))
			this.report.fileEnded(this.name, 'not done: the program that runs this file was ended before ' +
				`(${details.signal ?? details.exitCode})`);
		else if (!this.told || details?.failureType !== 'testCodeFailure')
			this.broken(error, []);
	}

	broken(error, above) {
		this.report.fileBroken(this.name, error ?? 'the file could not be run',
			(cases) => above.every((name, i) => cases[i] === name));
	}

	// What the runner says of an error that nobody caught, if a test failed besides only here.
	diagnostic({ message }) {
		const late = typeof message === 'string' &&
			/^Error: (?:Test "(.*)" at .*|A resource) generated asynchronous activity after the test ended/s.exec(message);
		if (!late)
			return;
		this.told = true;
		this.report.fileBroken(this.name, message, (cases) => !late[1] || cases[cases.length - 1] === late[1]);
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
		else if (type === 'test:diagnostic')
			file.diagnostic(data);
	}
}

if (!waitForGo())
	process.exit(0);
const report = new Report();
for (const name of plan.files)
	await runFile(report, name);
report.end();
process.exit(0);
