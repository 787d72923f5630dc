'use strict';

/* One process of the fork bomb: node bomb.js DEADLINE GENERATION. Takes 32 threads and spawns more of itself. */

const { spawn } = require('node:child_process');
const fs = require('node:fs');

const GENERATIONS = 3;
const CHILDREN = 5;

const deadline = Number(process.argv[2]);
const generation = Number(process.argv[3]);
let children = 0;

function grow() {
	if (Date.now() >= deadline)
		process.exit(0);
	if (generation >= GENERATIONS || children++ >= CHILDREN)
		return;
	spawn(process.execPath, [__filename, String(deadline), String(generation + 1)], {
		stdio: 'ignore',
	}).on('error', () => {});
}

fs.readFile(__filename, () => {});
setInterval(grow, 10);
