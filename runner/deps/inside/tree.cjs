// SPDX-License-Identifier: MIT
// An installed tree, whatever manager made it.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

// The folders below a node_modules that are packages, in those of packages and in pnpm's, too.
function* packages(modules) {
	for (const e of fs.readdirSync(modules, { withFileTypes: true })) {
		const at = path.join(modules, e.name);
		if (!e.isDirectory() || e.name === '.bin')
			continue;
		if (e.name === '.pnpm') {
			for (const one of fs.readdirSync(at, { withFileTypes: true }))
				if (one.isDirectory() && fs.existsSync(path.join(at, one.name, 'node_modules')))
					yield* packages(path.join(at, one.name, 'node_modules'));
		} else if (e.name.startsWith('@')) {
			yield* packages(at);
		} else if (!e.name.startsWith('.')) {
			yield at;
			if (fs.existsSync(path.join(at, 'node_modules')))
				yield* packages(path.join(at, 'node_modules'));
		}
	}
}

function manifestOf(folder) {
	try {
		return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')) || {};
	} catch {
		return null;
	}
}

// No two packages bring a program of one name: which one is called then depends on the order.
function programsOk(modules) {
	const owner = new Map();
	for (const at of packages(modules)) {
		const about = manifestOf(at);
		if (!about || about.directories?.bin)
			return false;
		const name = String(about.name), bin = about.bin;
		for (const program of typeof bin === 'string' ? [name.slice(name.indexOf('/') + 1)] : Object.keys(bin || {})) {
			if ((owner.get(program) ?? name) !== name)
				return false;
			owner.set(program, name);
		}
	}
	return true;
}

module.exports = { packages, manifestOf, programsOk };
