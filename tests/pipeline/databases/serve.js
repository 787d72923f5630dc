// The server of all submissions here: what differs is where `list` and `add` keep their rows.
const http = require('http');

module.exports = (list, add, extra) => {
	http.createServer(async (req, res) => {
		const answer = (status, value) => {
			res.writeHead(status, { 'content-type': 'application/json' });
			res.end(JSON.stringify(value));
		};
		try {
			let body = '';
			for await (const piece of req) body += piece;
			if (extra && req.url === '/extra') return answer(200, await extra());
			if (req.url !== '/todos') return answer(200, {});
			if (req.method === 'GET') return answer(200, await list());
			await add(JSON.parse(body).title);
			answer(201, {});
		} catch (e) {
			console.error(e);
			answer(500, { error: String(e) });
		}
	}).listen(process.env.PORT);
};
