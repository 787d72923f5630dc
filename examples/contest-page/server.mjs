// SPDX-License-Identifier: MIT
//
// The page of a contest: leaderboard, one's own submissions, and their live logs, from the Redis of
// sandbox-runner. Everything that changes is pushed as server-sent events. The id of an event is the id
// of an entry of a stream, so a browser that comes back says what it has seen (Last-Event-ID) and
// gets what it has missed.
//
//   GET  /                         the page
//   GET  /events                   board, mine, result, place, redis
//   GET  /submissions/ID/events    the live log of one's own submission
//   GET  /submissions/ID           it and its result
//   POST /submissions              hand in {"challenge", "url"}
//   POST /session {"student"}, DELETE /session

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { createClient } from '@redis/client';
import { Contest, Refusal, isFinal, isId } from './contest.mjs';
import { BEGINNING, Streams, isEntryId } from './streams.mjs';

const env = process.env;
const PORT = Number(env.PORT ?? 8080);
const HOST = env.HOST ?? '127.0.0.1';
const BODY_MAX = 8192;
const CLIENTS_MAX = 2000;
const CLIENTS_EACH_MAX = 16; // of one student
const STRANGERS_MAX = CLIENTS_MAX / 2; // who has entered finds a place in any case
const BACKLOG_MAX = 1 << 20; // bytes that a browser may be behind; it comes back and catches up
const BEAT_MS = 15000;
const LOOK_MS = 2000; // what no event tells: a contest that was changed, what waits in the list
const SETTLE_MS = 200; // results that come together are one leaderboard

const FILES = {
	'/': ['index.html', 'text/html; charset=utf-8'],
	'/page.css': ['page.css', 'text/css; charset=utf-8'],
	'/page.js': ['page.js', 'text/javascript; charset=utf-8'],
	'/board.js': ['board.js', 'text/javascript; charset=utf-8'],
	'/submission.js': ['submission.js', 'text/javascript; charset=utf-8'],
	'/icon.svg': ['icon.svg', 'image/svg+xml'],
};
const HEADERS = {
	'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; " +
		"img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
	'X-Content-Type-Options': 'nosniff',
	'Referrer-Policy': 'no-referrer',
	'Cache-Control': 'no-store',
};

// ------------------------------------------------------------------ Redis

function connect(url) {
	const path = url.match(/^unix:\/\/(\/[^?]+)/)?.[1];
	const socket = {
		reconnectStrategy: (tries) => Math.min(100 * 2 ** tries, 2000),
		socketTimeout: 5000, // silent for so long: gone, though nobody said so
		...(path ? { path } : {}),
	};
	const client = createClient({ ...(path ? {} : { url }), socket, disableOfflineQueue: true, pingInterval: 2000 });
	client.on('error', complain); // it connects again; until then every command fails, and that is told
	client.connect().catch(complain);
	return client;
}

let complaint = '';

function complain({ message }) {
	if (message !== complaint) console.error(`redis: ${message}`);
	complaint = message;
}

const redisUrl = env.REDIS_URL ?? 'redis://127.0.0.1:6379';
if (!/^unix:\/\/\//.test(redisUrl) && !(/^redis:\/\//.test(redisUrl) && URL.canParse(redisUrl))) {
	console.error('REDIS_URL is redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] or unix:///PATH');
	process.exit(2);
}
const redis = connect(redisUrl);
const streams = new Streams(redis, connect(redisUrl));
const contest = new Contest(redis, {
	id: env.CONTEST ?? 'contest',
	title: env.TITLE ?? `Contest ${env.CONTEST ?? ''}`.trim(),
	challenges: (env.CHALLENGES ?? '').split(',').filter(isId),
	prefix: env.PREFIX ?? 'sbx:{q}:',
	list: env.LIST ?? 'submissions',
});

// ------------------------------------------------------------------ who asks

// TO BE REPLACED by the platform's own session: here everybody is who they say they are.
function studentOf(request) {
	const value = /(?:^|;\s*)student=([^;]*)/.exec(request.headers.cookie ?? '')?.[1];
	return isId(value) ? value : null;
}

function sessionCookie(student) {
	return `student=${student}; Path=/; HttpOnly; SameSite=Strict${student ? '' : '; Max-Age=0'}`;
}

