/* SPDX-License-Identifier: MIT */
#pragma once

#include <libpq-fe.h>
#include <sandbox/sandbox.h>
#include <stdbool.h>

/* Of a SQLSTATE ("" or NULL: libpq itself failed): -EAGAIN, -EACCES, -EPROTO or -EIO. */
int pg_sqlstate_code(const char *state);

int pg_result_error(const PGresult *res, struct sbx_error *err);
/* Of a connection that could not be made, with PQERRORS_VERBOSE set. */
int pg_connection_error(const PGconn *conn, struct sbx_error *err);
/* The server ends this connection, or another server is to be looked for. */
bool pg_closes_connection(const PGresult *res);
