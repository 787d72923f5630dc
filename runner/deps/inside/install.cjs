// SPDX-License-Identifier: MIT
// Runs a package manager in an install jail with a registry of its own (registry.cjs):
//   install.cjs KIND LOCKFILE REGISTRY [--proxy URL] [--insecure] [--offline] [--difference] -- COMMAND...
// With --difference node_modules is that of an earlier install, another student's, whose manifest and
// lockfile are in /opt/base-*: it counts only if all of that is a part of what is asked for now, word for
// word, and no two packages bring a program of one name. Ends with 77 if it does not.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const { Registry } = require('./registry.cjs');
const { Digests, lockfileWithin, manifestWithin } = require('./lockfile.cjs');
const { programsOk } = require('./tree.cjs');
const yarn = require('./yarn.cjs');
const zips = require('./zips.cjs');

const PORT = 4873;
const CACHE = '/tmp/npm/_cacache/content-v2/sha512';
const KEPT = '/app/.kept';
const MANAGERS_CACHE = '/app/.cache';
const ZIPS = MANAGERS_CACHE + '/cache';
const NOT_REUSED = 77;

const read = (file) => fs.readFileSync(file, 'utf8');

function options(argv) {
	const [kind, lockfile, upstream, ...rest] = argv;
	const o = { kind, lockfile, upstream, port: PORT, cache: CACHE, kept: KEPT };
	while (rest.length && rest[0] !== '--') {
		const word = rest.shift().slice(2);
		o[word] = word === 'proxy' ? rest.shift() : true;
	}
	o.command = rest.slice(1);
	return o;
}

// Lockfiles may say from which registry each package came; here there is one. (yarn 1 needs an address:
// the shell has put in ours.)
function withoutHosts(kind, text) {
	const tarball = 'https?:\\/\\/[^"\\s{}]*?\\/((?:@[^/"\\s{}]+\\/)?[^/"\\s{}]+\\/-\\/[^/"\\s{}]+)';
	if (kind === 'yarn')
		return text.replace(new RegExp(`^  resolved "${tarball}`, 'gm'), '  resolved "/$1');
	if (kind === 'bun')
		return text.replace(new RegExp(`^(    "[^"]+": \\["[^"]+", )"${tarball}"`, 'gm'), '$1""');
	if (kind === 'pnpm')
		return text.replace(new RegExp(`^(    resolution: \\{integrity: [^ ,{}]+), tarball: ${tarball}\\}$`, 'gm'), '$1}');
	return text;
}

function baseOk(o, lockfile) {
	return manifestWithin(JSON.parse(read('/opt/base-manifest')), JSON.parse(read('package.json'))) &&
		lockfileWithin(o.kind, withoutHosts(o.kind, read('/opt/base-lockfile')), withoutHosts(o.kind, lockfile));
}

function run(command) {
	return new Promise((done) => {
		const child = spawn(command[0], command.slice(1), { stdio: 'inherit' });
		child.once('error', (error) => {
			process.stderr.write(`${command[0]}: ${error.message}\n`);
			done(127);
		});
		child.once('exit', (code) => done(code ?? 1));
	});
}

async function main() {
	const o = options(process.argv.slice(2));
	const binary = o.lockfile.endsWith('.lockb');
	const given = binary ? '' : read(o.lockfile);
	const lockfile = o.kind === 'yarn' ? given : withoutHosts(o.kind, given);
	if (lockfile !== given)
		fs.writeFileSync(o.lockfile, lockfile);
	if (o.difference && !baseOk(o, lockfile))
		return NOT_REUSED;
	if (o.kind === 'berry')
		zips.place(lockfile, CACHE, ZIPS);
	if (o.kind === 'yarn' && o.difference)
		yarn.fill(lockfile, '/opt/base', MANAGERS_CACHE);
	const registry = new Registry(o, new Digests(binary ? '' : o.kind, lockfile));
	await registry.listen();
	const code = await run(o.command);
	await registry.close();
	if (code !== 0)
		return code;
	if (o.kind === 'berry')
		zips.keep(lockfile, ZIPS, KEPT);
	fs.mkdirSync('node_modules', { recursive: true });
	if (o.kind === 'yarn')
		yarn.note(lockfile, MANAGERS_CACHE, 'node_modules');
	return o.difference && !programsOk('node_modules') ? NOT_REUSED : 0;
}

main().then((code) => process.exit(code), (error) => {
	process.stderr.write(`${error.stack}\n`);
	process.exit(1);
});
