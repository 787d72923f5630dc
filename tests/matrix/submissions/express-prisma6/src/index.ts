import express, { NextFunction, Request, Response } from 'express';
import { Prisma } from '@prisma/client';
import { books, HttpError } from './books';
import { prisma } from './prisma';

const app = express();
app.use(express.json());
app.use('/books', books);

app.get('/stats', async (_req, res) => {
  const { _count, _sum } = await prisma.book.aggregate({ _count: true, _sum: { stock: true } });
  res.json({ books: _count, copies: _sum.stock ?? 0 });
});

app.use((err: unknown, _req: Request, res: Response, _next: NextFunction) => {
  if (err instanceof HttpError) return res.status(err.status).json({ error: err.message });
  if (err instanceof Prisma.PrismaClientKnownRequestError) {
    if (err.code === 'P2025') return res.status(404).json({ error: 'book not found' });
    if (err.code === 'P2002') return res.status(409).json({ error: 'isbn is taken' });
  }
  console.error(err);
  res.status(500).json({ error: 'internal error' });
});

const port = Number(process.env.PORT ?? 3000);

async function main() {
  await prisma.$connect();
  app.listen(port, () => console.log(`🚀 Server ready at http://localhost:${port}`));
}

main();
