import fastify, { type FastifyError } from 'fastify';
import { sql } from './sql';

interface Book {
  id: number;
  title: string;
  author: string;
  isbn: string;
  year: number;
  price: number;
  stock: number;
}

const fields = ['title', 'author', 'isbn', 'year', 'price', 'stock'] as const;
const app = fastify({ forceCloseConnections: true });

const byId = { schema: { params: { type: 'object', properties: { id: { type: 'integer', maximum: 2147483647 } } } } };
const columns = sql`id, title, author, isbn, year, price, stock`;

class NotFound extends Error {
  statusCode = 404;
}

function found<T>(book: T | undefined): T {
  if (!book) throw new NotFound('book not found');
  return book;
}

app.post<{ Body: Omit<Book, 'id'> }>('/books', {
  schema: {
    body: {
      type: 'object',
      required: ['title', 'author', 'isbn', 'year', 'price'],
      properties: {
        title: { type: 'string', pattern: '[^ ]' },
        author: { type: 'string', pattern: '[^ ]' },
        isbn: { type: 'string', pattern: '[^ ]' },
        year: { type: 'integer' },
        price: { type: 'number' },
        stock: { type: 'integer', minimum: 0, default: 0 },
      },
      additionalProperties: false,
    },
  },
}, async (request, reply) => {
  const [book] = await sql<Book[]>`insert into books ${sql(request.body, ...fields)} returning ${columns}`;
  return reply.status(201).send(book);
});

app.get<{ Querystring: { page?: string; limit?: string } }>('/books', async (request) => {
  const { page = '1', limit = '20' } = request.query;
  return sql<Book[]>`select ${columns} from books order by title limit ${limit} offset ${(+page - 1) * +limit}`;
});

app.get<{ Querystring: { q: string } }>('/books/search', async (request) =>
  sql<Book[]>`select ${columns} from books where matches(books, ${request.query.q}) order by title`);

app.get<{ Params: { id: number } }>('/books/:id', byId, async (request) => {
  const [book] = await sql<Book[]>`select ${columns} from books where id = ${request.params.id}`;
  return found(book);
});

app.patch<{ Params: { id: number }; Body: Partial<Book> }>('/books/:id', byId, async (request) => {
  const changes = fields.filter((field) => field in request.body);
  const [book] = await sql<Book[]>`
    update books set ${sql(request.body, ...changes)} where id = ${request.params.id} returning ${columns}`;
  return found(book);
});

app.delete<{ Params: { id: number } }>('/books/:id', byId, async (request, reply) => {
  const [book] = await sql`delete from books where id = ${request.params.id} returning id`;
  found(book);
  return reply.status(204).send();
});

app.post<{ Params: { id: number } }>('/books/:id/sell', byId, async (request, reply) => {
  const { id } = request.params;
  const [book] = await sql<Book[]>`
    update books set stock = stock - 1 where id = ${id} and stock > 0 returning ${columns}`;
  if (book) return book;
  const [{ n }] = await sql`select count(*)::int as n from books where id = ${id}`;
  if (n === 0) throw new NotFound('book not found');
  return reply.status(409).send({ error: 'sold out' });
});

app.get('/stats', async () => {
  const [stats] = await sql`select count(*)::int as books, coalesce(sum(stock), 0)::int as copies from books`;
  return stats;
});

app.setErrorHandler((error: FastifyError, request, reply) => {
  if (error.validationContext === 'params') return reply.status(404).send({ error: 'book not found' });
  if (error.code === '23505') return reply.status(409).send({ error: 'isbn is taken' });
  if (!error.statusCode) console.error(error);
  return reply.status(error.statusCode ?? 500).send({ error: error.message });
});

app.listen({ port: Number(process.env.PORT ?? 8080), host: process.env.HOST ?? '::' });
