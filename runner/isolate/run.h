/* SPDX-License-Identifier: MIT */
#pragma once

/* isolate --run: one program in an open box. */

#include "box.h"
#include "options.h"

/* What the run was and how it ended. */
struct outcome {
	struct sbx_result result;
	uint64_t cpu_before; /* of the jail, before the program */
	int interrupted;     /* by this signal; 0: not */
};

/* Runs the program and tells it to the report. Returns the exit code. */
int run_box(const struct options *o, struct box *b);

/* Meta lines, the line on stderr, the exit code. */
int outcome_report(const struct outcome *u, const struct options *o, struct report *r);
