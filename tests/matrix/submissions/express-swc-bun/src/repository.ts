import postgres from 'postgres';
import type { Book, NewBook } from './types';

const sql = postgres(process.env.DATABASE_URL as string, { max: 5 });
const columns = sql`id, title, author, isbn, year, price, stock`;

export const insert = async (book: NewBook): Promise<Book> =>
  (await sql<Book[]>`INSERT INTO books ${sql(book)} RETURNING ${columns}`)[0];

export const list = (page: number, limit: number) =>
  sql<Book[]>`SELECT ${columns} FROM books ORDER BY title LIMIT ${limit} OFFSET ${(page - 1) * limit}`;

export const search = (text: string) =>
  sql<Book[]>`
    SELECT ${columns} FROM books
    WHERE title ILIKE ${'%' + text + '%'} OR author ILIKE ${'%' + text + '%'}
    ORDER BY title`;

export const find = async (id: number): Promise<Book | undefined> =>
  (await sql<Book[]>`SELECT ${columns} FROM books WHERE id = ${id}`)[0];

export const update = async (id: number, change: Partial<NewBook>): Promise<Book | undefined> =>
  (await sql<Book[]>`UPDATE books SET ${sql(change)} WHERE id = ${id} RETURNING ${columns}`)[0];

export const remove = async (id: number): Promise<boolean> =>
  (await sql`DELETE FROM books WHERE id = ${id}`).count > 0;

export const takeOne = async (id: number): Promise<Book | undefined> =>
  (await sql<Book[]>`UPDATE books SET stock = stock - 1 WHERE id = ${id} AND stock > 0 RETURNING ${columns}`)[0];

export const stats = async () =>
  (await sql`SELECT count(*)::int AS books, coalesce(sum(stock), 0)::int AS copies FROM books`)[0];
