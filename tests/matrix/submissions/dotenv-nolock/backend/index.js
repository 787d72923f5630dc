import "dotenv/config";
import fs from "node:fs";
import express from "express";
import pg from "pg";
import { Book } from "./Book.js";

const db = new pg.Pool({
	host: process.env.DB_HOST,
	port: process.env.DB_PORT,
	database: process.env.DB_DATABASE,
	user: process.env.DB_USERNAME,
	password: process.env.DB_PASSWORD,
});

const app = express();
app.use(express.json());

const books = new Book(db);

app.post("/books", async (req, res) => {
	const error = Book.validate(req.body);
	if (error) return res.status(400).send({ error });
	if (await books.findByIsbn(req.body.isbn)) return res.status(409).send({ error: "ISBN already used" });
	res.status(201).send(await books.create(req.body));
});

app.get("/books", async (req, res) => {
	const limit = Number(req.query.limit ?? 20);
	const page = Number(req.query.page ?? 1);
	const all = await books.all();
	res.send(all.slice((page - 1) * limit, page * limit));
});

app.get("/books/search", async (req, res) => {
	const q = String(req.query.q).toLowerCase();
	const all = await books.all();
	res.send(all.filter((b) => b.title.toLowerCase().includes(q) || b.author.toLowerCase().includes(q)));
});

app.get("/books/:id", async (req, res) => {
	const book = await books.find(req.params.id);
	if (!book) return res.status(404).send({ error: "Book not found" });
	res.send(book);
});

app.patch("/books/:id", async (req, res) => {
	const book = await books.find(req.params.id);
	if (!book) return res.status(404).send({ error: "Book not found" });
	res.send(await books.save({ ...book, ...req.body }));
});

app.delete("/books/:id", async (req, res) => {
	if (!(await books.find(req.params.id))) return res.status(404).send({ error: "Book not found" });
	await books.delete(req.params.id);
	res.status(204).end();
});

app.post("/books/:id/sell", async (req, res) => {
	const book = await books.find(req.params.id);
	if (!book) return res.status(404).send({ error: "Book not found" });
	if (book.stock === 0) return res.status(409).send({ error: "Out of stock" });
	res.send(await books.save({ ...book, stock: book.stock - 1 }));
});

app.get("/stats", async (req, res) => {
	const all = await books.all();
	res.send({ books: all.length, copies: all.reduce((sum, b) => sum + b.stock, 0) });
});

await db.query(fs.readFileSync("./sql/schema.sql", "utf8"));
app.listen(8000, "127.0.0.1", () => console.log("http://127.0.0.1:8000"));
