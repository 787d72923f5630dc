'use strict';

const express = require('express');
const { MikroORM, RequestContext, UniqueConstraintViolationException, raw } = require('@mikro-orm/postgresql');
const { Book, schema } = require('./Book');

const app = express();
app.use(express.json());

function fail(status, message) {
  throw Object.assign(new Error(message), { status });
}

function assertBook(body) {
  for (const field of ['title', 'author', 'isbn']) {
    if (typeof body?.[field] !== 'string' || !body[field].trim()) fail(400, `${field} must be a non-empty string`);
  }
  if (!Number.isInteger(body.year)) fail(400, 'year must be an integer');
  if (!Number.isFinite(body.price)) fail(400, 'price must be a number');
}

async function main() {
  const orm = await MikroORM.init({
    clientUrl: process.env.DATABASE_URL,
    entities: [schema],
    discovery: { disableDynamicFileAccess: true },
  });
  await orm.schema.updateSchema();

  const em = () => RequestContext.getEntityManager();
  const load = async (id) => (Number.isInteger(+id) && (await em().findOne(Book, +id))) || fail(404, 'unknown book');

  app.use((req, res, next) => RequestContext.create(orm.em, next));

  app.get('/books', async (req, res) => {
    const limit = +(req.query.limit ?? 20);
    const offset = (+(req.query.page ?? 1) - 1) * limit;
    res.json(await em().find(Book, {}, { orderBy: { title: 'asc' }, limit, offset }));
  });

  app.get('/books/search', async (req, res) => {
    const $ilike = `%${req.query.q ?? ''}%`;
    res.json(await em().find(Book, { $or: [{ title: { $ilike } }, { author: { $ilike } }] }, { orderBy: { title: 1 } }));
  });

  app.post('/books', async (req, res) => {
    assertBook(req.body);
    const book = new Book(req.body);
    await em().persistAndFlush(book);
    res.status(201).json(book);
  });

  app.get('/books/:id', async (req, res) => {
    res.json(await load(req.params.id));
  });

  app.patch('/books/:id', async (req, res) => {
    const book = await load(req.params.id);
    em().assign(book, req.body);
    await em().flush();
    res.json(book);
  });

  app.delete('/books/:id', async (req, res) => {
    await em().removeAndFlush(await load(req.params.id));
    res.status(204).send();
  });

  app.post('/books/:id/sell', async (req, res) => {
    const book = await load(req.params.id);
    const changed = await em().nativeUpdate(Book, { id: book.id, stock: { $gt: 0 } }, { stock: raw('stock - 1') });
    if (!changed) fail(409, 'sold out');
    res.json(await em().refresh(book));
  });

  app.get('/stats', async (req, res) => {
    const [row] = await em().getConnection().execute(
      'select count(*)::int as books, coalesce(sum(stock), 0)::int as copies from books');
    res.json(row);
  });

  app.use((err, req, res, next) => {
    if (err instanceof UniqueConstraintViolationException) err.status = 409;
    if (!err.status) console.error(err);
    res.status(err.status ?? 500).json({ error: err.message });
  });

  app.listen(Number(process.env.PORT) || 3001, process.env.HOST);
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
