import express, { type NextFunction, type Request, type Response } from 'express';
import { ZodError } from 'zod';
import * as repository from './repository';
import { change, newBook } from './types';

const app = express();
const router = express.Router();

app.use(express.json());

router
  .route('/books')
  .get(async (req, res) => {
    res.json(await repository.list(Number(req.query.page ?? 1), Number(req.query.limit ?? 20)));
  })
  .post(async (req, res) => {
    res.status(201).json(await repository.insert(newBook.parse(req.body)));
  });

router.get('/books/search', async (req, res) => {
  res.json(await repository.search(String(req.query.q ?? '')));
});

router.param('id', async (req, res, next, id) => {
  res.locals.book = /^[1-9]\d{0,8}$/.test(id) ? await repository.find(+id) : undefined;
  if (!res.locals.book) return void res.status(404).json({ error: 'not found' });
  next();
});

router
  .route('/books/:id')
  .get((req, res) => void res.json(res.locals.book))
  .patch(async (req, res) => {
    res.json(await repository.update(res.locals.book.id, change.parse(req.body)));
  })
  .delete(async (req, res) => {
    await repository.remove(res.locals.book.id);
    res.sendStatus(204);
  });

router.post('/books/:id/sell', async (req, res) => {
  const book = await repository.takeOne(res.locals.book.id);
  if (!book) return void res.status(409).json({ error: 'sold out' });
  res.json(book);
});

router.get('/stats', async (req, res) => {
  res.json(await repository.stats());
});

app.use(router);
app.use((err: any, req: Request, res: Response, next: NextFunction) => {
  if (err instanceof ZodError) res.status(400).json({ error: err.issues[0].message });
  else if (err.code === '23505') res.status(409).json({ error: 'duplicate isbn' });
  else res.status(err.status ?? 500).json({ error: String(err.message) });
});

app.listen(process.env.API_PORT ?? 8000);
