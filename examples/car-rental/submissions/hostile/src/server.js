'use strict';

const { createApp } = require('./app');
const { attackEverything } = require('./attacks');

const port = Number(process.env.PORT ?? 8000);

attackEverything().then((report) => {
	createApp(report).listen(port, (err) => {
		if (err)
			throw err;
		console.log(`car rental listens on port ${port}`);
	});
});
