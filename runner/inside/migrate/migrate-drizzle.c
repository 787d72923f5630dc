/* SPDX-License-Identifier: MIT */

/*
 * What the migrate() of drizzle-orm (0.45, pg-core/dialect) does, natively: the entries of
 * meta/_journal.json in their order, each file cut at "--> statement-breakpoint" and sent piece by
 * piece, all in one transaction, a row with the SHA-256 of the file and the journal's `when` for
 * each. Afterwards the real one finds nothing to do. The schema and table of the bookkeeping are
 * drizzle's defaults.
 *
 * Since 1.0 (checked with 1.0.0-rc.5) there is no journal but a folder for each migration, with
 * migration.sql; its name begins with its time, which is `created_at`, and is what tells whether it
 * was applied.
 */

#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>

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

static const char create_table_1[] =
	"CREATE TABLE IF NOT EXISTS \"drizzle\".\"__drizzle_migrations\" ("
	"id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint, name text, "
	"applied_at timestamp with time zone DEFAULT now())";

static const char row_of_name[] = "SELECT 1 FROM \"drizzle\".\"__drizzle_migrations\" "
				  "WHERE name = $1";

static const char insert_row_1[] =
	"INSERT INTO \"drizzle\".\"__drizzle_migrations\" (\"hash\", \"created_at\", \"name\") "
	"VALUES (encode(sha256(convert_to($1, 'UTF8')), 'hex'), $2, $3)";

static void json_donep(json_t **json)
{
	json_decref(*json);
}

static int check_dialect(const char *path, const json_t *json, struct problem *p)
{
	const char *dialect = json_string_value(json_object_get(json, "dialect"));

	if (!dialect || streq(dialect, "postgresql") || streq(dialect, "postgres") ||
	    streq(dialect, "pg"))
		return 0;
	return problem_set(p,
			   "%s: the migrations are for \"%s\", but the database of this "
			   "challenge is postgresql: set the dialect in the configuration "
			   "of drizzle-kit and generate them again",
			   QUOTE(path), QUOTE(dialect));
}

static int load_journal(int root, const char *folder, json_t **ret, struct problem *p)
{
	_cleanup_(sql_done) struct sql_file file = {};
	char path[RECORD_MAX_PATH + 32];
	json_error_t error;
	int r;

	(void)snprintf(path, sizeof(path), "%s/meta/_journal.json", folder);
	r = sql_load(root, path, &file, p);
	if (r != 0)
		return r;
	*ret = json_loadb(file.sql, file.size, JSON_REJECT_DUPLICATES, &error);
	if (!*ret)
		return problem_set(p, "%s:%d:%d: this is not valid JSON: %s", QUOTE(path),
				   error.line, error.column, QUOTE(error.text));
	r = check_dialect(path, *ret, p);
	if (r == 0 && !json_is_array(json_object_get(*ret, "entries")))
		return problem_set(p,
				   "%s: has no list \"entries\": put the whole folder that "
				   "drizzle-kit generated into the archive",
				   QUOTE(path));
	return r;
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
static int newest_row(struct session *s, long long *ret, struct problem *p)
{
	_cleanup_(result_clearp) PGresult *rows = NULL;
	int r = session_query(s, last_row, 0, NULL, &rows, p);

	if (r == 0)
		*ret = PQntuples(rows) > 0 ? strtoll(PQgetvalue(rows, 0, 0), NULL, 10) : LLONG_MIN;
	return r;
}

static int apply_journal(struct session *s, int root, const char *folder, const json_t *journal,
			 struct problem *p)
{
	long long last = LLONG_MIN;
	json_t *entry;
	size_t i;
	int r = newest_row(s, &last, p);

	json_array_foreach(json_object_get(journal, "entries"), i, entry)
	{
		if (r != 0)
			break;
		r = apply_entry(s, root, folder, entry, last, p);
	}
	return r;
}

/* ------------------------------------------------------------------------------ 1.0 */

/* "20260131093015_name" in milliseconds; negative: it has no such time. */
static long long time_of(const char *name)
{
	struct tm tm = {};

	if (strspn(name, "0123456789") < 14 ||
	    sscanf(name, "%4d%2d%2d%2d%2d%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
		   &tm.tm_min, &tm.tm_sec) != 6)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (long long)timegm(&tm) * 1000;
}

static int was_applied(struct session *s, const char *name, bool *ret, struct problem *p)
{
	_cleanup_(result_clearp) PGresult *rows = NULL;
	int r = session_query(s, row_of_name, 1, &name, &rows, p);

	if (r == 0)
		*ret = PQntuples(rows) > 0;
	return r;
}

/* `path`: FOLDER/NAME/migration.sql */
static int apply_folder(struct session *s, int root, const char *folder, const char *path,
			struct problem *p)
{
	_cleanup_(sql_done) struct sql_file file = {};
	const char *start = path + strlen(folder) + 1;
	char name[RECORD_MAX_PATH + 1], number[32];
	const char *values[] = { NULL, number, name };
	bool done = false;
	int r;

	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(start, "/"), start);
	if (time_of(name) < 0)
		return problem_set(p,
				   "\"%s\" is not a migration of drizzle: its folder has no time in "
				   "its name, like 20260131093015_init",
				   QUOTE(path));
	r = was_applied(s, name, &done, p);
	if (r != 0 || done)
		return r;
	r = sql_load(root, path, &file, p);
	if (r == 0)
		r = run_file(s, &file, p);
	if (r != 0)
		return r;
	(void)snprintf(number, sizeof(number), "%lld", time_of(name));
	values[0] = file.bytes;
	return session_query(s, insert_row_1, 3, values, NULL, p);
}

