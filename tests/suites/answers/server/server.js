// Answers /a/NAME with the attack NAME, byte by byte; it looks, too, whether a tester listens anywhere.
const fs = require('fs');
const net = require('net');
const { DefaultSerializer } = require('v8');
const zlib = require('zlib');

const head = (length, more = '') => `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${more}Content-Length: ${length}\r\n\r\n`;
const json = (text, more) => head(Buffer.byteLength(text), more) + text;
const right = '{"right":true}';

function often(socket, ms, send) {
	const timer = setInterval(send, ms);
	socket.on('close', () => clearInterval(timer));
}

function flood(socket, what) {
	const more = () => {
		while (!socket.destroyed && socket.write(what));
	};
	socket.on('drain', more);
	more();
}

// What node:test's processes tell their parent: this test has passed.
function forged(name) {
	return ['test:start', 'test:pass'].flatMap((type) => {
		const empty = new DefaultSerializer();
		const one = new DefaultSerializer();
		const size = Buffer.alloc(4);
		empty.writeHeader();
		one.writeHeader();
		one.writeValue({ type, data: { nesting: 0, name, line: 1, column: 1, testNumber: 1, details: { duration_ms: 1, type: 'test' } } });
		const bytes = one.releaseBuffer();
		size.writeUInt32BE(bytes.length);
		return [empty.releaseBuffer(), size, bytes];
	});
}

function forge(socket, ...names) {
	const bytes = Buffer.concat(names.flatMap(forged));
	socket.write(head(bytes.length));
	socket.write(bytes);
}

// Only in a network that is shared: who listens, named Unix sockets. What lasts counts: to resolve a
// name, libc binds and connects UDP sockets for a moment, and such a moment may be seen, too.
const LASTS = 8; // looks, 100 ms from one to the next or more
const seen = new Set();
let looks = new Map();
let asked = []; // for what is seen: answered when what listens now has been seen often enough

function listening(file) {
	const state = file.startsWith('udp') ? '07' : '0A'; // bound and not connected, or listening
	return fs.readFileSync(`/proc/self/net/${file}`, 'utf8').split('\n').slice(1)
		.map((line) => line.trim().split(/\s+/))
		.filter((fields) => fields[3] === state && !fields[1].endsWith(':1F40'))
		.map((fields) => ({ what: `${file} ${fields[1]}`, inode: fields[9] }));
}

function named() {
	return fs.readFileSync('/proc/self/net/unix', 'utf8').split('\n').slice(1)
		.map((line) => line.trim().split(/\s+/))
		.filter((fields) => fields[7])
		.map((fields) => ({ what: `unix ${fields[7]}`, inode: fields[6] }));
}

function look() {
	const now = new Map();
	for (const { what, inode } of [...['tcp', 'tcp6', 'udp', 'udp6'].flatMap(listening), ...named()]) {
		const key = `${what} ${inode}`;
		now.set(key, (looks.get(key) ?? 0) + 1);
		if (now.get(key) >= LASTS)
			seen.add(what);
	}
	looks = now;
	for (const one of asked.filter(({ after }) => after === 0))
		one.socket.write(json(JSON.stringify([...seen])));
	asked = asked.filter((one) => one.after-- > 0);
}
setInterval(look, 100);

