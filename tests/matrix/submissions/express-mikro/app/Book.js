'use strict';

const { EntitySchema } = require('@mikro-orm/core');

class Book {
  constructor({ title, author, isbn, year, price, stock = 0 }) {
    Object.assign(this, { title, author, isbn, year, price, stock });
  }
}

const schema = new EntitySchema({
  class: Book,
  tableName: 'books',
  properties: {
    id: { type: 'number', primary: true },
    title: { type: 'string' },
    author: { type: 'string' },
    isbn: { type: 'string', unique: true },
    year: { type: 'number' },
    price: { type: 'float' },
    stock: { type: 'number', default: 0 },
  },
});

module.exports = { Book, schema };
