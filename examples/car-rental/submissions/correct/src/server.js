'use strict';

const { createApp } = require('./app');

const port = Number(process.env.PORT ?? 8000);

createApp().listen(port, (err) => {
	if (err)
		throw err;
	console.log(`car rental listens on port ${port}`);
});
