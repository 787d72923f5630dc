import 'dotenv/config';
import { serve } from '@hono/node-server';
import { PrismaPg } from '@prisma/adapter-pg';
import { Hono, type Context } from 'hono';
import { Prisma, PrismaClient } from './generated/prisma/client';

const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL });
const db = new PrismaClient({ adapter });
const app = new Hono();

const idOf = (c: Context) => Number(c.req.param('id')) || 0;
const missing = (c: Context) => c.json({ error: 'book not found' }, 404);

app.post('/books', async (c) => {
  const { title, author, isbn, year, price, stock } = await c.req.json();
  if (![title, author, isbn].every((s) => typeof s === 'string' && s.trim() !== ''))
    return c.json({ error: 'title, author and isbn are required' }, 400);
  if (!Number.isInteger(year) || typeof price !== 'number')
    return c.json({ error: 'year must be an integer and price a number' }, 400);
  return c.json(await db.book.create({ data: { title, author, isbn, year, price, stock } }), 201);
});

app.get('/books', async (c) => {
  const take = Number(c.req.query('limit') ?? '20');
  const page = Number(c.req.query('page') ?? '1');
  return c.json(await db.book.findMany({ orderBy: { title: 'asc' }, take, skip: (page - 1) * take }));
});

app.get('/books/search', async (c) => {
  const matches = { contains: c.req.query('q') ?? '', mode: Prisma.QueryMode.insensitive };
  return c.json(
    await db.book.findMany({
      where: { OR: [{ title: matches }, { author: matches }] },
      orderBy: { title: 'asc' },
    }),
  );
});

app.get('/books/:id', async (c) => {
  const book = await db.book.findUnique({ where: { id: idOf(c) } });
  return book ? c.json(book) : missing(c);
});

app.patch('/books/:id', async (c) =>
  c.json(await db.book.update({ where: { id: idOf(c) }, data: await c.req.json() })),
);

app.delete('/books/:id', async (c) => {
  await db.book.delete({ where: { id: idOf(c) } });
  return c.body(null, 204);
});

app.post('/books/:id/sell', async (c) => {
  const id = idOf(c);
  const [book] = await db.$queryRaw<object[]>`
    UPDATE books SET stock = stock - 1 WHERE id = ${id} AND stock > 0 RETURNING *`;
  if (book) return c.json(book);
  return (await db.book.count({ where: { id } })) ? c.json({ error: 'sold out' }, 409) : missing(c);
});

app.get('/stats', async (c) => {
  const all = await db.book.findMany({ select: { stock: true } });
  return c.json({ books: all.length, copies: all.reduce((n, b) => n + b.stock, 0) });
});

app.onError((err, c) => {
  if (err instanceof Prisma.PrismaClientKnownRequestError) {
    if (err.code === 'P2025') return missing(c);
    if (err.code === 'P2002') return c.json({ error: 'isbn exists' }, 409);
  }
  console.error(err);
  return c.json({ error: 'internal error' }, 500);
});

serve({ fetch: app.fetch, port: Number(process.env.PORT) });
