/* SPDX-License-Identifier: MIT */
#pragma once

#include "pipeline/pipeline.h"

/* Does `a` come before `b` in the order of precedence? */
bool verdict_stronger(enum verdict a, enum verdict b);

/* What the end of a student's process means; `otherwise` when no limit ended it. */
enum verdict verdict_of(const struct sbx_result *r, bool heap_exhausted, enum verdict otherwise);

/* Points of a challenge for `earned` of `max` points of its tests; challenge_points 0: `earned`. */
double verdict_score(double earned, double max, double challenge_points);

/* Last step of a job: AC, PARTIAL or WA unless a stage has decided; points; notes. */
void verdict_decide(struct job *job);

/* What `sandbox-run grade` exits with. */
int verdict_exit_code(const struct job *job);
