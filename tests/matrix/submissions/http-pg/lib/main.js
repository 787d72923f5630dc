'use strict'

const http = require('http')
const { Pool } = require('pg')

// Without arguments: pg reads PGHOST, PGUSER and so on.
const pool = new Pool()

class Refused extends Error {
  constructor (status, message) {
    super(message)
    this.status = status
  }
}

function toBook (row) {
  return {
    id: Number(row.id),
    title: row.title,
    author: row.author,
    isbn: row.isbn,
    year: row.year,
    price: row.price,
    stock: row.stock
  }
}

async function one (text, values) {
  const { rows } = await pool.query(text, values)
  if (!rows[0]) throw new Refused(404, 'no such book')
  return toBook(rows[0])
}

async function readJson (req) {
  let text = ''
  req.setEncoding('utf8')
  for await (const chunk of req) text += chunk
  try {
    return JSON.parse(text)
  } catch {
    throw new Refused(400, 'the body is not JSON')
  }
}

function validate (b) {
  for (const key of ['title', 'author', 'isbn']) {
    if (typeof b[key] !== 'string' || !b[key].trim()) throw new Refused(400, key + ' is missing')
  }
  if (!Number.isInteger(b.year)) throw new Refused(400, 'year must be an integer')
  if (typeof b.price !== 'number') throw new Refused(400, 'price must be a number')
}

async function create (req) {
  const b = await readJson(req)
  validate(b)
  const book = await one(
    'insert into books (title, author, isbn, year, price, stock) values ($1, $2, $3, $4, $5, $6) returning *',
    [b.title, b.author, b.isbn, b.year, b.price, b.stock || 0])
  return [201, book]
}

async function list (req, url) {
  const limit = Number(url.searchParams.get('limit') || 20)
  const page = Number(url.searchParams.get('page') || 1)
  const { rows } = await pool.query('select * from books order by title offset $1 limit $2',
    [(page - 1) * limit, limit])
  return [200, rows.map(toBook)]
}

async function search (req, url) {
  const q = (url.searchParams.get('q') || '').toLowerCase()
  const { rows } = await pool.query(
    'select * from books where strpos(lower(title), $1) > 0 or strpos(lower(author), $1) > 0 order by title', [q])
  return [200, rows.map(toBook)]
}

async function stats () {
  const { rows } = await pool.query('select count(*) as books, coalesce(sum(stock), 0) as copies from books')
  return [200, { books: +rows[0].books, copies: +rows[0].copies }]
}

async function read (req, url, id) {
  return [200, await one('select * from books where id = $1', [id])]
}

async function update (req, url, id) {
  const b = { ...await one('select * from books where id = $1', [id]), ...await readJson(req) }
  return [200, await one(
    'update books set title = $2, author = $3, isbn = $4, year = $5, price = $6, stock = $7 where id = $1 returning *',
    [id, b.title, b.author, b.isbn, b.year, b.price, b.stock])]
}

async function remove (req, url, id) {
  await one('delete from books where id = $1 returning *', [id])
  return [204]
}

async function sell (req, url, id) {
  return [200, await one('update books set stock = stock - 1 where id = $1 returning *', [id])]
}

const routes = [
  ['POST', /^\/books$/, create],
  ['GET', /^\/books$/, list],
  ['GET', /^\/books\/search$/, search],
  ['GET', /^\/books\/(\d{1,15})$/, read],
  ['PATCH', /^\/books\/(\d{1,15})$/, update],
  ['DELETE', /^\/books\/(\d{1,15})$/, remove],
  ['POST', /^\/books\/(\d{1,15})\/sell$/, sell],
  ['GET', /^\/stats$/, stats]
]

async function handle (req) {
  const url = new URL(req.url, 'http://localhost')
  for (const [method, pattern, handler] of routes) {
    const match = req.method === method && pattern.exec(url.pathname)
    if (match) return handler(req, url, match[1])
  }
  throw new Refused(404, 'not found')
}

function failure (err) {
  if (err.status) return [err.status, { error: err.message }]
  if (err.constraint === 'isbn_taken') return [409, { error: 'this isbn is taken' }]
  if (err.constraint === 'books_stock_check') return [409, { error: 'no copy is left' }]
  console.error(err)
  return [500, { error: 'internal error' }]
}

http.createServer((req, res) => {
  handle(req).catch(failure).then(([status, body]) => {
    if (!body) return res.writeHead(status).end()
    res.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
    res.end(JSON.stringify(body))
  })
}).listen(process.env.PORT || 8000, '0.0.0.0')
