CREATE TYPE currency AS ENUM ('EUR', 'USD');

CREATE TABLE public.books (
  id        INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  title     TEXT NOT NULL,
  author    TEXT NOT NULL,
  isbn      TEXT NOT NULL UNIQUE,
  year      INTEGER NOT NULL,
  price     DOUBLE PRECISION NOT NULL,
  currency  currency NOT NULL DEFAULT 'EUR',
  stock     INTEGER NOT NULL DEFAULT 0
);
