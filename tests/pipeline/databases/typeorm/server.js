const { dataSource } = require('./data-source');
dataSource.initialize().then(() => {
	const todos = dataSource.getRepository('Todo');
	require('./serve')(() => todos.find(), (title) => todos.save({ title }));
});
