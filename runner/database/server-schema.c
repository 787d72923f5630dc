/* SPDX-License-Identifier: MIT */

/*
 * Isolation "schema": all submissions share one database and each has a schema with the name of its
 * role, first in its search path. docs/databases.md says what this cannot do.
 *
 * The shared database is the one place where we are connected beside objects of submissions. Names
 * are written in full or come from pg_catalog, and nothing but DROP touches what is theirs.
 */

#include "database/server.h"

#include "util/util.h"

/* A transaction holds a lock for each table that it drops, and the table of locks is shared. */
#define BATCH "1000"

static void finishp(PGconn **conn)
{
	PQfinish(*conn);
}

static void clearp(PGresult **result)
{
	PQclear(*result);
}

static int open_shared(struct server *s, PGconn **ret, struct sbx_error *err)
{
	PGconn *conn = server_connect(s->settings, s->settings->shared, err);

	if (!conn)
		return err->code;
	if (PQstatus(conn) != CONNECTION_OK) {
		(void)server_fail(err, -EAGAIN, s->settings->shared, "%s", PQerrorMessage(conn));
		PQfinish(conn);
		return -EAGAIN;
	}
	*ret = conn;
	return 0;
}

int schema_make(struct server *s, const char *name, struct sbx_error *err)
{
	_cleanup_(finishp) PGconn *conn = NULL;
	const char *shared = s->settings->shared;
	char *quoted;
	int r = open_shared(s, &conn, err);

	if (r < 0)
		return r;
	quoted = PQescapeIdentifier(conn, shared, strlen(shared));
	if (!quoted)
		return server_fail(err, -ENOMEM, "", "out of memory");
	r = server_run(conn, NULL, err,
		       "CREATE SCHEMA %s AUTHORIZATION %s; "
		       "ALTER ROLE %s IN DATABASE %s SET search_path = %s; "
		       "GRANT CONNECT, TEMPORARY ON DATABASE %s TO %s",
		       name, name, name, quoted, name, quoted, name);
	PQfreemem(quoted);
	return r;
}

/* One statement a row: all that a schema may hold thousands of. */
#define LIST_SQL                                                                                   \
	"SELECT format('DROP %%s IF EXISTS %%I.%%I CASCADE', CASE relkind WHEN 'v' THEN 'VIEW' "   \
	"WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN "                \
	"'FOREIGN TABLE' ELSE 'TABLE' END, '%s', relname) FROM pg_class WHERE relnamespace = "     \
	"(SELECT oid FROM pg_namespace WHERE nspname = '%s') AND relkind IN ('r', 'p', 'v', 'm', " \
	"'f', 'S') ORDER BY relkind IN ('S') LIMIT " BATCH

/* How many were dropped, or <0. */
static int drop_batch(PGconn *conn, const char *name, struct sbx_error *err)
{
	_cleanup_(clearp) PGresult *result = NULL;
	_cleanup_free_ char *sql = NULL;
	int n, r;

	if (asprintf(&sql, LIST_SQL, name, name) < 0) {
		sql = NULL;
		return server_fail(err, -ENOMEM, "", "out of memory");
	}
	result = PQexec(conn, sql);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		return server_fail(err, -EAGAIN, name, "%s", PQerrorMessage(conn));
	n = PQntuples(result);
	r = n > 0 ? server_run(conn, NULL, err, "BEGIN") : 0;
	for (int i = 0; i < n && r == 0; i++)
		r = server_run(conn, NULL, err, "%s", PQgetvalue(result, i, 0));
	if (n > 0 && r == 0)
		r = server_run(conn, NULL, err, "COMMIT");
	return r < 0 ? r : n;
}

int schema_drop(struct server *s, const char *name, struct sbx_error *err)
{
	_cleanup_(finishp) PGconn *conn = NULL;
	_cleanup_(clearp) PGresult *role = NULL;
	const char *const values[] = { name };
	int r = open_shared(s, &conn, err);

	if (r < 0)
		return r;
	do
		r = drop_batch(conn, name, err);
	while (r > 0);
	if (r == 0)
		r = server_run(conn, NULL, err, "DROP SCHEMA IF EXISTS %s CASCADE", name);
	role = PQexecParams(conn, "SELECT 1 FROM pg_roles WHERE rolname = $1::name", 1, NULL,
			    values, NULL, NULL, 0);
	/* Large objects, and what others have granted it. */
	if (r == 0 && PQntuples(role) == 1)
		r = server_run(conn, NULL, err, "DROP OWNED BY %s CASCADE", name);
	return r;
}

int64_t schema_size(struct server *s, const char *name)
{
	static const char sql[] = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::int8 FROM "
				  "pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace "
				  "WHERE nspname = $1::name) AND relkind IN ('r', 'm')";
	const char *const values[] = { name };
	_cleanup_(finishp) PGconn *conn = NULL;
	_cleanup_(clearp) PGresult *result = NULL;
	struct sbx_error ignored;
	int r = open_shared(s, &conn, &ignored);

	if (r < 0)
		return r;
	result = PQexecParams(conn, sql, 1, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		return PQstatus(conn) == CONNECTION_OK ? -EBUSY : -EAGAIN;
	return strtoll(PQgetvalue(result, 0, 0), NULL, 10);
}
