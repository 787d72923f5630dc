import postgres from 'postgres';

const { PGHOST: host, PGPORT: port, PGDATABASE: database, PGUSER: username, PGPASSWORD: password } = process.env;

export const sql = postgres({
  host,
  port: Number(port),
  database,
  username,
  password,
  transform: postgres.camel,
  types: { numeric: { to: 1700, from: [1700], serialize: String, parse: Number } },
});
