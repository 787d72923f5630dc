exports.up = (knex) =>
	knex.schema.createTable('todos', (t) => {
		t.increments();
		t.string('title').notNullable();
	});
exports.down = (knex) => knex.schema.dropTable('todos');
