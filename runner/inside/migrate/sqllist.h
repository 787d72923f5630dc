/* SPDX-License-Identifier: MIT */
#pragma once

#include "inside/records.h"

/* Paths of SQL files, in the order to apply. */
struct sql_list {
	char *paths[RECORD_MAX_MIGRATIONS];
	size_t n;
};

void sql_list_done(struct sql_list *list);

/* Appends a copy of `path`. 0; 1 with `p` when there are too many; -ENOMEM. */
int sql_list_add(struct sql_list *list, const char *path, struct problem *p);

/*
 * Appends what lies directly in `folder` (below `root`), sorted as numbered (2 before 10): *.sql
 * files but no *.down.sql, which undo others; or with `prisma`, sorted as Prisma does, each
 * directory's migration.sql, there or not.
 * A folder that does not exist adds nothing.
 */
int sql_list_folder(struct sql_list *list, int root, const char *folder, bool prisma,
		    struct problem *p);
/* Likewise, but only files whose name says that they make tables (schema.sql, init.sql, 01.sql). */
int sql_list_schema(struct sql_list *list, int root, const char *folder, struct problem *p);
