// SPDX-License-Identifier: MIT
// A registry on loopback whose packages are hostile. `node registry.cjs FOLDER`: writes FOLDER/port, and
// submissions (package.json, package-lock.json) for the test into FOLDER/NAME; ends with its stdin. While
// there is a FOLDER/lying, the tarball of fine-c is another package's. FOLDER/asked lists what was asked for.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const zlib = require('node:zlib');

function header(name, { type = '0', mode = 0o644, link = '', size = 0 }) {
	const h = Buffer.alloc(512);
	h.write(name, 0);
	h.write(mode.toString(8).padStart(7, '0'), 100);
	h.write('0000000', 108);
	h.write('0000000', 116);
	h.write(size.toString(8).padStart(11, '0'), 124);
	h.write('00000000000', 136);
	h.fill(' ', 148, 156);
	h.write(type, 156);
	h.write(link, 157);
	h.write('ustar\x0000', 257);
	h.write('0000001', 329);
	h.write('0000003', 337);
	h.write(h.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0') + '\0 ', 148);
	return h;
}

// entries: [name, text] or [name, text, {type, mode, link}]
function tarball(entries) {
	const parts = [];
	for (const [name, text, how = {}] of entries) {
		const data = Buffer.from(text);
		parts.push(header(name, { ...how, size: data.length }), data, Buffer.alloc(-data.length & 511));
	}
	return zlib.gzipSync(Buffer.concat([...parts, Buffer.alloc(1024)]));
}

const packages = new Map();

function publish(name, { version = '1.0.0', files = [], ...fields } = {}) {
	const manifest = { name, version, main: 'index.js', ...fields };
	const bytes = tarball([['package/package.json', JSON.stringify(manifest)],
		['package/index.js', `module.exports = '${name} ${version}';\n`], ...files]);
	const integrity = 'sha512-' + crypto.createHash('sha512').update(bytes).digest('base64');
	const one = { name, version, bytes, integrity, manifest };
	packages.set(`${name}@${version}`, one);
	return one;
}

function submission(folder, name, dependencies, change = () => {}) {
	const names = Object.keys(dependencies);
	const lock = { name, lockfileVersion: 3, requires: true, packages: { '': { name, dependencies } } };
	for (const one of names) {
		const { version, integrity, manifest } = packages.get(`${one}@${dependencies[one]}`);
		lock.packages['node_modules/' + one] = { version, integrity,
			...(manifest.bin ? { bin: manifest.bin } : {}),
			...(manifest.scripts ? { hasInstallScript: true } : {}) };
	}
	change(lock.packages, lock);
	const to = path.join(folder, name);
	fs.mkdirSync(to, { recursive: true });
	fs.writeFileSync(path.join(to, 'package.json'), JSON.stringify({ name, dependencies }));
	fs.writeFileSync(path.join(to, 'package-lock.json'), JSON.stringify(lock));
}

// An install script: a program that runs after the packages are there.
function scripted(name, source) {
	return publish(name, { scripts: { postinstall: 'node evil.js' }, files: [['package/evil.js', source]] });
}

const plain = {};
for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']) {
	publish('fine-' + name);
	plain['fine-' + name] = '1.0.0';
}
publish('fine-new');
publish('tool', { bin: { tool: 'index.js' } });
const evil = publish('evil');
publish('rival', { bin: { tool: 'index.js' } });
publish('rename', { version: '1.0.0' });

publish('odd', { files: [
	['package/../../../../tmp/escaped', 'x'], ['/app/node_modules/fine-a/index.js', 'evil'],
	['package/../fine-a/index.js', 'evil'],
	['package/passwd', '', { type: '2', link: '/etc/passwd' }], ['package/hard', '', { type: '1', link: '/etc/passwd' }],
	['package/up', '', { type: '2', link: '../fine-a' }], ['package/up/index.js', 'evil'],
	['package/null', '', { type: '3' }], ['package/sda', '', { type: '4' }], ['package/pipe', '', { type: '6' }],
	['package/suid', 'x', { mode: 0o6755 }], ['package/none', 'x', { mode: 0 }],
] });

