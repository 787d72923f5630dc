/* SPDX-License-Identifier: MIT */
#pragma once

#include "inside/inspect/inspect.h"
#include "inside/migrate/sqllist.h"

/* inspect-tools.c: commands that migrate. 0 or <0; *ret: one was found, and its records put. */
int inspect_tools(int root, const json_t *package, int out, bool *ret);
/* A script that makes the database ("db:init"), when nothing else does. */
int inspect_setup_script(const json_t *package, int out);
/* Is it among the dependencies or devDependencies? `package` may be NULL. */
bool package_has(const json_t *package, const char *name);

/* inspect-config.c: what configuration files say; settings are read as text, not as JavaScript. */

/* Where Prisma's migrations are, by prisma.config.* or package.json; false: it is not said. */
bool prisma_folder(int root, const json_t *package, char *ret, size_t size);
/* inspect-prisma.c: the schema, a file or a folder; false: there is none, or Prisma is not used. */
bool prisma_schema_path(int root, const json_t *package, char *ret, size_t size);
/* Where drizzle's are; false: there is no drizzle.config.*, and *ret is the default. */
bool drizzle_folder(int root, char *ret, size_t size);
bool folder_has_sql(int root, const char *folder);
/*
 * "development" when the database is configured for that alone (knexfile, config/config.*), or
 * NULL.
 */
const char *node_env_of(int root);
/* The SQL files that a compose file mounts into docker-entrypoint-initdb.d. */
int compose_sql(int root, struct sql_list *list, struct problem *p);
/* The first file NAME.{js,cjs,mjs,ts,...} in one of the folders; false: there is none. */
bool find_config(int root, const char *const *folders, const char *name, char *ret, size_t size);
