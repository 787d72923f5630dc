const { Sequelize, DataTypes } = require('sequelize');
const config = require('./config/config.json')[process.env.NODE_ENV || 'development'];
const sequelize = new Sequelize(config.database, config.username, config.password, { ...config, logging: false });
const Todo = sequelize.define('Todo', { title: DataTypes.STRING }, { timestamps: false });
require('./serve')(() => Todo.findAll(), (title) => Todo.create({ title }));
