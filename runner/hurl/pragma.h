/* SPDX-License-Identifier: MIT */
/*
 * Between pragma.c, which gives pragmas to cases, and pragma-value.c, which reads their arguments.
 */
#pragma once

#include "parser.h"

extern const char *const hurl_pragma_names[PRAGMA_SQL + 1];

int hurl_pragma_points(struct hurl_parser *p, const struct hurl_pragma *pragma, unsigned int *ret);
/* @parallel, @repeat */
int hurl_pragma_count(struct hurl_parser *p, const struct hurl_pragma *pragma, unsigned int *ret);
int hurl_pragma_seed(struct hurl_parser *p, const struct hurl_pragma *pragma, uint64_t *ret);
int hurl_pragma_p95(struct hurl_parser *p, const struct hurl_pragma *pragma, uint64_t *ret_us);
int hurl_pragma_memory(struct hurl_parser *p, const struct hurl_pragma *pragma, uint64_t *ret);
int hurl_pragma_expect(struct hurl_parser *p, const struct hurl_pragma *pragma,
		       struct hurl_case *c);
int hurl_pragma_sql(struct hurl_parser *p, const struct hurl_pragma *pragma, struct hurl_action *a);
