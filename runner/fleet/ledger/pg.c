/* SPDX-License-Identifier: MIT */

/*
 * A statement is sent in libpq's pipeline mode behind another one that makes the settings for the
 * transaction that both are in: Postgres ends it at the Sync that follows, so an error of either
 * leaves nothing behind, and the answer to the Sync says that it is committed.
 *
 * A connection that has failed, or whose answer is still to come when the deadline is over, is
 * closed: nobody waits for what it may say later. What the server was doing then ends by
 * statement_timeout.
 */

#include "fleet/ledger/pg.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/ledger/pg-errors.h"
#include "fleet/ledger/url.h"
#include "net/pq.h"
#include "util/util.h"

#define CONNECT_NS (5 * NSEC_PER_SEC)
#define STATEMENT_NS (8 * NSEC_PER_SEC)
#define STATEMENT_LONG_NS (60 * NSEC_PER_SEC)
/* It is the server who is to give up first. */
#define ANSWER_AFTER(ns) ((ns) + (ns) / 4 + NSEC_PER_SEC)
#define OLDEST_SERVER 120000

/* An operator's synchronous_commit stays, unless it lets a commit be lost. `timeout`: ms, SQL. */
#define SETTINGS(timeout)                                                                          \
	"SELECT pg_catalog.set_config('search_path', 'pg_catalog', true),"                         \
	" pg_catalog.set_config('statement_timeout', " timeout ", true),"                          \
	" pg_catalog.set_config('synchronous_commit', CASE"                                        \
	" pg_catalog.current_setting('synchronous_commit') WHEN 'off' THEN 'local'"                \
	" ELSE pg_catalog.current_setting('synchronous_commit') END, true)"

struct pg {
	char *url, *schema;
	const char *name;
	PGconn *conn;     /* NULL: to be made */
	bool transaction; /* between pg_begin() and pg_commit() */
	uint64_t deadline;
	uint64_t statement_ns;
	char statement_ms[24]; /* the same, for the server */
};

static void quiet(void *data, const char *message)
{
	(void)data;
	(void)message;
}

static void disconnect(struct pg *p)
{
	PQfinish(p->conn);
	p->conn = NULL;
	p->transaction = false;
}

/* 0; -ETIMEDOUT. */
static int wait_for(struct pg *p, short events)
{
	struct pollfd fd = { .fd = PQsocket(p->conn), .events = events };

	for (;;) {
		uint64_t now = now_ns();
		int r, ms;

		if (now >= p->deadline)
			return -ETIMEDOUT;
		ms = (int)((p->deadline - now) / NSEC_PER_MSEC) + 1;
		r = poll(&fd, 1, ms);
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
	}
}

/* What stands before the URL is a default, what is behind it is not to be changed by it. */
static PGconn *start(const struct pg *p, char why[RESOLVE_WHY])
{
	const char *const keys[] = { "fallback_application_name", "keepalives_idle",
				     "keepalives_interval",       "keepalives_count",
				     "tcp_user_timeout",          "dbname",
				     "client_encoding",           NULL };
	const char *const values[] = { p->name, "10", "5", "3", "15000", p->url, "UTF8", NULL };

	return pq_start(keys, values, deadline_after(CONNECT_NS / 2), why);
}

static int refuse_connection(struct pg *p, int r, struct sbx_error *err)
{
	r = r == -ETIMEDOUT
		    ? pg_error(
			      err, -EAGAIN, NULL,
			      "Postgres does not answer (5 s); is it there, and can it be reached?")
		    : pg_connection_error(p->conn, err);
	disconnect(p);
	return r;
}

