/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A tester: a program in a jail of its own beside the app's that runs some of the challenge's tests
 * and reports JSON lines (tests-report.h). It is made and loaded ahead, and then waits for one
 * byte. There is one for each kind of tests that the challenge has; they run one after another.
 */

#include "pipeline/pipeline.h"

/* A tester's end before its time is the tests' failure, not ours: responses may bring it about. */
#define TESTER_MAY_DIE 1u
/* Its cases come in any order, by index. */
#define TESTER_BY_INDEX 2u

struct tester_kind {
	const char *name; /* label of the jail */
	unsigned int flags;
	/* Makes t->jail and t->proc; report, log and go are there. */
	int (*launch)(struct job *job, struct tester *t, int go);
	/*
	 * t->asks is readable: answer what the tester wants from the host. 0 to go on; <0 ours. It
	 * may end and start job->server, as long as server_ended is false when it returns.
	 */
	int (*asked)(struct job *job, struct tester *t);
};

extern const struct tester_kind tester_hurl, tester_suite;

#define TESTER_GO_FD 4
#define TESTER_REPORT_FD 3
#define TESTER_ASKS_FD 5
#define TESTER_LOG (64u << 10)

/*
 * Starts t->proc with the descriptors and limits that all testers have: path, argv, env (NULL: a
 * small one) and cwd are the caller's.
 */
int tester_exec(struct job *job, struct tester *t, int go, struct sbx_exec *e);
