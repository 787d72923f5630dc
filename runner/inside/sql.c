/* SPDX-License-Identifier: MIT */

/*
 * `sandbox-inside sql`: one statement of a test (# @sql), on stdin, as the application's own role
 * in its own database; PGHOST, PGUSER and so on say which. It runs in the database's jail: the host
 * parses nothing that a database of a student says. What comes out, on stdout, is one byte and at
 * most 399 of text: V and the value, N for NULL, E and why there is none.
 *
 * The transaction is read-only and short, whatever the role has set for itself: what is given at
 * the connection's start counts more.
 */

#include <libpq-fe.h>

#include "inside/inside.h"
#include "util/util.h"

#define MAX_STATEMENT 4096
#define MAX_TEXT 399
#define OPTIONS "-cstatement_timeout=2000 -clock_timeout=2000 -cdefault_transaction_read_only=on"

static void finishp(PGconn **conn)
{
	PQfinish(*conn);
}

static int answer(char kind, const char *text)
{
	size_t n = strlen(text);

	/* messages of Postgres end in a line break, and may have several lines */
	if (kind == 'E')
		n = strcspn(text, "\n");
	return printf("%c%.*s", kind, (int)MIN_OF(n, (size_t)MAX_TEXT), text) > 0 &&
			       fflush(stdout) == 0
		       ? 0
		       : 3;
}

static int read_statement(char *out)
{
	size_t n = fread(out, 1, MAX_STATEMENT, stdin);

	if (ferror(stdin) || n == MAX_STATEMENT || memchr(out, '\0', n))
		return -EINVAL;
	out[n] = '\0';
	return 0;
}

/* The first row; a second one is a mistake in the test that must not pass by chance. */
static int take_value(PGconn *conn, PGresult *first)
{
	PGresult *second;
	bool more;

	if (PQresultStatus(first) == PGRES_TUPLES_OK)
		return answer('E', "the statement gives no row");
	if (PQresultStatus(first) == PGRES_COMMAND_OK)
		return answer('E', "the statement gives no rows: it must be a SELECT");
	if (PQresultStatus(first) != PGRES_SINGLE_TUPLE)
		return answer('E', PQresultErrorMessage(first));
	if (PQnfields(first) != 1)
		return answer('E', "the statement gives more than one column");
	second = PQgetResult(conn);
	more = PQresultStatus(second) == PGRES_SINGLE_TUPLE;
	PQclear(second);
	if (more)
		return answer('E', "the statement gives more than one row");
	if (PQgetisnull(first, 0, 0))
		return answer('N', "");
	if (PQgetlength(first, 0, 0) > MAX_TEXT)
		return answer('E', "the value is longer than 399 bytes");
	return answer('V', PQgetvalue(first, 0, 0));
}

static int run(PGconn *conn, const char *statement)
{
	PGresult *first;
	int r;

	/* the extended protocol takes one statement and no more */
	if (!PQsendQueryParams(conn, statement, 0, NULL, NULL, NULL, NULL, 0) ||
	    !PQsetSingleRowMode(conn))
		return answer('E', PQerrorMessage(conn));
	first = PQgetResult(conn);
	r = take_value(conn, first);
	PQclear(first);
	return r;
}

int inside_sql(void)
{
	static const char *const keys[] = { "connect_timeout", "options",         "sslmode",
					    "gssencmode",      "client_encoding", NULL };
	static const char *const values[] = { "3", OPTIONS, "disable", "disable", "UTF8", NULL };
	_cleanup_(finishp) PGconn *conn = NULL;
	char statement[MAX_STATEMENT + 1];

	if (read_statement(statement) < 0)
		return answer('E', "the statement cannot be read");
	conn = PQconnectdbParams(keys, values, 0);
	if (!conn)
		return 3;
	if (PQstatus(conn) != CONNECTION_OK)
		return answer('E', PQerrorMessage(conn));
	return run(conn, statement);
}
