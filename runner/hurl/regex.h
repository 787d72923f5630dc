/* SPDX-License-Identifier: MIT */
/*
 * Regular expressions by PCRE2 on hostile subjects: match, depth and heap limits instead of trust
 * in the pattern. Backreferences are refused (stock hurl has none, and they are what makes
 * matching exponential beyond repair). Compiled expressions are immutable.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"

#define HURL_REGEX_WHY 160

struct hurl_regex;

/* -EINVAL: @why and the offset of the problem in the pattern */
int hurl_regex_compile(struct hurl_arena *a, const char *pattern, size_t len,
		       struct hurl_regex **ret, char why[HURL_REGEX_WHY], size_t *ret_offset);

struct hurl_match {
	size_t start, end;		/* of the match */
	size_t group_start, group_end;	/* of group 1; start > end: it took no part */
};

unsigned int hurl_regex_groups(const struct hurl_regex *re);
const char *hurl_regex_source(const struct hurl_regex *re);
/* 1, 0, or -ENOMEM, -E2BIG: a limit was reached before the answer was known */
int hurl_regex_match(const struct hurl_regex *re, const char *subject, size_t len, size_t from,
		     struct hurl_match *ret);