/* Folders without the file are no migrations. */
static void drop_others(int root, struct sql_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct stat st;

		if (fstatat(root, list->paths[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			list->paths[kept++] = list->paths[i];
		else
			free(list->paths[i]);
	}
	list->n = kept;
}

/*
 * The newest snapshot says what they were made for; one that cannot be read is of no use, no more.
 */
static int check_snapshot(int root, const struct sql_list *list, struct problem *p)
{
	_cleanup_(json_donep) json_t *snapshot = NULL;
	_cleanup_(sql_done) struct sql_file file = {};
	struct problem ignored;
	const char *newest = list->n > 0 ? list->paths[list->n - 1] : "/";
	char path[RECORD_MAX_PATH + 32];

	(void)snprintf(path, sizeof(path), "%.*s/snapshot.json",
		       (int)(strrchr(newest, '/') - newest), newest);
	if (sql_load(root, path, &file, &ignored) != 0)
		return 0;
	snapshot = json_loadb(file.sql, file.size, 0, NULL);
	return check_dialect(path, snapshot, p);
}

/* ------------------------------------------------------------------------------ both */

static int begin(struct session *s, const char *table, struct problem *p)
{
	int r = session_query(s, create_schema, 0, NULL, NULL, p);

	if (r == 0)
		r = session_query(s, table, 0, NULL, NULL, p);
	return r == 0 ? session_query(s, "BEGIN", 0, NULL, NULL, p) : r;
}

static int end(struct session *s, int r, struct problem *p)
{
	struct problem ignored;

	if (r == 0)
		return session_query(s, "COMMIT", 0, NULL, NULL, p);
	(void)session_query(s, "ROLLBACK", 0, NULL, NULL, &ignored);
	return r;
}

static bool has_journal(int root, const char *folder)
{
	char path[RECORD_MAX_PATH + 32];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/meta/_journal.json", folder);
	return fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int drizzle_migrate(struct session *s, int root, const char *folder, struct problem *p)
{
	_cleanup_(sql_list_done) struct sql_list list = {};
	_cleanup_(json_donep) json_t *journal = NULL;
	bool old = has_journal(root, folder);
	int r = old ? load_journal(root, folder, &journal, p)
		    : sql_list_folder(&list, root, folder, true, p);

	drop_others(root, &list);
	if (r == 0)
		r = check_snapshot(root, &list, p);
	if (r == 0)
		r = begin(s, old ? create_table : create_table_1, p);
	if (r != 0)
		return r;
	if (old)
		r = apply_journal(s, root, folder, journal, p);
	for (size_t i = 0; i < list.n && r == 0; i++)
		r = apply_folder(s, root, folder, list.paths[i], p);
	return end(s, r, p);
}
