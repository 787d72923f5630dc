import express, { NextFunction, Request, Response } from 'express';
import { Prisma, PrismaClient, Priority } from '@prisma/client';
import { PrismaClientKnownRequestError } from '@prisma/client/runtime/library';

const prisma = new PrismaClient({ log: ['warn', 'error'] });
const app = express();
app.use(express.json());

app.get('/todos', async (_req, res) => {
  const todos = await prisma.todo.findMany({ include: { user: true }, orderBy: { id: 'asc' } });
  res.json(todos.map(({ user, hours, ...todo }) => ({ ...todo, user: user.name, hours: hours.toNumber() })));
});

// A user and what is to be done first: both or neither.
app.post('/users', async (req, res) => {
  const { name, title } = req.body;
  const todo = await prisma.$transaction(async (tx) => {
    const user = await tx.user.create({ data: { name } });
    return tx.todo.create({
      data: { title, userId: user.id, priority: Priority.HIGH, hours: new Prisma.Decimal('1.25') },
    });
  });
  res.status(201).json(todo);
});

app.delete('/todos/:id', async (req, res) => {
  await prisma.todo.delete({ where: { id: Number(req.params.id) } });
  res.status(204).end();
});

app.use((err: unknown, _req: Request, res: Response, _next: NextFunction) => {
  if (err instanceof PrismaClientKnownRequestError && err.code === 'P2002')
    return res.status(409).json({ taken: err.meta?.target });
  if (err instanceof Prisma.PrismaClientKnownRequestError && err.code === 'P2025')
    return res.status(404).json({ error: 'no such todo' });
  if (err instanceof Prisma.PrismaClientValidationError) return res.status(400).json({ error: 'bad request' });
  console.error(err);
  res.status(500).json({ error: 'internal error' });
});

app.listen(3000, () => console.log('server is running'));
