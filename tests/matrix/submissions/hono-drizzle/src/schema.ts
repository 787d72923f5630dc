import { doublePrecision, integer, pgTable, serial, text } from 'drizzle-orm/pg-core'

export const books = pgTable('books', {
  id: serial('id').primaryKey(),
  title: text('title').notNull(),
  author: text('author').notNull(),
  isbn: text('isbn').notNull().unique(),
  year: integer('year').notNull(),
  price: doublePrecision('price').notNull(),
  stock: integer('stock').notNull().default(0),
})

export type NewBook = typeof books.$inferInsert
