-- Größe
ALTER TABLE "todos" ADD COLUMN "state" "state" DEFAULT 'open' NOT NULL;