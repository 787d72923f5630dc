/* SPDX-License-Identifier: MIT */
/*
 * What {{newUuid}} and {{newDate}} are made of. With a seed (# @seed N) the same values come in the
 * same order on every run, dates included; without one they are random, and the date is now.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "ast.h"

struct hurl_random {
	uint64_t state;
	uint64_t dates; /* given out, with a seed */
	bool seeded;
};

void hurl_random_start(struct hurl_random *r);
/* @copy tells the copies of @parallel apart */
void hurl_random_seed(struct hurl_random *r, uint64_t seed, unsigned int copy);
/* NULL: no memory */
const char *hurl_random_text(struct hurl_random *r, enum hurl_function function,
			     struct hurl_arena *a);