static int connect_now(struct pg *p, struct sbx_error *err)
{
	char why[RESOLVE_WHY];
	int r;

	p->deadline = deadline_after(CONNECT_NS);
	p->conn = start(p, why);
	if (!p->conn && *why)
		return pg_error(err, -EAGAIN, NULL, "cannot connect to Postgres: %s", why);
	if (!p->conn)
		return pg_error(err, -ENOMEM, NULL, "no memory");
	PQsetNoticeProcessor(p->conn, quiet, NULL);
	PQsetErrorVerbosity(p->conn, PQERRORS_VERBOSE);
	r = pq_await(p->conn, p->deadline);
	if (r < 0)
		return refuse_connection(p, r, err);
	if (PQserverVersion(p->conn) < OLDEST_SERVER) {
		int major = PQserverVersion(p->conn) / 10000;

		disconnect(p);
		return pg_error(err, -EPROTO, NULL,
				"the server is Postgres %d; 12 is the oldest that will do", major);
	}
	PQsetErrorVerbosity(p->conn, PQERRORS_DEFAULT);
	if (PQsetnonblocking(p->conn, 1) == 0)
		return 0;
	disconnect(p);
	return pg_error(err, -ENOMEM, NULL, "no memory");
}

/* All that was sent must go out, and what comes in meanwhile be read, or both sides wait. */
static int flush(struct pg *p)
{
	int left;

	while ((left = PQflush(p->conn)) == 1) {
		int r = wait_for(p, POLLIN | POLLOUT);

		if (r < 0)
			return r;
		if (!PQconsumeInput(p->conn))
			return -EIO;
	}
	return left;
}

/* *ret NULL: no more of this statement. */
static int next_result(struct pg *p, PGresult **ret)
{
	while (PQisBusy(p->conn)) {
		int r = wait_for(p, POLLIN);

		if (r < 0)
			return r;
		if (!PQconsumeInput(p->conn))
			return -EIO;
	}
	*ret = PQgetResult(p->conn);
	return 0;
}

/* The answer, or what went wrong. The connection is closed where nothing more can come of it. */
static int lost(struct pg *p, int r, struct sbx_error *err)
{
	if (r == -ETIMEDOUT)
		r = pg_error(err, -EAGAIN, NULL, "Postgres has not answered in time");
	else
		r = pg_error(err, -EAGAIN, NULL, "the connection to Postgres was lost");
	disconnect(p);
	return r;
}

static int failed(struct pg *p, const PGresult *res, struct sbx_error *err)
{
	int r = pg_result_error(res, err);

	if (PQstatus(p->conn) == CONNECTION_BAD || pg_closes_connection(res))
		disconnect(p);
	return r;
}

/* Reads to the end of the answer; *answer is the last result, or the first one that is an error. */
static int collect(struct pg *p, PGresult **answer)
{
	bool pipeline = PQpipelineStatus(p->conn) != PQ_PIPELINE_OFF;
	bool broken = false;

	for (;;) {
		_cleanup_(pg_clear) PGresult *res = NULL;
		ExecStatusType status;
		int r = next_result(p, &res);

		if (r < 0)
			return r;
		if (!res && PQstatus(p->conn) == CONNECTION_BAD)
			return -EIO;
		if (!res && pipeline)
			continue;
		status = res ? PQresultStatus(res) : PGRES_PIPELINE_SYNC;
		if (status == PGRES_PIPELINE_SYNC)
			return 0;
		if (status == PGRES_PIPELINE_ABORTED || broken)
			continue;
		broken = status == PGRES_FATAL_ERROR;
		PQclear(*answer);
		*answer = steal_ptr(res);
	}
}

static int answer_of(struct pg *p, PGresult **ret, struct sbx_error *err)
{
	_cleanup_(pg_clear) PGresult *answer = NULL;
	ExecStatusType status;
	int r = flush(p);

	if (r == 0)
		r = collect(p, &answer);
	status = answer ? PQresultStatus(answer) : PGRES_FATAL_ERROR;
	if (answer && status == PGRES_FATAL_ERROR)
		return failed(p, answer, err);
	if (r < 0)
		return lost(p, r, err);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
		disconnect(p);
		return pg_error(err, -EIO, NULL, "Postgres has answered what makes no sense");
	}
	if (ret)
		*ret = steal_ptr(answer);
	return 0;
}

static bool send_piped(struct pg *p, const char *sql, int n_params, const char *const *params)
{
	const char *const timeout = p->statement_ms;
	PGconn *c = p->conn;

	if (!p->transaction &&
	    !PQsendQueryParams(c, SETTINGS("$1"), 1, NULL, &timeout, NULL, NULL, 0))
		return false;
	return PQsendQueryParams(c, sql, n_params, NULL, params, NULL, NULL, 0) &&
	       PQpipelineSync(c);
}

