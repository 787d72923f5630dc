// SPDX-License-Identifier: MIT
// What students hand in, how often, and what becomes of it. First those that are fast to judge.

const NOBODY = 'http://127.0.0.1:9/nobody-listens-here.zip';

export const KINDS = {
	'todo: correct': { challenge: 'todo', archive: 'todo-correct.zip', weight: 26, verdict: /^AC$/ },
	'todo: wrong': { challenge: 'todo', archive: 'todo-wrong.zip', weight: 14, verdict: /^PARTIAL$/ },
	'a broken zip': { challenge: 'todo', archive: 'broken.zip', weight: 2, verdict: /^CE$/ },
	'a URL that is gone': { challenge: 'todo', archive: 'gone.zip', weight: 1, verdict: /^CE$/ },
	'a URL where nobody listens': { challenge: 'todo', archive: NOBODY, weight: 1, verdict: /^IE$/ },
	'cars: correct': car('correct', 22, /^AC$/),
	'cars: partial': car('partial', 12, /^PARTIAL$/),
	'cars: bad-migration': car('bad-migration', 5, /^CE$/),
	'cars: boot-crash': car('boot-crash', 5, /^BOOT$/),
	'cars: wrong-port': car('wrong-port', 3, /^BOOT$/),
	'cars: memory-leak': car('memory-leak', 3, /^MLE$/),
	// its attacks come before it listens, for which there are 5 s: on a busy machine too few
	'cars: hostile': car('hostile', 2, /^(AC|PARTIAL|PLE|DLE|MLE|BOOT)$/),
	'cars: silent': car('silent', 2, /^BOOT$/),
	'cars: boot-spin': car('boot-spin', 2, /^BOOT$/),
};

function car(name, weight, verdict) {
	return { challenge: 'car-rental', archive: `car-rental-${name}.zip`, weight, verdict };
}
