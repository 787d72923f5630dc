/* SPDX-License-Identifier: MIT */

/*
 * libpq has no SQLSTATE for a connection that was refused: it stands in the text, which with
 * PQERRORS_VERBOSE is "...FATAL:  28P01: password authentication failed for user ...\nLOCATION:
 * ...".
 */

#include "fleet/ledger/pg-errors.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fleet/ledger/pg.h"
#include "util/util.h"

/* By the longest beginning. Anything else is -EIO: a statement of ours is wrong. */
static const struct {
	const char *state;
	int code;
} codes[] = {
	{ "08", -EAGAIN },    /* connection */
	{ "22", -EINVAL },    /* a value that does not fit, */
	{ "23", -EINVAL },    /* or that a constraint refuses: of this row, not of the next */
	{ "25006", -EAGAIN }, /* read only: a standby, until it is promoted */
	{ "28", -EACCES },    /* password, pg_hba.conf */
	{ "3D000", -EACCES }, /* no such database */
	{ "3F000", -EPROTO }, /* no such schema */
	{ "40", -EAGAIN },    /* serialization, deadlock */
	{ "42501", -EACCES }, /* privilege */
	{ "42703", -EPROTO }, /* no such column */
	{ "42883", -EPROTO }, /* function */
	{ "42P01", -EPROTO }, /* table */
	{ "53", -EAGAIN },    /* memory, disk, connections */
	{ "55006", -EAGAIN }, /* object in use */
	{ "55P03", -EAGAIN }, /* lock */
	{ "57", -EAGAIN },    /* shutdown, restart, starting, statement_timeout */
	{ "58", -EAGAIN },    /* the server's disk */
};

int pg_sqlstate_code(const char *state)
{
	if (!state || state[0] == '\0')
		return -EAGAIN;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (starts_with(state, codes[i].state))
			return codes[i].code;
	return -EIO;
}

bool pg_closes_connection(const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	return !state || streq(state, "25006") || starts_with(state, "08") ||
	       (starts_with(state, "57") && !streq(state, "57014"));
}

static const char *advice(int code)
{
	switch (code) {
	case -EACCES:
		return "Postgres refuses";
	case -EPROTO:
		return "the schema is not what this version needs";
	case -EAGAIN:
		return "Postgres cannot do it now";
	default:
		return "Postgres does not take it";
	}
}

int pg_result_error(const PGresult *res, struct sbx_error *err)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	int code = pg_sqlstate_code(state);

	if (!text)
		return pg_error(err, code, NULL, "the connection to Postgres was lost");
	return pg_error(err, code, state, "%s: %.*s", advice(code), (int)strcspn(text, "\n"), text);
}

static bool is_sqlstate(const char *at)
{
	return strspn(at, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && at[5] == ':' &&
	       at[6] == ' ';
}

/* ":  28P01: text": where the last such thing is, as several servers may have been asked. */
static const char *find_state(const char *text)
{
	const char *found = NULL;

	for (const char *at = text; (at = strstr(at, ":  ")); at++)
		if (is_sqlstate(at + 3))
			found = at + 3;
	return found;
}

int pg_connection_error(const PGconn *conn, struct sbx_error *err)
{
	const char *text = PQerrorMessage(conn), *found = find_state(text);
	char state[6] = "";
	int code;

	if (found) {
		copy_string(state, sizeof(state), found);
		text = found + 7;
		code = pg_sqlstate_code(state);
		return pg_error(err, code, state, "%s: %.*s", advice(code),
				(int)strcspn(text, "\n"), text);
	}
	if (PQconnectionNeedsPassword(conn))
		return pg_error(err, -EACCES, NULL,
				"Postgres asks for a password and none is configured");
	return pg_error(err, -EAGAIN, NULL, "cannot connect to Postgres: %.*s",
			(int)strcspn(text, "\n"), text);
}
