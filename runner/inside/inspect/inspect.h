/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "inside/records.h"

/*
 * What a project is, read from its files below the directory `root` and written to `out` as
 * records: start and build command, dependencies, migrations. 0; 1 with `p`: refused; <0.
 */
int inspect(int root, int out, struct problem *p);

/* inspect-file.c: files of the tree. Links are never followed. */
enum file_kind {
	FILE_NONE,
	FILE_REGULAR,
	FILE_DIRECTORY,
	FILE_OTHER,
};
enum file_kind file_kind(int root, const char *path);
/*
 * 0 with *ret NULL: there is no such file. 1: larger than `limit`, or malformed; `p` says so as
 * file:line:column.
 */
int file_read_json(int root, const char *path, size_t limit, json_t **ret, struct problem *p);
/* Like file_read_json(), of any file: terminated, which `ret_size` does not count. */
int file_read(int root, const char *path, size_t limit, char **ret, size_t *ret_size,
	      struct problem *p);
/*
 * The whole file, terminated, the caller's. NULL: there is none, it is larger, or it cannot be
 * read.
 */
char *file_read_text(int root, const char *path, size_t limit);
void json_donep(json_t **json);
/* A string member: NULL when absent or no string. */
const char *json_member(const json_t *object, const char *key);

/* inspect-command.c; `package` may be NULL. */
int inspect_commands(int root, const json_t *package, int out, struct problem *p);
/* inspect-project.c: makes the folder of the server the tree, when the archive holds several. */
int project_choose(int root, int out, struct problem *p);

/* inspect-packages.c */
int inspect_packages(int root, const json_t *package, int out);
/* NULL, or why a dependency with this specification cannot be installed from the registry. */
const char *specification_problem(const char *specification);

/* inspect-dotenv.c: where the submission looks for its database. */
int inspect_dotenv(int root, int out);

/* inspect-prisma.c; `package` may be NULL. */
int inspect_prisma(int root, const json_t *package, int out);

/* inspect-migrations.c */
int inspect_migrations(int root, const json_t *package, int out, struct problem *p);
