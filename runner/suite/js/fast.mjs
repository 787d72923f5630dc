// SPDX-License-Identifier: MIT
// The fast way: Vitest's own @vitest/runner and @vitest/expect under plain Node. publish.mjs makes
// one file of this and of what it imports, and one of each test file with what that imports, so
// that nothing has to be resolved, stripped or compiled when a submission waits.

import { startTests } from '@vitest/runner';
import { getTestName } from '@vitest/runner/utils';
import { createRequire } from 'node:module';
import { api, assertionState, createExpect, resetAssertions } from './fast-vitest.mjs';
import { lock } from './lock.cjs';
import { plan, Report, waitForGo } from './report.cjs';

const load = createRequire(__filename);
const root = process.cwd() + '/';
const nameOf = (path) => path.slice(root.length);
const NOBODY = 'an error that nobody caught: ';

class Runner {
	// What Vitest's defaults are.
	config = {
		root: root.slice(0, -1), name: '', setupFiles: [], tags: [], passWithNoTests: true, allowOnly: true,
		sequence: { seed: 0, hooks: 'stack', setupFiles: 'parallel', concurrent: false, shuffle: false },
		maxConcurrency: 5, testTimeout: 5000, hookTimeout: 10000, retry: 0, includeTaskLocation: false,
		expect: {},
		// Nobody reads the differences, and those of two long lists take minutes.
		diffOptions: { truncateThreshold: 1 },
	};

	pool = 'threads';
	current = undefined;

	importFile(path) {
		const file = nameOf(path);
		globalThis[Symbol.for('sandbox.packages')] = packages[file];
		load(plan.bundles.files[file]);
	}

	// All are collected, none has run.
	onBeforeRunFiles() {
		lock();
	}

	onCollectStart(file) {
		this.current = file;
	}

	onBeforeRunSuite(suite) {
		this.current = suite;
	}

	onAfterRunSuite(suite) {
		this.current = suite.suite || suite.file;
	}

	onBeforeRunTask(test) {
		if (test.mode === 'run' || test.mode === 'queued')
			this.current = test;
	}

	onAfterRunTask(test) {
		this.current = test.suite || test.file;
		this.onResult?.(test);
	}

	onBeforeTryTask(test) {
		resetAssertions(getTestName(test));
	}

	onAfterTryTask(test) {
		const state = assertionState(test);
		if (state.expectedAssertionsNumber !== null && state.assertionCalls !== state.expectedAssertionsNumber)
			throw state.expectedAssertionsNumberErrorGen();
		if (state.isExpectingAssertions === true && state.assertionCalls === 0)
			throw state.isExpectingAssertionsError;
	}

	extendTaskContext(context) {
		let own;
		Object.defineProperty(context, 'expect', { get: () => (own ??= createExpect(context.task)) });
		Object.defineProperty(context, '_local', { get: () => own != null });
		return context;
	}
}

function names(task) {
	const out = [];
	for (let one = task; one && one.type && one !== task.file; one = one.suite)
		out.unshift(one.name);
	return out;
}

function result(report, test) {
	const state = test.result?.state;
	report.test({
		file: nameOf(test.file.filepath),
		path: names(test),
		status: test.mode === 'skip' || test.mode === 'todo' ? 'skipped' :
			state === 'pass' ? 'passed' : state === 'fail' ? 'failed' : 'skipped',
		duration: test.result?.duration,
		error: test.result?.errors?.[0],
	});
}

// Tests whose result onAfterRunTask never saw: skipped ones, and those of hooks that failed.
function rest(report, seen, task) {
	if (task.type === 'test') {
		if (!seen.has(task))
			result(report, task);
		return;
	}
	for (const one of task.tasks)
		rest(report, seen, one);
	const error = task.result?.errors?.[0];
	if (error) {
		const above = names(task);
		report.fileBroken(nameOf(task.file.filepath), error,
			(path) => above.every((name, i) => path[i] === name));
	}
}

// As in Vitest, an error that nobody caught belongs to the test that ran.
function listen(report, runner) {
	const caught = (error) => {
		const { current } = runner;
		const name = current?.type === 'test' ? current.name : undefined;
		for (const file of current ? [nameOf(current.file.filepath)] : plan.files)
			report.fileBroken(file, error, (path) => !name || path[path.length - 1] === name, NOBODY);
	};
	process.on('uncaughtException', caught);
	process.on('unhandledRejection', caught);
}

async function runFile(report, runner, name) {
	const seen = new Set();
	if (plan.cases) {
		runner.onResult = (test) => {
			seen.add(test);
			result(report, test);
		};
	}
	const before = report.failures;
	const [file] = await startTests([root + name], runner);
	rest(report, seen, file);
	if (file.result?.state === 'fail')
		report.fileFailed(name, before);
}

// While the server boots: for each file packages that no other file shares.
const packages = {};
for (const file of plan.files) {
	packages[file] = {};
	for (const [name, bundle] of Object.entries(plan.bundles.packages)) {
		packages[file][name] = load(bundle);
		delete load.cache[bundle];
	}
}
globalThis[Symbol.for('sandbox.vitest')] = api;
if (!waitForGo())
	process.exit(0);
// The runner's own timers do not keep a process alive; in Vitest the channel to its parent does.
setInterval(() => {}, 1 << 30);
const report = new Report();
const runner = new Runner();
listen(report, runner);
(async () => {
	for (const name of plan.files)
		await runFile(report, runner, name);
	// Rejections are reported once the microtasks are done.
	await new Promise((resolve) => setImmediate(resolve));
	report.end();
	process.exit(0);
})();
