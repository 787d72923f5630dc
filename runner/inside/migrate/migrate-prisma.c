/* SPDX-License-Identifier: MIT */

/*
 * What `prisma migrate deploy` does, natively: the same table, the same order of its statements and
 * the same refusals, so that the real tool finds its own bookkeeping afterwards. Known differences:
 * no advisory lock (nobody else uses this database), no creation of a missing schema (the database
 * comes with one), and a script that is not UTF-8 is refused where Prisma would replace bytes.
 */

#include "inside/migrate/migrate.h"
#include "util/util.h"

#define LOCK_FILE "migration_lock.toml"

static const char create_table[] = "CREATE TABLE _prisma_migrations (\n"
				   "    id                      VARCHAR(36) PRIMARY KEY NOT NULL,\n"
				   "    checksum                VARCHAR(64) NOT NULL,\n"
				   "    finished_at             TIMESTAMPTZ,\n"
				   "    migration_name          VARCHAR(255) NOT NULL,\n"
				   "    logs                    TEXT,\n"
				   "    rolled_back_at          TIMESTAMPTZ,\n"
				   "    started_at              TIMESTAMPTZ NOT NULL DEFAULT "
				   "now(),\n"
				   "    applied_steps_count     INTEGER NOT NULL DEFAULT 0\n"
				   ")";

static const char list_tables[] = "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = "
				  "c.relnamespace WHERE c.relkind = 'r' AND n.nspname = "
				  "current_schema()";

static const char list_rows[] = "SELECT migration_name, finished_at IS NOT NULL, rolled_back_at IS "
				"NOT NULL FROM _prisma_migrations ORDER BY started_at";

static const char insert_row[] = "INSERT INTO _prisma_migrations (id, checksum, started_at, "
				 "migration_name) VALUES (gen_random_uuid()::text, "
				 "encode(sha256(convert_to($1, 'UTF8')), 'hex'), now(), $2) "
				 "RETURNING id";

static const char finish_row[] = "UPDATE _prisma_migrations SET applied_steps_count = "
				 "applied_steps_count + 1, finished_at = now() WHERE id = $1";

static const char fail_row[] = "UPDATE _prisma_migrations SET logs = $2 WHERE id = $1";

/* The folder of "FOLDER/NAME/migration.sql". */
static size_t folder_size(const char *path)
{
	const char *end = strrchr(path, '/');

	while (end && end > path && end[-1] != '/')
		end--;
	return end && end > path ? (size_t)(end - path) : 0;
}

/* The provider of migration_lock.toml; no file and no such line are fine. */
static int check_provider(int root, const struct sql_list *list, struct problem *p)
{
	_cleanup_(sql_done) struct sql_file file = {};
	char path[RECORD_MAX_PATH + sizeof(LOCK_FILE) + 1];
	struct problem missing = {};
	const char *line;
	size_t n = list->n > 0 ? folder_size(list->paths[0]) : 0;
	int r;

	(void)snprintf(path, sizeof(path), "%.*s" LOCK_FILE, (int)n, n ? list->paths[0] : "");
	r = sql_load(root, path, &file, &missing);

	if (r < 0)
		return r;
	if (r > 0)
		return 0;
	line = starts_with(file.sql, "provider") ? file.sql : strstr(file.sql, "\nprovider");
	if (!line)
		return 0;
	line += strcspn(line, "=");
	line += strspn(line, "= \"'\t");
	n = strcspn(line, " \"'\t\r\n");
	if (n == strlen("postgresql") && strncmp(line, "postgresql", n) == 0)
		return 0;
	return problem_set(p,
			   "%s: the migrations are for the provider \"%s\", but the database of "
			   "this challenge is postgresql: set the provider in schema.prisma and "
			   "make the migrations again (Prisma P3019)",
			   QUOTE(path), text_quote(line, n).s);
}

static bool has_bookkeeping(const PGresult *tables)
{
	for (int i = 0; i < PQntuples(tables); i++)
		if (streq(PQgetvalue(tables, i, 0), "_prisma_migrations"))
			return true;
	return false;
}

