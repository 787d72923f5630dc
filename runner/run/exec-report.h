/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What exec and shell say of a run: lines for people on stderr, objects for machines. The result
 * goes to --json as one object; --status-fd gets lines while it happens:
 *   {"event":"started","pid":...,...}
 *   {"event":"finished", and the members of the result}
 */

#include "exec-jail.h"
#include <cjson/cJSON.h>
#include <sandbox/sandbox.h>
#include <stdio.h>

struct exec_outputs {
	FILE *json;
	FILE *status;
};

/* Before anything is made: a result that cannot be written is better known before the work. */
int exec_outputs_open(struct exec_outputs *out, const struct exec_options *o,
		      struct sbx_error *err);
void exec_outputs_done(struct exec_outputs *out);

/* The program runs. */
void exec_started(struct exec_outputs *out, const struct exec_jail *j, const struct sbx_proc *p);

/*
 * It has ended (`r`) or never ran (NULL; `err` says why). Prints and writes what was asked for and
 * returns the exit code of sandbox-run.
 */
int exec_finished(const char *command, struct exec_outputs *out, const struct exec_jail *j,
		  const struct sbx_result *r, const struct sbx_error *err);

/* The exit code of sandbox-run for this result. */
int exec_exit_code(const struct sbx_result *r);

/* A line on stderr for each thing other than the program itself that ended or limited it. */
void exec_summary(const struct sbx_result *r, const struct exec_options *o);

/* One line of JSON; takes `o`. 0 or -errno. */
int exec_write_object(FILE *to, cJSON *o);

/* One line, sandbox-exec/1. `event` may be NULL. 0 or -errno. */
int exec_json(FILE *to, const char *event, const struct sbx_result *r, const struct sbx_error *err,
	      int exit_code);
