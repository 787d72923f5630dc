create table books (
    id serial primary key,
    title text not null,
    author text not null,
    isbn text not null unique,
    year int not null,
    price numeric(10, 2) not null,
    stock int not null default 0,
    created_at timestamptz not null default now()
);

-- Used by the search.
create function matches(book books, needle text) returns boolean as $$
begin
    return strpos(lower(book.title), lower(needle)) > 0 or strpos(lower(book.author), lower(needle)) > 0;
end;
$$ language plpgsql immutable;
