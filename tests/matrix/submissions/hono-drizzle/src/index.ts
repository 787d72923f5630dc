import { serve } from '@hono/node-server'
import { and, asc, count, eq, gt, ilike, or, sql, sum } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { books, type NewBook } from './schema'

const db = drizzle(process.env.DATABASE_URL!)
const app = new Hono()

const notFound = () => new HTTPException(404, { message: 'book not found' })

function parse(body: Partial<NewBook>): NewBook {
  for (const key of ['title', 'author', 'isbn'] as const) {
    if (typeof body[key] !== 'string' || body[key].trim() === '')
      throw new HTTPException(400, { message: `${key} is required` })
  }
  if (!Number.isInteger(body.year)) throw new HTTPException(400, { message: 'year must be an integer' })
  if (typeof body.price !== 'number') throw new HTTPException(400, { message: 'price must be a number' })
  return body as NewBook
}

app.onError((err, c) => {
  if (err instanceof HTTPException) return c.json({ error: err.message }, err.status)
  if ((err.cause as { code?: string })?.code === '23505') return c.json({ error: 'isbn is taken' }, 409)
  console.error(err)
  return c.json({ error: 'internal error' }, 500)
})

app.get('/', (c) => c.text('Hello Hono!'))

app.post('/books', async (c) => {
  const [book] = await db.insert(books).values(parse(await c.req.json())).returning()
  return c.json(book, 201)
})

app.get('/books', async (c) => {
  const limit = Number(c.req.query('limit') ?? 20)
  const offset = (Number(c.req.query('page') ?? 1) - 1) * limit
  return c.json(await db.select().from(books).orderBy(asc(books.title)).limit(limit).offset(offset))
})

app.get('/books/search', async (c) => {
  const q = `%${c.req.query('q') ?? ''}%`
  const found = await db.select().from(books)
    .where(or(ilike(books.title, q), ilike(books.author, q)))
    .orderBy(books.title)
  return c.json(found)
})

app.get('/books/:id{[0-9]+}', async (c) => {
  const [book] = await db.select().from(books).where(eq(books.id, +c.req.param('id')))
  if (!book) throw notFound()
  return c.json(book)
})

app.patch('/books/:id{[0-9]+}', async (c) => {
  const { id: _, ...changes } = await c.req.json()
  const [book] = await db.update(books).set(changes).where(eq(books.id, +c.req.param('id'))).returning()
  if (!book) throw notFound()
  return c.json(book)
})

app.delete('/books/:id{[0-9]+}', async (c) => {
  const gone = await db.delete(books).where(eq(books.id, +c.req.param('id'))).returning({ id: books.id })
  if (gone.length === 0) throw notFound()
  return c.body(null, 204)
})

app.post('/books/:id{[0-9]+}/sell', async (c) => {
  const same = eq(books.id, +c.req.param('id'))
  const [sold] = await db.update(books).set({ stock: sql`${books.stock} - 1` })
    .where(and(same, gt(books.stock, 0))).returning()
  if (sold) return c.json(sold)
  if ((await db.$count(books, same)) === 0) throw notFound()
  throw new HTTPException(409, { message: 'out of stock' })
})

app.get('/stats', async (c) => {
  const [stats] = await db.select({
    books: count(),
    copies: sum(books.stock).mapWith(Number),
  }).from(books)
  return c.json(stats)
})

app.notFound((c) => c.json({ error: 'not found' }, 404))

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) }, (info) => {
  console.log(`Server is running on http://localhost:${info.port}`)
})
