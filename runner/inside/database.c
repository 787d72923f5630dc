/* SPDX-License-Identifier: MIT */

/*
 * `sandbox-inside database`: opens a fresh instance to its one role. It runs in the database's jail
 * beside the server, connects as the superuser over the unix socket that exists only there, and is
 * the last that does so. The server listens before it accepts, and forks a process for each
 * refusal: when it accepts is read from its pid file, as pg_ctl does, every millisecond.
 *
 * The role gets no password: the template asks none of whoever can reach the port, and making the
 * verifier of one takes 4,096 rounds of HMAC.
 *
 * It connects to the application's own database: that loads its catalogue once, which the student's
 * first connection would have to do otherwise. No object of a student exists at this point.
 *
 * With --rename or --alias it is run a second time, still before the submission's first line: the
 * submission names its database and its users itself, perhaps in its code. The one database gets
 * that name, and each user becomes a role that works as the first one, so that what one makes the
 * others may use.
 */

#include <getopt.h>
#include <libpq-fe.h>
#include <time.h>

#include "inside/inside.h"
#include "inside/timeout.h"
#include "util/util.h"

#define MAX_ALIASES 8

struct settings {
	const char *socket, *data, *role, *database, *superuser, *temp_limit, *rename;
	bool open;
	const char *aliases[MAX_ALIASES];
	unsigned n_aliases;
	unsigned timeout_ms, connections;
};

static void finishp(PGconn **conn)
{
	PQfinish(*conn);
}

static void freemem(char **s)
{
	PQfreemem(*s);
}

static PGconn *try_connect(const struct settings *s)
{
	static const char *const keys[] = { "host",       "user",    "dbname", "sslmode",
					    "gssencmode", "options", NULL };
	/* A database cannot be renamed from within; the maintenance database is the superuser's. */
	const char *const values[] = {
		s->socket, s->superuser, s->rename ? s->superuser : s->database,
		"disable", "disable",    "-csearch_path=pg_catalog",
		NULL
	};

	return PQconnectdbParams(keys, values, 0);
}

/* The line of postmaster.pid that says so; the file appears after the exec and grows. */
#define STATUS_LINE 8

static bool accepts(const struct settings *s)
{
	char path[4096], text[1024];
	const char *line = text;
	_cleanup_close_ int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/postmaster.pid", s->data);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return false;
	text[n] = '\0';
	for (int i = 1; i < STATUS_LINE && line; i++) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return line && starts_with(line, "ready");
}

static int connect_until(const struct settings *s, PGconn **ret)
{
	uint64_t deadline = deadline_after(s->timeout_ms * NSEC_PER_MSEC);
	const struct timespec pause = { .tv_nsec = NSEC_PER_MSEC };

	while (!accepts(s) && now_ns() < deadline)
		(void)nanosleep(&pause, NULL);
	for (;;) {
		_cleanup_(finishp) PGconn *conn = try_connect(s);

		if (!conn)
			return -ENOMEM;
		if (PQstatus(conn) == CONNECTION_OK) {
			*ret = steal_ptr(conn);
			return 0;
		}
		if (now_ns() >= deadline) {
			(void)fprintf(stderr, "sandbox-inside database: not ready after %.3g s: %s",
				      s->timeout_ms / 1000.0, PQerrorMessage(conn));
			return -ETIMEDOUT;
		}
		(void)nanosleep(&pause, NULL);
	}
}

static int run(PGconn *conn, const char *sql)
{
	PGresult *result = PQexec(conn, sql);
	int r = 0;

	if (PQresultStatus(result) != PGRES_COMMAND_OK &&
	    PQresultStatus(result) != PGRES_TUPLES_OK) {
		(void)fprintf(stderr, "sandbox-inside database: %s", PQresultErrorMessage(result));
		r = -EIO;
	}
	PQclear(result);
	return r;
}

static int open_role(PGconn *conn, const struct settings *s)
{
	_cleanup_(freemem) char *role = PQescapeIdentifier(conn, s->role, strlen(s->role));
	_cleanup_(freemem) char *limit = PQescapeLiteral(conn, s->temp_limit,
							 strlen(s->temp_limit));
	_cleanup_free_ char *sql = NULL;

	if (!role || !limit)
		return -ENOMEM;
	if (asprintf(&sql,
		     "ALTER ROLE %s LOGIN CONNECTION LIMIT %u; ALTER ROLE %s SET temp_file_limit = %s",
		     role, s->connections, role, limit) < 0) {
		sql = NULL;
		return -ENOMEM;
	}
	return run(conn, sql);
}

/*
 * The server looks for other sessions in steps of 100 ms: the one of the first run, which may still
 * be ending, is waited for here.
 */
static int wait_alone(PGconn *conn, const struct settings *s)
{
	static const char sql[] = "SELECT 1 FROM pg_stat_activity WHERE datname = $1";
	uint64_t deadline = deadline_after(s->timeout_ms * NSEC_PER_MSEC);
	const struct timespec pause = { .tv_nsec = NSEC_PER_MSEC };

	for (;;) {
		PGresult *result = PQexecParams(conn, sql, 1, NULL, &s->database, NULL, NULL, 0);
		bool alone = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 0;

		PQclear(result);
		if (alone)
			return 0;
		if (now_ns() >= deadline)
			return -ETIMEDOUT;
		(void)nanosleep(&pause, NULL);
	}
}

