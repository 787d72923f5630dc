/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A connection to Postgres (12 or later) on which no call hangs: libpq without blocking, a deadline
 * on everything but the resolving of a name, which has those of resolv.conf.
 *
 * Every statement is a transaction of its own, in one round trip together with its settings
 * (search_path = pg_catalog, statement_timeout, a commit that is on the disk), which end with it:
 * there is no state of a session, so a pooler in transaction mode may stand in between. Name every
 * table with its schema.
 *
 * <0: -EAGAIN Postgres is away, starting, full or busy (the next call connects anew); -EACCES it
 * refuses us; -EPROTO a table, column, function or schema is missing, or it is too old; -EIO any
 * other error, a statement that is wrong; -EINVAL; -ENOMEM. A password is never in *err.
 */

#include <libpq-fe.h>
#include <sandbox/sandbox.h>
#include <stdint.h>

#include "util/error.h"

struct pg; /* pg.c */

/* Looks at `url` (url.h), connects lazily. `name` is the application_name; static. */
int pg_open(struct pg **ret, const char *url, const char *name, struct sbx_error *err);
struct pg *pg_free(struct pg *p);
static inline void pg_freep(struct pg **p)
{
	pg_free(*p);
}
static inline void pg_clear(PGresult **r)
{
	PQclear(*r);
}

/* How long a statement may take; 8 s if nothing is said. A connection is waited for 5 s. */
void pg_set_timeout(struct pg *p, uint64_t ns);

/* What `schema` of a URL for Prisma said; NULL: nothing. */
const char *pg_schema(const struct pg *p);

/* Parameters and columns are text; a parameter may be NULL. *ret is the caller's: PQclear(). */
int pg_query(struct pg *p, const char *sql, int n_params, const char *const *params, PGresult **ret,
	     struct sbx_error *err);

/*
 * For what needs several statements: pg_begin(), pg_query()s, pg_script() (statements without
 * parameters, separated by ;), pg_commit() or pg_rollback(). After a failure of any of them nothing
 * has happened and there is no transaction any more. pg_begin() lifts the limit of a statement to a
 * minute.
 */
int pg_begin(struct pg *p, struct sbx_error *err);
int pg_script(struct pg *p, const char *sql, struct sbx_error *err);
int pg_commit(struct pg *p, struct sbx_error *err);
void pg_rollback(struct pg *p);

/* The name in quotes; -EINVAL unless it is 1 to 63 of [A-Za-z0-9_]. */
int pg_quote_name(const char *name, char ret[66], struct sbx_error *err);

#define pg_error(err, code, item, ...) error_format(err, code, "postgres", item, __VA_ARGS__)
