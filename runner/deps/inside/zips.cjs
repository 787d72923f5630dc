// SPDX-License-Identifier: MIT
// yarn 2 and later have no digests of tarballs in their lockfile but those of the zip archives that they
// make of them. These archives are what is kept, by that digest, and what the cache folder is filled with.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { fileOf } = require('./registry.cjs');

const sha512 = (...parts) => crypto.createHash('sha512').update(parts.join('')).digest('hex');

// structUtils.slugifyLocator() of yarn.
function slug(name, reference) {
	const [, scope = '', base] = /^(?:@([^/]+)\/)?(.+)$/.exec(name);
	const [, protocol = 'exotic', selector] = /^(?:([^#:]*):)?([^#]*)/.exec(reference);
	const human = protocol === 'npm' && /^[0-9]+\.[0-9]+\.[0-9]+([-+].*)?$/.test(selector)
		? `npm-${selector.replace(/\+.*$/, '')}` : protocol;
	const hash = sha512(sha512(scope, base), reference).slice(0, 10);
	return `${scope ? `@${scope}-` : ''}${base}-${human}-${hash}`;
}

// [file name, digest] of the archives that the lockfile has digests of.
function* archives(lockfile) {
	const common = /^ {2}cacheKey: ['"]?([0-9a-z]+)/m.exec(lockfile)?.[1];
	for (const block of lockfile.split(/\n\n+/)) {
		const resolution = /^ {2}resolution: "((?:@[^/"@]+\/)?[^/"@]+)@([^"]+)"$/m.exec(block);
		const checksum = /^ {2}checksum: (?:([0-9a-z]+)\/)?([0-9a-f]{128})$/m.exec(block);
		const key = checksum && (checksum[1] || common);
		if (resolution && key && /^[\w.-]+$/.test(resolution[1].replace(/^@([^/]+)\//, '$1-')))
			yield [`${slug(resolution[1], resolution[2])}-${key}.zip`, checksum[2]];
	}
}

// Fills the cache folder of yarn, which only reads what is there: links are enough from 4 on. yarn 3 looks
// for ".zip" in the name that a link leads to.
function place(lockfile, cache, folder) {
	const links = Number(/^__metadata:\n {2}version: ['"]?([0-9]+)/m.exec(lockfile)?.[1]) >= 8;
	fs.mkdirSync(folder, { recursive: true });
	for (const [name, hex] of archives(lockfile)) {
		const from = fileOf(cache, hex), to = path.join(folder, name);
		if (name.includes('/') || !fs.existsSync(from) || fs.existsSync(to))
			continue;
		if (links)
			fs.symlinkSync(from, to);
		else
			fs.copyFileSync(from, to);
	}
}

// What yarn has made, under the name of the digest that it is said to have: the host looks.
function keep(lockfile, folder, kept) {
	for (const [name, hex] of archives(lockfile)) {
		const from = path.join(folder, name), to = fileOf(kept, hex);
		if (name.includes('/') || !fs.lstatSync(from, { throwIfNoEntry: false })?.isFile())
			continue;
		fs.mkdirSync(path.dirname(to), { recursive: true });
		fs.renameSync(from, to);
	}
}

module.exports = { archives, place, keep };
