'use strict';

/*
 * Starts copies of bomb.js as fast as it can, which do the same: for a while, and on a busy machine
 * until a limit was met. Each process of the bomb ends by itself at the deadline; one that ends
 * earlier was cut down by a limit.
 */

const { spawn } = require('node:child_process');
const fs = require('node:fs/promises');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const DURATION_MS = 700;
const PATIENCE_MS = 8000;
const GRACE_MS = 250;

function launch(deadline, tally) {
	return new Promise((resolve) => {
		const child = spawn(process.execPath, [path.join(__dirname, 'bomb.js'), String(deadline), '1'], {
			stdio: 'ignore',
			detached: true,
			env: { UV_THREADPOOL_SIZE: '32' },
		});

		child.once('spawn', () => tally.groups.push(child.pid));
		child.once('error', (err) => {
			tally.refused = err.code;
			resolve();
		});
		child.once('exit', () => {
			if (Date.now() < deadline)
				tally.died++;
			resolve();
		});
	});
}

/* A child leads a group with all its descendants, some of which may hang for want of threads. */
function killGroup(leader) {
	try {
		process.kill(-leader, 'SIGKILL');
	} catch (err) {
		if (err.code !== 'ESRCH')
			throw err;
	}
}

async function forkBomb() {
	// The server's own worker threads must exist before the bomb takes all that are to be had.
	await fs.readFile(__filename);

	const start = Date.now();
	const deadline = start + PATIENCE_MS;
	const tally = { groups: [], died: 0, refused: null };
	const ends = [];

	while (Date.now() < start + DURATION_MS ||
	       (Date.now() < deadline && !tally.died && !tally.refused)) {
		if (ends.length < 64)
			ends.push(launch(deadline, tally));
		await sleep(10);
	}
	await Promise.race([Promise.all(ends), sleep(GRACE_MS)]);
	tally.groups.forEach(killGroup);

	const refused = tally.refused ? `, then refused with ${tally.refused}` : '';

	return [{
		attack: 'fork bomb',
		got: tally.died === 0 && !tally.refused,
		detail: `${tally.groups.length} children started, ${tally.died} of them cut down early${refused}`,
	}];
}

module.exports = forkBomb;
