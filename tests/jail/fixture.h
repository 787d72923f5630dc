/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the jail tests share: one context in a corner of its own (corner.h), plans made from a shipped policy with some keys changed,
 * and running tests/jail/probe in a jail or on the host.
 */

#include <sandbox/sandbox.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The shipped policy `name` with "key=value" settings (NULL-terminated list, may be NULL). */
struct sbx_plan *fixture_plan(const char *name, const char *const *settings);

struct sbx_ctx *fixture_ctx(void);
void fixture_free(void); /* at the end, so that leak checkers see an empty house */

/* Makes a jail that has the probe at /probe. Fails the test if it cannot. */
struct sbx_jail *fixture_jail(struct sbx_plan *plan, const struct sbx_jail_options *options);

/* Starts `argv` (the program's path first) in the jail with no stdio but stdout_fd, if that is >= 0. */
struct sbx_proc *fixture_start(struct sbx_jail *j, const char *const *argv, int stdout_fd);

/* Runs the probe in a jail of its own and returns how it ended. */
struct sbx_result fixture_probe(const char *policy, const char *const *settings, const char *name,
				const char *argument);

/* Runs the probe on the host in namespaces of its own where `unshared`; its exit status or -signal. */
int fixture_host(const char *name, const char *argument, bool unshared);

/*
 * Lanes. The tests run as root and as an ordinary user, with and without a delegated group. A test
 * says what it needs; where that is missing it is listed with the reason and not run.
 */
#define FIXTURE_LIMITS                                                                             \
	(SBX_LIMIT_MEMORY | SBX_LIMIT_SWAP | SBX_LIMIT_PIDS | SBX_LIMIT_CPU | SBX_LIMIT_CPU_TIME)
#define FIXTURE_ROOT (1u << 30)   /* a privileged caller */
#define FIXTURE_GROUPS (1u << 29) /* control groups */
#define FIXTURE_V1 (1u << 28)     /* a memory hierarchy of cgroup v1 */

struct fixture_test {
	struct CMUnitTest test;
	uint32_t needs;  /* SBX_LIMIT_* that must be enforced, FIXTURE_* */
	const char *why; /* why only root has it; NULL: the usual reason */
};

#define FIXTURE_TEST(f)                                                                            \
	{                                                                                          \
		cmocka_unit_test(f), 0, NULL                                                       \
	}
#define FIXTURE_TEST_NEEDS(f, needs, why)                                                          \
	{                                                                                          \
		cmocka_unit_test(f), needs, why                                                    \
	}

struct corner;

bool fixture_is_user(void);
struct sbx_ctx_options fixture_ctx_options(void);
const struct corner *fixture_corner(void); /* where its ctx lives */

/* Runs what the lane can run, frees what the fixture made, and returns how many failed. */
int fixture_run(const char *name, const struct fixture_test *tests, size_t n);

const char *fixture_error(const struct sbx_error *err);
