CREATE TABLE "todos" (
	"id" serial PRIMARY KEY,
	"title" text NOT NULL
);
--> statement-breakpoint
CREATE INDEX "ti" ON "todos" ("title");