import { beforeAll, expect, test } from 'vitest';

interface Book {
  id: number;
  title: string;
  author: string;
  isbn: string;
  year: number;
  price: number;
  stock: number;
}

const BASE = 'http://localhost:8000';

async function call(method: string, path: string, body?: unknown) {
  const response = await fetch(BASE + path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, type: response.headers.get('content-type'), data: text ? JSON.parse(text) : null };
}

let isbn = 2000000000000;
async function added(book: Partial<Book>): Promise<Book> {
  isbn += 1;
  return (await call('POST', '/books', { author: 'Anon', isbn: String(isbn), year: 1990, price: 1, ...book })).data;
}

const titles = (books: Book[]) => books.map((book) => book.title);

beforeAll(async () => {
  await added({ title: 'Neuromancer', author: 'William Gibson', year: 1984, price: 8.25, stock: 2 });
  await added({ title: 'Dune', author: 'Frank Herbert', year: 1965, price: 9.5, stock: 3 });
  await added({ title: 'Ubik', author: 'Philip K. Dick', year: 1969, price: 7, stock: 0 });
  await added({ title: 'Contact', author: 'Carl Sagan', year: 1985, price: 6.75, stock: 1 });
});

test('list: is sorted by title', async () => {
  const { status, type, data } = await call('GET', '/books');
  expect(status).toBe(200);
  expect(type).toContain('json');
  expect(titles(data)).toEqual(['Contact', 'Dune', 'Neuromancer', 'Ubik']);
});

test('list: has pages', async () => {
  const all = titles((await call('GET', '/books')).data);
  expect(titles((await call('GET', '/books?page=1&limit=2')).data)).toEqual(all.slice(0, 2));
  expect(titles((await call('GET', '/books?page=2&limit=2')).data)).toEqual(all.slice(2, 4));
});

test('search: titles and authors, upper and lower case alike', async () => {
  expect(titles((await call('GET', '/books/search?q=UB')).data)).toEqual(['Ubik']);
  expect(titles((await call('GET', '/books/search?q=herbert')).data)).toEqual(['Dune']);
});

test('stats: are numbers', async () => {
  expect((await call('GET', '/stats')).data).toStrictEqual({ books: 4, copies: 6 });
});

test('create: answers 201 and the book', async () => {
  const book = { title: 'Solaris', author: 'Stanisław Lem', isbn: '3000000000001', year: 1961, price: 10.99 };
  const { status, data } = await call('POST', '/books', book);
  expect(status).toBe(201);
  expect(data).toMatchObject({ ...book, id: expect.any(Number), stock: 0 });
});

test.each([undefined, '   '])('create: a title is required (%o)', async (title) => {
  const { status, data } = await call('POST', '/books', { title, author: 'N', isbn: '3000000000002', year: 2001, price: 1 });
  expect(status).toBe(400);
  expect(data.error).toEqual(expect.any(String));
});

test('create: the year is an integer', async () => {
  for (const year of ['soon', 2001.5]) {
    const { status } = await call('POST', '/books', { title: 'Soon', author: 'S', isbn: '3000000000003', year, price: 1 });
    expect(status, `year ${year}`).toBe(400);
  }
});

test('create: an isbn is unique', async () => {
  const first = await added({ title: 'Twice' });
  expect((await call('POST', '/books', { ...first, id: undefined, title: 'Once more' })).status).toBe(409);
});

test('read: answers exactly the book', async () => {
  const emma = await added({ title: 'Emma', author: 'Jane Austen', year: 1815, price: 5.5, stock: 4 });
  expect((await call('GET', `/books/${emma.id}`)).data).toStrictEqual({
    id: emma.id, title: 'Emma', author: 'Jane Austen', isbn: String(isbn), year: 1815, price: 5.5, stock: 4,
  });
});

test('read: an unknown id is a 404', async () => {
  expect((await call('GET', '/books/999999')).status).toBe(404);
  expect((await call('GET', '/books/emma')).status).toBe(404);
});

test('update: changes what was sent, and nothing else', async () => {
  const walden = await added({ title: 'Walden', author: 'H. D. Thoreau', price: 4, stock: 9 });
  const change = { price: 4.25, author: 'Henry David Thoreau' };
  expect((await call('PATCH', `/books/${walden.id}`, change)).status).toBe(200);
  expect((await call('GET', `/books/${walden.id}`)).data).toEqual({ ...walden, ...change });
});

test('update: an unknown id is a 404', async () => {
  expect((await call('PATCH', '/books/999999', { price: 1 })).status).toBe(404);
});

test('sell: takes one copy', async () => {
  const momo = await added({ title: 'Momo', stock: 2 });
  const { status, data } = await call('POST', `/books/${momo.id}/sell`);
  expect(status).toBe(200);
  expect(data.stock).toBe(1);
});

test('sell: nothing is sold when no copy is left', async () => {
  const gone = await added({ title: 'Sold out', stock: 0 });
  expect((await call('POST', `/books/${gone.id}/sell`)).status).toBe(409);
  expect((await call('GET', `/books/${gone.id}`)).data.stock).toBe(0);
});

test('delete: the book is gone', async () => {
  const brief = await added({ title: 'Brief' });
  expect((await call('DELETE', `/books/${brief.id}`)).status).toBe(204);
  expect((await call('GET', `/books/${brief.id}`)).status).toBe(404);
});
