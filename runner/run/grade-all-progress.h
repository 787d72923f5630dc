/* SPDX-License-Identifier: MIT */
#pragma once

#include "run/grade-all.h"

/* How far it is: a bar on a terminal, else a line for each submission. On stderr. */
struct progress {
	bool quiet, bar, color;
	uint64_t began_ns;
};

void progress_begin(struct progress *p, const struct grades *g);
void progress_done(struct progress *p, const struct grades *g, const struct entry *e);
void progress_end(struct progress *p);
