// SPDX-License-Identifier: MIT
// The real Vitest. It is loaded, and then waits for the server; its own worker runs the tests.

import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const { plan, Report, waitForGo } = require('./report.cjs');
const root = process.cwd();
const { createVitest } = await import(pathToFileURL(path.join(plan.packages, 'vitest/dist/node.js')));

const lock = fileURLToPath(new URL('lock-vitest.mjs', import.meta.url));

const nameOf = (module) => path.relative(root, module.moduleId);

// From the file down to the test or suite itself.
function names(entity) {
	const out = [];
	for (let one = entity; one.type !== 'module'; one = one.parent)
		out.unshift(one.name);
	return out;
}

class Reporter {
	report = undefined;
	failures = 0; // of the files before

	result(test) {
		const { state, errors } = test.result();
		this.report.test({
			file: nameOf(test.module),
			path: names(test),
			line: test.location?.line,
			status: state,
			duration: test.diagnostic()?.duration,
			error: errors?.[0],
		});
	}

	onTestCaseResult(test) {
		if (plan.cases)
			this.result(test);
	}

	// Hooks that failed: before the tests these are skipped anyway, after them nobody would know.
	suiteBroken(suite) {
		const above = names(suite);
		const error = suite.errors()[0];
		this.report.fileBroken(nameOf(suite.module), error,
			(cases) => above.every((name, i) => cases[i] === name));
	}

	onTestModuleEnd(module) {
		for (const error of module.errors())
			this.report.fileBroken(nameOf(module), error);
		for (const suite of module.children.allSuites()) {
			if (suite.errors().length > 0)
				this.suiteBroken(suite);
		}
		if (module.state() === 'failed')
			this.report.fileFailed(nameOf(module), this.failures);
		this.failures = this.report.failures;
	}

	// An error that nobody caught belongs to the test that ran, as far as Vitest knows.
	unhandled(error) {
		const { VITEST_TEST_PATH: from, VITEST_TEST_NAME: name } = error ?? {};
		for (const one of typeof from === 'string' ? [path.relative(root, from)] : plan.files)
			this.report.fileBroken(one, error,
				(cases) => !name || cases.join(' > ') === name || cases[cases.length - 1] === name,
				'an error that nobody caught: ');
	}

	onTestRunEnd(modules, errors) {
		if (!plan.cases) {
			const inOrder = [...modules].sort((a, b) =>
				plan.files.indexOf(nameOf(a)) - plan.files.indexOf(nameOf(b)));
			for (const module of inOrder) {
				for (const test of module.children.allTests())
					this.result(test);
			}
		}
		errors.forEach((error) => this.unhandled(error));
		this.report.end();
	}
}

// In the order of their names, like everything that this project runs.
class Sequencer {
	async shard(files) {
		return files;
	}

	async sort(files) {
		const at = (spec) => plan.files.indexOf(path.relative(root, spec.moduleId));
		return [...files].sort((a, b) => at(a) - at(b));
	}
}

// The report begins once the server is there: its first line is the plan.
const reporter = new Reporter();
const vitest = await createVitest('test', {
	root,
	config: plan.config || false,
	watch: false,
	include: plan.files,
	exclude: ['**/node_modules/**'],
	pool: 'threads',
	maxWorkers: 1,
	fileParallelism: false,
	...(plan.files.length === 1 ? { isolate: false } : {}),
	reporters: [reporter],
	sequence: { sequencer: Sequencer },
	includeTaskLocation: true,
	passWithNoTests: true,
	coverage: { enabled: false },
	cache: false,
	api: false,
	// Nobody reads the differences, and those of two long lists take minutes.
	diff: { truncateThreshold: 1 },
}, {
	cacheDir: '/tmp/vite',
	configLoader: 'runner',
	server: { watch: null },
	// Beside those of the suite's own configuration.
	plugins: [{ name: 'lock', config: () => ({ test: { setupFiles: [lock] } }) }],
});
if (!waitForGo())
	process.exit(0);
reporter.report = new Report();
await vitest.start();
process.exit(0);
