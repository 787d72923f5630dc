exports.up = (pgm) => pgm.createTable('todos', { id: 'id', title: { type: 'text', notNull: true } });
exports.down = (pgm) => pgm.dropTable('todos');
