/* SPDX-License-Identifier: MIT */
/*
 * JSON of a hostile server. Before jansson builds a tree, one pass over the bytes caps depth and
 * number of values: a body of 8 MiB of "{}" would otherwise become hundreds of megabytes.
 * Duplicate keys make a document invalid, NUL inside strings is kept, integers are exact in 64
 * bits and anything larger is refused rather than rounded.
 */
#pragma once

#include "arena.h"
#include "value.h"

#define HURL_JSON_WHY 256

/* NULL: not acceptable, the reason (fit to be shown) is in @why. The tree dies with the arena. */
json_t *hurl_json_load(struct hurl_arena *a, const char *text, size_t len, char why[HURL_JSON_WHY]);

/* Caps only. 0, or -EINVAL and the reason. */
int hurl_json_check(const char *text, size_t len, char why[HURL_JSON_WHY]);

struct hurl_json_diff {
	char path[256];		/* "$.items[2].name", fit to be shown */
	json_t *expected;	/* NULL: unexpected member or element */
	json_t *actual;		/* NULL: missing */
};

/* Order of keys is ignored, order of elements counts, numbers compare by value. */
bool hurl_json_equal(const json_t *expected, const json_t *actual);
/* The first difference of two trees that are not equal. */
void hurl_json_first_diff(json_t *expected, json_t *actual, struct hurl_json_diff *ret);
