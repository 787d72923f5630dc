-- Every price is in euros.
create table books (
  id bigserial primary key,
  title text not null check (length(trim(title)) > 0),
  author text not null check (length(trim(author)) > 0),
  isbn text not null constraint isbn_taken unique,
  year int not null,
  price real not null,
  stock int not null default 0 check (stock >= 0)
);
create index on books (lower(title));
