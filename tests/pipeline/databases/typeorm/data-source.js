require('reflect-metadata');
const { DataSource, EntitySchema } = require('typeorm');
const Todo = new EntitySchema({
	name: 'Todo',
	tableName: 'todos',
	columns: {
		id: { type: 'uuid', primary: true, generated: 'uuid' },
		title: { type: String },
	},
});
module.exports.dataSource = new DataSource({
	type: 'postgres',
	url: process.env.DATABASE_URL,
	entities: [Todo],
	migrations: ['migrations/*.js'],
});
