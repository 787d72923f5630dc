-- as psql runs it in a container
CREATE USER me WITH PASSWORD 'secret';
CREATE DATABASE shop;
GRANT ALL PRIVILEGES ON DATABASE shop TO me;
\c shop
SET statement_timeout = 0;
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TABLE public.todos (
	id serial PRIMARY KEY,
	uid uuid DEFAULT uuid_generate_v4(),
	title citext NOT NULL
);
ALTER TABLE public.todos OWNER TO me;
COPY public.todos (id, title) FROM stdin;
1	first; with a semicolon
2	it's
\.
SELECT pg_catalog.setval('public.todos_id_seq', 2, true);
CREATE INDEX ON todos USING gin (title gin_trgm_ops);
