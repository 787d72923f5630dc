const express = require("express");
const db = require("./db");
const books = require("./books");

const app = express();
app.use(express.json());

app.use("/books", books);

app.get("/stats", async (req, res) => {
  const { rows } = await db.query(
    "SELECT count(*)::int AS books, coalesce(sum(stock), 0)::int AS copies FROM books"
  );
  res.json(rows[0]);
});

app.use((err, req, res, next) => {
  console.error(err);
  res.status(err.status || 500).json({ error: err.message });
});

const port = process.env.PORT || 8000;
app.listen(port, () => console.log(`Server is running on port ${port}`));
