const express = require("express");
const db = require("./db");

const router = express.Router();
const FIELDS = ["title", "author", "isbn", "year", "price", "stock"];

const isText = (v) => typeof v === "string" && v.trim() !== "";

function check(book) {
  for (const name of ["title", "author", "isbn"]) {
    if (!isText(book[name])) return `${name} is required`;
  }
  if (!Number.isInteger(book.year)) return "year must be an integer";
  if (typeof book.price !== "number") return "price must be a number";
  return null;
}

router.param("id", (req, res, next, id) => {
  if (!/^\d{1,9}$/.test(id)) return res.status(404).json({ error: "Book not found" });
  next();
});

router.post("/", async (req, res) => {
  const book = req.body || {};
  const problem = check(book);
  if (problem) return res.status(400).json({ error: problem });
  try {
    const { rows } = await db.query(
      `INSERT INTO books (title, author, isbn, year, price, stock)
       VALUES ($1, $2, $3, $4, $5, $6) RETURNING *`,
      [book.title, book.author, book.isbn, book.year, book.price, book.stock ?? 0]
    );
    res.status(201).json(rows[0]);
  } catch (err) {
    if (err.code === "23505") return res.status(409).json({ error: "isbn already exists" });
    throw err;
  }
});

router.get("/", async (req, res) => {
  const limit = Number(req.query.limit) || 20;
  const page = Number(req.query.page) || 1;
  const { rows } = await db.query("SELECT * FROM books ORDER BY title LIMIT $1 OFFSET $2", [
    limit,
    (page - 1) * limit,
  ]);
  res.json(rows);
});

router.get("/search", async (req, res) => {
  const { rows } = await db.query(
    "SELECT * FROM books WHERE title ILIKE $1 OR author ILIKE $1 ORDER BY title",
    [`%${req.query.q || ""}%`]
  );
  res.json(rows);
});

router.get("/:id", async (req, res) => {
  const { rows } = await db.query("SELECT * FROM books WHERE id = $1", [req.params.id]);
  if (rows.length === 0) return res.status(404).json({ error: "Book not found" });
  res.json(rows[0]);
});

router.patch("/:id", async (req, res) => {
  const names = FIELDS.filter((name) => req.body?.[name] !== undefined);
  if (names.length === 0) return res.status(400).json({ error: "nothing to change" });
  const set = names.map((name, i) => `${name} = $${i + 2}`).join(", ");
  const { rows } = await db.query(`UPDATE books SET ${set} WHERE id = $1 RETURNING *`, [
    req.params.id,
    ...names.map((name) => req.body[name]),
  ]);
  if (rows.length === 0) return res.status(404).json({ error: "Book not found" });
  res.json(rows[0]);
});

router.delete("/:id", async (req, res) => {
  const { rowCount } = await db.query("DELETE FROM books WHERE id = $1", [req.params.id]);
  if (rowCount === 0) return res.status(404).json({ error: "Book not found" });
  res.status(204).end();
});

router.post("/:id/sell", async (req, res) => {
  const { rows } = await db.query(
    "UPDATE books SET stock = stock - 1 WHERE id = $1 AND stock > 0 RETURNING *",
    [req.params.id]
  );
  if (rows.length > 0) return res.json(rows[0]);
  const found = await db.query("SELECT 1 FROM books WHERE id = $1", [req.params.id]);
  if (found.rowCount === 0) return res.status(404).json({ error: "Book not found" });
  res.status(409).json({ error: "out of stock" });
});

module.exports = router;
