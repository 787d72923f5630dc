/* SPDX-License-Identifier: MIT */
/*
 * A subset of JSONPath: $ .name ['name'] [0] [-1] [0,2] [1:3] [*] .* ..name ..* [?(@.a.b == 'x' &&
 * ...)].
 *
 * As in Hurl, a path made of names and single indexes is definite and selects a value or nothing;
 * any other step makes the result a list, possibly empty.
 */
#pragma once

#include <jansson.h>

#include "arena.h"
#include "value.h"

#define HURL_PATH_WHY 160

struct hurl_jsonpath;

/* -EINVAL: @why, and where in @text */
int hurl_jsonpath_compile(struct hurl_arena *a, const char *text, size_t len,
			  struct hurl_jsonpath **ret, char why[HURL_PATH_WHY], size_t *ret_offset);

/* The result's list, if it is one, lives in @a. -E2BIG: more than HURL_MAX_NODES nodes. */
int hurl_jsonpath_eval(struct hurl_arena *a, const struct hurl_jsonpath *path, json_t *root,
		       struct hurl_value *ret);
