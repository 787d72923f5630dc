'use strict';

/* An answer to the client with this status; anything else that is thrown becomes a 500. */
class HttpError extends Error {
	constructor(status, message) {
		super(message);
		this.status = status;
	}
}

module.exports = { HttpError };
