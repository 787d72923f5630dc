// SPDX-License-Identifier: MIT
// One submission: its stages and its live log as they come, and its result.

import { element } from './board.js';

const LINES_MAX = 1000; // beyond it the oldest go, so that a page may stay open for ever

const STAGES = {
	fetch: 'Fetch', unpack: 'Unpack', deps: 'Packages', generate: 'Prisma client', template: 'Database template',
	database: 'Database', build: 'Build', migrate: 'Migrations', start: 'Start', ready: 'Answers', test: 'Tests',
	teardown: 'Clean up',
};

export const VERDICTS = {
	AC: 'accepted', PARTIAL: 'some tests failed', WA: 'all tests failed', CE: 'not buildable', BOOT: 'did not start',
	CRASH: 'crashed', TLE: 'too slow', MLE: 'too much memory', DLE: 'too much disk', PLE: 'too many processes',
	OLE: 'too much output', SEC: 'forbidden', IE: 'our failure', CANCELLED: 'cancelled', SUPERSEDED: 'superseded',
};

const STATES = { sent: 'handed in', queued: 'waits', running: 'is judged', cancelled: 'cancelled', superseded: 'superseded' };

// [class, text] of a submission in whatever state.
export function verdictOf({ state, verdict, passed, total }) {
	if (state !== 'done') return ['wait', STATES[state] ?? state];
	const what = verdict === 'PARTIAL' && total ? `${passed} of ${total} tests` : (VERDICTS[verdict] ?? '');
	return [verdict === 'AC' ? 'good' : verdict === 'IE' ? 'wait' : 'bad', `${verdict} ${what}`];
}

export const isEnd = (line) => line.kind === 'state' && /^(done\b|cancelled|superseded)/.test(line.text);

function duration(ms) {
	return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function parse(text) {
	try {
		return Object(JSON.parse(text));
	} catch {
		return {};
	}
}

export class Submission {
	#at;
	#stages = new Map(); // name -> its li
	#lines = 0;

	constructor(at) {
		this.#at = at;
	}

	clear() {
		this.#begin();
		this.#lines = 0;
		this.#at.title.textContent = 'Submission';
		this.#at.log.replaceChildren();
		this.#at.log.hidden = true;
		this.#at.note.textContent = '';
		this.#at.failed.hidden = true;
		this.#at.output.hidden = true;
		this.#at.verdict.textContent = '';
		this.#at.verdict.className = 'verdict';
	}

	#begin() {
		this.#stages.clear();
		this.#at.stages.replaceChildren();
	}

	// One entry of the live log (docs/queue.md).
	line({ kind, text }) {
		if (kind === 'stage') this.#stage(parse(text));
		else if (kind === 'state') this.#state(String(text));
		else this.#print(kind === 'error' ? 'error' : 'text', String(text));
	}

	#stage({ stage, done, ms, note }) {
		if (typeof stage !== 'string') return;
		if (!this.#stages.has(stage)) {
			const made = element('li');
			this.#stages.set(stage, made);
			this.#at.stages.append(made);
		}
		const shown = this.#stages.get(stage);
		shown.className = done ? '' : 'going';
		shown.dataset.stage = stage;
		shown.replaceChildren(
			element('span', { class: 'mark', 'aria-hidden': 'true' }, done ? '✓' : '●'),
			element('span', {}, STAGES[stage] ?? stage),
			element('bdi', { class: 'note' }, String(note ?? '')),
			element('span', { class: 'ms' }, done && Number.isFinite(ms) ? duration(ms) : '…'));
	}

	#state(text) {
		const [state, verdict] = text.split(' ');
		if (state === 'running') this.#begin(); // once more perhaps: after a failure of ours, or judged again
		if (state === 'done') this.#stop(verdict);
		this.#verdict({ state, verdict });
	}

	// The stage that decided a verdict without tests is the last that was begun.
	#stop(verdict) {
		const last = [...this.#stages].filter(([name]) => name !== 'teardown').at(-1);
		if (!last || verdict === 'AC') return;
		last[1].className = 'stopped';
		last[1].firstChild.textContent = '✗';
	}

	#print(kind, text) {
		this.#at.log.hidden = false;
		const atEnd = this.#at.log.scrollHeight - this.#at.log.scrollTop - this.#at.log.clientHeight < 40;
		this.#at.log.append(element('div', { class: kind }, text));
		this.#lines++;
		if (this.#lines > LINES_MAX) this.#at.log.firstChild.remove();
		if (atEnd) this.#at.log.scrollTop = this.#at.log.scrollHeight;
	}

	#verdict(what) {
		const [kind, text] = verdictOf(what);
		this.#at.verdict.className = `verdict ${kind}`;
		this.#at.verdict.textContent = text;
	}

	// What the queue and the result say of it.
	result(about) {
		this.#at.title.textContent = about.challenge || 'Submission';
		this.#verdict(about);
		this.#at.note.textContent = this.#noteOf(about);
		this.#at.failed.hidden = about.failed.length === 0;
		this.#at.failedList.replaceChildren(...about.failed.map((one) => element('li', {},
			element('span', { class: 'text' }, one.name),
			element('span', { class: 'note text' }, one.text || one.status))));
		this.#at.output.hidden = !about.log;
		this.#at.outputText.textContent = about.log ?? '';
	}

	#noteOf({ submitted_ms }) {
		return submitted_ms ? `Handed in at ${new Date(submitted_ms).toLocaleTimeString()}` : '';
	}

	// All that there is of the log has been shown.
	current(about) {
		if (about?.state === 'done' && this.#lines === 0 && this.#stages.size === 0)
			this.#print('again', about.reason || 'Its live log is not kept any longer.');
	}
}
