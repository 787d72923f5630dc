/* SPDX-License-Identifier: MIT */

/*
 * The connection over which scripts run. It logs in as the student's role, so nothing a script does
 * (RESET ROLE, SET SESSION AUTHORIZATION) leads anywhere else; there is no psql in between, so its
 * backslash commands are errors of syntax. Every wait ends at the deadline, whatever the script
 * sets statement_timeout to. Rows are thrown away as they come.
 */

#include <poll.h>

#include "inside/migrate/migrate.h"
#include "util/util.h"

#define STATEMENT_SHOWN 200u

/* The connection is in the middle of a COPY and cannot be used any further. */
#define REFUSED_BROKEN 2

static const char copy_hint[] = "rows that follow COPY ... FROM stdin are read only by psql: use "
				"INSERT (pg_dump --inserts)";
static const char full_hint[] = "the challenge's limit for the database is met (database_disk, "
				"database_memory): leave out rows";
static const char psql_hint[] = "what begins with a backslash is a command of psql, not SQL: "
				"remove it";

void result_clearp(PGresult **result)
{
	PQclear(*result);
}

void session_done(struct session *s)
{
	PQfinish(s->conn);
	s->conn = NULL;
}

static int timeout_problem(const struct session *s, struct problem *p)
{
	return problem_set(p,
			   "the SQL did not finish within %.3g s: is there an endless loop, or a "
			   "lock that it waits for?",
			   s->timeout_ms / 1000.0);
}

