/* SPDX-License-Identifier: MIT */

/*
 * What makes the database of this project, the surest sign first: the directories of Prisma; the
 * journal of drizzle; what a migration tool or a script of package.json is there for
 * (inspect-tools.c); SQL files that the compose file gives to Postgres; those of a folder of
 * migrations; schema.sql and its like. A prisma/migrations without any script is not Prisma's; one
 * directory without its script is reported when it is applied, as Prisma does.
 */

#include "inside/inspect/inspect-tools.h"
#include "inside/inspect/inspect.h"
#include "inside/migrate/sqllist.h"
#include "util/util.h"

static bool any_exists(int root, const struct sql_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (file_kind(root, list->paths[i]) == FILE_REGULAR)
			return true;
	return false;
}

/* NAME/migration.sql in `folder`, as Prisma and drizzle 1.0 have it. */
static bool has_scripts(int root, const char *folder)
{
	_cleanup_(sql_list_done) struct sql_list list = {};
	struct problem ignored;

	return sql_list_folder(&list, root, folder, true, &ignored) == 0 &&
	       any_exists(root, &list);
}

/* 1: the folder's own refusal; 0 with *ret: are there scripts of Prisma in `folder`? */
static int try_prisma(int root, struct sql_list *list, const char *folder, bool *ret,
		      struct problem *p)
{
	int r = sql_list_folder(list, root, folder, true, p);

	*ret = r == 0 && any_exists(root, list);
	if (!*ret)
		sql_list_done(list);
	return r;
}

static int find_prisma(int root, const json_t *package, struct sql_list *list, bool *ret,
		       struct problem *p)
{
	static const char *const folders[] = { "prisma/migrations", "prisma/schema/migrations",
					       "src/prisma/migrations", "db/prisma/migrations",
					       "prisma/models/migrations" };
	char own[RECORD_MAX_PATH + 1];
	int r = 0;

	*ret = false;
	if (prisma_folder(root, package, own, sizeof(own)))
		r = try_prisma(root, list, own, ret, p);
	for (size_t i = 0; i < ARRAY_SIZE(folders) && r == 0 && !*ret; i++)
		r = try_prisma(root, list, folders[i], ret, p);
	return r;
}

static int find_drizzle(int root, const json_t *package, char *folder, size_t size, bool *ret,
			struct problem *p)
{
	char journal[RECORD_MAX_PATH + 32];

	*ret = false;
	if (!drizzle_folder(root, folder, size) && !package_has(package, "drizzle-orm"))
		return 0;
	if (!path_is_clean(folder, strlen(folder)))
		return 0;
	(void)snprintf(journal, sizeof(journal), "%s/meta/_journal.json", folder);
	*ret = file_kind(root, journal) == FILE_REGULAR || has_scripts(root, folder);
	if (*ret || !folder_has_sql(root, folder))
		return 0;
	return problem_set(
		p,
		"%s holds migrations of drizzle but no meta/_journal.json, so their order "
		"is not known: put the whole folder that drizzle-kit generated into the "
		"archive",
		QUOTE(folder));
}

static int find_sql(int root, struct sql_list *list, struct problem *p)
{
	static const char *const migrations[] = { "migrations",
						  "db/migrations",
						  "database/migrations",
						  "src/migrations",
						  "src/db/migrations",
						  "sql/migrations",
						  "src/database/migrations",
						  "supabase/migrations" };
	static const char *const folders[] = { ".",        "db",           "database", "sql",
					       "src/db",   "src/database", "src/sql",  "src",
					       "postgres", "init",         "scripts",  "config",
					       "docker",   "data",         "initdb" };
	int r = compose_sql(root, list, p);

	for (size_t i = 0; i < ARRAY_SIZE(migrations) && r == 0 && list->n == 0; i++)
		r = sql_list_folder(list, root, migrations[i], false, p);
	for (size_t i = 0; i < ARRAY_SIZE(folders) && r == 0 && list->n == 0; i++)
		r = sql_list_schema(list, root, folders[i], p);
	return r;
}

static int put_list(const struct sql_list *list, int out)
{
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++)
		r = records_put_string(out, RECORD_MIGRATION, list->paths[i]);
	return r;
}

int inspect_migrations(int root, const json_t *package, int out, struct problem *p)
{
	_cleanup_(sql_list_done) struct sql_list list = {};
	const char *node_env = node_env_of(root);
	char folder[RECORD_MAX_PATH + 1];
	bool found = false;
	int r = node_env ? records_put_string(out, RECORD_NODE_ENV, node_env) : 0;

	if (r == 0)
		r = find_prisma(root, package, &list, &found, p);

	if (r == 0 && found) {
		r = records_put(out, RECORD_PRISMA, NULL, 0);
		return r ? r : put_list(&list, out);
	}
	if (r == 0)
		r = find_drizzle(root, package, folder, sizeof(folder), &found, p);
	if (r != 0)
		return r;
	if (found)
		return records_put_string(out, RECORD_DRIZZLE, folder);
	r = inspect_tools(root, package, out, &found);
	if (r != 0 || found)
		return r;
	r = find_sql(root, &list, p);
	if (r == 0 && list.n == 0)
		return inspect_setup_script(package, out);
	return r ? r : put_list(&list, out);
}
