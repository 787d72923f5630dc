/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "suite/suite.h"

/* The plan of an entry (plan.json), as it was published. */
struct suite_plan {
	json_t *json;
	char *text;
	size_t size;
	bool fast;
};

int suite_plan_read(struct job *job, const struct store_entry *e, struct suite_plan *ret);
void suite_plan_done(struct suite_plan *p);
/* Adds the tests to the cases of `c`. */
int suite_plan_add_cases(struct job *job, const struct suite_plan *p, struct challenge *c);
