import express from 'express';
import pg from 'pg';

const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = process.env;
const pool = new pg.Pool({
  host: 'db',
  port: 5432,
  user: POSTGRES_USER || 'shop',
  password: POSTGRES_PASSWORD || 'shop',
  database: POSTGRES_DB || 'shop',
});

const app = express();
const api = express.Router();

api.use(express.json());

const first = async (text, values) => (await pool.query(text, values)).rows[0];
const send = (res, book) =>
  book ? res.json(book) : res.status(404).json({ error: 'no book with this id' });

api.param('id', (req, res, next, id) => (Number.isInteger(Number(id)) ? next() : send(res, undefined)));

api.get('/', async ({ query: { page = 1, limit = 20 } }, res) => {
  const { rows } = await pool.query('select * from books order by title limit $2 offset ($1::int - 1) * $2::int', [page, limit]);
  res.json(rows);
});

api.get('/search', async (req, res) => {
  const { rows } = await pool.query(
    `select * from books where concat_ws(' / ', title, author) ilike concat('%', $1::text, '%') order by title`,
    [req.query.q],
  );
  res.json(rows);
});

api.post('/', async ({ body }, res) => {
  const strings = [body.title, body.author, body.isbn];
  const valid = strings.every((s) => typeof s === 'string' && s.trim()) &&
    Number.isInteger(body.year) && typeof body.price === 'number';
  if (!valid) return res.status(400).json({ error: 'invalid book' });

  const book = await first(
    `insert into books (title, author, isbn, year, price, stock)
     values ($1, $2, $3, $4, $5, coalesce($6, 0)) on conflict (isbn) do nothing returning *`,
    [...strings, body.year, body.price, body.stock],
  );
  if (!book) return res.status(409).json({ error: 'isbn exists already' });
  res.status(201).json(book);
});

api.get('/:id', async (req, res) => {
  send(res, await first('select * from books where id = $1', [req.params.id]));
});

api.patch('/:id', async ({ params, body }, res) => {
  send(res, await first(
    `update books set title = coalesce($2, title), author = coalesce($3, author), isbn = coalesce($4, isbn),
       year = coalesce($5, year), price = coalesce($6, price), stock = coalesce($7, stock)
     where id = $1 returning *`,
    [params.id, body.title, body.author, body.isbn, body.year, body.price, body.stock],
  ));
});

api.delete('/:id', async (req, res) => {
  const { rowCount } = await pool.query('delete from books where id = $1', [req.params.id]);
  if (rowCount) res.status(204).end();
  else send(res, undefined);
});

api.post('/:id/sell', async (req, res) => {
  const book = await first('select * from books where id = $1', [req.params.id]);
  if (book?.stock < 1) return res.status(409).json({ error: 'sold out' });
  send(res, await first('update books set stock = stock - 1 where id = $1 returning *', [req.params.id]));
});

app.use('/books', api);

app.get('/stats', async (req, res) => {
  res.json(await first('select count(*)::int as books, coalesce(sum(stock), 0)::int as copies from books'));
});

app.listen(8000, () => console.log('listening'));
