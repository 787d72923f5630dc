/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Databases on an operator's cluster. A *keeper* is a process that has the administrator's URL; it
 * is started by whoever has that URL, once for each judge. The judge has a socket to it, and no
 * right on the cluster: it takes a database, and gives it back. Nothing of libpq is linked here.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <sys/types.h>

#include "database/wire.h"

/*
 * program         the sandbox-keeper executable (settings.keeper)
 * url             of the administrator; kept nowhere
 * shared          isolation "schema": the database that all share; NULL: a database each
 * template        of each database; NULL: template0
 * temp_file_limit NULL: "64MB"
 * connections     of one submission at once; 0: 20
 * ahead           databases that wait, at most 4; 0: none, each is made when it is asked for
 */
struct keeper_options {
	const char *program, *url, *shared, *template, *temp_file_limit;
	uint32_t connections, ahead;
};

struct keeper {
	pid_t pid;
	int pidfd;
	int fd; /* the judge's end */
};
#define KEEPER_NULL                                                                                \
	(struct keeper)                                                                            \
	{                                                                                          \
		.pid = -1, .pidfd = -1, .fd = -1                                                   \
	}

/* Starts it (fork and exec: no thread of the caller is copied). It reports when it is asked. */
int keeper_start(struct keeper *k, const struct keeper_options *o, struct sbx_error *err);
/* False once it has ended: start another, which sweeps what this one left. */
bool keeper_alive(const struct keeper *k);
/* Closes the caller's end and waits until all is dropped. */
void keeper_stop(struct keeper *k);

/*
 * What the cluster has and lacks, one row each; at most KEEPER_CHECKS_MAX. Makes and drops a
 * database. How many, or <0: the keeper cannot be started.
 */
int keeper_check(const struct keeper_options *o, struct sbx_check *ret, struct sbx_error *err);

/*
 * Drops what owners that are gone left on the cluster; with `dry` nothing, `each` is called with
 * the names all the same. How many; <0 as keeper_answer().
 */
int keeper_sweep(const struct keeper_options *o, bool dry,
		 void (*each)(const char *name, void *data), void *data, struct sbx_error *err);

/* ------------------------------------------------------- the judge's half: a socket alone */

/* Asks; the answer makes the socket readable. Returns the number of the question, or <0. */
int64_t keeper_ask(int fd, enum keeper_what what, uint64_t disk, struct sbx_error *err);
/*
 * The answer to `serial`, waited for at most `timeout_ns`; those to other questions are dropped.
 * -ETIMEDOUT there is none yet; -EPIPE the keeper has ended; -EAGAIN the cluster cannot be reached
 * now; -EACCES it refuses the administrator; other codes of the keeper.
 */
int keeper_answer(int fd, int64_t serial, uint64_t timeout_ns, struct keeper_reply *ret,
		  struct sbx_error *err);
