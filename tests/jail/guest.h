/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A caller of the library in a child process of the test: what it does in its usual life, and a way
 * to complain, as cmocka's own assertions would go on with the next test there.
 */

#include "corner.h"
#include "fixture.h"
#include "snapshot.h"
#include <errno.h>
#include <sandbox/sandbox.h>
#include <string.h>

struct guest {
	struct sbx_ctx *ctx;
	struct sbx_plan *plan;
	struct sbx_jail *jail;
	struct sbx_proc *server;
	int fds_before, fds_ctx, fds_jail; /* how many there were */
	struct sbx_error err;
};

/* Run `body` in a child with a copy of everything; what it leaves is reaped and compared. */
void guest_run(struct corner *c, void (*body)(void));

/* ------------------------------------------------------- for `body`, in the child */

_Noreturn void guest_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define NEED(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			guest_complain("%s:%d: %s (%s)", __FILE__, __LINE__, #condition,           \
				       strerror(errno));                                           \
	} while (0)

/* For calls of the library that fill g->err. */
#define WORKS(call)                                                                                \
	do {                                                                                       \
		if ((call) < 0)                                                                    \
			guest_complain("%s:%d: %s: %s", __FILE__, __LINE__, #call,                 \
				       fixture_error(&g->err));                                    \
	} while (0)

struct sbx_ctx_options guest_options(void);
void guest_plan(struct guest *g, const char *path); /* NULL: the policy exec */
int guest_jail(struct guest *g, struct sbx_jail **ret);
void guest_open(struct guest *g); /* a plan, a ctx, a jail */
void guest_echo(struct guest *g); /* a word goes in and comes back; the library copies the output */
void guest_serve(struct guest *g); /* a server that runs until the end, a connection, a relay */
int guest_probe(struct guest *g, const char *name, const char *argument); /* its exit status */
void guest_close(struct guest *g);

int guest_count_fds(void);
void guest_close_fds(void); /* all but stdio and what the test itself needs */
void guest_need_same(const struct snapshot *before, unsigned int flags, const char *when);

/*
 * All of the above; afterwards the process must be as it was, and, descriptors and children apart,
 * in the middle of it as well.
 */
void guest_life(void);
