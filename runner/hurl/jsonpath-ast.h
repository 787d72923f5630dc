/* SPDX-License-Identifier: MIT */
/* Shared by jsonpath.c, which compiles, and jsonpath-eval.c. */
#pragma once

#include "jsonpath.h"

enum path_step_kind {
	STEP_NAME,
	STEP_INDEX,
	STEP_INDEXES,
	STEP_SLICE,
	STEP_WILDCARD,
	STEP_DEEP_NAME,
	STEP_DEEP_WILDCARD,
	STEP_FILTER,
};

enum path_operator {
	OP_EXISTS,
	OP_EQUAL,
	OP_NOT_EQUAL,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_GREATER,
	OP_GREATER_EQUAL,
};

struct path_condition {
	struct path_step *steps;	/* names and indexes below @ */
	size_t step_count;
	enum path_operator op;
	struct hurl_value value;
};

struct path_step {
	enum path_step_kind kind;
	const char *name;
	long *indexes;
	size_t index_count;
	bool has_from, has_to;
	long from, to;
	struct path_condition *conditions;
	size_t condition_count;
};

struct hurl_jsonpath {
	struct path_step *steps;
	size_t step_count;
};