publish('names', { files: [['package/\x1b]0;evil\x07\n', 'x'], ['package/-rf', 'x'], ['package/\xff', 'x']] });

// Leaves a process that outlives npm and goes on writing wherever it can.
const daemon = `
const { spawn } = require('child_process'), fs = require('fs');
const loop = \`process.on('SIGTERM', () => {}); const fs = require('fs');
for (;;) for (const p of ['/app/node_modules/fine-a/late.js', '/opt/pack/evil', '/opt/base/evil',
	'/opt/pack/tarballs', '/opt/new/aa'])
	try { fs.writeFileSync(p, 'late'); } catch {}\`;
for (let i = 0; i < 3; i++)
	spawn(process.execPath, ['-e', loop], { detached: true, stdio: 'ignore' }).unref();
const walk = (d) => { for (const e of fs.readdirSync(d, { withFileTypes: true })) {
	const p = d + '/' + e.name;
	if (e.isDirectory()) walk(p);
	else try { fs.rmSync(p); fs.writeFileSync(p, 'poison'); } catch {} } };
try { walk('/tmp/npm/_cacache/content-v2'); } catch {}
fs.writeFileSync('/app/node_modules/fine-b/index.js', 'by script');
`;
scripted('daemon', daemon);
scripted('closed', 'require("fs").chmodSync("/app/node_modules/fine-a/index.js", 0)');
scripted('shut', 'require("fs").chmodSync("/app/node_modules", 0)');
scripted('fifo', 'require("child_process").execFileSync("mkfifo", ["/app/node_modules/fine-a/p"])');
scripted('away', `const f = require('fs'); f.renameSync('/app/node_modules', '/app/old'); f.symlinkSync('/etc', '/app/node_modules')`);
scripted('gone', `require('fs').rmSync('/app/node_modules', { recursive: true })`);
scripted('leads', `require('fs').symlinkSync('/etc/passwd', '/app/node_modules/fine-a/out')`);
scripted('deep', `process.chdir('/app/node_modules'); for (let i = 0; i < 500; i++) { require('fs').mkdirSync('d'); process.chdir('d'); }`);
scripted('fills', `const f = require('fs').openSync('/app/big', 'w'), b = Buffer.alloc(1 << 20); for (;;) require('fs').writeSync(f, b);`);
scripted('many', `for (let i = 0; ; i++) require('fs').writeFileSync('/app/node_modules/fine-a/' + i, '');`);
scripted('bomb', `const { spawn } = require('child_process'); const s = 'f() { f | f & }; f; sleep 1000';
for (let i = 0; i < 100; i++) try { spawn('sh', ['-c', s], { detached: true, stdio: 'ignore' }).on('error', () => {}).unref(); } catch {}
setTimeout(() => process.exit(0), 300);`);
scripted('screen', `console.log('\\x1b]0;owned\\x07\\x1b[2Jevil'); process.exit(1)`);

// Prisma, as far as it is looked at: its generator leaves a process that forges what is made.
const forge = (code) => `
const fs = require('fs'), { spawn } = require('child_process');
fs.mkdirSync('/app/node_modules/.prisma/client', { recursive: true });
fs.writeFileSync('/app/node_modules/.prisma/client/index.js', '');
spawn(process.execPath, ['-e', ${JSON.stringify(`const f = require('fs'); for (;;) try { ${code} } catch {}`)}],
	{ detached: true, stdio: 'ignore' }).on('spawn', () => setTimeout(() => process.exit(0), 300)).unref();
`;
const about = (text) => `f.writeFileSync('/app/out/about', ${JSON.stringify(text)});`;
const forged = {
	junk: about('x'), long: about('y'.repeat(1 << 16)), up: about('6.19.3\nclient\n-\n../../../etc\n'),
	file: "f.rmSync('/app/out/client', { recursive: true }); f.writeFileSync('/app/out/client', '');",
};
for (const [index, code] of Object.values(forged).entries())
	publish('prisma', { version: '6.19.' + index, files: [['package/build/index.js', forge(code)]] });
for (const index of Object.keys(Object.values(forged)))
	publish('@prisma/client', { version: '6.19.' + index });

