// Hidden tests: an ordinary Vitest suite. The submission listens on port 8000 of localhost.
import { describe, expect, it } from "vitest";

const base = "http://localhost:8000";

function send(method, path, body) {
	return fetch(base + path, {
		method,
		headers: { "content-type": "application/json" },
		body: body === undefined ? undefined : JSON.stringify(body),
	});
}

describe("notes", () => {
	let milk;

	it("a new note is answered with 201", async () => {
		const response = await send("POST", "/notes", { text: "buy milk" });
		expect(response.status).toBe(201);
		milk = await response.json();
		expect(milk).toEqual({ id: expect.any(Number), text: "buy milk" });
	});

	it("a note can be read again", async () => {
		const response = await send("GET", `/notes/${milk.id}`);
		expect(response.status).toBe(200);
		expect(await response.json()).toEqual(milk);
	});

	it("the list has all notes, oldest first", async () => {
		await send("POST", "/notes", { text: "walk the dog" });
		const list = await (await send("GET", "/notes")).json();
		expect(list.map((note) => note.text)).toEqual(["buy milk", "walk the dog"]);
	});

	it("a deleted note is gone", async () => {
		expect((await send("DELETE", `/notes/${milk.id}`)).status).toBe(204);
		expect((await send("GET", `/notes/${milk.id}`)).status).toBe(404);
	});
});

describe("mistakes", () => {
	it("a note without a text is refused with 400", async () => {
		expect((await send("POST", "/notes", { title: "not a text" })).status).toBe(400);
		expect((await send("POST", "/notes", { text: "" })).status).toBe(400);
	});

	it("a note that is not there is a 404", async () => {
		expect((await send("GET", "/notes/999999")).status).toBe(404);
	});
});
