const express = require('express');
const { Client } = require('pg');

const client = new Client(process.env.DATABASE_URL);
const app = express();

app.use(express.json());

app.post('/books', (req, res, next) => {
  const { title, author, isbn, year, price, stock } = req.body;
  const empty = (s) => !s || !String(s).trim();

  if (empty(title) || empty(author) || empty(isbn)) {
    return res.status(400).json({ error: 'title, author and isbn are required' });
  }
  if (!Number.isInteger(year)) return res.status(400).json({ error: 'year is not an integer' });
  if (typeof price != 'number') return res.status(400).json({ error: 'price is not a number' });

  client
    .query('INSERT INTO books VALUES (DEFAULT, $1, $2, $3, $4, $5, $6) RETURNING *',
      [title, author, isbn, year, price, stock || 0])
    .then(({ rows }) => res.status(201).json(rows[0]))
    .catch((err) => {
      if (err.code != '23505') return next(err);
      res.status(409).json({ error: err.detail });
    });
});

app.get('/books', (req, res, next) => {
  const { page = 1, limit = 20 } = req.query;

  client
    .query('SELECT * FROM books ORDER BY title OFFSET $1 ROWS FETCH NEXT $2 ROWS ONLY', [(page - 1) * limit, limit])
    .then(({ rows }) => res.json(rows))
    .catch(next);
});

app.get('/books/search', (req, res, next) => {
  client
    .query("SELECT * FROM books WHERE title ~* $1 OR author ~* $1 ORDER BY title", [req.query.q])
    .then(({ rows }) => res.json(rows))
    .catch(next);
});

app.use('/books/:id', (req, res, next) => {
  if (isNaN(req.params.id)) return res.status(404).json({ error: 'not found' });
  client
    .query('SELECT * FROM books WHERE id = $1', [req.params.id])
    .then(({ rows: [book] }) => {
      if (!book) return res.status(404).json({ error: 'not found' });
      req.book = book;
      next();
    })
    .catch(next);
});

app.get('/books/:id', (req, res) => res.json(req.book));

app.patch('/books/:id', (req, res, next) => {
  const { title, author, isbn, year, price, stock } = Object.assign(req.book, req.body);

  client
    .query('UPDATE books SET (title, author, isbn, year, price, stock) = ($2, $3, $4, $5, $6, $7) WHERE id = $1 RETURNING *',
      [req.params.id, title, author, isbn, year, price, stock])
    .then(({ rows }) => res.json(rows[0]))
    .catch(next);
});

app.delete('/books/:id', (req, res, next) => {
  client
    .query('DELETE FROM books WHERE id = $1', [req.params.id])
    .then(() => res.sendStatus(204))
    .catch(next);
});

app.post('/books/:id/sell', (req, res, next) => {
  client
    .query('UPDATE books SET stock = stock - 1 WHERE id = $1 AND stock > 0 RETURNING *', [req.params.id])
    .then(({ rows: [book] }) => {
      if (!book) return res.status(409).json({ error: 'sold out' });
      res.json(book);
    })
    .catch(next);
});

app.get('/stats', (req, res, next) => {
  client
    .query('SELECT COUNT(*) AS books, SUM(stock) AS copies FROM books')
    .then(({ rows: [r] }) => res.json({ books: Number(r.books), copies: Number(r.copies) }))
    .catch(next);
});

app.use((err, req, res, next) => {
  console.error(err);
  res.status(500).json({ error: err.message });
});

client.connect().then(() => app.listen(process.env.PORT || 8000));
