import { z } from 'zod'

export const Todo = z.object({ id: z.number(), title: z.string().min(1), done: z.boolean() })
