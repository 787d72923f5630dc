const { DataTypes } = require('sequelize');
const sequelize = require('../config/database');

const notBlank = { notNull: { msg: 'is required' }, notEmpty: { msg: 'is required' } };
const text = (extra) => ({
  type: DataTypes.STRING,
  allowNull: false,
  set(value) {
    this.setDataValue(extra.field, typeof value === 'string' ? value.trim() : value);
  },
  validate: notBlank,
  ...extra,
});

module.exports = sequelize.define('Book', {
  title: text({ field: 'title' }),
  author: text({ field: 'author' }),
  isbn: text({ field: 'isbn', unique: true }),
  year: { type: DataTypes.INTEGER, allowNull: false, validate: { isInt: true } },
  price: { type: DataTypes.FLOAT, allowNull: false, validate: { isFloat: true } },
  stock: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0, validate: { min: 0 } },
  language: { type: DataTypes.ENUM('en', 'de', 'fr'), defaultValue: 'en' },
}, { tableName: 'books', timestamps: false, defaultScope: { attributes: { exclude: ['language'] } } });
