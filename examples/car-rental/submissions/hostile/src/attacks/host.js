'use strict';

/* Looks for what belongs to the host, to its users, to the judge or to other submissions. */

const fs = require('node:fs');
const path = require('node:path');

const SECRET_FILES = [
	'/etc/shadow', '/etc/gshadow', '/etc/sudoers', '/etc/ssh/sshd_config', '/etc/crontab',
	'/root/.bash_history', '/root/.ssh/id_ed25519', '/root/.npmrc',
	'/proc/1/environ', '/proc/1/maps', '/proc/kcore', '/proc/kmsg', '/proc/keys', '/proc/kallsyms',
	'/sys/class/dmi/id/product_name', '/dev/mem', '/dev/kmsg', '/dev/sda', '/dev/vda',
];

const FOREIGN_FOLDERS = [
	'/root', '/home', '/srv', '/boot', '/mnt', '/media', '/var/lib', '/var/log', '/var/spool',
	'/var/lib/postgresql', '/var/lib/docker', '/sys/fs/cgroup', '/sys/kernel/debug',
];

const FORBIDDEN_WRITES = [
	'/etc/passwd', '/etc/hosts', process.execPath, '/proc/sys/kernel/core_pattern',
	'/proc/sysrq-trigger', '/proc/1/oom_score_adj', '/sys/fs/cgroup/cgroup.procs',
];

function attempt(attack, action) {
	try {
		return { attack, ...action() };
	} catch (err) {
		return { attack, got: false, detail: err.code ?? err.message };
	}
}

function readSecret(file) {
	const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);

	try {
		const bytes = fs.readSync(fd, Buffer.alloc(4096));

		return { got: bytes > 0, detail: bytes > 0 ? `read ${bytes} bytes` : 'empty' };
	} finally {
		fs.closeSync(fd);
	}
}

function listFolder(folder) {
	const names = fs.readdirSync(folder);

	return { got: names.length > 0, detail: names.length > 0 ? `lists ${names.slice(0, 5)}` : 'empty' };
}

/* Opening is proof enough: nothing is written, so that a judge without a jail survives, too. */
function openForWriting(file) {
	fs.closeSync(fs.openSync(file, fs.constants.O_WRONLY));
	return { got: true, detail: 'opened for writing' };
}

function rootOfInit() {
	const mine = fs.readdirSync('/').join();
	const theirs = fs.readdirSync('/proc/1/root').join();

	return { got: mine !== theirs, detail: mine === theirs ? 'is my own root' : `lists ${theirs}` };
}

function searchTests() {
	const queue = ['/'];
	const found = [];

	for (let looked = 0; queue.length > 0 && looked < 500; looked++) {
		const folder = queue.shift();
		let entries = [];

		try {
			entries = fs.readdirSync(folder, { withFileTypes: true });
		} catch {
			continue;
		}
		for (const entry of entries) {
			const name = path.join(folder, entry.name);

			if (entry.name.endsWith('.hurl') || entry.name === 'challenge.json')
				found.push(name);
			else if (entry.isDirectory() && !/^\/(proc|sys|dev|usr|lib)|node_modules/.test(name))
				queue.push(name);
		}
	}
	return { got: found.length > 0, detail: found.length > 0 ? `found ${found.slice(0, 3)}` : 'none found' };
}

/* PGPASSWORD is our own: it opens the database that DATABASE_URL names, and no other. */
function searchEnvironment() {
	const names = Object.keys(process.env)
		.filter((name) => /SECRET|TOKEN|PASSW|ADMIN|REDIS|AWS/i.test(name) && process.env[name] !== process.env.PGPASSWORD);

	return { got: names.length > 0, detail: names.join() || 'nothing of the judge in it' };
}

function becomeRoot() {
	process.setuid(0);
	return { got: process.getuid() === 0, detail: `uid ${process.getuid()}` };
}

async function host() {
	return [
		...SECRET_FILES.map((file) => attempt(`read ${file}`, () => readSecret(file))),
		...FOREIGN_FOLDERS.map((folder) => attempt(`list ${folder}`, () => listFolder(folder))),
		...FORBIDDEN_WRITES.map((file) => attempt(`write ${file}`, () => openForWriting(file))),
		attempt('the root of process 1', rootOfInit),
		attempt('find the hidden tests', searchTests),
		attempt('secrets in the environment', searchEnvironment),
		attempt('become root', becomeRoot),
	];
}

module.exports = host;