int pg_query(struct pg *p, const char *sql, int n_params, const char *const *params, PGresult **ret,
	     struct sbx_error *err)
{
	bool transaction = p->transaction;
	int r = p->conn ? 0 : connect_now(p, err);

	if (r < 0)
		return r;
	p->deadline = deadline_after(
		ANSWER_AFTER(transaction ? STATEMENT_LONG_NS : p->statement_ns));
	if (!PQenterPipelineMode(p->conn) || !send_piped(p, sql, n_params, params))
		return lost(p, -EIO, err);
	r = answer_of(p, ret, err);
	if (r < 0 && transaction)
		disconnect(p);
	if (p->conn && !PQexitPipelineMode(p->conn))
		disconnect(p);
	return r;
}

static int simple(struct pg *p, const char *sql, struct sbx_error *err)
{
	int r;

	p->deadline = deadline_after(ANSWER_AFTER(STATEMENT_LONG_NS));
	if (!PQsendQuery(p->conn, sql))
		return lost(p, -EIO, err);
	r = answer_of(p, NULL, err);
	if (r < 0)
		disconnect(p);
	return r;
}

static const char begin_sql[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; " SETTINGS(
	"'60000'");

int pg_begin(struct pg *p, struct sbx_error *err)
{
	int r = p->conn ? 0 : connect_now(p, err);

	if (r == 0)
		r = simple(p, begin_sql, err);
	if (r == 0)
		p->transaction = true;
	return r;
}

int pg_script(struct pg *p, const char *sql, struct sbx_error *err)
{
	if (!p->transaction)
		return pg_error(err, -EINVAL, NULL, "there is no transaction");
	return simple(p, sql, err);
}

int pg_commit(struct pg *p, struct sbx_error *err)
{
	int r = pg_script(p, "COMMIT", err);

	p->transaction = false;
	return r;
}

/* A transaction ends with its connection; there is nothing to save in one that is given up. */
void pg_rollback(struct pg *p)
{
	if (p->transaction)
		disconnect(p);
}

/* What libpq says of a URL that it cannot read has the URL in it, and so the password. */
static int check_url(const char *url, struct sbx_error *err)
{
	PQconninfoOption *o = PQconninfoParse(url, NULL);

	if (!o)
		return pg_error(
			err, -EINVAL, NULL,
			"the URL of the database cannot be read: an unknown or malformed part");
	PQconninfoFree(o);
	return 0;
}

int pg_open(struct pg **ret, const char *url, const char *name, struct sbx_error *err)
{
	struct postgres_url u = { 0 };
	struct pg *p;
	int r = postgres_url_parse(url, &u, err);

	if (r == 0)
		r = check_url(u.url, err);
	p = r == 0 ? calloc(1, sizeof(*p)) : NULL;
	if (!p) {
		postgres_url_done(&u);
		return r < 0 ? r : pg_error(err, -ENOMEM, NULL, "no memory");
	}
	*p = (struct pg){ .url = u.url, .schema = u.schema, .name = name };
	pg_set_timeout(p, STATEMENT_NS);
	*ret = p;
	return 0;
}

struct pg *pg_free(struct pg *p)
{
	if (!p)
		return NULL;
	PQfinish(p->conn);
	free(p->url);
	free(p->schema);
	free(p);
	return NULL;
}

void pg_set_timeout(struct pg *p, uint64_t ns)
{
	p->statement_ns = ns;
	(void)snprintf(p->statement_ms, sizeof(p->statement_ms), "%llu",
		       (unsigned long long)(ns / NSEC_PER_MSEC + 1));
}

const char *pg_schema(const struct pg *p)
{
	return p->schema;
}

int pg_quote_name(const char *name, char ret[66], struct sbx_error *err)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	if (n == 0 || n > 63 || name[n] != '\0')
		return pg_error(err, -EINVAL, name,
				"a schema is named by 1 to 63 of the characters A-Z a-z 0-9 _");
	(void)snprintf(ret, 66, "\"%s\"", name);
	return 0;
}
