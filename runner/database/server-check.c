/* SPDX-License-Identifier: MIT */

/*
 * What a cluster has and lacks for databases of submissions, for `sandbox-run doctor --database`.
 * All that can be tried is tried: a database is made, its role logs in as a relay would, tries what
 * it must not be able to do, and is dropped.
 */

#include "database/server.h"

#include <stdarg.h>

#include "util/util.h"

#define SESSIONS_OF_ONE 20

static void finishp(PGconn **conn)
{
	PQfinish(*conn);
}

static void clearp(PGresult **result)
{
	PQclear(*result);
}

struct checks {
	struct sbx_check *list;
	uint32_t n, max;
};

__attribute__((format(printf, 4, 5))) static struct sbx_check *add(struct checks *c,
								   const char *name, int status,
								   const char *fmt, ...)
{
	static struct sbx_check none;
	struct sbx_check *row = c->n < c->max ? &c->list[c->n++] : &none;
	va_list args;

	*row = (struct sbx_check){ .status = status };
	copy_string(row->name, sizeof(row->name), name);
	va_start(args, fmt);
	(void)vsnprintf(row->found, sizeof(row->found), fmt, args);
	va_end(args);
	return row;
}

static void tell(struct sbx_check *row, const char *breaks, const char *remedy)
{
	copy_string(row->breaks, sizeof(row->breaks), breaks);
	copy_string(row->remedy, sizeof(row->remedy), remedy);
}

/* "" if there is none. */
static void ask(PGconn *conn, const char *sql, char *ret, size_t size)
{
	_cleanup_(clearp) PGresult *result = PQexec(conn, sql);

	*ret = '\0';
	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
		copy_string(ret, size, PQgetvalue(result, 0, 0));
}

static void check_rights(struct checks *c, struct server *s)
{
	if (s->superuser)
		tell(add(c, "database rights", SBX_CHECK_WARN, "%s is a superuser",
			 PQuser(s->conn)),
		     "a mistake of ours could reach every database of this server",
		     "CREATE ROLE sandbox LOGIN CREATEROLE CREATEDB PASSWORD '...' and its URL");
	else
		(void)add(c, "database rights", SBX_CHECK_PASS, "%s may make roles and databases",
			  PQuser(s->conn));
	if (!s->sets_limits)
		tell(add(c, "temp_file_limit", SBX_CHECK_WARN, "it may not be set for a role"),
		     "a query may fill the server's disk with temporary files",
		     "GRANT SET ON PARAMETER temp_file_limit TO the role, or set it for the "
		     "server");
}

#define OPEN_SQL                                                                                   \
	"SELECT coalesce(string_agg(quote_ident(datname), ', '), '') FROM pg_database WHERE "      \
	"datallowconn AND datname !~ '^" SERVER_PREFIX                                             \
	"' AND has_database_privilege('public', oid, 'CONNECT')"

static void check_settings(struct checks *c, struct server *s)
{
	char text[90], log[32];
	long n;

	ask(s->conn, OPEN_SQL, text, sizeof(text));
	if (*text)
		tell(add(c, "other databases", SBX_CHECK_WARN, "open to everybody: %s", text),
		     "what keeps submissions out is the relay and pg_hba.conf alone",
		     "REVOKE CONNECT, TEMPORARY ON DATABASE ... FROM PUBLIC");
	ask(s->conn, "SHOW max_connections", text, sizeof(text));
	n = strtol(text, NULL, 10);
	if (n < 2L * SESSIONS_OF_ONE)
		tell(add(c, "max_connections", SBX_CHECK_WARN, "%ld", n),
		     "two submissions with 20 sessions each are judged IE",
		     "ALTER SYSTEM SET max_connections = 200, and a restart");
	else
		(void)add(c, "max_connections", SBX_CHECK_PASS, "%ld, for %ld submissions at once",
			  n, n / (SESSIONS_OF_ONE + 1));
	ask(s->conn, "SHOW max_prepared_transactions", text, sizeof(text));
	if (!streq(text, "0"))
		tell(add(c, "prepared transactions", SBX_CHECK_WARN, "%s are allowed", text),
		     "a submission's keeps its database from being dropped",
		     "ALTER SYSTEM SET max_prepared_transactions = 0, and a restart");
	ask(s->conn, "SHOW log_min_messages", log, sizeof(log));
	ask(s->conn, "SHOW log_min_error_statement", text, sizeof(text));
	if (!s->superuser && !(streq(log, "fatal") || streq(log, "panic")))
		tell(add(c, "server log", SBX_CHECK_WARN, "log_min_messages %s, statements from %s",
			 log, text),
		     "submissions can fill the server's log",
		     "ALTER SYSTEM SET log_min_messages = 'fatal'; ... log_min_error_statement = "
		     "'panic'; SELECT pg_reload_conf()");
}

