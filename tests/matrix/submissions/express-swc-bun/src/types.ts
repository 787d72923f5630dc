import { z } from 'zod';

export const newBook = z.object({
  title: z.string().trim().min(1),
  author: z.string().trim().min(1),
  isbn: z.string().trim().min(1),
  year: z.number().int(),
  price: z.number(),
  stock: z.number().int().min(0).default(0),
});

export const change = newBook.extend({ stock: z.number().int().min(0) }).partial();

export type NewBook = z.infer<typeof newBook>;
export type Book = NewBook & { id: number };
