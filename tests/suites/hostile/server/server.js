// Which attack is said by the file "attack".
const fs = require('fs');
const http = require('http');

const attack = fs.readFileSync(__dirname + '/attack', 'utf8').trim();
const chunk = Buffer.alloc(1 << 20, 'x');
// Members that runners and reporters look at, for every object that has none of its own.
const pollution = JSON.stringify({ status: 'passed', state: 'pass', passed: true, mode: 'run', skip: true,
	event: 'end', cases: [0], index: 0, errors: [] });

const attacks = {
	endless(response) {
		const more = () => { while (response.write(chunk)); };
		response.on('drain', more);
		more();
	},
	silent() {},
	garbage(response) {
		response.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\nx');
	},
	deep(response) {
		response.setHeader('Content-Type', 'application/json');
		response.end('['.repeat(2e6));
	},
	crash() {
		process.exit(3);
	},
	escape(response) {
		response.setHeader('Content-Type', 'application/json');
		response.end('{"right":"\\u001b[2J<script>\\u0000\\ud800 \\udfff","\\u0000":1}');
	},
};

http.createServer((request, response) => {
	if (request.url === '/attack')
		return attacks[attack](response);
	if (request.url === '/merge') {
		response.setHeader('Content-Type', 'application/json');
		return response.end(attack === 'silent' ? `{"__proto__":${pollution}}` : '{"right":true}');
	}
	response.end('ok');
}).listen(8000);
