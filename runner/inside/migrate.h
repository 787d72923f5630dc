/* SPDX-License-Identifier: MIT */
#pragma once

#include <libpq-fe.h>

#include "inside/sqllist.h"

#define SQL_MAX_FILE (1u << 20)
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
/* A statement of ours with text parameters. */
int session_query(struct session *s, const char *sql, int n, const char *const *values,
		  PGresult **ret, struct problem *p);
void result_clearp(PGresult **result);

/* migrate-prisma.c: what `prisma migrate deploy` does. */
int prisma_deploy(struct session *s, int root, const struct sql_list *list, struct problem *p);
