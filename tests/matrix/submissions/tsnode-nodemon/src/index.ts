import express, { Request, Response, NextFunction } from "express";
import cors from "cors";
import { pool, initDb } from "./db";

interface Book {
  id: number;
  title: string;
  author: string;
  isbn: string;
  year: number;
  price: number;
  stock: number;
}

type Handler = (req: Request, res: Response) => Promise<unknown>;

const asyncHandler = (fn: Handler) => (req: Request, res: Response, next: NextFunction) => {
  fn(req, res).catch(next);
};

const app = express();
app.use(cors());
app.use(express.json());

app.get("/books", asyncHandler(async (req, res) => {
  const limit = parseInt(req.query.limit as string) || 20;
  const page = parseInt(req.query.page as string) || 1;
  const result = await pool.query<Book>(
    "SELECT * FROM books ORDER BY title ASC LIMIT $1 OFFSET $2",
    [limit, (page - 1) * limit],
  );
  return res.status(200).json(result.rows);
}));

app.get("/books/search", asyncHandler(async (req, res) => {
  const result = await pool.query<Book>(
    "SELECT * FROM books WHERE LOWER(title) LIKE LOWER($1) OR LOWER(author) LIKE LOWER($1) ORDER BY title",
    ["%" + req.query.q + "%"],
  );
  return res.status(200).json(result.rows);
}));

app.post("/books", asyncHandler(async (req, res) => {
  const { title, author, isbn, year, price, stock }: Book = req.body;
  if (!title?.trim() || !author?.trim() || !isbn?.trim() || !Number.isInteger(year) || typeof price !== "number") {
    return res.status(400).json({ error: "Please fill all the fields" });
  }
  const existing = await pool.query("SELECT id FROM books WHERE isbn = $1", [isbn]);
  if (existing.rows.length > 0) {
    return res.status(409).json({ error: "This book already exists" });
  }
  const result = await pool.query<Book>(
    "INSERT INTO books (title, author, isbn, year, price, stock) VALUES ($1, $2, $3, $4, $5, $6) RETURNING *",
    [title, author, isbn, year, price, stock || 0],
  );
  return res.status(201).json(result.rows[0]);
}));

app.use("/books/:id", asyncHandler(async (req, res) => {
  const id = Number(req.params.id);
  const found = isNaN(id) ? null : await pool.query<Book>("SELECT * FROM books WHERE id = $1", [id]);
  const book = found?.rows[0];
  if (!book) {
    return res.status(404).json({ error: "Book not found" });
  }

  if (req.path === "/sell" && req.method === "POST") {
    if (book.stock <= 0) return res.status(409).json({ error: "Out of stock" });
    await pool.query("UPDATE books SET stock = $1 WHERE id = $2", [book.stock - 1, id]);
    return res.json({ ...book, stock: book.stock - 1 });
  }

  switch (req.method) {
    case "GET":
      return res.json(book);
    case "PATCH": {
      const b = { ...book, ...req.body };
      const result = await pool.query<Book>(
        "UPDATE books SET title=$1, author=$2, isbn=$3, year=$4, price=$5, stock=$6 WHERE id=$7 RETURNING *",
        [b.title, b.author, b.isbn, b.year, b.price, b.stock, id],
      );
      return res.json(result.rows[0]);
    }
    case "DELETE":
      await pool.query("DELETE FROM books WHERE id = $1", [id]);
      return res.status(204).send();
    default:
      return res.status(405).json({ error: "Method not allowed" });
  }
}));

app.get("/stats", asyncHandler(async (req, res) => {
  const result = await pool.query<Book>("SELECT * FROM books");
  const copies = result.rows.map((book) => book.stock).reduce((a, b) => a + b, 0);
  return res.json({ books: result.rows.length, copies });
}));

app.use((err: Error, req: Request, res: Response, next: NextFunction) => {
  console.error(err.stack);
  res.status(500).json({ error: "Something broke!" });
});

const PORT = process.env.PORT || 3000;

initDb()
  .then(() => app.listen(PORT, () => console.log(`Server started on port ${PORT}`)))
  .catch((err) => {
    console.error("Could not reach the database", err);
    process.exit(1);
  });
