const COLUMNS = `id, title, author, isbn, "publishedYear" AS year, price::float AS price, stock`;

export class Book {
	constructor(db) {
		this.db = db;
	}

	static validate(b) {
		if (!b?.title?.trim()) return "Title is required";
		if (!b.author?.trim()) return "Author is required";
		if (!b.isbn?.trim()) return "ISBN is required";
		if (!Number.isInteger(b.year)) return "Year must be a whole number";
		if (typeof b.price !== "number") return "Price must be a number";
		return null;
	}

	async all() {
		const { rows } = await this.db.query(`SELECT ${COLUMNS} FROM "Books" ORDER BY title`);
		return rows;
	}

	async find(id) {
		if (!/^\d+$/.test(id)) return undefined;
		const { rows } = await this.db.query(`SELECT ${COLUMNS} FROM "Books" WHERE id = $1`, [id]);
		return rows[0];
	}

	async findByIsbn(isbn) {
		const { rows } = await this.db.query(`SELECT ${COLUMNS} FROM "Books" WHERE isbn = $1`, [isbn]);
		return rows[0];
	}

	async create({ title, author, isbn, year, price, stock = 0 }) {
		const { rows } = await this.db.query(
			`INSERT INTO "Books" (title, author, isbn, "publishedYear", price, stock)
			 VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${COLUMNS}`,
			[title, author, isbn, year, price, stock],
		);
		return rows[0];
	}

	async save(b) {
		const { rows } = await this.db.query(
			`UPDATE "Books" SET title = $2, author = $3, isbn = $4, "publishedYear" = $5, price = $6, stock = $7
			 WHERE id = $1 RETURNING ${COLUMNS}`,
			[b.id, b.title, b.author, b.isbn, b.year, b.price, b.stock],
		);
		return rows[0];
	}

	async delete(id) {
		await this.db.query(`DELETE FROM "Books" WHERE id = $1`, [id]);
	}
}
