/* SPDX-License-Identifier: MIT */
#pragma once

/* What exec says of a run: a line for people, an object for machines. */

#include <sandbox/sandbox.h>
#include <stdio.h>

/* The limits as they were written on the command line; NULL where the policy's hold. */
struct exec_limits {
	const char *memory, *cpu_time, *wall, *pids, *disk, *fsize, *output;
};

/* The exit code of sandbox-run for this result. */
int exec_exit_code(const struct sbx_result *r);

/* A line on stderr if something other than the program itself ended it or cut its output. */
void exec_summary(const struct sbx_result *r, const struct exec_limits *limits);

/* One line, sandbox-exec/1. `r` NULL: it never ran and `err` says why. 0 or -errno. */
int exec_json(FILE *to, const struct sbx_result *r, const struct sbx_error *err, int exit_code);
