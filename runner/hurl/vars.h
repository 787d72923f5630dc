/* SPDX-License-Identifier: MIT */
/*
 * The variables of one file's run. The set owns its values: a captured string is copied, a
 * captured JSON tree is referenced. A captured value is marked, because what the server under test
 * wrote must not decide which host is contacted next.
 */
#pragma once

#include "value.h"

#define HURL_MAX_VARIABLES 1000

struct hurl_var {
	char *name;
	struct hurl_value value;
	bool captured;
};

struct hurl_vars {
	struct hurl_var *items;
	size_t count;
};

void hurl_vars_done(struct hurl_vars *v);
const struct hurl_var *hurl_vars_get(const struct hurl_vars *v, const char *name);
/* -E2BIG: too many variables */
int hurl_vars_set(struct hurl_vars *v, const char *name, const struct hurl_value *value,
		  bool captured);
/* All variables of @from with values of their own, for another thread. */
int hurl_vars_copy(struct hurl_vars *v, const struct hurl_vars *from);
/*
 * Types the text as Hurl's command line does: true, null, 5, 1.5, "quoted", anything else a string.
 */
int hurl_vars_set_text(struct hurl_vars *v, const char *name, const char *text);
