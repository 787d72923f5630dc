// SPDX-License-Identifier: MIT
// What is read of a lockfile: the digest of each tarball, and whether another lockfile is a part of it.
// All is done on lines: a lockfile that is written in another way than its manager does gains nothing.
'use strict';

const DIGEST = 'sha512-[A-Za-z0-9+/]{86}==';
const hexOf = (digest) => Buffer.from(digest.slice(7), 'base64').toString('hex');

// ---------------------------------------------------------------------------- digests

// [name, version, digest] of every package.
function* packagesOf(kind, text) {
	if (kind === 'npm') {
		for (const [place, e] of Object.entries(JSON.parse(text).packages || {}))
			if (place && e && new RegExp(`^${DIGEST}$`).test(e.integrity))
				yield [e.name || place.slice(place.lastIndexOf('node_modules/') + 13), e.version, e.integrity];
	} else if (kind === 'bun') {
		for (const m of text.matchAll(new RegExp(`^    "[^"\\n]+": \\["((?:@[^"/@\\n]+/)?[^"/@\\n]+)@([^"\\n]+)", .*, "(${DIGEST})"\\],?$`, 'gm')))
			yield m.slice(1);
	} else if (kind === 'pnpm') {
		// "ms@2.1.3", "/ms@2.1.3(peer@1)" or "/ms/2.1.3_peer@1", quoted or not.
		const key = `^  '?/?((?:@[^/@'\\n]+/)?[^/@'(\\n]+)[@/]([0-9][^'(_:\\n]*)[^\\n]*:\\n`;
		for (const m of text.matchAll(new RegExp(`${key}    resolution: \\{integrity: (${DIGEST})[,}]`, 'gm')))
			yield m.slice(1);
	} else if (kind === 'yarn') {
		const resolved = '^  resolved "?[^\\n]*?/((?:@[^/\\n]+/)?[^/\\n]+)/-/[^/\\n]+?-([0-9][^/\\n]*)\\.tgz[^\\n]*\\n';
		for (const m of text.matchAll(new RegExp(`${resolved}  integrity "?(${DIGEST})"?$`, 'gm')))
			yield m.slice(1);
	}
}

class Digests {
	constructor(kind, text) {
		this.paths = new Map();
		this.names = new Map();
		for (const [name, version, digest] of packagesOf(kind, text))
			this.add(name, version, digest);
	}

	add(name, version, digest) {
		const at = `/${name}/-/${name.slice(name.indexOf('/') + 1)}-${version}.tgz`;
		const known = this.paths.get(at);
		this.paths.set(at, known === undefined || known === digest ? digest : null);
		if (!this.names.has(name))
			this.names.set(name, new Map());
		this.names.get(name).set(version, at);
	}

	// null: not in the lockfile, or twice and not the same.
	of(at) {
		const digest = this.paths.get(at);
		return digest ? hexOf(digest) : null;
	}

	// What the registry would say of a package, as far as an install from a lockfile needs it.
	manifest(name, port) {
		const versions = {};
		for (const [version, at] of this.names.get(name) || [])
			if (this.paths.get(at))
				versions[version] = { name, version,
					dist: { tarball: `http://127.0.0.1:${port}${at}`, integrity: this.paths.get(at) } };
		const list = Object.keys(versions);
		return list.length ? { name, 'dist-tags': { latest: list.at(-1) }, versions } : null;
	}
}

// ------------------------------------------------------------------------- parts of others

// Pieces of a text, each beginning with a line that `begins`; NULL if two begin alike.
function pieces(text, begins) {
	const found = new Map();
	let key = null, lines = [];
	const end = () => {
		if (key !== null && found.has(key))
			return false;
		if (key !== null)
			found.set(key, lines.join('\n').trimEnd());
		return true;
	};
	for (const line of text.split('\n')) {
		if (!begins.test(line)) {
			lines.push(line);
			continue;
		}
		if (!end())
			return null;
		key = line;
		lines = [line];
	}
	return end() ? found : null;
}

// Every line with those above it that it is in.
function paths(text) {
	const found = new Set(), above = [];
	for (const line of text.split('\n')) {
		const depth = /^ */.exec(line)[0].length;
		if (depth === line.length)
			continue;
		while (above.length && above.at(-1).depth >= depth)
			above.pop();
		above.push({ depth, line });
		found.add(above.map((a) => a.line).join('\n'));
	}
	return found;
}

const within = (part, whole) => {
	const all = paths(whole);
	return [...paths(part)].every((p) => all.has(p));
};

const piecesWithin = (part, whole, begins) => {
	const a = pieces(part, begins), b = pieces(whole, begins);
	return a !== null && b !== null && [...a].every(([key, text]) => b.get(key) === text);
};

// `grows`: the sections that may have more; of these `whole` are made of pieces that must be the same.
function sectionsWithin(part, all, begins, inner, grows, whole) {
	const a = pieces(part, begins), b = pieces(all, begins);
	if (a === null || b === null)
		return false;
	for (const key of new Set([...a.keys(), ...b.keys()])) {
		const section = /[\w.-]*/.exec(key.replace(/^ *"?/, ''))[0];
		const ok = whole.includes(section) ? piecesWithin(a.get(key) || '', b.get(key) || '', inner)
			: grows.includes(section) ? within(a.get(key) || '', b.get(key) || '')
			: key.startsWith('#') || a.get(key) === b.get(key);
		if (!ok)
			return false;
	}
	return true;
}

// yarn: '"a@^1, a@^2":' and what is below it.
function entries(text) {
	const found = new Map();
	for (const block of text.split(/\n\n+/)) {
		const lines = block.split('\n').filter((l) => l && !l.startsWith('#'));
		if (!lines.length)
			continue;
		const e = { names: lines[0].replace(/:$/, '').replaceAll('"', '').split(', '), body: lines.slice(1).join('\n') };
		for (const name of e.names) {
			if (found.has(name))
				return null;
			found.set(name, e);
		}
	}
	return found;
}

function entriesWithin(part, whole) {
	const a = entries(part), b = entries(whole);
	if (a === null || b === null)
		return false;
	return [...a].every(([name, e]) => {
		const other = b.get(name);
		return other && e.names.every((n) => other.names.includes(n)) &&
			(name.includes('@workspace:') ? within(e.body, other.body) : e.body === other.body);
	});
}

const DEPENDENCIES = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

function manifestWithin(part, whole) {
	const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
	return [...new Set([...Object.keys(part), ...Object.keys(whole)])].every((key) =>
		DEPENDENCIES.includes(key)
			? Object.entries(part[key] || {}).every(([n, v]) => Object.hasOwn(whole[key] || {}, n) && same(v, whole[key][n]))
			: same(part[key], whole[key]));
}

// Whether all that `part` asks for is asked for by `whole` in the same words.
function lockfileWithin(kind, part, whole) {
	if (kind === 'pnpm')
		return sectionsWithin(part, whole, /^\S/, /^ {2}\S/,
			['importers', 'specifiers', ...DEPENDENCIES], ['packages', 'snapshots']);
	const open = (text) => text.replace(/^ {0,2}[{}],?$/gm, '');
	if (kind === 'bun')
		return sectionsWithin(open(part), open(whole), /^ {2}"/, /^ {4}"/, ['workspaces'], ['packages']);
	return (kind === 'yarn' || kind === 'berry') && entriesWithin(part, whole);
}

module.exports = { Digests, lockfileWithin, manifestWithin };
