ALTER TABLE "todos" ADD COLUMN "näme" text;