static int prepare_table(struct session *s, struct problem *p)
{
	_cleanup_(result_clearp) PGresult *tables = NULL;
	int r = session_query(s, list_tables, 0, NULL, &tables, p);

	if (r != 0 || has_bookkeeping(tables))
		return r;
	if (PQntuples(tables) > 0)
		return problem_set(
			p,
			"the database is not empty: it holds the table \"%s\" but no "
			"history of migrations (Prisma P3005); does the build make tables? "
			"Leave that to the migrations",
			QUOTE(PQgetvalue(tables, 0, 0)));
	return session_query(s, create_table, 0, NULL, NULL, p);
}

static int check_rows(const PGresult *rows, struct problem *p)
{
	for (int i = 0; i < PQntuples(rows); i++)
		if (PQgetvalue(rows, i, 1)[0] == 'f' && PQgetvalue(rows, i, 2)[0] == 'f')
			return problem_set(p,
					   "the migration \"%s\" has failed before, so no other is "
					   "applied (Prisma P3009); does the build apply it? Leave "
					   "that to the judge, and repair it",
					   QUOTE(PQgetvalue(rows, i, 0)));
	return 0;
}

static bool is_applied(const PGresult *rows, const char *name)
{
	for (int i = 0; i < PQntuples(rows); i++)
		if (streq(PQgetvalue(rows, i, 0), name) && PQgetvalue(rows, i, 2)[0] == 'f')
			return true;
	return false;
}

static void note_failure(struct session *s, const char *id, struct problem *p)
{
	const char *values[] = { id, p->text };
	struct problem ignored;

	text_scrub(p->text);
	if (PQtransactionStatus(s->conn) == PQTRANS_INERROR ||
	    PQtransactionStatus(s->conn) == PQTRANS_INTRANS)
		(void)session_query(s, "ROLLBACK", 0, NULL, NULL, &ignored);
	if (PQtransactionStatus(s->conn) == PQTRANS_IDLE)
		(void)session_query(s, fail_row, 2, values, NULL, &ignored);
}

static int apply(struct session *s, const struct sql_file *file, const char *name,
		 struct problem *p)
{
	const char *values[] = { file->bytes, name };
	_cleanup_(result_clearp) PGresult *row = NULL;
	const char *id;
	int r = session_query(s, insert_row, 2, values, &row, p);

	if (r != 0)
		return r;
	id = PQgetvalue(row, 0, 0);
	r = session_script(s, file, p);
	if (r == 0)
		return session_query(s, finish_row, 1, &id, NULL, p);
	if (r > 0)
		note_failure(s, id, p);
	return r;
}

/* "prisma/migrations/NAME/migration.sql" */
static int migration_name(const char *path, char *ret, size_t size, struct problem *p)
{
	const char *end = strrchr(path, '/'), *start = end;

	while (start && start > path && start[-1] != '/')
		start--;
	if (!end || start == path || !streq(end, "/migration.sql"))
		return problem_set(p, "\"%s\" is not a migration of Prisma (NAME/migration.sql)",
				   QUOTE(path));
	if ((size_t)(end - start) >= size)
		return problem_set(p, "\"%s\": the name of a migration may have at most %zu bytes",
				   QUOTE(path), size - 1);
	memcpy(ret, start, (size_t)(end - start));
	ret[end - start] = '\0';
	return 0;
}

static int deploy_one(struct session *s, int root, const char *path, const PGresult *rows,
		      struct problem *p)
{
	_cleanup_(sql_done) struct sql_file file = {};
	char name[256];
	int r = migration_name(path, name, sizeof(name), p);

	if (r != 0 || is_applied(rows, name))
		return r;
	r = sql_load(root, path, &file, p);
	return r ? r : apply(s, &file, name, p);
}

int prisma_deploy(struct session *s, int root, const struct sql_list *list, struct problem *p)
{
	_cleanup_(result_clearp) PGresult *rows = NULL;
	int r = check_provider(root, list, p);

	if (r == 0)
		r = prepare_table(s, p);
	if (r == 0)
		r = session_query(s, list_rows, 0, NULL, &rows, p);
	if (r == 0)
		r = check_rows(rows, p);
	for (size_t i = 0; i < list->n && r == 0; i++)
		r = deploy_one(s, root, list->paths[i], rows, p);
	return r;
}