// ------------------------------------------------------------------ events

const clients = new Set();

class Client {
	constructor(request, response) {
		this.response = response;
		this.student = studentOf(request);
		this.sent = new Map(); // event -> text: what has not changed is not sent again
		response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
		response.write('retry: 1000\n\n');
		clients.add(this);
		response.on('close', () => this.close());
		this.tellRedis();
	}

	close() {
		clients.delete(this);
		this.stop?.();
		this.response.destroy();
	}

	send(event, text, id) {
		if (this.response.writableLength > BACKLOG_MAX) return this.close();
		this.response.write(`${id ? `id: ${id}\n` : ''}event: ${event}\ndata: ${text}\n\n`);
	}

	sendChanged(event, text) {
		if (this.sent.get(event) === text) return false;
		this.sent.set(event, text);
		this.send(event, text);
		return true;
	}

	tellRedis() {
		this.sendChanged('redis', JSON.stringify({ up: redis.isReady }));
	}

	beat() {
		this.response.write(':\n\n');
	}

	async look() {}
}

// The contest: leaderboard, and one's own results and submissions.
class ContestClient extends Client {
	constructor(request, response, after) {
		super(request, response);
		this.known = new Map(); // submissions that are judged: they are not asked for again
		this.due = true; // there may be something new of one's own
		this.send('you', JSON.stringify({ student: this.student, challenges: contest.challenges, now_ms: Date.now() }));
		this.stop = streams.follow(contest.key('results'), after, {
			entry: (id, result) => this.result(id, result),
			current: (id) => this.seen(id),
		});
		look();
	}

	result(id, result) {
		if (result.contest !== contest.id) return;
		if (result.student === this.student) {
			this.send('result', JSON.stringify(result), id);
			this.known.delete(result.id);
			this.due = true;
		} else {
			this.seen(id);
		}
		lookSoon();
	}

	// No event, but the browser remembers the id.
	seen(id) {
		this.response.write(`id: ${id}\n\n`);
	}

	async look() {
		const changed = board && this.sendChanged('board', board.text);
		if (!this.student) return;
		if (changed && !board.students.has(this.student))
			this.sendChanged('place', JSON.stringify(await contest.place(this.student)));
		if (this.due) await this.lookAtMine();
	}

	// Again and again while one is not judged yet.
	async lookAtMine() {
		this.due = false;
		const mine = await contest.mine(this.student, this.known).catch((error) => {
			this.due = true;
			throw error;
		});
		if (!this.due) for (const one of mine) if (isFinal(one)) this.known.set(one.id, one);
		this.due ||= !mine.every(isFinal);
		this.sendChanged('mine', JSON.stringify(mine));
	}
}

class LogClient extends Client {
	constructor(request, response, id, after) {
		super(request, response);
		this.stop = streams.follow(contest.key(`log:${id}`), after, {
			entry: (entry, line) => this.send('line', JSON.stringify(line), entry),
			current: () => this.send('current', '{}'),
		});
	}
}

let board = null; // { text, students }

async function readBoard() {
	const read = await contest.board();
	return { text: JSON.stringify(read), students: new Set(read.rows.map((row) => row.student)) };
}

let looking = false;
let again = false;
let soon = null;

// Reads what is to be shown anew, once for all, and sends each client what has changed for it.
async function look() {
	if (looking) {
		again = true;
		return;
	}
	looking = true;
	do {
		again = false;
		try {
			if (clients.size > 0 && redis.isReady) board = await readBoard();
			await Promise.all([...clients].map((client) => client.look()));
		} catch {
			// Redis went away in the middle: what is shown stays, and `redis` says so
		}
		clients.forEach((client) => client.tellRedis());
	} while (again);
	looking = false;
}

function lookSoon() {
	soon ??= setTimeout(() => {
		soon = null;
		look();
	}, SETTLE_MS);
}

for (const event of ['ready', 'end', 'error', 'reconnecting']) redis.on(event, lookSoon);
setInterval(look, LOOK_MS);
setInterval(() => clients.forEach((client) => client.beat()), BEAT_MS);

// What the browser has seen last: it says so itself when it reconnects; the page does when it had to
// make a new connection.
function seenBy(request, url) {
	const id = request.headers['last-event-id'] ?? url.searchParams.get('after');
	return isEntryId(id) ? id : undefined;
}

