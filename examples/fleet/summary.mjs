// SPDX-License-Identifier: MIT
//
// After the contest: what was handed in against what Redis and the ledger have of it. Read from files:
// the plan, the stream of results, `submission verdict` of each row of the ledger, and the leaderboard
// as Redis and as the ledger has it.

import { readFileSync } from 'node:fs';
import { KINDS } from './kinds.mjs';

const [plan, events, rows, board, computed] = process.argv.slice(2).map((file) => readFileSync(file, 'utf8'));
const handed = JSON.parse(plan);
let failed = 0;

function check(sentence, wrong) {
	if (wrong.length > 0) failed++;
	console.log(`  ${wrong.length > 0 ? 'WRONG' : 'ok   '} ${sentence}`);
	wrong.slice(0, 5).forEach((text) => console.log(`        ${text}`));
}

// [[id, verdict], ...] -> id -> its verdicts
function byId(pairs) {
	const found = new Map(handed.map((one) => [one.id, []]));
	for (const [id, verdict] of pairs) found.set(id, [...(found.get(id) ?? []), verdict]);
	return found;
}

const told = byId(JSON.parse(events).map(([, fields]) => {
	const at = (name) => fields[fields.indexOf(name) + 1];
	return [at('id'), at('verdict')];
}));
const kept = byId(rows.trim().split('\n').filter(Boolean).map((row) => row.split(' ')));

// ------------------------------------------------------------------ figures

function percentile(values, part) {
	const sorted = values.toSorted((a, b) => a - b);
	return `${((sorted[Math.ceil(sorted.length * part) - 1] ?? 0) / 1000).toFixed(1)} s`.padStart(8);
}

console.log(`\n${'WHAT'.padEnd(28)}${'N'.padStart(4)}     p50     p95  VERDICTS`);
function row(name, list) {
	const times = list.map((one) => one.result_ms - one.handed_ms);
	const verdicts = Object.entries(Object.groupBy(list, (one) => one.verdict))
		.map(([verdict, some]) => `${verdict} ${some.length}`);
	console.log(`${name.padEnd(28)}${String(list.length).padStart(4)}${percentile(times, 0.5)}${percentile(times, 0.95)}  ` +
		verdicts.join(', '));
}
for (const kind of Object.keys(KINDS)) {
	const list = handed.filter((one) => one.kind === kind);
	if (list.length > 0) row(kind, list);
}
row('all', handed);
const span = Math.max(...handed.map((one) => one.result_ms)) - Math.min(...handed.map((one) => one.handed_ms));
console.log(`${handed.length} submissions of ${new Set(handed.map((one) => one.student)).size} students in ` +
	`${(span / 1000).toFixed(0)} s: ${(handed.length / span * 60000).toFixed(0)} a minute. Times are from handing in to the result.\n`);

// ------------------------------------------------------------------- checks

check('each submission has exactly one result in the stream',
	[...told].filter(([, verdicts]) => verdicts.length !== 1).map(([id, verdicts]) => `${id}: ${verdicts.length}`));
check('each has exactly one row in the ledger',
	[...kept].filter(([, verdicts]) => verdicts.length !== 1).map(([id, verdicts]) => `${id}: ${verdicts.length}`));
check('both have the same verdict',
	[...kept].filter(([id, verdicts]) => verdicts[0] !== told.get(id)?.[0])
		.map(([id, verdicts]) => `${id}: ${verdicts[0]}, ${told.get(id)?.[0]}`));
check('each was judged as it should be',
	handed.filter((one) => one.verdict !== 'SUPERSEDED' && !KINDS[one.kind].verdict.test(one.verdict))
		.map((one) => `${one.id} (${one.kind}): ${one.verdict}`));

// Who shares a rank may stand in any order.
const sorted = (text) => JSON.parse(text).map((one) => JSON.stringify(one)).sort();
const [shown, should] = [sorted(board), sorted(computed)];
check('the leaderboard in Redis is what the ledger computes', [
	...shown.filter((one) => !should.includes(one)).map((one) => `Redis:  ${one}`),
	...should.filter((one) => !shown.includes(one)).map((one) => `ledger: ${one}`),
]);
process.exit(failed ? 1 : 0);