const server = http.createServer((request, response) => {
	const [, name, version] = /^\/((?:@[^/]+\/)?[^/]+)(?:\/-\/.*-([0-9][^-]*)\.tgz)?$/.exec(decodeURIComponent(request.url)) || [];
	const found = [...packages.values()].filter((one) => one.name === name);
	const lies = name === 'fine-c' && fs.existsSync(path.join(process.argv[2], 'lying'));
	fs.appendFileSync(path.join(process.argv[2], 'asked'), request.url + '\n');
	if (version && packages.has(`${name}@${version}`))
		return response.end(lies ? evil.bytes : packages.get(`${name}@${version}`).bytes);
	if (version || found.length === 0)
		return response.writeHead(404).end('{}');
	const host = `http://${request.headers.host}`;
	const versions = Object.fromEntries(found.map((one) => [one.version, { ...one.manifest,
		dist: { integrity: one.integrity, tarball: `${host}/${name}/-/${name}-${one.version}.tgz` } }]));
	const time = Object.fromEntries(found.map((one) => [one.version, '2020-01-01T00:00:00.000Z'])); // yarn 4 wants age
	response.end(JSON.stringify({ name, versions, time, 'dist-tags': { latest: found.at(-1).version } }));
});

server.listen(Number(process.argv[3] || 0), '127.0.0.1', () => {
	const folder = process.argv[2], at = `http://127.0.0.1:${server.address().port}`;
	submission(folder, 'plain', plain);
	submission(folder, 'victim', { ...plain, 'fine-new': '1.0.0' });
	submission(folder, 'tool-victim', { ...plain, tool: '1.0.0', 'fine-new': '1.0.0' });
	submission(folder, 'two-digests', plain, (p) => Object.assign(p['node_modules/fine-a'], {
		integrity: p['node_modules/fine-a'].integrity + ' ' + evil.integrity, resolved: at + '/evil/-/evil-1.0.0.tgz' }));
	submission(folder, 'rival-tool', { ...plain, tool: '1.0.0', rival: '1.0.0' });
	submission(folder, 'other-bin', { ...plain, tool: '1.0.0' }, (p) =>
		p['node_modules/tool'].bin = { tool: 'package.json' });
	submission(folder, 'no-digest', plain, (p) => {
		p['node_modules/fine-a'] = { name: 'evil', version: '1.0.0' };
	});
	submission(folder, 'no-digest-victim', { ...plain, 'fine-new': '1.0.0' }, (p) =>
		delete p['node_modules/fine-a'].integrity);
	for (const where of ['node_modules/fine-b/../fine-a', 'node_modules//fine-a', '../outside', 'node_modules/fine-b/node_modules/../../fine-a'])
		submission(folder, 'place-' + where.replace(/\W/g, (c) => c.charCodeAt(0)), plain, (p) =>
			p[where] = { name: 'evil', version: '1.0.0', integrity: evil.integrity, resolved: at + '/evil/-/evil-1.0.0.tgz' });
	submission(folder, 'wrong-digest', plain, (p) => p['node_modules/fine-a'].integrity = evil.integrity);
	for (const name of ['odd', 'names', 'daemon', 'closed', 'shut', 'fifo', 'away', 'gone', 'leads', 'deep', 'fills', 'many', 'bomb', 'screen'])
		submission(folder, name, { ...plain, [name]: '1.0.0' });
	for (const [index, name] of Object.keys(forged).entries()) {
		submission(folder, 'forged-' + name, { prisma: '6.19.' + index, '@prisma/client': '6.19.' + index });
		fs.mkdirSync(path.join(folder, 'forged-' + name, 'prisma'), { recursive: true });
		fs.writeFileSync(path.join(folder, 'forged-' + name, 'prisma/schema.prisma'),
			'generator c {\n provider = "prisma-client-js"\n}\ndatasource db {\n provider = "postgresql"\n url = env("DATABASE_URL")\n}\n');
	}
	fs.writeFileSync(path.join(folder, 'evil.digest'), evil.integrity);
	fs.writeFileSync(path.join(folder, 'port.new'), String(server.address().port));
	fs.renameSync(path.join(folder, 'port.new'), path.join(folder, 'port'));
});
process.stdin.on('end', () => process.exit(0)).resume();
