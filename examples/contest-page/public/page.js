// SPDX-License-Identifier: MIT
// The page: two event sources, the forms, and who is shown what. It keeps nothing that the server could
// not tell again; which submission is open stands behind the # of the address.

import { Board, element } from './board.js';
import { Submission, VERDICTS, isEnd, verdictOf } from './submission.js';

const at = (id) => document.getElementById(id);
const RETRY_MS = 2000;

// An EventSource that never gives up, not even when a proxy answers with an error meanwhile, and goes on
// after the last entry that it has seen.
class Source {
	#path;
	#events;
	#on;
	#source = null;
	#last = '';
	#timer = null;

	constructor(path, events, on = () => {}) {
		this.#path = path;
		this.#events = events;
		this.#on = on;
		this.#open();
	}

	#open() {
		this.#source = new EventSource(this.#last ? `${this.#path}?after=${this.#last}` : this.#path);
		this.#source.onopen = () => this.#on(true);
		this.#source.onerror = () => this.#failed();
		for (const [name, handle] of Object.entries(this.#events))
			this.#source.addEventListener(name, (event) => {
				this.#last = event.lastEventId || this.#last;
				handle(JSON.parse(event.data));
			});
	}

	#failed() {
		this.#on(false);
		if (this.#source.readyState !== EventSource.CLOSED) return; // it tries again by itself
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#open(), RETRY_MS);
	}

	close() {
		clearTimeout(this.#timer);
		this.#source.close();
	}
}

const state = { student: null, board: null, place: null, mine: [], connected: false, redis: true, skew: 0 };
const table = new Board(at('board'));
const shown = new Submission({
	title: at('submission-title'), verdict: at('submission-verdict'), note: at('submission-note'),
	stages: at('stages'), log: at('log'), failed: at('failed'), failedList: at('failed-list'),
	output: at('output'), outputText: at('output-text'),
});

// ------------------------------------------------------------------ how it stands

function showHealth() {
	const { connected, redis } = state;
	const [kind, text, banner] = !connected
		? ['off', 'no connection', 'The connection to the server is lost. This page tries again by itself; what happened meanwhile will be shown.']
		: redis
			? ['on', 'live', '']
			: ['off', 'results are delayed', 'Results cannot be reached at the moment. What you have handed in is kept. This page goes on by itself.'];
	at('live').className = `live ${kind}`;
	if (at('live').textContent !== text) at('live').textContent = text;
	at('banner').hidden = !banner;
	if (at('banner').textContent !== banner) at('banner').textContent = banner;
}

function span(ms) {
	const seconds = Math.max(0, Math.floor(ms / 1000));
	const two = (n) => String(n).padStart(2, '0');
	const days = Math.floor(seconds / 86400);
	const rest = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
	return days ? `${days} d ${rest}` : rest;
}

function showClock() {
	const { starts_ms: starts, ends_ms: ends } = state.board ?? {};
	const now = Date.now() + state.skew;
	if (!starts || !ends) at('clock').textContent = '';
	else if (now < starts) at('clock').textContent = `starts in ${span(starts - now)}`;
	else if (now < ends) at('clock').textContent = `${span(ends - now)} left`;
	else at('clock').textContent = 'has ended';
}

// ------------------------------------------------------------------ leaderboard, own submissions

function showBoard() {
	const { board, student, place } = state;
	if (!board) return;
	document.title = at('title').textContent = board.title;
	at('board-empty').hidden = board.rows.length > 0;
	at('board-scroll').hidden = board.rows.length === 0;
	at('board-note').textContent = board.of > board.rows.length
		? `the first ${board.rows.length} of ${board.of} students`
		: board.of ? `${board.of} ${board.of === 1 ? 'student' : 'students'}` : '';
	table.show(board, student, place);
	showClock();
}

function mineOf(one) {
	const [kind, text] = verdictOf(one);
	const when = new Date(one.submitted_ms);
	return element('li', {},
		element('a', { href: `#${one.id}`, 'aria-current': one.id === opened ? 'true' : null },
			element('span', { class: 'what' }, one.challenge),
			element('time', { datetime: when.toISOString() }, when.toLocaleTimeString()),
			element('span', { class: `verdict ${kind}` }, text)));
}

