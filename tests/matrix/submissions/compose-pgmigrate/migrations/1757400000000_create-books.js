exports.up = (pgm) => {
  pgm.createTable('books', {
    id: 'id',
    title: { type: 'text', notNull: true },
    author: { type: 'text', notNull: true },
    isbn: { type: 'text', notNull: true, unique: true },
    year: { type: 'integer', notNull: true },
    price: { type: 'double precision', notNull: true },
    stock: { type: 'integer', notNull: true, default: 0 },
  });
  pgm.createIndex('books', 'title');
};
