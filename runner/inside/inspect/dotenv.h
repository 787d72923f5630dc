/* SPDX-License-Identifier: MIT */
#pragma once

#include "inside/records.h"
#include "inside/inspect/walk.h"

/* What a variable says of the database; the names are those of RECORD_DATABASE_VARIABLE. */
enum database_part {
	PART_NONE,
	PART_URL,
	PART_HOST,
	PART_PORT,
	PART_USER,
	PART_PASSWORD,
	PART_NAME,
	PART_SSL,
	PARTS,
};
const char *database_part_name(enum database_part part);

/* One assignment of a .env file, as places in its text; the value without its quotes. */
struct dotenv_entry {
	const char *name, *value;
	size_t name_size, value_size;
};

/* The next assignment at or after *at, as the package `dotenv` reads it. False at the end. */
bool dotenv_next(const char *text, size_t size, size_t *at, struct dotenv_entry *ret);

/* What the entry says of a Postgres database; PART_NONE: nothing, or it is of another database. */
enum database_part dotenv_part(const struct dotenv_entry *entry);

/* "postgres://user:password@host:5432/name?x": user and name, undecoded; empty when not there. */
struct database_url {
	const char *user, *name;
	size_t user_size, name_size;
};
bool database_url_parse(const char *s, size_t n, struct database_url *ret);

/* dotenv-files.c: calls `visit` for each .env file (.env, .env.local, .env.example ...). */
#define DOTENV_MAX (64u << 10)
int dotenv_files(int root, int (*visit)(const struct walk_file *file, void *data), void *data);
/* One that only shows the names: .env.example, .env.sample ... */
bool dotenv_is_example(const char *name);

/*
 * The file with `values` (indexed by database_part, NULL: leave) in the place of what its variables
 * of the database say; all other bytes as they are. *ret NULL: nothing to change; else the
 * caller's.
 */
int dotenv_rewrite(const char *text, size_t size, const char *const values[PARTS], char **ret,
		   size_t *ret_size);