/* As the relay does, but for the way there. */
static PGconn *log_in(const struct database_server *d, const char *database, const char *password)
{
	static const char *const keys[] = { "host",     "port",    "user",       "dbname",
					    "password", "sslmode", "gssencmode", "connect_timeout",
					    NULL };
	char port[8];
	const char *values[] = { d->host,   port,      d->role, database, password,
				 "disable", "disable", "10",    NULL };

	(void)snprintf(port, sizeof(port), "%u", d->port);
	return PQconnectdbParams(keys, values, 0);
}

static void check_login(struct checks *c, const struct database_server *d)
{
	_cleanup_(finishp) PGconn *right = log_in(d, d->name, d->password);
	_cleanup_(finishp) PGconn *wrong = log_in(d, d->name, "wrong");
	char text[88];

	copy_string(text, sizeof(text), PQerrorMessage(right));
	text[strcspn(text, "\n")] = '\0';
	if (PQstatus(right) != CONNECTION_OK)
		tell(add(c, "login", SBX_CHECK_FAIL, "%s", text),
		     "submissions cannot log in to their databases",
		     "in pg_hba.conf: host (or local) sameuser all ... scram-sha-256");
	else if (PQstatus(wrong) == CONNECTION_OK)
		tell(add(c, "login", SBX_CHECK_WARN, "no password is asked for"),
		     "whoever can reach the server can be any submission",
		     "in pg_hba.conf: scram-sha-256 instead of trust");
	else
		(void)add(c, "login", SBX_CHECK_PASS, "by password");
}

static void check_elsewhere(struct checks *c, struct server *s, const struct database_server *d)
{
	const char *own = PQdb(s->conn);
	_cleanup_(finishp) PGconn *conn = log_in(d, own, d->password);

	if (PQstatus(conn) != CONNECTION_OK)
		(void)add(c, "login elsewhere", SBX_CHECK_PASS, "refused");
	else if (!streq(own, d->name))
		tell(add(c, "login elsewhere", SBX_CHECK_WARN,
			 "the role of a submission may log "
			 "in to %.40s",
			 own),
		     "only the relay keeps it out: there it could hold our locks",
		     "in pg_hba.conf: sameuser instead of all; REVOKE CONNECT ON DATABASE ... FROM "
		     "PUBLIC");
}

static void try_one(struct checks *c, struct server *s)
{
	struct database_server d;
	struct sbx_error err;
	uint64_t began = now_ns(), made;
	int r = server_prepare(s, &d, &err);

	if (r < 0) {
		tell(add(c, "a database", SBX_CHECK_FAIL, "%.90s", err.text),
		     "nothing that needs a database can be judged", "docs/databases.md");
		return;
	}
	made = now_ns();
	check_login(c, &d);
	check_elsewhere(c, s, &d);
	began = made - began;
	made = now_ns();
	r = server_drop(s, d.role, &err);
	if (r < 0)
		tell(add(c, "a database", SBX_CHECK_FAIL, "%.90s", err.text),
		     "databases of submissions stay", "docs/databases.md");
	else
		(void)add(c, "a database", SBX_CHECK_PASS, "made in %.0f ms, dropped in %.0f ms",
			  (double)began / 1e6, (double)(now_ns() - made) / 1e6);
	explicit_bzero(&d, sizeof(d));
}

uint32_t server_check(const struct server_settings *settings, struct sbx_check *ret, uint32_t n)
{
	struct checks c = { .list = ret, .max = n };
	struct sbx_error err;
	struct server s;
	int r = server_open(&s, settings, &err);

	if (r < 0) {
		tell(add(&c, "database server", SBX_CHECK_FAIL, "%.90s", err.text),
		     "nothing that needs a database can be judged",
		     r == -EAGAIN ? "start it, or correct the URL" : "docs/databases.md");
		return c.n;
	}
	(void)add(&c, "database server", SBX_CHECK_PASS, "Postgres %d",
		  PQserverVersion(s.conn) / 10000);
	check_rights(&c, &s);
	check_settings(&c, &s);
	try_one(&c, &s);
	server_close(&s);
	return c.n;
}
