#!/bin/bash
# SPDX-License-Identifier: MIT
# When a lockfile counts as a part of another (runner/deps/inside/lockfile.cjs): what a manager is
# shown of somebody else's must be in the submission's own, word for word; and which tarball an
# address stands for.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cat >"$scratch/test.cjs" <<'E2'
const { Digests, lockfileWithin, manifestWithin } = require(process.argv[2] + '/runner/deps/inside/lockfile.cjs');
let n = 0;
const is = (name, expected, actual) => { n++;
	console.log(`${JSON.stringify(expected) === JSON.stringify(actual) ? 'ok' : 'not ok'} ${n} - ${name}`); };
const sum = (c) => `sha512-${c.repeat(86)}==`, A = sum('A'), B = sum('B');

const pnpm = (packages, head = '') => `lockfileVersion: '9.0'\n${head}\nimporters:\n\n  .:\n    dependencies:\n` +
	packages.map(([name]) => `      ${name}:\n        specifier: 1.0.0\n        version: 1.0.0\n`).join('') + '\npackages:\n' +
	packages.map(([name, digest, more = '']) => `\n  ${name}@1.0.0:\n    resolution: {integrity: ${digest}}\n${more}`).join('') +
	'\nsnapshots:\n' + packages.map(([name]) => `\n  ${name}@1.0.0: {}\n`).join('');
const yarn = (packages, head = '') => `# yarn lockfile v1\n\n\n${head}` + packages.map(([name, digest, more = '']) =>
	`${name}@1.0.0:\n  version "1.0.0"\n  resolved "/${name}/-/${name}-1.0.0.tgz"\n  integrity ${digest}\n${more}`).join('\n');
const berry = (packages, head = '') => `__metadata:\n  version: 8\n${head}\n` + packages.map(([name, digest, more = '']) =>
	`"${name}@npm:1.0.0":\n  version: 1.0.0\n  resolution: "${name}@npm:1.0.0"\n  checksum: ${digest}\n${more}`).join('\n');
const bun = (packages, head = '') => `{\n  "lockfileVersion": 1,\n${head}  "workspaces": {\n    "": {\n      "dependencies": {\n` +
	packages.map(([name]) => `        "${name}": "1.0.0",\n`).join('') + '      },\n    },\n  },\n  "packages": {\n' +
	packages.map(([name, digest, more = '']) => `    "${name}": ["${name}@1.0.0", "", {${more.trim()}}, "${digest}"],\n\n`).join('') + '  }\n}\n';

const heads = { pnpm: "overrides:\n  a: 2.0.0\n", yarn: '', berry: '  cacheKey: 9\n', bun: '  "overrides": {\n    "a": "2.0.0",\n  },\n' };
for (const [kind, make] of Object.entries({ pnpm, yarn, berry, bun })) {
	const own = make([['a', A], ['b', A], ['c', A]]);
	const ok = (part) => lockfileWithin(kind, part, own);
	is(`${kind}: the same`, true, ok(own));
	is(`${kind}: fewer packages`, true, ok(make([['a', A], ['c', A]])));
	is(`${kind}: fewer packages, in another order`, true, ok(make([['c', A], ['a', A]])));
	is(`${kind}: one that is not wanted`, false, ok(make([['a', A], ['d', A]])));
	is(`${kind}: another digest`, false, ok(make([['a', B], ['c', A]])));
	is(`${kind}: two digests`, false, ok(make([['a', `${A} ${B}`], ['c', A]])));
	is(`${kind}: one package twice`, false, ok(make([['a', A], ['a', A]])));
	is(`${kind}: a line more in a package`, false, ok(make([['a', A, '    dependencies: { b: 1.0.0 }\n']])));
	if (heads[kind])
		is(`${kind}: another setting`, false, ok(make([['a', A]], heads[kind])));
}
for (const [kind, make] of Object.entries({ pnpm, yarn, bun })) {
	const of = (text) => new Digests(kind, text).of('/a/-/a-1.0.0.tgz');
	is(`${kind}: the digest of a tarball`, Buffer.from(A.slice(7), 'base64').toString('hex'), of(make([['a', A]])));
	is(`${kind}: two in one package`, null, of(make([['a', `${A} ${B}`]])));
	is(`${kind}: two for one package`, null, of(make([['a', A], ['a', B]])));
	is(`${kind}: a weak one`, null, of(make([['a', 'sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=']])));
}
const one = { dependencies: { a: '1.0.0' } };
is('package.json: the same', true, manifestWithin(one, one));
is('package.json: a package more', true, manifestWithin(one, { dependencies: { a: '1.0.0', b: '1.0.0' }, devDependencies: { c: '1' } }));
is('package.json: another version', false, manifestWithin(one, { dependencies: { a: '1.0.1' } }));
is('package.json: another kind', false, manifestWithin(one, { devDependencies: { a: '1.0.0' } }));
is('package.json: overrides', false, manifestWithin(one, { ...one, overrides: { a: '2.0.0' } }));
is('package.json: a name of JavaScript', false, manifestWithin(JSON.parse('{"dependencies":{"constructor":"1.0.0"}}'), one));
console.log(`1..${n}`);
E2
"$node" "$scratch/test.cjs" "$source_dir"
