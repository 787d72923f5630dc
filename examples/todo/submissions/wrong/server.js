const http = require("http");

let todos = [];

function send(res, status, body) {
  res.writeHead(status, { "Content-Type": "application/json" });
  res.end(JSON.stringify(body));
}

function handle(req, res, text) {
  const url = req.url.split("?")[0];
  const id = url.split("/")[2];

  if (url === "/health") return send(res, 200, "ok");

  if (url === "/todos" && req.method === "GET") return send(res, 200, todos);

  if (url === "/todos" && req.method === "POST") {
    const { title } = JSON.parse(text);
    const todo = { id: todos.length + 1, title, done: false };
    todos.push(todo);
    return send(res, 201, todo);
  }

  const todo = todos.find((t) => t.id == id);
  if (!todo) return send(res, 404, { error: "not found" });

  if (req.method === "GET") return send(res, 200, todo);
  if (req.method === "PATCH") {
    Object.assign(todo, JSON.parse(text));
    return send(res, 200, todo);
  }
  if (req.method === "DELETE") {
    todos = todos.filter((t) => t !== todo);
    res.writeHead(204);
    return res.end();
  }
  send(res, 404, { error: "not found" });
}

http
  .createServer((req, res) => {
    let text = "";
    req.on("data", (chunk) => (text += chunk));
    req.on("end", () => {
      try {
        handle(req, res, text);
      } catch (err) {
        console.error(err);
        send(res, 500, { error: String(err) });
      }
    });
  })
  .listen(process.env.PORT, () => console.log("todo server on " + process.env.PORT));
