/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The jail of exec and shell: from options to a plan, from a plan to a parked jail with its ports,
 * and back to nothing. Signals that would end us are blocked first and read from `signals`, so that
 * from the first group made to the last one removed there is no instant at which Ctrl-C could leave
 * something behind.
 */

#include "exec-options.h"
#include "pipeline/settings.h"
#include <sandbox/sandbox.h>

#define EXIT_LIMIT 124
#define EXIT_SETUP 125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

#define EXEC_PORTS_MAX 64

struct exec_jail {
	struct settings settings;
	char *policy_path;
	struct sbx_plan *plan;
	struct sbx_ctx *ctx;
	struct sbx_group *group; /* only with --memory; see exec_jail_make() */
	struct sbx_jail *jail;
	int signals;
	int caught; /* the signal that ended us; 0: none */
	uint32_t n_published;
	struct exec_port published[EXEC_PORTS_MAX]; /* host_port is the one listened on */
};

#define EXEC_JAIL_NULL                                                                             \
	{                                                                                          \
		.signals = -1                                                                      \
	}

/* Fills `err` and returns `code`. */
int exec_fail(struct sbx_error *err, int code, const char *stage, const char *item,
	      const char *text);

/* Finds the installation and compiles the policy as the options want it. Makes nothing. */
int exec_jail_plan(struct exec_jail *j, const struct exec_options *o, struct sbx_error *err);

/* exec-policy.c: the policy file at `path` with the options on top, compiled. */
int exec_policy_compile(const struct settings *settings, const char *path,
			const struct exec_options *o, struct sbx_plan **ret, struct sbx_error *err);

/* Blocks signals, then makes context, group, jail and ports. */
int exec_jail_make(struct exec_jail *j, const struct exec_options *o, struct sbx_error *err);
void exec_jail_done(struct exec_jail *j);

/* Reads one signal: remembers it and ends the jail. */
void exec_jail_signal(struct exec_jail *j);

/* Says on stderr why there was no run. Returns the exit code. */
int exec_jail_complain(const char *command, const struct exec_options *o,
		       const struct sbx_error *err);
