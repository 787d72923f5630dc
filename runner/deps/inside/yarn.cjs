// SPDX-License-Identifier: MIT
// yarn 1 unpacks every package into its cache folder before it looks at node_modules, those for other
// systems, too. When it begins with an earlier tree, the folder is filled with copies from that tree:
// what is there with the same size and time is then not written again. Of packages for other systems
// only the manifest is needed; what it says of systems is kept in node_modules, in a file of ours.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { packages, manifestOf } = require('./tree.cjs');

const OTHERS = '.packages-of-other-systems.json';
const VERSION = 'v6'; // of the cache folder's layout

// The packages that come from the registry with a digest, under their own name.
function* locked(lockfile) {
	for (const block of lockfile.split(/\n\n+/)) {
		const keys = /^"?((?:@[^/@"\s]+\/)?[^/@"\s]+)@[^\n]*:$/m.exec(block);
		const version = /^ {2}version "([^"/]+)"$/m.exec(block);
		const resolved = /^ {2}resolved "([^"#]+)#([0-9a-f]{40})"$/m.exec(block);
		const integrity = /^ {2}integrity "?(sha512-[A-Za-z0-9+/]{86}==)"?$/m.exec(block);
		if (keys && version && resolved && integrity && !keys[0].includes('@npm:'))
			yield { name: keys[1], version: version[1], url: resolved[1], hash: resolved[2], integrity: integrity[1] };
	}
}

const id = (e) => `${e.name}@${e.version}`;

function folderOf(cache, e) {
	const slug = e.name.replace(/[^@a-z0-9]+/g, '-').replace(/^-+|-+$/g, '');
	return path.join(cache, VERSION, `npm-${slug}-${e.version}-${e.hash}-integrity`, 'node_modules', e.name);
}

// Where each package lies whose folder has its name.
function placesIn(modules) {
	const places = new Map();
	for (const at of packages(modules)) {
		const about = manifestOf(at);
		const named = about && (at === path.join(modules, String(about.name)) || at.endsWith(`/node_modules/${about.name}`));
		if (named && !places.has(id(about)))
			places.set(id(about), { at, about });
	}
	return places;
}

function copy(from, to, top) {
	fs.mkdirSync(to, { recursive: top });
	for (const e of fs.readdirSync(from, { withFileTypes: true })) {
		const [a, b] = [path.join(from, e.name), path.join(to, e.name)];
		if (e.isDirectory() && !(top && e.name === 'node_modules')) {
			copy(a, b, false);
		} else if (e.isFile()) {
			const { atime, mtime } = fs.statSync(a);
			fs.copyFileSync(a, b);
			fs.utimesSync(b, atime, mtime);
		}
	}
}

// Without the manifest: yarn reads it in package.json.
function describe(e, folder) {
	const remote = { resolved: `${e.url}#${e.hash}`, type: 'tarball', reference: e.url, hash: e.hash,
		integrity: e.integrity, registry: 'npm', packageName: e.name, cacheIntegrity: e.integrity };
	fs.writeFileSync(path.join(folder, '.yarn-metadata.json'),
		JSON.stringify({ artifacts: [], remote, registry: 'npm', hash: e.hash }));
}

function fill(lockfile, base, cache) {
	const places = placesIn(base), file = path.join(base, OTHERS);
	const others = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
	for (const e of locked(lockfile)) {
		const folder = folderOf(cache, e), place = places.get(id(e));
		if (place) {
			// Packages that bring others along have these where yarn puts its own.
			if (place.about.bundledDependencies || place.about.bundleDependencies)
				continue;
			copy(place.at, folder, true);
			describe(e, folder);
		} else if (Object.hasOwn(others, id(e))) {
			const manifest = { name: e.name, version: e.version, ...others[id(e)] };
			fs.mkdirSync(folder, { recursive: true });
			fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
			describe(e, folder);
		}
	}
}

// Afterwards: which packages are for other systems.
function note(lockfile, cache, modules) {
	const places = placesIn(modules), others = {};
	for (const e of locked(lockfile)) {
		const about = places.has(id(e)) ? null : manifestOf(folderOf(cache, e));
		if (about && (about.os || about.cpu))
			others[id(e)] = { os: about.os, cpu: about.cpu };
	}
	fs.rmSync(path.join(modules, OTHERS), { force: true });
	if (Object.keys(others).length)
		fs.writeFileSync(path.join(modules, OTHERS), JSON.stringify(others));
}

module.exports = { fill, note };