static int rename_database(PGconn *conn, const struct settings *s)
{
	_cleanup_(freemem) char *from = PQescapeIdentifier(conn, s->database, strlen(s->database));
	_cleanup_(freemem) char *to = PQescapeIdentifier(conn, s->rename, strlen(s->rename));
	_cleanup_free_ char *sql = NULL;
	int r;

	if (!from || !to)
		return -ENOMEM;
	if (asprintf(&sql, "ALTER DATABASE %s RENAME TO %s", from, to) < 0) {
		sql = NULL;
		return -ENOMEM;
	}
	r = wait_alone(conn, s);
	return r ? r : run(conn, sql);
}

static int add_alias(PGconn *conn, const struct settings *s, const char *alias)
{
	_cleanup_(freemem) char *role = PQescapeIdentifier(conn, s->role, strlen(s->role));
	_cleanup_(freemem) char *name = PQescapeIdentifier(conn, alias, strlen(alias));
	_cleanup_free_ char *sql = NULL;

	if (!role || !name)
		return -ENOMEM;
	if (asprintf(&sql,
		     "CREATE ROLE %s LOGIN CONNECTION LIMIT %u IN ROLE %s; ALTER ROLE %s SET role "
		     "= %s; ALTER ROLE %s SET temp_file_limit = '%s'",
		     name, s->connections, role, name, role, name, s->temp_limit) < 0) {
		sql = NULL;
		return -ENOMEM;
	}
	return run(conn, sql);
}

static int adopt(PGconn *conn, const struct settings *s)
{
	int r = s->rename ? rename_database(conn, s) : 0;

	for (unsigned i = 0; i < s->n_aliases && r == 0; i++)
		r = add_alias(conn, s, s->aliases[i]);
	return r;
}

static int parse_connections(const char *s, unsigned *ret)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end || v == 0 || v > 1000)
		return -EINVAL;
	*ret = (unsigned)v;
	return 0;
}

static int parse_one(struct settings *s, int option)
{
	const char **strings[] = {
		['s'] = &s->socket,   ['r'] = &s->role,      ['D'] = &s->data,
		['d'] = &s->database, ['u'] = &s->superuser, ['l'] = &s->temp_limit,
		['n'] = &s->rename
	};

	if (option == 't')
		return parse_timeout(optarg, &s->timeout_ms);
	if (option == 'o') {
		s->open = true;
		return 0;
	}
	if (option == 'a' && s->n_aliases == MAX_ALIASES)
		return -E2BIG;
	if (option == 'a')
		s->aliases[s->n_aliases++] = optarg;
	if (option == 'a')
		return 0;
	if (option == 'c')
		return parse_connections(optarg, &s->connections);
	if (option >= (int)ARRAY_SIZE(strings) || !strings[option])
		return -EINVAL;
	*strings[option] = optarg;
	return 0;
}

static int parse(int argc, char **argv, struct settings *s)
{
	static const struct option options[] = { { "socket", required_argument, NULL, 's' },
						 { "role", required_argument, NULL, 'r' },
						 { "data", required_argument, NULL, 'D' },
						 { "open", no_argument, NULL, 'o' },
						 { "database", required_argument, NULL, 'd' },
						 { "superuser", required_argument, NULL, 'u' },
						 { "temp-file-limit", required_argument, NULL,
						   'l' },
						 { "rename", required_argument, NULL, 'n' },
						 { "alias", required_argument, NULL, 'a' },
						 { "connections", required_argument, NULL, 'c' },
						 { "timeout", required_argument, NULL, 't' },
						 {} };
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1)
		if (parse_one(s, option) < 0)
			return -EINVAL;
	if (!s->open && !s->rename && s->n_aliases == 0)
		return -EINVAL;
	return optind == argc && s->socket && s->data && s->role && s->database ? 0 : -EINVAL;
}

int inside_database(int argc, char **argv)
{
	_cleanup_(finishp) PGconn *conn = NULL;
	struct settings s = { .superuser = "sandbox_admin",
			      .temp_limit = "64MB",
			      .timeout_ms = 10000,
			      .connections = 40 };
	int r = parse(argc, argv, &s);

	if (r < 0) {
		(void)fprintf(stderr, "usage: sandbox-inside database --socket DIR --data DIR "
				      "--role NAME --database NAME {--open | [--rename NAME] "
				      "[--alias NAME]...}\n  [--superuser sandbox_admin] "
				      "[--connections 40] [--temp-file-limit 64MB] [--timeout "
				      "10s]\n");
		return 2;
	}
	r = connect_until(&s, &conn);
	if (r == 0)
		r = s.open ? open_role(conn, &s) : adopt(conn, &s);
	return r < 0 ? 3 : 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && streq(argv[1], "sql"))
		return inside_sql();
	if (argc > 1 && streq(argv[1], "database"))
		return inside_database(argc - 1, argv + 1);
	return inside_database(argc, argv);
}
