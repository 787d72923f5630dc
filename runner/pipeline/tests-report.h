/* SPDX-License-Identifier: MIT */
#pragma once

#include "pipeline/pipeline.h"

#define TESTS_REPORT_MAX (16u << 20) /* bytes of a whole report */
#define TESTS_REPORT_WHY 128

/* What a tester said about its cases, checked against what the challenge declares. */
struct tests_report {
	bool ready, planned, ended;
	uint32_t n;	  /* cases reported; without `by_index` they are the first n */
	uint32_t skipped; /* of these; by index they count as failed */
	char *error;	  /* of an "error" event: the tester could not work */
};

/* All cases of a challenge, none passed. NULL: out of memory. test_cases_free(). */
struct test_case *test_cases_declare(const struct challenge *c);
void test_cases_free(struct test_case *cases, uint32_t n);

/*
 * Reads a report about `cases`, which are as declared, and completes them. Cases come in order; or,
 * `by_index`, in any order with their index, each at most once (a second result fails it, and so
 * does an event "broken").
 *
 * 0; -EBADMSG with `why` (TESTS_REPORT_WHY bytes) when this is not what our testers write; -ENOMEM.
 * A report that is cut off is not an error: `ended` is false. tests_report_done() in every case.
 */
int tests_report_parse(struct tests_report *ret, struct test_case *cases, uint32_t n, bool by_index,
		       const char *bytes, size_t size, char *why);
void tests_report_done(struct tests_report *r);
