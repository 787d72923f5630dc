// SPDX-License-Identifier: MIT
// The registry as a package manager in an install jail sees it, on loopback and read-only: tarballs that
// are stored come from the cache below `cache`, everything else from the real registry, to which TLS is
// spoken here. Which tarball an address is, only the lockfile says: one for which it has no SHA-512, or
// two, is never taken from the cache. What was fetched and has its digest is kept below `kept`; the host
// takes nothing of that without hashing it again, and the manager checks what it gets from either place.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const path = require('node:path');
const tls = require('node:tls');

const KEPT_MAX = 256 << 20;
const PASSED = ['accept', 'accept-encoding', 'user-agent', 'if-none-match', 'if-modified-since', 'range'];
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'proxy-authenticate'];

const fileOf = (folder, hex) => path.join(folder, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));

// A connection through an HTTP proxy, which is told the registry's name.
class Tunnel extends https.Agent {
	constructor(proxy, options) {
		super(options);
		this.proxy = proxy;
	}
	createConnection(options, done) {
		const to = `${options.host}:${options.port || 443}`;
		const request = http.request({ host: this.proxy.hostname, port: this.proxy.port, method: 'CONNECT',
			path: to, headers: { host: to } });
		request.once('connect', (response, socket) => response.statusCode === 200
			? done(null, tls.connect({ ...options, socket, servername: options.host }))
			: done(new Error(`the proxy says ${response.statusCode}`)));
		request.once('error', done);
		request.end();
	}
}

// Makes the function that asks the registry: (path, method, headers) => a request.
function asker({ upstream, proxy, insecure }) {
	const base = new URL(upstream.endsWith('/') ? upstream : upstream + '/');
	const options = { keepAlive: true, maxSockets: 48, rejectUnauthorized: !insecure };
	if (base.protocol === 'http:') {
		const agent = new http.Agent(options);
		const at = proxy ? new URL(proxy) : base;
		return (name, method, headers) => {
			const url = base.href + name;
			return http.request({ agent, host: at.hostname, port: at.port || 80, method,
				path: proxy ? url : new URL(url).pathname + new URL(url).search,
				headers: { ...headers, host: base.host } });
		};
	}
	const agent = proxy ? new Tunnel(new URL(proxy), options) : new https.Agent(options);
	return (name, method, headers) => https.request(base.href + name, { agent, method, headers });
}

class Registry {
	constructor(options, digests) {
		Object.assign(this, options);
		this.digests = digests;
		this.ask = asker(options);
		this.pending = new Set();
		this.bytes = this.parts = 0;
		this.server = http.createServer((request, response) => this.answer(request, response));
		this.server.keepAliveTimeout = 60000;
	}

	listen() {
		return new Promise((done, failed) =>
			this.server.once('error', failed).listen(this.port, '127.0.0.1', done));
	}

	async close() {
		this.server.close();
		this.server.closeAllConnections();
		await Promise.allSettled(this.pending);
	}

	answer(request, response) {
		const wanted = request.url.split('?')[0];
		let name;
		try {
			name = decodeURIComponent(wanted);
		} catch {
			return response.writeHead(400).end();
		}
		if (request.method !== 'GET' && request.method !== 'HEAD')
			return response.writeHead(405).end();
		const hex = this.digests.of(name);
		if (hex && this.fromCache(hex, request, response))
			return;
		if (!this.offline)
			return this.passOn(hex, request, response);
		const about = this.digests.manifest(name.slice(1), this.port);
		response.writeHead(about ? 200 : 404, { 'content-type': 'application/json' });
		response.end(JSON.stringify(about || { error: 'not stored' }));
	}

	fromCache(hex, request, response) {
		let fd;
		try {
			fd = fs.openSync(fileOf(this.cache, hex), 'r');
		} catch {
			return false;
		}
		response.writeHead(200, { 'content-type': 'application/octet-stream',
			'content-length': fs.fstatSync(fd).size });
		if (request.method === 'HEAD') {
			fs.closeSync(fd);
			response.end();
		} else {
			fs.createReadStream('', { fd }).on('error', () => response.destroy()).pipe(response);
		}
		return true;
	}

	passOn(hex, request, response) {
		const headers = {};
		for (const key of PASSED)
			if (request.headers[key])
				headers[key] = request.headers[key];
		const out = this.ask(request.url.slice(1), request.method, headers);
		out.setTimeout(60000, () => out.destroy(new Error('no answer for a minute')));
		out.once('error', (error) => {
			process.stderr.write(`registry: ${error.message || error.code}\n`);
			if (response.headersSent)
				return response.destroy();
			response.writeHead(502, { 'content-type': 'text/plain' }).end(String(error.message || error.code));
		});
		out.once('response', (from) => {
			const back = { ...from.headers };
			for (const key of HOP_BY_HOP)
				delete back[key];
			response.writeHead(from.statusCode, back);
			from.once('error', () => response.destroy());
			response.once('close', () => from.destroy());
			if (hex && request.method === 'GET' && from.statusCode === 200 && !back['content-encoding'])
				this.keep(hex, from);
			from.pipe(response);
		});
		out.end();
	}

	// A tarball that cannot be kept is one that is fetched again.
	keep(hex, from) {
		const size = Number(from.headers['content-length']);
		if (!(size > 0) || this.bytes + size > KEPT_MAX)
			return;
		this.bytes += size;
		const to = fileOf(this.kept, hex), hash = crypto.createHash('sha512');
		const name = `${to}.${this.parts++}.part`;
		let part;
		try {
			fs.mkdirSync(path.dirname(to), { recursive: true });
			part = fs.createWriteStream(name);
		} catch {
			return;
		}
		this.pending.add(new Promise((done) => {
			let ended = false;
			const end = (whole) => {
				if (ended)
					return;
				ended = true;
				part.end(() => {
					try {
						if (whole && hash.digest('hex') === hex)
							fs.renameSync(name, to);
						else
							fs.rmSync(name, { force: true });
					} catch {}
					done();
				});
			};
			part.once('error', done);
			from.on('data', (data) => { hash.update(data); part.write(data); });
			from.once('end', () => end(true));
			from.once('close', () => end(false));
		}));
	}
}

module.exports = { Registry, fileOf };
