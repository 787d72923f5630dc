// SPDX-License-Identifier: MIT
// Run once, when a challenge is published: decides whether its Vitest suites may take the fast way,
// and makes the files of it. What is in doubt takes the real way: the words that are looked for are
// looked for in comments and strings, too.
//
// The answer is one line on the report: {"event":"fast","bundles":{...},"globals":...} or why not.

import fs from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = process.cwd();
const ours = path.dirname(fileURLToPath(import.meta.url));
const require = createRequire(path.join(root, 'x.js'));
const { plan, text, write, event } = createRequire(import.meta.url)('./report.cjs');

const API = ['afterAll', 'afterEach', 'beforeAll', 'beforeEach', 'describe', 'expect', 'it', 'onTestFailed',
	'onTestFinished', 'suite', 'test', 'assert'];
const PACKAGES = ['axios', 'supertest'];

// Each with what is said about it.
const NOT_HERE = [
	[/\bvi\b|\bvitest\b\s*[.[]/, 'mocks and timers (vi)'],
	[/\bjest\b/, 'jest'],
	[/Snapshot/, 'snapshots'],
	[/import\s*\.\s*meta/, 'import.meta'],
	[/\bimport\s*\(/, 'import()'],
	[/\b(bench|expectTypeOf|assertType|inject|poll|extend|scoped|override|aroundAll|aroundEach|recordArtifact|annotate)\b/,
		'a part of Vitest that is rarely used'],
	[/\b(__dirname|__filename|require|module|eval|Function|Worker|prepareStackTrace|captureStackTrace)\b/,
		'the module itself or its place'],
	[/@vitest-environment|@jest-environment|\btypecheck\b|@module-tag|\btags\b/, 'an environment or tags'],
];
// One file may change what the next one sees, unless each has a process of its own.
const SHARED = /\b(globalThis|global|process|prototype|setPrototypeOf|setGlobalDispatcher|globalAgent)\b/;

class RealWay extends Error {}

function no(file, what) {
	throw new RealWay(`${path.relative(root, file)}: ${what}`);
}

const bare = (source) => source.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, '$1');

function checkVitestImports(file, source) {
	const code = bare(source);
	const pattern = /\b(?:import|export)\b\s*(type\s)?([^;'"]*?)\bfrom\s*['"]vitest['"]/g;
	const found = [...code.matchAll(pattern)];
	if (found.length !== [...code.matchAll(/['"]vitest['"]/g)].length)
		no(file, 'an unusual import of vitest');
	for (const [all, type, names] of found) {
		const list = /^\s*\{([^}]*)\}\s*$/.exec(names);
		if (type)
			continue;
		if (!list || all.startsWith('export'))
			no(file, 'an import of all of vitest');
		for (const one of list[1].split(',').map((s) => s.trim()).filter(Boolean)) {
			if (!one.startsWith('type ') && !API.includes(one.split(/\s+as\s+/)[0]))
				no(file, `imports "${one}" of vitest`);
		}
	}
}

function check(file) {
	const source = fs.readFileSync(file, 'utf8');
	for (const [pattern, what] of NOT_HERE) {
		const m = pattern.exec(source.replace(/(\bfrom\s*)['"]vitest['"]/g, '$1""'));
		if (m)
			no(file, `uses ${what}: "${m[0]}"`);
	}
	if (plan.files.length > 1 && SHARED.test(source))
		no(file, 'changes or reads what several files share');
	checkVitestImports(file, source);
}

const isOurs = (file) => file.startsWith(root + path.sep) && !file.includes(`${path.sep}node_modules${path.sep}`);

// Sources of the challenge are checked as they are loaded; packages are those of a short list.
const plugin = {
	name: 'suite',
	setup(build) {
		build.onResolve({ filter: /^vitest$/ }, () => ({ path: 'vitest', namespace: 'vitest' }));
		build.onLoad({ filter: /.*/, namespace: 'vitest' }, () => ({
			contents: 'module.exports = globalThis[Symbol.for("sandbox.vitest")];', loader: 'js',
		}));
		build.onResolve({ filter: /^[^./]/ }, (args) => {
			if (!isOurs(args.importer) || builtinModules.includes(args.path.replace(/^node:/, '')))
				return null;
			if (PACKAGES.includes(args.path))
				return { path: args.path, namespace: 'package' };
			return { errors: [{ text: `imports the package ${args.path}` }] };
		});
		build.onLoad({ filter: /.*/, namespace: 'package' }, (args) => packageModule(build, args.path));
		build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, (args) => {
			if (isOurs(args.path))
				check(args.path);
			return null;
		});
	},
};

// What packages load at their start and a suite of HTTP tests hardly ever uses is loaded when it is
// used: it takes a third of the time that axios takes.
const LATER = {
	'http2': 'module.exports = { connect: (...a) => require("node:http2").connect(...a), ' +
		'get constants() { return require("node:http2").constants; } };',
	'mime-types': ['lookup', 'contentType', 'extension', 'charset'].reduce((text, name) =>
		`${text}exports.${name} = (...a) => require("mime-types/index.js").${name}(...a);`, ''),
};

// axios asks for FormData when it is loaded, and Node then loads all that fetch() needs.
const FORM_DATA = "const FormDataCtor = typeof G.FormData !== 'undefined' ? G.FormData : undefined;";
const FORM_DATA_LATER = `const FormDataCtor = { [Symbol.hasInstance]: (x) => typeof x === 'object' && x !== null &&
	Object.getPrototypeOf(x) !== Object.prototype && Object.getPrototypeOf(x) !== null &&
	typeof G.FormData === 'function' && x instanceof G.FormData };`;

const later = {
	name: 'later',
	setup(build) {
		build.onResolve({ filter: /^(http2|mime-types)$/ }, (args) => isOurs(args.importer) ? null :
			{ path: args.path, namespace: 'later', pluginData: args.resolveDir });
		build.onLoad({ filter: /.*/, namespace: 'later' }, (args) => ({
			contents: LATER[args.path], loader: 'js', resolveDir: args.pluginData,
		}));
		build.onResolve({ filter: /^\.\/fetch\.js$/ }, (args) =>
			args.importer.endsWith('/axios/lib/adapters/adapters.js') ?
				{ path: path.join(args.resolveDir, 'fetch.js'), namespace: 'later-fetch' } : null);
		build.onLoad({ filter: /.*/, namespace: 'later-fetch' }, (args) => ({
			contents: `export const getFetch = (...a) => require(${JSON.stringify(args.path)}).getFetch(...a);`,
			loader: 'js', resolveDir: path.dirname(args.path),
		}));
		build.onLoad({ filter: /\/axios\/lib\/utils\.js$/ }, (args) => ({
			contents: fs.readFileSync(args.path, 'utf8').replace(FORM_DATA, () => FORM_DATA_LATER),
			loader: 'js',
		}));
	},
};

// A package is a bundle of its own, so that it can be loaded before the server is there: fast.mjs
// gives each test file one that no other has touched.
const packages = {};

async function packageModule({ esbuild }, name) {
	const file = path.join(plan.out, `${name}.cjs`);
	if (!packages[name]) {
		packages[name] = file;
		await bundle(esbuild, {
			stdin: { contents: `export * from '${name}'; export { default } from '${name}';`, resolveDir: ours },
		}, file);
	}
	const names = Object.keys(require(file)).filter((one) => one !== 'default' && /^[A-Za-z_$][\w$]*$/.test(one));
	return {
		contents: `const m = globalThis[Symbol.for('sandbox.packages')][${JSON.stringify(name)}];
			export default m.default; export const { ${names.join(', ')} } = m;`,
		loader: 'js',
	};
}

async function bundle(esbuild, entry, outfile) {
	const result = await esbuild.build({
		...entry,
		outfile,
		bundle: true,
		platform: 'node',
		target: 'node22',
		format: 'cjs',
		minifyWhitespace: true,
		keepNames: true,
		legalComments: 'none',
		sourcemap: false,
		logLevel: 'silent',
		nodePaths: [plan.packages],
		plugins: [later, plugin],
	}).catch((error) => {
		const first = error.errors?.[0];
		throw new RealWay(first ? `${first.location?.file ?? path.basename(outfile)}: ${first.text}` : String(error.message));
	});
	if (result.warnings.length > 0)
		throw new RealWay(result.warnings[0].text);
}

async function make() {
	const esbuild = require('esbuild');
	const bundles = {};
	let globals = false;

	if (plan.config)
		throw new RealWay(`${plan.config}: a configuration file`);
	await bundle(esbuild, { entryPoints: [path.join(ours, 'fast.mjs')] }, path.join(plan.out, 'core.cjs'));
	for (const [i, file] of plan.files.entries()) {
		const out = path.join(plan.out, `suite-${i}.cjs`);
		// Modules are strict; what esbuild makes of them must say so.
		await bundle(esbuild, { entryPoints: [path.join(root, file)], banner: { js: '"use strict";' } }, out);
		bundles[file] = out;
		globals ||= !/['"]vitest['"]/.test(bare(fs.readFileSync(path.join(root, file), 'utf8')));
	}
	if (globals)
		throw new RealWay('a file takes the functions of Vitest from nowhere');
	return { files: bundles, packages };
}

if (process.argv[2] === 'finish') {
	if (fs.existsSync('/tmp/jest'))
		fs.cpSync('/tmp/jest', path.join(plan.out, 'jest'), { recursive: true });
	for (const one of fs.readdirSync(plan.out, { recursive: true, withFileTypes: true }))
		fs.chmodSync(path.join(one.parentPath, one.name), one.isDirectory() ? 0o755 : 0o644);
	process.exit(0);
}
try {
	write(event({ event: 'fast', bundles: await make() }));
} catch (error) {
	if (!(error instanceof RealWay))
		throw error;
	write(event({ event: 'real', message: text(error.message, 500) }));
}
process.exit(0);
