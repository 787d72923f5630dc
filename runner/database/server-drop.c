/* SPDX-License-Identifier: MIT */

/*
 * Watching and ending what server.c has made, from the maintenance connection alone: nothing of a
 * submission is looked at or executed with our rights, so nothing in it can use them. A session is
 * terminated, never cancelled: code can catch a cancel.
 */

#include "database/server.h"

#include "util/util.h"

#define UNDEFINED_OBJECT "42704"
#define DEPENDENT_OBJECTS "2BP01"
#define LOCK_NOT_AVAILABLE "55P03"

static void clearp(PGresult **result)
{
	PQclear(*result);
}

int64_t server_size(struct server *s, const char *name)
{
	const char *const values[] = { name };
	_cleanup_(clearp) PGresult *result = NULL;

	if (s->settings->shared)
		return schema_size(s, name);
	result = PQexecParams(s->conn, "SELECT pg_database_size($1::name)", 1, NULL, values, NULL,
			      NULL, 0);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		return server_alive(s) ? -EBUSY : -EAGAIN;
	return strtoll(PQgetvalue(result, 0, 0), NULL, 10);
}

int server_shut(struct server *s, const char *name, struct sbx_error *err)
{
	char state[6] = "";
	int r;

	if (!server_name_valid(name))
		return server_fail(err, -EINVAL, name, "this is no name of ours");
	r = server_run(s->conn, state, err, "ALTER ROLE %s NOLOGIN", name);
	if (r < 0 && streq(state, UNDEFINED_OBJECT))
		return 0;
	if (r == 0)
		r = server_run(s->conn, NULL, err,
			       "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
			       "WHERE usename = '%s'",
			       name);
	return r;
}

/*
 * Anybody can grant something of his to any role, whose name he sees in pg_roles; the role cannot
 * be dropped before that database is.
 */
static int drop_role(struct server *s, const char *name, struct sbx_error *err)
{
	char state[6] = "";
	int r = server_run(s->conn, state, err, "DROP ROLE IF EXISTS %s", name);

	return r < 0 && streq(state, DEPENDENT_OBJECTS) ? -EBUSY : r;
}

int server_drop(struct server *s, const char *name, struct sbx_error *err)
{
	int r = server_shut(s, name, err);

	if (r == 0)
		r = s->settings->shared
			    ? schema_drop(s, name, err)
			    : server_run(s->conn, NULL, err,
					 "DROP DATABASE IF EXISTS %s WITH (FORCE)", name);
	return r < 0 ? r : drop_role(s, name, err);
}

/* ---------------------------------------------------------------------------- sweeping */

#define LEFTOVERS_SQL                                                                              \
	"SELECT name FROM (SELECT rolname AS name FROM pg_roles UNION SELECT datname FROM "        \
	"pg_database) AS all_names WHERE name ~ '^" SERVER_PREFIX                                  \
	"[0-9a-f]{16}_[0-9a-f]{16}$' ORDER BY name"

/* 1: its owner is gone, and nobody else is at it; the lock is ours then. */
static int lock_owner(struct server *s, long long key)
{
	_cleanup_(clearp) PGresult *result = NULL;
	char sql[80];

	(void)snprintf(sql, sizeof(sql), "SELECT pg_try_advisory_lock(%lld)::int", key);
	result = PQexec(s->conn, sql);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		return server_alive(s) ? 0 : -EAGAIN;
	return *PQgetvalue(result, 0, 0) == '1';
}

static int sweep_one(struct server *s, const char *name, bool dry, struct sbx_error *err)
{
	long long key = (long long)strtoull(name + 4, NULL, 16);
	struct sbx_error ignored;
	int r, locked = lock_owner(s, key);

	if (locked <= 0)
		return locked < 0 ? server_fail(err, locked, name, "the server has gone") : 0;
	r = dry ? 0 : server_drop(s, name, err);
	(void)server_run(s->conn, NULL, &ignored, "SELECT pg_advisory_unlock(%lld)", key);
	return r == 0 ? 1 : MIN_OF(r == -EBUSY ? 0 : r, 0);
}

int server_sweep_each(struct server *s, bool dry, void (*each)(const char *name),
		      struct sbx_error *err)
{
	_cleanup_(clearp) PGresult *result = PQexec(s->conn, LEFTOVERS_SQL);
	int swept = 0, r = 0;

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		return server_fail(err, -EAGAIN, "", "the server does not list its databases");
	for (int i = 0; i < PQntuples(result) && (r >= 0 || server_alive(s)); i++) {
		const char *name = PQgetvalue(result, i, 0);

		/* Our own lock is ours already: what is in use would be taken for left over. */
		if (!server_name_valid(name) || strncmp(name + 4, s->owner, 16) == 0)
			continue;
		r = sweep_one(s, name, dry, err);
		swept += r > 0;
		if (r > 0 && each)
			each(name);
	}
	return r < 0 && !server_alive(s) ? r : swept;
}

int server_sweep(struct server *s, struct sbx_error *err)
{
	return server_sweep_each(s, false, NULL, err);
}