function mayConnect(request) {
	const student = studentOf(request);
	const same = [...clients].filter((one) => one.student === student).length;
	return clients.size < CLIENTS_MAX && same < (student ? CLIENTS_EACH_MAX : STRANGERS_MAX);
}

// ------------------------------------------------------------------ requests

function answer(response, status, data, headers = {}) {
	response.writeHead(status, { ...HEADERS, 'Content-Type': 'application/json', ...headers });
	response.end(JSON.stringify(data));
}

const refuse = (response, status, error) => answer(response, status, { error });

async function bodyOf(request) {
	const chunks = [];
	let size = 0;
	// Another site's form cannot send this type, so nothing is done in somebody's name from there.
	if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
		throw new Refusal('Content-Type: application/json is expected.');
	for await (const chunk of request) {
		size += chunk.length;
		if (size > BODY_MAX) throw new Refusal('That is too long.');
		chunks.push(chunk);
	}
	try {
		return Object(JSON.parse(Buffer.concat(chunks)));
	} catch {
		throw new Refusal('That is not JSON.');
	}
}

async function serveFile(response, [name, type]) {
	const content = await readFile(new URL(`public/${name}`, import.meta.url));
	response.writeHead(200, { ...HEADERS, 'Content-Type': type });
	response.end(content);
}

async function serveSession(request, response) {
	if (request.method === 'DELETE') return answer(response, 200, {}, { 'Set-Cookie': sessionCookie('') });
	if (request.method !== 'POST') return refuse(response, 405, 'POST or DELETE');
	const { student } = await bodyOf(request);
	if (!isId(student)) throw new Refusal('Letters, digits and _ . : @ - are allowed, at most 64.');
	answer(response, 200, { student }, { 'Set-Cookie': sessionCookie(student) });
}

async function serveHandIn(request, response, student) {
	const id = await contest.handIn(student, await bodyOf(request));
	for (const client of clients) if (client.student === student) client.due = true;
	lookSoon();
	answer(response, 202, { id });
}

async function serveSubmission(request, response, url, student) {
	const [, , id, events, ...rest] = url.pathname.split('/');
	if (!isId(id) || rest.length > 0 || (events !== undefined && events !== 'events'))
		return refuse(response, 404, 'There is no such page.');
	if (!(await contest.owns(student, id))) return refuse(response, 404, 'You have no such submission.');
	if (!events) return answer(response, 200, await contest.submission(id));
	if (!mayConnect(request)) return refuse(response, 429, 'Too many open pages.');
	new LogClient(request, response, id, seenBy(request, url) ?? BEGINNING);
}

async function serve(request, response) {
	if (!URL.canParse(request.url, 'http://page')) return refuse(response, 400, 'That is no address.');
	const url = new URL(request.url, 'http://page');
	const student = studentOf(request);
	const inside = url.pathname === '/submissions' || url.pathname.startsWith('/submissions/');

	if (url.pathname === '/session') return serveSession(request, response);
	if (inside && !student) return refuse(response, 401, 'Say who you are first.');
	if (url.pathname === '/submissions' && request.method === 'POST') return serveHandIn(request, response, student);
	if (request.method !== 'GET') return refuse(response, 405, 'GET is expected.');
	if (inside) return serveSubmission(request, response, url, student);
	if (url.pathname === '/events') {
		if (!mayConnect(request)) return refuse(response, 429, 'Too many open pages.');
		return new ContestClient(request, response, seenBy(request, url));
	}
	if (Object.hasOwn(FILES, url.pathname)) return serveFile(response, FILES[url.pathname]);
	refuse(response, 404, 'There is no such page.');
}

const server = createServer((request, response) => {
	serve(request, response).catch((error) => {
		if (response.headersSent) response.destroy();
		else if (error instanceof Refusal) refuse(response, 400, error.message);
		else if (!redis.isReady) refuse(response, 503, 'The queue cannot be reached. Try again in a moment.');
		else {
			console.error(error);
			refuse(response, 500, 'That failed, and it is not your fault.');
		}
	});
});

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
server.listen(PORT, HOST, () => console.log(`http://${HOST}:${server.address().port}/`));
