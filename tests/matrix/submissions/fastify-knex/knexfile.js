export default {
  client: 'pg',
  connection: process.env.DATABASE_URL || {
    host: 'localhost',
    user: 'postgres',
    password: 'postgres',
    database: 'bookshop',
  },
  migrations: {
    directory: './migrations',
  },
};
