import { Router } from 'express';
import { Prisma } from '@prisma/client';
import { prisma } from './prisma';

type BookWithAuthor = Prisma.BookGetPayload<{ include: { author: true } }>;

interface BookInput {
  title: string;
  author: string;
  isbn: string;
  year: number;
  price: number;
  stock?: number;
}

export class HttpError extends Error {
  constructor(public status: number, message: string) {
    super(message);
  }
}

const include = { author: true } as const;

const toJson = (book: BookWithAuthor) => ({
  id: book.id,
  title: book.title,
  author: book.author.name,
  isbn: book.isbn,
  year: book.year,
  price: book.price.toNumber(),
  stock: book.stock,
});

const connectAuthor = (name: string) => ({ connectOrCreate: { where: { name }, create: { name } } });

function validate(input: Partial<BookInput>): asserts input is BookInput {
  for (const key of ['title', 'author', 'isbn'] as const) {
    if (typeof input[key] !== 'string' || !input[key].trim()) throw new HttpError(400, `${key} is required`);
  }
  if (!Number.isInteger(input.year)) throw new HttpError(400, 'year must be an integer');
  if (typeof input.price !== 'number') throw new HttpError(400, 'price must be a number');
}

function parseId(text: string): number {
  const id = Number(text);
  if (!Number.isSafeInteger(id)) throw new HttpError(404, 'book not found');
  return id;
}

export const books = Router();

books.post('/', async (req, res) => {
  const input: Partial<BookInput> = req.body ?? {};
  validate(input);
  const { author, ...data } = input;
  const book = await prisma.book.create({ data: { ...data, author: connectAuthor(author) }, include });
  res.status(201).json(toJson(book));
});

books.get('/', async (req, res) => {
  const take = Number(req.query.limit ?? 20);
  const skip = (Number(req.query.page ?? 1) - 1) * take;
  const page = await prisma.book.findMany({ orderBy: { title: 'asc' }, take, skip, include });
  res.json(page.map(toJson));
});

books.get('/search', async (req, res) => {
  const text = { contains: String(req.query.q ?? ''), mode: 'insensitive' as const };
  const found = await prisma.book.findMany({
    where: { OR: [{ title: text }, { author: { name: text } }] },
    orderBy: { title: 'asc' },
    include,
  });
  res.json(found.map(toJson));
});

books.get('/:id', async (req, res) => {
  const book = await prisma.book.findUnique({ where: { id: parseId(req.params.id) }, include });
  if (!book) throw new HttpError(404, 'book not found');
  res.json(toJson(book));
});

books.patch('/:id', async (req, res) => {
  const { title, author, isbn, year, price, stock }: Partial<BookInput> = req.body;
  const book = await prisma.book.update({
    where: { id: parseId(req.params.id) },
    data: { title, isbn, year, price, stock, ...(author && { author: connectAuthor(author) }) },
    include,
  });
  res.json(toJson(book));
});

books.delete('/:id', async (req, res) => {
  await prisma.book.delete({ where: { id: parseId(req.params.id) } });
  res.status(204).end();
});

books.post('/:id/sell', async (req, res) => {
  const id = parseId(req.params.id);
  const book = await prisma.$transaction(async (tx) => {
    await tx.book.findUniqueOrThrow({ where: { id } });
    const { count } = await tx.book.updateMany({
      where: { id, stock: { gt: 0 } },
      data: { stock: { decrement: 1 } },
    });
    if (count === 0) throw new HttpError(409, 'no copy is left');
    await tx.sale.create({ data: { bookId: id } });
    return tx.book.findUniqueOrThrow({ where: { id }, include });
  });
  res.json(toJson(book));
});
