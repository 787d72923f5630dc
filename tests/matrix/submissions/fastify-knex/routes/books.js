const text = { type: 'string', pattern: '\\S' };
const properties = {
  title: text,
  author: text,
  isbn: text,
  year: { type: 'integer' },
  price: { type: 'number' },
  stock: { type: 'integer', minimum: 0 },
};
const params = { type: 'object', properties: { id: { type: 'integer' } } };

export default async function books(app) {
  const { knex } = app;

  app.post('/', {
    schema: { body: { type: 'object', required: ['title', 'author', 'isbn', 'year', 'price'], properties } },
  }, async (request, reply) => {
    const [book] = await knex('books').insert(request.body).returning('*');
    return reply.code(201).send(book);
  });

  app.get('/', {
    schema: {
      querystring: {
        type: 'object',
        properties: {
          page: { type: 'integer', minimum: 1, default: 1 },
          limit: { type: 'integer', minimum: 1, default: 20 },
        },
      },
    },
  }, async (request) => {
    const { page, limit } = request.query;
    return knex('books').orderBy('title').limit(limit).offset((page - 1) * limit);
  });

  app.get('/search', async (request) => {
    const pattern = `%${request.query.q ?? ''}%`;
    return knex('books').whereILike('title', pattern).orWhereILike('author', pattern).orderBy('title');
  });

  app.get('/:id', { schema: { params } }, async (request) => {
    const book = await knex('books').where(request.params).first();
    if (!book) throw app.notFound();
    return book;
  });

  app.patch('/:id', { schema: { params, body: { type: 'object', properties, minProperties: 1 } } }, async (request) => {
    const [book] = await knex('books').where(request.params).update(request.body).returning('*');
    if (!book) throw app.notFound();
    return book;
  });

  app.delete('/:id', { schema: { params } }, async (request, reply) => {
    if (!(await knex('books').where(request.params).del())) throw app.notFound();
    reply.code(204);
  });

  app.post('/:id/sell', { schema: { params } }, async (request) => {
    const book = await knex('books').where(request.params).first();
    if (!book) throw app.notFound();
    const [sold] = await knex('books').where(request.params).where('stock', '>', 0)
      .decrement('stock').returning('*');
    if (!sold) throw Object.assign(new Error('out of stock'), { statusCode: 409 });
    return sold;
  });
}
