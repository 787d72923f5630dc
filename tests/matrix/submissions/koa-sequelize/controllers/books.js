const { Op } = require('sequelize');
const Book = require('../models/book');

const visible = ({ id, title, author, isbn, year, price, stock }) =>
  ({ id, title, author, isbn, year, price, stock });

exports.load = async (id, ctx, next) => {
  ctx.book = Number.isInteger(+id) ? await Book.findByPk(id) : null;
  if (!ctx.book) ctx.throw(404, 'Book not found');
  return next();
};

exports.create = async (ctx) => {
  ctx.body = visible(await Book.create(ctx.request.body));
  ctx.status = 201;
};

exports.list = async (ctx) => {
  const limit = parseInt(ctx.query.limit, 10) || 20;
  const page = parseInt(ctx.query.page, 10) || 1;
  ctx.body = await Book.findAll({ order: [['title', 'ASC']], limit, offset: limit * (page - 1) });
};

exports.search = async (ctx) => {
  const like = { [Op.iLike]: `%${ctx.query.q || ''}%` };
  ctx.body = await Book.findAll({ where: { [Op.or]: [{ title: like }, { author: like }] }, order: ['title'] });
};

exports.show = (ctx) => {
  ctx.body = ctx.book;
};

exports.update = async (ctx) => {
  ctx.body = visible(await ctx.book.update(ctx.request.body));
};

exports.destroy = async (ctx) => {
  await ctx.book.destroy();
  ctx.status = 204;
};

exports.sell = async (ctx) => {
  const [sold] = await Book.update(
    { stock: Book.sequelize.literal('stock - 1') },
    { where: { id: ctx.book.id, stock: { [Op.gt]: 0 } } },
  );
  if (!sold) ctx.throw(409, 'No copy is left');
  ctx.body = await ctx.book.reload();
};

exports.stats = async (ctx) => {
  ctx.body = { books: await Book.count(), copies: (await Book.sum('stock')) || 0 };
};
