'use strict';

const http = require('node:http');

const todos = new Map();
let lastId = 0;

class HttpError extends Error {
	constructor(status, message) {
		super(message);
		this.status = status;
	}
}

async function readJson(req) {
	let text = '';

	req.setEncoding('utf8');
	for await (const chunk of req) {
		text += chunk;
		if (text.length > 16384)
			throw new HttpError(413, 'the body is too long');
	}
	try {
		return Object(JSON.parse(text));
	} catch {
		throw new HttpError(400, 'the body is not JSON');
	}
}

function checkTitle(title) {
	if (typeof title !== 'string' || title.trim() === '')
		throw new HttpError(400, 'title must be a text that is not empty');
	return title;
}

function checkDone(done) {
	if (typeof done !== 'boolean')
		throw new HttpError(400, 'done must be true or false');
	return done;
}

function find(id) {
	const todo = todos.get(Number(id));

	if (!todo)
		throw new HttpError(404, `there is no todo ${id}`);
	return todo;
}

function list(query) {
	const all = [...todos.values()];

	return query.has('done') ? all.filter((todo) => String(todo.done) === query.get('done')) : all;
}

async function add(req) {
	const title = checkTitle((await readJson(req)).title);
	const todo = { id: ++lastId, title, done: false };

	todos.set(todo.id, todo);
	return todo;
}

async function change(req, todo) {
	const { title = todo.title, done = todo.done } = await readJson(req);

	return Object.assign(todo, { title: checkTitle(title), done: checkDone(done) });
}

async function route(req) {
	const { pathname, searchParams } = new URL(req.url, 'http://localhost');
	const [, id] = /^\/todos\/([^/]+)$/.exec(pathname) ?? [];

	switch (`${req.method} ${id ? '/todos/ID' : pathname}`) {
	case 'GET /health':
		return [200, { ok: true }];
	case 'GET /todos':
		return [200, list(searchParams)];
	case 'POST /todos':
		return [201, await add(req)];
	case 'GET /todos/ID':
		return [200, find(id)];
	case 'PATCH /todos/ID':
		return [200, await change(req, find(id))];
	case 'DELETE /todos/ID':
		todos.delete(find(id).id);
		return [204];
	default:
		throw new HttpError(404, `no such route: ${req.method} ${pathname}`);
	}
}

async function answer(req) {
	try {
		return await route(req);
	} catch (err) {
		if (!err.status)
			console.error(err);
		return [err.status ?? 500, { error: err.status ? err.message : 'internal error' }];
	}
}

const server = http.createServer(async (req, res) => {
	const [status, body] = await answer(req);

	res.writeHead(status, { 'Content-Type': 'application/json' });
	res.end(body === undefined ? undefined : JSON.stringify(body));
});

const port = Number(process.env.PORT ?? 8000);

server.listen(port, () => console.log(`todo list listens on port ${port}`));
