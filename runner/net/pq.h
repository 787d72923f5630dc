/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Connections of libpq within a time. PQconnectPoll() does not block but for one thing: it looks up
 * the server's name. So that is done before (resolve.h), and libpq is given addresses, with the
 * name for what certificates and password files are compared with.
 */

#include <libpq-fe.h>
#include <stdint.h>

#include "net/resolve.h"

/*
 * PQconnectStartParams(keys, values, 1); the first "dbname" is the URL. NULL and `why`: the name is
 * not found, or there is no memory (then it is "").
 */
PGconn *pq_start(const char *const *keys, const char *const *values, uint64_t deadline,
		 char why[RESOLVE_WHY]);
/* Until it is connected: 0; -ETIMEDOUT; -EIO, and libpq says why. */
int pq_await(PGconn *conn, uint64_t deadline);