const start = 'HTTP/1.1 200 OK\r\n';
const chunked = `${start}Transfer-Encoding: chunked\r\n\r\n`;
const attacks = {
	lengths: (s) => s.end(`${start}Content-Length: 2\r\nContent-Length: 14\r\n\r\n${right}`),
	smuggled: (s) => s.end(`${start}Content-Length: 14\r\nTransfer-Encoding: chunked\r\n\r\n${right}`),
	headers: (s) => { s.write(start); flood(s, 'X-A: ' + 'y'.repeat(1000) + '\r\n'); },
	informed: (s) => flood(s, 'HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n'.repeat(50)),
	slowhead: (s) => { s.write(start + 'X: '); often(s, 20, () => s.write('a')); },
	slowbody: (s) => { s.write(chunked); often(s, 20, () => s.write('1\r\n \r\n')); },
	chunk: (s) => s.end(`${chunked}ffffffffffffffff\r\n${right}`),
	extension: (s) => { s.write(`${chunked}1;`); flood(s, 'e'.repeat(10000)); },
	trailers: (s) => { s.write(`${chunked}0\r\n`); flood(s, 'T: ' + 't'.repeat(5000) + '\r\n'); },
	gzip: (s) => s.end(json(right, 'Content-Encoding: gzip\r\n')),
	// Without an end, and no faster than the memory of the tests can take until they have had enough.
	bomb: (s) => {
		const bytes = zlib.gzipSync(Buffer.alloc(2 << 20));
		s.write(`${start}Content-Encoding: gzip\r\n\r\n`);
		often(s, 20, () => s.write(bytes));
	},
	file: (s) => s.end('HTTP/1.1 302 Found\r\nLocation: file:///suite/tests/tests/attacks.json\r\nContent-Length: 0\r\n\r\n'),
	data: (s) => s.end(`HTTP/1.1 302 Found\r\nLocation: data:application/json,${right}\r\nContent-Length: 0\r\n\r\n`),
	loop: (s) => s.write('HTTP/1.1 302 Found\r\nLocation: /a/loop\r\nContent-Length: 0\r\n\r\n'),
	elsewhere: (s) => s.write('HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1:1/\r\nContent-Length: 0\r\n\r\n'),
	upgrade: (s) => s.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n${right}`),
	nul: (s) => s.write(json('{"right\\u0000":"\\u0000","\\u001b[2J ✓ passed":"\\ud800"}')),
	bytes: (s) => { s.write(head(6)); s.write(Buffer.from([0x22, 0xff, 0xfe, 0xed, 0xa0, 0x22])); },
	shapes: (s) => s.write(json('{"__proto__":{"right":true,"toJSON":1},"constructor":{"prototype":{"right":true}},"toString":1,' +
		'"valueOf":1,"then":1,"asymmetricMatch":1,"$$typeof":"Symbol(jest.asymmetricMatcher)","sample":true}')),
	report: (s) => s.write(json('"\\n{\\"event\\":\\"case\\",\\"index\\":0,\\"status\\":\\"passed\\"}\\n{\\"event\\":\\"end\\"}\\n"')),
	reset: (s) => { s.write(`${start}Content-Length: 14\r\n\r\n{"rig`); setImmediate(() => s.resetAndDestroy()); },
	ancient: (s) => s.end(right),
	http2: (s) => s.end(Buffer.from('00000604000000000000030000006400', 'hex')),
	status: (s) => s.end(`HTTP/1.1 99999 OK\r\nContent-Length: 14\r\n\r\n${right}`),
	cookies: (s) => s.write(start + 'Set-Cookie: c=v; Domain=.; Path=/\r\n'.repeat(1000) + `Content-Length: 14\r\n\r\n${right}`),
	deep: (s) => s.write(json('['.repeat(3e5) + ']'.repeat(3e5))),
	list: (s) => s.write(json(JSON.stringify(Array.from({ length: 50000 }, (_, i) => i)))),
	keys: (s) => s.write(json(`{${Array.from({ length: 3e5 }, (_, i) => `"k${i}":1`).join()}}`)),
	merge: (s) => s.write(json('{"__proto__":{"negate":true,"fails":true,"isNot":true,"pass":true},"wrong":1}')),
	evil: (s) => s.write(json('{"message":{"toString":1},"name":{"toString":1},"stack":1,"VITEST_TEST_PATH":"/nowhere",' +
		'"VITEST_TEST_NAME":"nothing","matcherResult":{"message":{"toString":1}}}')),
	many: (s) => s.write(json(JSON.stringify(Array.from({ length: 5000 }, (_, i) => i + 'é'.repeat(1900))))),
	forged: (s) => forge(s, 'raw', 'after'),
	early: (s) => forge(s, 'last'),
	seen: (s) => asked.push({ socket: s, after: LASTS }),
};

net.createServer((socket) => {
	socket.on('error', () => {});
	socket.on('data', (data) => {
		const name = /^\S+ \/a\/(\w+)/.exec(data.toString('latin1'))?.[1];
		if (name && attacks[name])
			attacks[name](socket);
		else
			socket.write(json('{"ok":true}'));
	});
}).listen(8000);
net.createServer().listen(8001); // which is seen: no other is
