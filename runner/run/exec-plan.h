/* SPDX-License-Identifier: MIT */
#pragma once

/* --dry-run: the plan of a run, step by step. Nothing is made, opened for writing or run. */

#include "exec-options.h"

/* Prints to stdout; returns the exit code: 0, or 125 after a message. */
int exec_plan_print(const char *command, const struct exec_options *o, char *const *argv);
