'use strict';

/* Fills every place it may write to, until it is refused, and removes what it wrote before the next one. */

const fs = require('node:fs');
const path = require('node:path');

const MIB = 1 << 20;
const ENOUGH_MIB = 320;
const DURATION_MS = 500;

const PLACES = [process.cwd(), '/tmp', '/dev/shm', '/var/tmp', '/run', '/'];

function fill(folder) {
	const chunk = Buffer.alloc(MIB, 'x');
	const file = path.join(folder, `fill-${process.pid}`);
	const deadline = Date.now() + DURATION_MS;
	let written = 0;
	let fd;

	try {
		fd = fs.openSync(file, 'wx');
		while (written < ENOUGH_MIB * MIB && Date.now() < deadline)
			written += fs.writeSync(fd, chunk);
		return {
			got: written >= ENOUGH_MIB * MIB,
			detail: `${Math.floor(written / MIB)} MB without meeting a limit`,
		};
	} catch (err) {
		return { got: false, detail: `${err.code ?? err.message} after ${Math.floor(written / MIB)} MB` };
	} finally {
		if (fd !== undefined) {
			fs.closeSync(fd);
			fs.rmSync(file, { force: true });
		}
	}
}

async function disk() {
	return [...new Set(PLACES)].map((folder) => ({ attack: `fill ${folder}`, ...fill(folder) }));
}

module.exports = disk;
