'use strict';

/*
 * Runs all attacks, one kind after the other, and collects what came of each as
 * { attack, got, detail }: got is true where the machine gave something away.
 */

const forkBomb = require('./fork-bomb');
const host = require('./host');
const network = require('./network');
const database = require('./database');
const disk = require('./disk');

async function run(kind, attack) {
	try {
		return await attack();
	} catch (err) {
		return [{ attack: kind, got: false, detail: err.code ?? err.message }];
	}
}

async function attackEverything() {
	const start = Date.now();
	const findings = [
		...await run('fork bomb', forkBomb),
		...await run('host', host),
		...(await Promise.all([run('network', network), run('database', database)])).flat(),
		...await run('disk', disk),
	];

	for (const { attack, got, detail } of findings)
		console.log(`${got ? '[GOT IT]   ' : '[contained]'} ${attack}: ${detail}`);

	const got = findings.filter((finding) => finding.got).length;

	console.log(`${findings.length} attacks, ${got} of them got something, ${Date.now() - start} ms`);
	return { attacks: findings.length, got, findings };
}

module.exports = { attackEverything };
