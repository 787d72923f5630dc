/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the jail tests share: one context, plans made from a shipped policy with some keys changed,
 * and running tests/jail/probe in a jail or on the host.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>

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

const char *fixture_error(const struct sbx_error *err);
