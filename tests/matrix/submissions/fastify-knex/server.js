import Fastify from 'fastify';
import createKnex from 'knex';
import knexfile from './knexfile.js';
import books from './routes/books.js';

const app = Fastify({ logger: { level: 'warn' } });
const knex = createKnex(knexfile);

app.decorate('knex', knex);
app.decorate('notFound', () => Object.assign(new Error('not found'), { statusCode: 404 }));

app.setErrorHandler((error, request, reply) => {
  if (error.validationContext === 'params') reply.code(404);
  else if (error.code === '23505') reply.code(409);
  else reply.code(error.statusCode ?? 500);
  reply.send({ error: error.message });
});

app.register(books, { prefix: '/books' });

app.get('/stats', async () => {
  const [row] = await knex('books').count('* as books').sum('stock as copies');
  return { books: Number(row.books), copies: Number(row.copies ?? 0) };
});

await app.listen({ port: Number(process.env.PORT) || 8000, host: '0.0.0.0' });
