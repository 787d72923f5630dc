/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Databases for submissions on a cluster that others use, too: a role and a database (or a schema)
 * for each, with the same name that nobody can guess. These functions hold the administrator's
 * connection; they belong into sandbox-keeper, and nothing that reads a submission's bytes.
 *
 * Names are "sbx_OWNER_RANDOM". The owner is a number that the connection draws and locks with an
 * advisory lock in the maintenance database, where no submission can connect: whoever gets that
 * lock knows that the owner is gone, and that what bears its number is left over.
 */

#include <libpq-fe.h>
#include <sandbox/sandbox.h>
#include <stdbool.h>

#include "database/wire.h"

#define SERVER_PREFIX "sbx_"

struct server_settings {
	const char *url;      /* libpq's: a URI or key=value */
	const char *shared;   /* isolation "schema": the database that all share; NULL: one each */
	const char *template; /* of each database; NULL: template0 */
	const char *temp_file_limit; /* "64MB" */
	uint32_t connections;        /* of a role, at once */
};

struct server {
	const struct server_settings *settings;
	PGconn *conn; /* to the maintenance database */
	char *admin;  /* its role, quoted */
	bool superuser;
	bool sets_limits; /* it may set temp_file_limit for others */
	char owner[17];
};

#define SERVER_NULL                                                                                \
	(struct server)                                                                            \
	{                                                                                          \
		.conn = NULL                                                                       \
	}

/*
 * Connects, draws a new owner and locks it. -EACCES the cluster refuses us or the rights do not
 * suffice, -EAGAIN it cannot be reached, -EINVAL the URL makes no sense.
 */
int server_open(struct server *s, const struct server_settings *settings, struct sbx_error *err);
void server_close(struct server *s);
/* The connection still stands. */
bool server_alive(const struct server *s);

/* Makes a role and its database. On failure nothing is left, or it will be swept. */
int server_prepare(struct server *s, struct database_server *ret, struct sbx_error *err);

/* Bytes of the database, or -errno; -EBUSY: it cannot be asked at the moment (a lock). */
int64_t server_size(struct server *s, const char *name);
/* Nobody can log in, and who was is out. Nothing of the database is touched. */
int server_shut(struct server *s, const char *name, struct sbx_error *err);
/*
 * Ends it: shut, drop, drop the role. -EBUSY: all is gone but the role, which is named in a
 * database that still exists; server_sweep() takes it later.
 */
int server_drop(struct server *s, const char *name, struct sbx_error *err);
/* Drops what dead owners left, and roles of our own that could not be dropped. How many, or <0. */
int server_sweep(struct server *s, struct sbx_error *err);
/*
 * The same, with `each` called for every one that is dropped; with `dry` for every one that would
 * be, and nothing is.
 */
int server_sweep_each(struct server *s, bool dry, void (*each)(const char *name),
		      struct sbx_error *err);

/*
 * server-check.c: what there is to say about a cluster; how many rows. Makes and drops a database.
 */
uint32_t server_check(const struct server_settings *settings, struct sbx_check *ret, uint32_t n);

/* ------------------------------------------------------------------- between the files */

int server_fail(struct sbx_error *err, int code, const char *item, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Executes; a failure is that of `conn`. `ret_state` (may be NULL): its SQLSTATE. */
int server_run(PGconn *conn, char *ret_state, struct sbx_error *err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
bool server_name_valid(const char *name);
/*
 * A line for the operator, on standard error: short, without control characters, and not without
 * end, since part of it may be what the cluster says, and that a submission's doing.
 */
void server_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * A connection like that of `s`, to another of its databases; whether it stands is PQstatus() to
 * tell. NULL and *err: the server is not found, or does not answer.
 */
PGconn *server_connect(const struct server_settings *settings, const char *database,
		       struct sbx_error *err);
/* server-schema.c: the schema of a role in the shared database. */
int schema_make(struct server *s, const char *name, struct sbx_error *err);
int schema_drop(struct server *s, const char *name, struct sbx_error *err);
int64_t schema_size(struct server *s, const char *name);
