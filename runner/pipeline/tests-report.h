/* SPDX-License-Identifier: MIT */
#pragma once

#include "pipeline/pipeline.h"

#define TESTS_REPORT_MAX (16u << 20) /* bytes of a whole report */

/* What a tester said, checked against what the challenge declares. */
struct tests_report {
	bool planned, ended;
	uint32_t n;		 /* cases reported; they are the first `n` of the challenge */
	struct test_case *cases; /* of all cases of the challenge */
	uint32_t skipped;
	char *error; /* of an "error" event: the tester could not work */
};

/*
 * 0; -EBADMSG with `why` (128 bytes) when this is not what our tester writes for this challenge;
 * -ENOMEM. A report that is cut off is not an error: `ended` is false and `n` says how far it got.
 * tests_report_done() in every case.
 */
int tests_report_parse(struct tests_report *ret, const struct challenge *c, const char *bytes,
		       size_t size, char *why);
void tests_report_done(struct tests_report *r, const struct challenge *c);
void test_cases_free(struct test_case *cases, uint32_t n);
