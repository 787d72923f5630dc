// SPDX-License-Identifier: MIT
'use strict';
// The real Jest, in this process. TypeScript and import statements are translated by Babel, with
// what babel-jest brings along (jest.mock is moved to the top), unless the challenge has a
// configuration of its own.

const fs = require('node:fs');
const path = require('node:path');

const { plan, Report, waitForGo } = require('./report.cjs');
const root = process.cwd();
const load = require('node:module').createRequire(path.join(root, 'x.js'));

const CACHE = '/tmp/jest';
let report;

// Jest makes its reporter from this file.
class Reporter {
	onTestFileResult(test, result) {
		const file = path.relative(root, test.path);

		for (const one of result.testResults) {
			const detail = one.failureDetails?.[0];
			const matcher = detail?.matcherResult ?? detail?.error?.matcherResult;
			const said = one.failureMessages?.[0];
			report.test({
				file,
				path: [...one.ancestorTitles, one.title],
				line: one.location?.line,
				status: one.status === 'passed' || one.status === 'failed' ? one.status : 'skipped',
				duration: one.duration,
				error: one.status === 'failed' ? {
					message: matcher?.message ?? (typeof said === 'string' ? said.split('\n    at ')[0] : said),
					stack: said,
					expected: matcher?.expected,
					actual: matcher?.actual,
				} : undefined,
			});
		}
		// The file could not be loaded, or something outside of its tests failed.
		const error = result.testExecError ?? (result.failureMessage && result.testResults.every(
			(one) => one.status !== 'failed') ? { message: result.failureMessage } : undefined);
		if (error)
			report.fileBroken(file, error.message ? error : { message: result.failureMessage });
	}

	getLastError() {}
}

module.exports = Reporter;

function configuration() {
	if (plan.config)
		return { config: path.join(root, plan.config) };
	return {
		config: JSON.stringify({
			rootDir: root,
			testEnvironment: load.resolve('jest-environment-node'),
			testMatch: plan.files.map((file) => '<rootDir>/' + file.replace(/[[\](){}*?!+@\\]/g, '\\$&')),
			moduleFileExtensions: ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts', 'jsx', 'tsx', 'json', 'node'],
			transform: {
				'\\.[cm]?[jt]sx?$': [load.resolve('babel-jest'), {
					babelrc: false,
					configFile: false,
					sourceMaps: 'inline',
					presets: [[load.resolve('@babel/preset-typescript'), { onlyRemoveTypeImports: false }]],
					plugins: [load.resolve('@babel/plugin-transform-modules-commonjs')],
				}],
			},
			extensionsToTreatAsEsm: [],
			watchman: false,
		}),
	};
}

async function main() {
	const { runCLI } = load('@jest/core');

	// What it would load once it runs.
	for (const name of ['jest-circus/runner', 'jest-runner', 'babel-jest', 'jest-environment-node'])
		load(name);
	// What Babel made of the files when they were published; Jest wants to write there.
	if (fs.existsSync(plan.out + '/jest'))
		fs.cpSync(plan.out + '/jest', CACHE, { recursive: true });
	if (!waitForGo())
		process.exit(0);
	report = new Report();
	const { results } = await runCLI({
		...configuration(),
		_: plan.files,
		$0: 'jest',
		runInBand: true,
		ci: true,
		silent: true,
		watchman: false,
		testLocationInResults: true,
		reporters: [__filename],
		cacheDirectory: CACHE,
		passWithNoTests: true,
		runTestsByPath: true,
		forceExit: false,
	}, [root]);
	if (results.runExecError)
		plan.files.forEach((file) => report.fileBroken(file, results.runExecError));
	report.end();
	process.exit(0);
}

if (require.main === module) {
	// The reporter is loaded by its name from the same place, and must be this module.
	main().catch((error) => {
		process.stderr.write(String(error?.stack ?? error) + '\n');
		process.exit(1);
	});
}