/* 0: something to read (or write); -ETIMEDOUT. */
static int wait_socket(const struct session *s, short events)
{
	struct pollfd fd = { .fd = PQsocket(s->conn), .events = events };

	for (;;) {
		uint64_t now = now_ns();
		int n;

		if (now >= s->deadline)
			return -ETIMEDOUT;
		n = poll(&fd, 1, (int)MIN_OF((s->deadline - now) / NSEC_PER_MSEC + 1, 60000u));
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int connect_problem(const struct session *s, struct problem *p)
{
	(void)snprintf(p->text, sizeof(p->text), "cannot connect to the database: %s",
		       PQerrorMessage(s->conn));
	return -ECONNREFUSED;
}

int session_open(struct session *s, const char *url, struct problem *p)
{
	static const char *const keys[] = { "dbname", "sslmode", "gssencmode", "client_encoding",
					    NULL };
	const char *const values[] = { url, "disable", "disable", "UTF8", NULL };
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	s->conn = PQconnectStartParams(keys, values, 1);
	if (!s->conn)
		return -ENOMEM;
	if (PQstatus(s->conn) == CONNECTION_BAD)
		return connect_problem(s, p);
	while (status != PGRES_POLLING_OK) {
		int r = wait_socket(s, status == PGRES_POLLING_READING ? POLLIN : POLLOUT);

		if (r < 0)
			(void)snprintf(p->text, sizeof(p->text),
				       "cannot connect to the database: %s", strerror(-r));
		if (r < 0)
			return r;
		status = PQconnectPoll(s->conn);
		if (status == PGRES_POLLING_FAILED)
			return connect_problem(s, p);
	}
	return 0;
}

/* The next result; *ret NULL: the query has ended. 1: too late. */
static int next_result(struct session *s, PGresult **ret, struct problem *p)
{
	while (PQisBusy(s->conn)) {
		int r = wait_socket(s, POLLIN);

		if (r == -ETIMEDOUT)
			return timeout_problem(s, p);
		if (r < 0)
			return r;
		/* A broken connection becomes an error result. */
		if (!PQconsumeInput(s->conn))
			break;
	}
	*ret = PQgetResult(s->conn);
	return 0;
}

int session_query(struct session *s, const char *sql, int n, const char *const *values,
		  PGresult **ret, struct problem *p)
{
	_cleanup_(result_clearp) PGresult *result = NULL;
	ExecStatusType status;

	if (!PQsendQueryParams(s->conn, sql, n, NULL, values, NULL, NULL, 0))
		return problem_set(p, "the SQL so far made the database end the connection: %s",
				   PQerrorMessage(s->conn));
	for (;;) {
		PGresult *next;
		int r = next_result(s, &next, p);

		if (r != 0)
			return r;
		if (!next)
			break;
		PQclear(result);
		result = next;
	}
	status = PQresultStatus(result);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		return problem_set(p, "the SQL so far makes the database refuse \"%.60s\": %s", sql,
				   PQresultErrorMessage(result));
	if (ret)
		*ret = steal_ptr(result);
	return 0;
}

/* Where the error is: as the server says, else the statement that has not answered. */
static bool find_statement(const struct sql_file *file, const PGresult *result, unsigned answered,
			   size_t *ret_offset, size_t *ret_start, size_t *ret_end)
{
	const char *field = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	size_t offset = 0, at = 0;

	if (field)
		offset = sql_offset(file->sql, file->size, strtoul(field, NULL, 10));
	for (unsigned i = 0; sql_next(file->sql, file->size, &at, ret_start, ret_end); i++) {
		if (field ? offset < at || at == file->size : i == answered) {
			*ret_offset = field ? offset : *ret_start;
			return true;
		}
	}
	return false;
}

static void append(struct problem *p, const char *label, const char *text, size_t n)
{
	size_t at = strlen(p->text);

	if (!text || n == 0)
		return;
	(void)snprintf(p->text + at, sizeof(p->text) - at, "\n  %s: %.*s%s", label,
		       (int)utf8_cut(text, n, 800), text, n > 800 ? "..." : "");
}

static void append_field(struct problem *p, const char *label, const PGresult *result, int field)
{
	const char *text = PQresultErrorField(result, field);

	append(p, label, text, text ? strlen(text) : 0);
}

static void append_statement(struct problem *p, const char *sql, size_t n)
{
	char shown[STATEMENT_SHOWN + 1];
	size_t size = utf8_cut(sql, n, STATEMENT_SHOWN);

	for (size_t i = 0; i < size; i++)
		shown[i] = strchr("\n\r\t", sql[i]) ? ' ' : sql[i];
	shown[size] = '\0';
	append(p, n > size ? "statement begins" : "statement", shown, size);
}

static int script_problem(const struct sql_file *file, const PGresult *result, unsigned answered,
			  struct problem *p)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	size_t offset, start, end;
	struct sql_place place;

	if (!message)
		return problem_set(p,
				   "%s: the database ended the connection; did the SQL need more "
				   "memory or disk than the database has? %s",
				   QUOTE(file->path), PQresultErrorMessage(result));
	if (!find_statement(file, result, answered, &offset, &start, &end)) {
		(void)problem_set(p, "%s: %.1000s (%s)", QUOTE(file->path), message,
				  state ? state : "");
	} else {
		place = sql_place(file->sql, offset);
		(void)problem_set(p, "%s:%u:%u: %.1000s (%s)", QUOTE(file->path), place.line,
				  place.column, message, state ? state : "");
		append_statement(p, file->sql + start, end - start);
		if (file->sql[offset] == '\\')
			append(p, "hint", psql_hint, strlen(psql_hint));
		else if (state && streq(state, "42601") && strcasestr(file->sql, "from stdin"))
			append(p, "hint", copy_hint, strlen(copy_hint));
		else if (state && starts_with(state, "53"))
			append(p, "hint", full_hint, strlen(full_hint));
	}
	append_field(p, "detail", result, PG_DIAG_MESSAGE_DETAIL);
	append_field(p, "hint", result, PG_DIAG_MESSAGE_HINT);
	append_field(p, "where", result, PG_DIAG_CONTEXT);
	return 1;
}

static int copy_problem(const struct sql_file *file, unsigned answered, struct problem *p)
{
	size_t offset = 0, start = 0, end = 0;

	(void)find_statement(file, NULL, answered, &offset, &start, &end);
	(void)problem_set(p,
			  "%s:%u: COPY from or to the client does not work here: use INSERT "
			  "(pg_dump --inserts)",
			  QUOTE(file->path), sql_place(file->sql, offset).line);
	return REFUSED_BROKEN;
}

/* Nothing is read meanwhile: the server answers when it has all, which is at most SQL_MAX_FILE. */
static int send_rows(struct session *s, struct copy_rows *rows)
{
	int r = 1;

	if (rows->size > 0)
		r = PQputCopyData(s->conn, rows->bytes, (int)rows->size);
	if (r == 1)
		r = PQputCopyEnd(s->conn, NULL);
	rows->sent = true;
	return r == 1 ? 0 : -EIO;
}

/* Takes the result. 0 go on; 1 or REFUSED_BROKEN with `p`. */
static int take_result(struct session *s, const struct sql_file *file, PGresult *result,
		       unsigned *answered, struct copy_rows *rows, struct problem *p)
{
	_cleanup_(result_clearp) PGresult *taken = result;

	switch (PQresultStatus(taken)) {
	case PGRES_SINGLE_TUPLE:
		return 0;
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
		(*answered)++;
		return 0;
	case PGRES_COPY_IN:
		if (rows && !rows->sent)
			return send_rows(s, rows);
		return copy_problem(file, *answered, p);
	case PGRES_COPY_OUT:
	case PGRES_COPY_BOTH:
		return copy_problem(file, *answered, p);
	default:
		return script_problem(file, taken, *answered, p);
	}
}

static int check_transaction(struct session *s, const struct sql_file *file, struct problem *p)
{
	PGTransactionStatusType status = PQtransactionStatus(s->conn);

	if (status == PQTRANS_IDLE)
		return 0;
	return problem_set(p,
			   "%s: leaves a transaction open: add COMMIT, or remove BEGIN (a file is "
			   "applied whole or not at all anyway)",
			   QUOTE(file->path));
}

int session_rows(struct session *s, const struct sql_file *file, struct copy_rows *rows,
		 struct problem *p)
{
	unsigned answered = 0;
	int r = 0;

	if (!PQsendQuery(s->conn, file->sql))
		return problem_set(
			p,
			"%s: cannot be sent, since the SQL before it made the database end "
			"the connection: %s",
			QUOTE(file->path), PQerrorMessage(s->conn));
	(void)PQsetSingleRowMode(s->conn);
	for (;;) {
		PGresult *result;
		int taken = next_result(s, &result, p);

		if (taken > 0)
			return problem_set(p,
					   "%s: did not finish within %.3g s: is there an endless "
					   "loop, or a lock that it waits for?",
					   QUOTE(file->path), s->timeout_ms / 1000.0);
		if (taken < 0)
			return taken;
		if (!result)
			break;
		if (r != 0) { /* what follows the first error is its echo */
			PQclear(result);
			continue;
		}
		r = take_result(s, file, result, &answered, rows, p);
		if (r == REFUSED_BROKEN)
			return 1;
	}
	return r;
}

int session_script(struct session *s, const struct sql_file *file, struct problem *p)
{
	int r = session_piece(s, file, p);

	return r ? r : check_transaction(s, file, p);
}

/* From where the last piece ended to the end of the next COPY statement, or of the file. */
static int dump_piece(struct session *s, const struct sql_file *file, const struct sql_dump *d,
		      size_t from, const struct sql_rows *rows, struct problem *p)
{
	size_t to = rows ? rows->statement_end : d->size;
	_cleanup_free_ char *text = strndup(d->sql, to);
	struct sql_file piece = { .path = file->path, .sql = text, .size = to };
	struct copy_rows copy = {};

	if (!text)
		return -ENOMEM;
	sql_blank(text, 0, from);
	if (rows)
		copy = (struct copy_rows){ d->sql + rows->from, rows->to - rows->from, false };
	return session_rows(s, &piece, rows ? &copy : NULL, p);
}

static int dump_pieces(struct session *s, const struct sql_file *file, const struct sql_dump *d,
		       struct problem *p)
{
	struct problem ignored;
	size_t from = 0;
	int r = session_query(s, "BEGIN", 0, NULL, NULL, p);

	for (size_t i = 0; i <= d->n_rows && r == 0; i++) {
		const struct sql_rows *rows = i < d->n_rows ? &d->rows[i] : NULL;

		r = dump_piece(s, file, d, from, rows, p);
		from = rows ? rows->end : from;
	}
	if (r == 0 && PQtransactionStatus(s->conn) == PQTRANS_INTRANS)
		return session_query(s, "COMMIT", 0, NULL, NULL, p);
	if (r != 0)
		(void)session_query(s, "ROLLBACK", 0, NULL, NULL, &ignored);
	return r;
}

int session_dump(struct session *s, const struct sql_file *file, struct problem *p)
{
	_cleanup_(sql_dump_done) struct sql_dump d = {};
	struct sql_file clean;
	int r = sql_dump(file, &d, p);

	if (r != 0)
		return r;
	if (d.n_rows > 0)
		return dump_pieces(s, file, &d, p);
	clean = (struct sql_file){ .path = file->path, .sql = d.sql, .size = d.size };
	return session_script(s, &clean, p);
}
