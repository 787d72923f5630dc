/* SPDX-License-Identifier: MIT */
#pragma once

#include <libpq-fe.h>

#include "inside/migrate/sqllist.h"

#define SQL_MAX_FILE (4u << 20)
#define SQL_MAX_TOTAL (16u << 20)

/* One script, checked: UTF-8 without NUL, of bounded size. */
struct sql_file {
	const char *path; /* borrowed */
	char *bytes;	  /* the whole file, terminated */
	const char *sql;  /* behind a byte order mark */
	size_t size;	  /* of sql */
};

/* migrate-sql.c */
int sql_load(int root, const char *path, struct sql_file *ret, struct problem *p);
void sql_done(struct sql_file *file);

/* A place in a script, for people: the 1-based line and column (in characters) of a byte. */
struct sql_place {
	unsigned line, column;
};
struct sql_place sql_place(const char *sql, size_t offset);
/* The byte of the 1-based character `position`, as the server counts; `size` when it is beyond. */
size_t sql_offset(const char *sql, size_t size, unsigned long position);
/*
 * The next statement at or after *at: its bytes without surrounding space and comments; *at moves
 * behind its semicolon. False at the end.
 */
bool sql_next(const char *sql, size_t size, size_t *at, size_t *ret_start, size_t *ret_end);

/*
 * migrate-psql.c: a script made fit to be sent: commands of psql and statements of administrators
 * blanked, the rows of COPY found. Blanks keep lines and columns.
 */
struct sql_rows {
	size_t statement_end; /* behind the statement, before its semicolon */
	size_t from, to;      /* the rows, newlines included */
	size_t end;	      /* of the line "\\." */
};
struct sql_dump {
	char *sql;
	size_t size;
	struct sql_rows *rows;
	size_t n_rows;
	unsigned left_out; /* statements and commands */
};
int sql_dump(const struct sql_file *file, struct sql_dump *ret, struct problem *p);
void sql_dump_done(struct sql_dump *d);
void sql_blank(char *sql, size_t from, size_t to); /* newlines stay */

/* migrate-run.c: a connection with the student's role, and a moment at which all must be done. */
struct session {
	PGconn *conn;
	uint64_t deadline;
	unsigned timeout_ms;
};
int session_open(struct session *s, const char *url, struct problem *p);
void session_done(struct session *s);
/* One script as one simple query: all or nothing, unless it manages transactions itself. */
int session_script(struct session *s, const struct sql_file *file, struct problem *p);
/* The same without a look at transactions; `rows` (may be NULL) answers one COPY ... FROM stdin. */
struct copy_rows {
	const char *bytes;
	size_t size;
	bool sent;
};
int session_rows(struct session *s, const struct sql_file *file, struct copy_rows *rows,
		 struct problem *p);
static inline int session_piece(struct session *s, const struct sql_file *file, struct problem *p)
{
	return session_rows(s, file, NULL, p);
}
/* A script as psql would run it, see migrate-psql.c; with COPY, all in one transaction. */
int session_dump(struct session *s, const struct sql_file *file, struct problem *p);
/* A statement of ours with text parameters. */
int session_query(struct session *s, const char *sql, int n, const char *const *values,
		  PGresult **ret, struct problem *p);
void result_clearp(PGresult **result);

/* migrate-drizzle.c: what the migrate() of drizzle-orm does with a folder. */
int drizzle_migrate(struct session *s, int root, const char *folder, struct problem *p);

/* migrate-prisma.c: what `prisma migrate deploy` does. */
int prisma_deploy(struct session *s, int root, const struct sql_list *list, struct problem *p);
