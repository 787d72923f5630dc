import cors from 'cors'
import express from 'express'
import postgres from 'postgres'

const sql = postgres(process.env.POSTGRES_URL ?? 'postgres://postgres:postgres@localhost:5432/postgres')
const app = express()

app.use(cors())
app.use(express.json())

const wrap = fn => (req, res, next) => fn(req, res, next).catch(next)
const columns = ['title', 'author', 'isbn', 'year', 'price', 'stock']

function validate(b) {
  const errors = []
  for (const key of ['title', 'author', 'isbn'])
    if (!b[key]?.trim?.()) errors.push(`${key} must not be empty`)
  if (!Number.isInteger(b.year)) errors.push('year must be an integer')
  if (typeof b.price !== 'number') errors.push('price must be a number')
  return errors
}

app.get('/', (req, res) => res.send('Bookshop API'))

app.get('/stats', wrap(async (req, res) => {
  const [stats] = await sql`select count(*)::int as books, coalesce(sum(stock), 0)::int as copies from books`
  res.json(stats)
}))

app.get('/books', wrap(async (req, res) => {
  const { page = 1, limit = 20 } = req.query
  res.json(await sql`select * from books order by title limit ${+limit} offset ${(page - 1) * limit}`)
}))

app.get('/books/search', wrap(async (req, res) => {
  const q = `%${req.query.q ?? ''}%`
  res.json(await sql`select * from books where title ilike ${q} or author ilike ${q} order by title`)
}))

app.post('/books', wrap(async (req, res) => {
  const errors = validate(req.body)
  if (errors.length) return res.status(400).json({ error: errors.join(', ') })
  const { title, author, isbn, year, price, stock = 0 } = req.body
  try {
    const [book] = await sql`insert into books ${sql({ title, author, isbn, year, price, stock })} returning *`
    res.status(201).json(book)
  } catch (e) {
    if (e.code !== '23505') throw e
    res.status(409).json({ error: 'isbn is taken' })
  }
}))

app.all('/books/:id*', (req, res, next) =>
  /^\d+$/.test(req.params.id) ? next() : res.status(404).json({ error: 'not found' }))

app.get('/books/:id', wrap(async (req, res) => {
  const [book] = await sql`select * from books where id = ${req.params.id}`
  book ? res.json(book) : res.status(404).json({ error: 'not found' })
}))

app.patch('/books/:id', wrap(async (req, res) => {
  const keys = columns.filter(c => c in req.body)
  const [book] = await sql`update books set ${sql(req.body, keys)} where id = ${req.params.id} returning *`
  book ? res.json(book) : res.status(404).json({ error: 'not found' })
}))

app.delete('/books/:id', wrap(async (req, res) => {
  const { count } = await sql`delete from books where id = ${req.params.id}`
  res.sendStatus(count ? 204 : 404)
}))

app.post('/books/:id/sell', wrap(async (req, res) => {
  const book = await sql.begin(async tx => {
    const [row] = await tx`select * from books where id = ${req.params.id} for update`
    if (!row || row.stock === 0) return row
    return (await tx`update books set stock = stock - 1 where id = ${row.id} returning *, true as sold`)[0]
  })
  if (!book) return res.status(404).json({ error: 'not found' })
  if (!book.sold) return res.status(409).json({ error: 'no copy left' })
  delete book.sold
  res.json(book)
}))

app.use((err, req, res, next) => {
  console.error(err)
  res.status(500).json({ error: 'internal error' })
})

await sql`
  create table if not exists books (
    id int generated always as identity primary key,
    title text not null,
    author text not null,
    isbn text not null unique,
    year int not null,
    price double precision not null,
    stock int not null default 0
  )`

app.listen(3000, () => console.log('listening on http://localhost:3000'))
