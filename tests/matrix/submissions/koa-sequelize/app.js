const Koa = require('koa');
const Router = require('@koa/router');
const bodyParser = require('koa-bodyparser');
const { UniqueConstraintError, ValidationError } = require('sequelize');
const sequelize = require('./config/database');
const books = require('./controllers/books');

const app = new Koa();
const router = new Router();

app.use(async (ctx, next) => {
  try {
    await next();
  } catch (err) {
    if (err instanceof UniqueConstraintError) ctx.status = 409;
    else if (err instanceof ValidationError) ctx.status = 400;
    else ctx.status = err.status || 500;
    if (ctx.status === 500) console.error(err);
    ctx.body = { error: err.message };
  }
});
app.use(bodyParser());

router.param('id', books.load);
router.post('/books', books.create);
router.get('/books', books.list);
router.get('/books/search', books.search);
router.get('/books/:id', books.show);
router.patch('/books/:id', books.update);
router.delete('/books/:id', books.destroy);
router.post('/books/:id/sell', books.sell);
router.get('/stats', books.stats);
app.use(router.routes());

(async () => {
  await sequelize.sync();
  app.listen(process.env.PORT || 5000);
})();
