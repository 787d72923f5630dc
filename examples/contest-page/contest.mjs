// SPDX-License-Identifier: MIT
//
// What a platform reads of a contest, and how it hands in: docs/ranking.md, docs/queue.md. Keys of the
// fleet (`sbx:{q}:...`) are only read, but for the list that producers push into. Where a real platform
// has tables of users and submissions, this one has the keys `contest-page:...`.

import { randomUUID } from 'node:crypto';

const ROWS = 100;
const MINE = 50;
const WAITING_MAX = 3; // of one student; who pushes into the list has to look after that
const URL_MAX = 4096;
const CASES = 100;
const NAME_MAX = 80; // characters

export const isId = (text) => typeof text === 'string' && /^[A-Za-z0-9_.:@-]{1,64}$/.test(text);

// Nothing happens to it any more, unless it is judged again.
export const isFinal = ({ state }) => ['done', 'cancelled', 'superseded'].includes(state);

export class Refusal extends Error {}

export class Contest {
	#redis;
	#prefix;
	#list; // that producers push into

	constructor(redis, { id, title, challenges, prefix, list }) {
		this.#redis = redis;
		this.#prefix = prefix;
		this.#list = list;
		this.id = id;
		this.title = title;
		this.challenges = challenges;
	}

	key(name) {
		return this.#prefix + name;
	}

