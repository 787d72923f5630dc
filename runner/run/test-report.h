/* SPDX-License-Identifier: MIT */
#pragma once

#include "hurl/hurl.h"
#include "report/result.h"

/* The cases of `sandbox-run test` as a result, for the reports that grade makes, too. */
struct test_report {
	cJSON *root, *cases; /* NULL: no report is wanted */
	double began_ms;
};

/* 0 or -ENOMEM. */
int test_report_begin(struct test_report *t, const char *url);
void test_report_case(struct test_report *t, const struct hurl_case_result *r);
/* Takes what was collected. 0, -ENOMEM or -EINVAL. */
int test_report_end(struct test_report *t, const struct hurl_summary *s, struct result **ret);
void test_report_done(struct test_report *t);
