/* SPDX-License-Identifier: MIT */

/*
 * Which SQL files make the database of this project: the directories of Prisma, else the SQL files
 * of migrations/, else schema.sql. A prisma/migrations without any script is not Prisma's; one
 * directory without its script is reported when it is applied, as Prisma does.
 */

#include "inside/inspect.h"
#include "inside/sqllist.h"
#include "util/util.h"

static bool any_exists(int root, const struct sql_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (file_kind(root, list->paths[i]) == FILE_REGULAR)
			return true;
	return false;
}

static int find_migrations(int root, struct sql_list *list, bool *ret_prisma, struct problem *p)
{
	int r = sql_list_folder(list, root, "prisma/migrations", true, p);

	*ret_prisma = r == 0 && any_exists(root, list);
	if (r != 0 || *ret_prisma)
		return r;
	sql_list_done(list);
	r = sql_list_folder(list, root, "migrations", false, p);
	if (r == 0 && list->n == 0 && file_kind(root, "schema.sql") == FILE_REGULAR)
		r = sql_list_add(list, "schema.sql", p);
	return r;
}

int inspect_migrations(int root, int out, struct problem *p)
{
	_cleanup_(sql_list_done) struct sql_list list = {};
	bool prisma;
	int r = find_migrations(root, &list, &prisma, p);

	if (r == 0 && prisma)
		r = records_put(out, RECORD_PRISMA, NULL, 0);
	for (size_t i = 0; i < list.n && r == 0; i++)
		r = records_put_string(out, RECORD_MIGRATION, list.paths[i]);
	return r;
}