	#mineKey(student) {
		return `contest-page:mine:${this.id}/${student}`;
	}

	async #row(student) {
		return rowOf(student, await this.#redis.hGetAll(this.key(`row:${this.id}/${student}`)));
	}

	// The names that people are shown by; without one it is the id.
	async #name(rows) {
		if (rows.length === 0) return rows;
		const names = await this.#redis.hmGet('contest-page:names', rows.map((row) => row.student));
		rows.forEach((row, i) => (row.name = nameOf(names[i] ?? '') || row.student));
		return rows;
	}

	// The first rows of the leaderboard. Who is equal in everything shares a rank: 1, 1, 3.
	async board() {
		const [students, of, about] = await Promise.all([
			this.#redis.zRange(this.key(`lb:${this.id}`), 0, ROWS - 1, { REV: true }),
			this.#redis.zCard(this.key(`lb:${this.id}`)),
			this.#redis.hGetAll(this.key(`contest:${this.id}`)),
		]);
		const rows = (await Promise.all(students.map((student) => this.#row(student)))).filter(Boolean);
		rows.sort((a, b) => b.score - a.score); // a commit between the two reads may have moved one
		rows.forEach((row, i) => (row.rank = i > 0 && rows[i - 1].score === row.score ? rows[i - 1].rank : i + 1));
		return {
			title: this.title,
			challenges: this.#columns(rows),
			rules: about.rules ?? null,
			starts_ms: Number(about.starts_ms) || null,
			ends_ms: Number(about.ends_ms) || null,
			of,
			rows: await this.#name(rows),
		};
	}

	#columns(rows) {
		const seen = rows.flatMap((row) => Object.keys(row.cells));
		return [...new Set([...this.challenges, ...seen.sort()])];
	}

	// One student's row, wherever it is; null if nothing of theirs counts yet.
	async place(student) {
		const row = await this.#row(student);
		if (!row) return null;
		row.rank = 1 + (await this.#redis.zCount(this.key(`lb:${this.id}`), `(${row.score}`, '+inf'));
		return (await this.#name([row]))[0];
	}

	// A student's submissions, the newest first: those that were handed in here, and those that were
	// ranked. `known` are not asked for again.
	async mine(student, known = new Map()) {
		const [handed, attempts] = await Promise.all([
			this.#redis.lRange(this.#mineKey(student), 0, MINE - 1),
			this.#redis.hGetAll(this.key(`att:${this.id}/${student}`)),
		]);
		const found = new Map(Object.entries(attempts).map(([id, text]) => [id, attemptOf(id, text)]));
		for (const text of handed) {
			const { id, challenge, submitted_ms } = JSON.parse(text);
			if (!found.has(id)) found.set(id, { id, challenge, submitted_ms, state: 'sent', verdict: null });
		}
		const newest = [...found.values()].sort((a, b) => b.submitted_ms - a.submitted_ms).slice(0, MINE);
		return Promise.all(newest.map((one) => known.get(one.id) ?? this.#withJob(one)));
	}

	async #withJob(one) {
		const job = await this.#redis.hmGet(this.key(`job:${one.id}`), ['state', 'verdict', 'passed', 'total']);
		const [state, verdict, passed, total] = job;
		if (!state) return one;
		return { ...one, state, verdict, passed: Number(passed ?? 0), total: Number(total ?? 0) };
	}

	// What belongs to another student is as if it were not there.
	async owns(student, id) {
		const owner = await this.#redis.hGet(this.key(`job:${id}`), 'student');
		if (owner) return owner === student;
		return (await this.mine(student)).some((one) => one.id === id);
	}

	// A submission and its result (docs/result.md), as far as it is for the student.
	async submission(id) {
		const job = await this.#redis.hmGet(this.key(`job:${id}`),
			['state', 'verdict', 'passed', 'total', 'challenge', 'submitted', 'rev', 'result']);
		const [state, verdict, passed, total, challenge, submitted, rev, text] = job;
		const result = text ? JSON.parse(text) : null;
		return {
			id,
			challenge,
			state: state ?? 'sent',
			verdict,
			rev: Number(rev ?? 1),
			submitted_ms: Number(submitted) || null,
			passed: Number(passed ?? 0),
			total: Number(total ?? 0),
			reason: result?.reason ?? null,
			log: result?.log ?? null,
			failed: failedCases(result),
		};
	}

	async handIn(student, { challenge, url }) {
		if (!this.challenges.includes(challenge)) throw new Refusal('There is no such challenge.');
		if (!isUrl(url)) throw new Refusal('That is no address of an archive: https://... is.');
		if (Number(await this.#redis.hGet(this.key('waits'), student)) >= WAITING_MAX)
			throw new Refusal(`${WAITING_MAX} of your submissions wait already. Hand in again when one is judged.`);
		const one = { id: randomUUID(), challenge, submitted_ms: Date.now() };
		const payload = { id: one.id, student, contest: this.id, challenge, url };
		await this.#redis.multi()
			.lPush(this.#mineKey(student), JSON.stringify(one))
			.lTrim(this.#mineKey(student), 0, MINE - 1)
			.lPush(this.#list, JSON.stringify(payload))
			.exec();
		return one.id;
	}
}

// Without what is not seen but reverses or hides what is around it; joiners are letters' business.
function nameOf(text) {
	return [...text.replace(/(?![\u200c\u200d])[\p{Cc}\p{Cf}]/gu, '').trim()].slice(0, NAME_MAX).join('');
}

function isUrl(text) {
	if (typeof text !== 'string' || text.length > URL_MAX || /[^\x21-\x7e]/.test(text)) return false;
	return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}

function rowOf(student, fields) {
	if (!fields.score) return null;
	const cells = Object.create(null); // by challenge, whatever it is called
	for (const [name, text] of Object.entries(fields))
		if (name.startsWith('c:')) cells[name.slice(2)] = JSON.parse(text);
	return {
		student,
		score: Number(fields.score),
		solved: Number(fields.solved),
		points: Number(fields.points),
		penalty_s: Number(fields.penalty_s),
		attempts: Number(fields.attempts),
		cells,
	};
}

// "rev submitted_ms verdict points challenge committed_ms"
function attemptOf(id, text) {
	const [, submitted, verdict, , challenge] = text.split(' ');
	return { id, challenge, submitted_ms: Number(submitted), state: 'done', verdict, passed: 0, total: 0 };
}

function failedCases(result) {
	const cases = result?.tests?.cases ?? [];
	return cases.filter((one) => one.status !== 'passed').slice(0, CASES).map((one) => ({
		name: one.name ?? 'a hidden test',
		status: one.status,
		text: [one.failure?.request, one.failure?.message, expected(one.failure), one.hint].filter(Boolean).join('\n'),
	}));
}

function expected(failure) {
	if (!failure || (failure.expected === null && failure.actual === null)) return null;
	return `expected ${failure.expected ?? 'something else'}, got ${failure.actual ?? 'nothing'}`;
}
