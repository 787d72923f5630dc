import { createServer, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { store, type NewBook } from './store.ts';

type Answer = { status: number; body?: unknown };

const ok = (body: unknown): Answer => ({ status: 200, body });
const error = (status: number, message: string): Answer => ({ status, body: { error: message } });
const blank = (value: unknown) => typeof value !== 'string' || value.trim() === '';

function problem(book: Partial<NewBook>): string | undefined {
	if (blank(book.title)) return 'title is required';
	if (blank(book.author)) return 'author is required';
	if (blank(book.isbn)) return 'isbn is required';
	if (!Number.isInteger(book.year)) return 'year must be an integer';
	if (typeof book.price !== 'number') return 'price must be a number';
}

async function create(req: IncomingMessage): Promise<Answer> {
	const book = (await json(req)) as NewBook;
	const wrong = problem(book);
	if (wrong) return error(400, wrong);
	return { status: 201, body: await store.add({ ...book, stock: book.stock ?? 0 }) };
}

async function item(req: IncomingMessage, id: number, action?: string): Promise<Answer> {
	const book = await store.get(id);
	if (!book) return error(404, 'there is no such book');
	switch (`${req.method} ${action ?? ''}`) {
		case 'GET ':
			return ok(book);
		case 'PATCH ':
			return ok(await store.change(id, (await json(req)) as Partial<NewBook>));
		case 'DELETE ':
			await store.remove(id);
			return { status: 204 };
		case 'POST sell': {
			const sold = await store.sell(id);
			return sold ? ok(sold) : error(409, 'there is no copy left');
		}
	}
	return error(405, 'method not allowed');
}

async function answer(req: IncomingMessage): Promise<Answer> {
	const url = new URL(req.url!, 'http://localhost');
	const query = (name: string, otherwise: string) => url.searchParams.get(name) ?? otherwise;
	const [, collection, id, action] = url.pathname.split('/');

	if (collection === 'stats') return ok(await store.stats());
	if (collection !== 'books') return error(404, 'not found');
	if (id === undefined && req.method === 'POST') return create(req);
	if (id === undefined) return ok(await store.page(+query('page', '1'), +query('limit', '20')));
	if (id === 'search') return ok(await store.search(query('q', '')));
	return /^\d{1,9}$/.test(id) ? item(req, Number(id), action) : error(404, 'not found');
}

createServer(async (req, res) => {
	const { status, body } = await answer(req).catch((err: Error & { code?: string }) => {
		if (err.code === '23505') return error(409, 'there is a book with this isbn');
		if (err instanceof SyntaxError) return error(400, 'the body is not JSON');
		console.error(err);
		return error(500, 'internal error');
	});
	res.writeHead(status, { 'content-type': 'application/json' });
	res.end(body === undefined ? undefined : JSON.stringify(body));
}).listen(Number(process.env.PORT ?? 8000));