function showMine() {
	const focused = document.activeElement?.closest?.('#mine a')?.getAttribute('href');
	at('enter').hidden = state.student !== null;
	at('who').hidden = state.student === null;
	at('who-name').textContent = state.student ?? '';
	at('hand-in').hidden = state.student === null || at('challenge').options.length === 0;
	at('mine-empty').hidden = state.student === null || state.mine.length > 0;
	at('mine').replaceChildren(...state.mine.map(mineOf));
	if (focused) at('mine').querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

function announce(result) {
	at('announce').textContent = `${result.challenge}: ${VERDICTS[result.verdict] ?? result.verdict}`;
}

// ------------------------------------------------------------------ one submission

let opened = null;
let log = null;
let about = null;

// Asks for the opened submission until there is an answer, and calls use(about).
async function read(id, use) {
	const response = await fetch(`submissions/${id}`).catch(() => null);
	const answer = await response?.json().catch(() => null);
	if (opened !== id) return;
	if (!answer || response.status >= 500) {
		setTimeout(() => opened === id && read(id, use), RETRY_MS);
	} else if (response.ok) {
		about = answer;
		use(about);
	} else {
		at('submission-note').textContent = answer.error;
	}
}

function readAndFollow(id) {
	read(id, () => {
		shown.result(about);
		if (!log) follow(id);
	});
}

// A log that has ended is followed no further: a browser has few connections for one server.
function follow(id) {
	let current = false; // all that there was is shown: what comes is new
	let over = about.state === 'done';
	log = new Source(`submissions/${id}/events`, {
		line: (line) => {
			shown.line(line);
			if (line.kind === 'state') over = isEnd(line); // it may be judged once more after an end
			if (current && over) ended(id);
		},
		current: () => {
			current = true;
			shown.current(about);
			if (over) ended(id);
		},
	});
}

function closeLog() {
	log?.close();
	log = about = opened = null;
}

function ended(id) {
	log.close();
	log = null;
	read(id, shown.result.bind(shown));
}

function open() {
	const id = location.hash.slice(1);
	const wanted = /^[A-Za-z0-9_.:@-]{1,64}$/.test(id) && state.student ? id : null;
	if (wanted === opened) return;
	closeLog();
	opened = wanted;
	at('submission').hidden = !opened;
	shown.clear();
	showMine();
	if (opened) readAndFollow(opened);
}

// Judged again, after its log had ended.
function refresh({ id, rev }) {
	if (id !== opened || log || Number(rev) <= about?.rev) return;
	shown.clear();
	readAndFollow(id);
}

// ------------------------------------------------------------------ connection

let events = null;

function connect() {
	events?.close();
	events = new Source('events', {
		you: ({ student, challenges, now_ms }) => {
			if (state.student !== student) closeLog();
			state.student = student;
			state.skew = now_ms - Date.now();
			if (!student) state.mine = [];
			const options = challenges.map((id) => element('option', { value: id }, id));
			const chosen = at('challenge').value;
			at('challenge').replaceChildren(...options);
			if (challenges.includes(chosen)) at('challenge').value = chosen;
			showMine();
			open();
		},
		board: (board) => {
			state.board = board;
			showBoard();
		},
		place: (place) => {
			state.place = place;
			showBoard();
		},
		mine: (mine) => {
			state.mine = mine;
			showMine();
		},
		result: (result) => {
			announce(result);
			refresh(result);
		},
		redis: ({ up }) => {
			state.redis = up;
			showHealth();
		},
	}, (connected) => {
		state.connected = connected;
		showHealth();
	});
}

// ------------------------------------------------------------------ forms

async function send(method, path, data) {
	const response = await fetch(path, {
		method,
		headers: { 'Content-Type': 'application/json' },
		body: data && JSON.stringify(data),
	}).catch(() => null);
	const answer = await response?.json().catch(() => null);
	if (!response?.ok) throw new Error(answer?.error ?? 'The server cannot be reached. Try again in a moment.');
	return answer;
}

function onSubmit(form, error, action) {
	at(form).addEventListener('submit', async (event) => {
		event.preventDefault();
		const button = at(form).querySelector('[type=submit]');
		at(error).textContent = '';
		button.disabled = true;
		await action().catch((failure) => (at(error).textContent = failure.message));
		button.disabled = false;
	});
}

onSubmit('enter', 'enter-error', async () => {
	await send('POST', 'session', { student: at('student').value.trim() });
	state.place = null;
	connect();
});
onSubmit('hand-in', 'hand-in-error', async () => {
	const { id } = await send('POST', 'submissions', { url: at('url').value.trim(), challenge: at('challenge').value });
	at('url').value = '';
	location.hash = id;
	at('submission-title').focus({ preventScroll: true });
});
at('leave').addEventListener('click', async () => {
	await send('DELETE', 'session').catch(() => {});
	location.hash = '';
	state.place = null;
	connect();
});
addEventListener('hashchange', open);
setInterval(showClock, 1000);
connect();
