import pg from 'pg';

export interface Book {
	id: number;
	title: string;
	author: string;
	isbn: string;
	year: number;
	price: number;
	stock: number;
}

export type NewBook = Omit<Book, 'id'>;

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4 });
const names = ['title', 'author', 'isbn', 'year', 'price', 'stock'] as const;

async function rows(text: string, ...values: unknown[]): Promise<Book[]> {
	return (await pool.query<Book>(text, values)).rows;
}

export const store = {
	async add(book: NewBook): Promise<Book> {
		const [added] = await rows(
			`INSERT INTO books (${names}) VALUES ($1, $2, $3, $4, $5, $6) RETURNING *`,
			...names.map((name) => book[name]),
		);
		return added!;
	},
	page: (page: number, limit: number) =>
		rows('SELECT * FROM books ORDER BY title LIMIT $1 OFFSET $2', limit, (page - 1) * limit),
	search: (q: string) =>
		rows(`SELECT * FROM books WHERE title || E'\\n' || author ILIKE '%' || $1 || '%' ORDER BY title`, q),
	get: async (id: number) => (await rows('SELECT * FROM books WHERE id = $1', id))[0],
	async change(id: number, changes: Partial<NewBook>) {
		const used = names.filter((name) => changes[name] !== undefined);
		const set = used.map((name, i) => `${name} = $${i + 2}`);
		const [changed] = await rows(
			`UPDATE books SET ${set} WHERE id = $1 RETURNING *`,
			id,
			...used.map((name) => changes[name]),
		);
		return changed;
	},
	remove: async (id: number) => (await rows('DELETE FROM books WHERE id = $1 RETURNING *', id))[0],
	sell: async (id: number) =>
		(await rows('UPDATE books SET stock = stock - 1 WHERE id = $1 AND stock > 0 RETURNING *', id))[0],
	async stats(): Promise<{ books: number; copies: number }> {
		const { rows } = await pool.query(
			'SELECT count(*)::integer AS books, sum(stock)::integer AS copies FROM books',
		);
		return rows[0];
	},
};
