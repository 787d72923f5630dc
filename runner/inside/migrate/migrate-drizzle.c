/* SPDX-License-Identifier: MIT */

/*
 * What the migrate() of drizzle-orm (0.45, pg-core/dialect) does, natively: the entries of
 * meta/_journal.json in their order, each file cut at "--> statement-breakpoint" and sent piece by
 * piece, all in one transaction, a row with the SHA-256 of the file and the journal's `when` for
 * each. Afterwards the real one finds nothing to do. The schema and table of the bookkeeping are
 * drizzle's defaults.
 */

#include <jansson.h>
#include <limits.h>

#include "inside/migrate/migrate.h"
#include "util/util.h"

#define BREAKPOINT "--> statement-breakpoint"

static const char create_schema[] = "CREATE SCHEMA IF NOT EXISTS \"drizzle\"";

static const char create_table[] =
	"CREATE TABLE IF NOT EXISTS \"drizzle\".\"__drizzle_migrations\" ("
	"id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)";

static const char last_row[] = "SELECT created_at FROM \"drizzle\".\"__drizzle_migrations\" "
			       "ORDER BY created_at DESC LIMIT 1";

static const char insert_row[] = "INSERT INTO \"drizzle\".\"__drizzle_migrations\" (\"hash\", "
				 "\"created_at\") VALUES (encode(sha256(convert_to($1, 'UTF8')), "
				 "'hex'), $2)";

static void json_donep(json_t **json)
{
	json_decref(*json);
}

static int load_journal(int root, const char *folder, json_t **ret, struct problem *p)
{
	_cleanup_(sql_done) struct sql_file file = {};
	char path[RECORD_MAX_PATH + 32];
	json_error_t error;
	const char *dialect;
	json_t *json;
	int r;

	(void)snprintf(path, sizeof(path), "%s/meta/_journal.json", folder);
	r = sql_load(root, path, &file, p);
	if (r != 0)
		return r;
	json = json_loadb(file.sql, file.size, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		return problem_set(p, "%s:%d:%d: this is not valid JSON: %s", QUOTE(path),
				   error.line, error.column, QUOTE(error.text));
	*ret = json;
	dialect = json_string_value(json_object_get(json, "dialect"));
	if (dialect && !streq(dialect, "postgresql") && !streq(dialect, "pg"))
		return problem_set(p,
				   "%s: the migrations are for \"%s\", but the database of this "
				   "challenge is postgresql: set the dialect in the configuration "
				   "of drizzle-kit and generate them again",
				   QUOTE(path), QUOTE(dialect));
	if (!json_is_array(json_object_get(json, "entries")))
		return problem_set(p,
				   "%s: has no list \"entries\": put the whole folder that "
				   "drizzle-kit generated into the archive",
				   QUOTE(path));
	return 0;
}

/* A piece of the file with its lines in their place, so that messages name them. */
static int run_piece(struct session *s, const struct sql_file *file, size_t from, size_t to,
		     struct problem *p)
{
	_cleanup_free_ char *text = strndup(file->sql, to);
	struct sql_file piece = { .path = file->path, .sql = text, .size = to };

	if (!text)
		return -ENOMEM;
	sql_blank(text, 0, from);
	return session_piece(s, &piece, p);
}

static int run_file(struct session *s, const struct sql_file *file, struct problem *p)
{
	size_t from = 0;
	int r = 0;

	while (r == 0) {
		const char *cut = memmem(file->sql + from, file->size - from, BREAKPOINT,
					 strlen(BREAKPOINT));
		size_t to = cut ? (size_t)(cut - file->sql) : file->size;

		r = run_piece(s, file, from, to, p);
		if (!cut)
			break;
		from = to + strlen(BREAKPOINT);
	}
	return r;
}

static int apply_entry(struct session *s, int root, const char *folder, const json_t *entry,
		       long long last, struct problem *p)
{
	_cleanup_(sql_done) struct sql_file file = {};
	const char *tag = json_string_value(json_object_get(entry, "tag"));
	const json_t *when = json_object_get(entry, "when");
	char path[RECORD_MAX_PATH + 1], number[32];
	const char *values[] = { NULL, number };
	int r;

	if (!tag || !json_is_integer(when) ||
	    snprintf(path, sizeof(path), "%s/%s.sql", folder, tag) >= (int)sizeof(path))
		return problem_set(p,
				   "%s/meta/_journal.json: an entry has no usable \"tag\" or "
				   "\"when\": put the whole folder that drizzle-kit generated into "
				   "the archive",
				   QUOTE(folder));
	if (json_integer_value(when) <= last)
		return 0;
	r = sql_load(root, path, &file, p);
	if (r == 0)
		r = run_file(s, &file, p);
	if (r != 0)
		return r;
	(void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(when));
	values[0] = file.bytes;
	return session_query(s, insert_row, 2, values, NULL, p);
}

/* The newest `when` that was applied before; everything is newer when there is none. */
static int prepare(struct session *s, long long *ret, struct problem *p)
{
	_cleanup_(result_clearp) PGresult *rows = NULL;
	int r = session_query(s, create_schema, 0, NULL, NULL, p);

	if (r == 0)
		r = session_query(s, create_table, 0, NULL, NULL, p);
	if (r == 0)
		r = session_query(s, last_row, 0, NULL, &rows, p);
	if (r == 0)
		*ret = PQntuples(rows) > 0 ? strtoll(PQgetvalue(rows, 0, 0), NULL, 10) : LLONG_MIN;
	return r;
}

int drizzle_migrate(struct session *s, int root, const char *folder, struct problem *p)
{
	_cleanup_(json_donep) json_t *journal = NULL;
	struct problem ignored;
	long long last;
	json_t *entry;
	size_t i;
	int r = load_journal(root, folder, &journal, p);

	if (r == 0)
		r = prepare(s, &last, p);
	if (r == 0)
		r = session_query(s, "BEGIN", 0, NULL, NULL, p);
	if (r != 0)
		return r;
	json_array_foreach(json_object_get(journal, "entries"), i, entry)
	{
		r = apply_entry(s, root, folder, entry, last, p);
		if (r != 0)
			break;
	}
	if (r == 0)
		return session_query(s, "COMMIT", 0, NULL, NULL, p);
	(void)session_query(s, "ROLLBACK", 0, NULL, NULL, &ignored);
	return r;
}
