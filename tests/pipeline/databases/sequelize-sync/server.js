const { Sequelize, DataTypes } = require('sequelize');
const sequelize = new Sequelize('shop', 'bob', 'builder', { host: 'db', dialect: 'postgres', logging: false });
const Todo = sequelize.define('Todo', {
	title: DataTypes.STRING,
	state: { type: DataTypes.ENUM('open', 'done'), defaultValue: 'open' },
});
sequelize.sync().then(() =>
	require('./serve')(() => Todo.findAll(), (title) => Todo.create({ title })),
);
