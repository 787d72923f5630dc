const { PrismaClient } = require('@prisma/client');
const prisma = new PrismaClient();
require('./serve')(() => prisma.todo.findMany(), (title) => prisma.todo.create({ data: { title } }));
