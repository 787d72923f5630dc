CREATE TABLE IF NOT EXISTS "Books" (
	"id" serial PRIMARY KEY,
	"title" text NOT NULL,
	"author" text NOT NULL,
	"isbn" text NOT NULL,
	"publishedYear" int NOT NULL,
	"price" numeric NOT NULL,
	"stock" int NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS "Books_isbn" ON "Books" ("isbn");
