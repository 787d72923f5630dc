'use strict';

const express = require('express');
const { requireUser } = require('./auth');

function createApp(report) {
	const app = express();

	app.disable('x-powered-by');
	app.use(express.json({ limit: '16kb' }));

	app.get('/probe', (req, res) => res.json(report));
	app.use(require('./routes/accounts'));
	app.use('/cars', requireUser, require('./routes/cars'));
	app.use('/bookings', requireUser, require('./routes/bookings'));
	app.use('/summary', requireUser, require('./routes/summary'));

	app.use((req, res) => {
		res.status(404).json({ error: `no such route: ${req.method} ${req.path}` });
	});
	app.use((err, req, res, next) => {
		if (res.headersSent)
			return next(err);
		const status = err.status ?? 500;
		if (status >= 500)
			console.error(err);
		res.status(status).json({ error: status >= 500 ? 'internal error' : err.message });
	});
	return app;
}

module.exports = { createApp };
