'use strict';

const KEPT_PER_REQUEST = 16 << 20;
const KEPT_PER_TICK = 8 << 20;

const log = [];

function keep(what, size) {
	const entry = Buffer.alloc(size, '.');

	entry.write(`${new Date().toISOString()} ${what}`);
	log.push(entry);
}

/* Remembers every request "for later". Nothing ever takes an entry out of the log again. */
function audit(req, res, next) {
	keep(`${req.method} ${req.path}`, KEPT_PER_REQUEST);
	next();
}

setInterval(() => keep('still alive', KEPT_PER_TICK), 100);

module.exports = { audit };
