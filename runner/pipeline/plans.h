/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The plans that a judge has compiled, for the next submission: libseccomp takes about as long to
 * make a filter as a jail takes to start. A plan is found by all that it is made of: the policy,
 * what is set and mounted beside it byte by byte, and the names, sizes and times of the files in
 * the policies' folder. Nothing of a submission is in a plan.
 */

#include "pipeline/pipeline.h"
#include "store/key.h"

#define PLANS_KEPT 16

struct plans {
	struct {
		struct sbx_plan *plan; /* NULL: a free place */
		char key[KEY_SIZE];
	} kept[PLANS_KEPT];
	unsigned int next;
};

void plans_done(struct plans *p);
