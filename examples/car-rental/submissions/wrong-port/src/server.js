'use strict';

const { createApp } = require('./app');

const port = 3000;

createApp().listen(port, (err) => {
	if (err)
		throw err;
	console.log(`car rental listens on port ${port}`);
});
