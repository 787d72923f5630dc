/* SPDX-License-Identifier: MIT */
/*
 * What a .hurl file is after parsing. Everything hangs in the file's arena and is never changed
 * after hurl_file_parse(): queries, filters and predicates point to their rows in the const tables
 * of query.c, filter.c and predicate.c, so that the runner has no switch over names.
 */
#pragma once

#include "arena.h"
#include "hurl.h"
#include "value.h"

struct hurl_pos {
	unsigned int line;
	unsigned int column;
};

enum hurl_piece_mode {
	PIECE_TEXT,		/* literal bytes */
	PIECE_PLAIN,		/* a variable, as text */
	PIECE_JSON_STRING,	/* a variable inside the quotes of a JSON string */
	PIECE_JSON_VALUE,	/* a variable where a JSON value stands */
};

struct hurl_piece {
	enum hurl_piece_mode mode;
	const char *text;	/* the bytes, or the name of the variable (terminated) */
	size_t len;
	struct hurl_pos pos;
};

struct hurl_template {
	struct hurl_pos pos;
	struct hurl_piece *pieces;
	size_t count;
};

struct hurl_regex;
struct hurl_jsonpath;

/* What an argument may be; the tables of queries, filters and predicates use it. */
enum hurl_arg {
	ARG_NONE,
	ARG_INT,	/* 3, -1 */
	ARG_STRING,	/* "..." */
	ARG_JSONPATH,	/* "..." compiled at load when it has no variable */
	ARG_COOKIE,	/* "name" or "name[Attribute]" */
	ARG_REGEX,	/* "..." or /.../ */
	ARG_VALUE,	/* anything */
	ARG_ORDERED,	/* a number or a string */
	ARG_BYTES,	/* a string, hex,...; or base64,...; */
};

enum hurl_operand_kind {
	OPERAND_NONE,
	OPERAND_VALUE,		/* constant: null, boolean, number, bytes */
	OPERAND_TEXT,		/* string template */
	OPERAND_VARIABLE,	/* {{x}} without quotes: the variable with its type */
	OPERAND_REGEX,
};

struct hurl_operand {
	enum hurl_operand_kind kind;
	struct hurl_pos pos;
	struct hurl_value value;
	struct hurl_template text;
	struct hurl_regex *regex;	/* compiled, when it needs no variable */
	struct hurl_jsonpath *path;	/* likewise */
};

struct hurl_query {
	const struct hurl_query_type *type;
	struct hurl_pos pos;
	struct hurl_operand arg;
};

struct hurl_filter {
	const struct hurl_filter_type *type;
	struct hurl_pos pos;
	struct hurl_operand args[2];
};

struct hurl_filters {
	struct hurl_filter *items;
	size_t count;
};

struct hurl_predicate {
	const struct hurl_predicate_type *type;
	struct hurl_pos pos;
	bool negated;
	struct hurl_operand arg;
};

struct hurl_assert {
	struct hurl_query query;
	struct hurl_filters filters;
	struct hurl_predicate predicate;
};

struct hurl_capture {
	struct hurl_template name;
	struct hurl_query query;
	struct hurl_filters filters;
};

struct hurl_kv {
	struct hurl_template key;
	struct hurl_template value;
};

struct hurl_kvs {
	struct hurl_kv *items;
	size_t count;
};

enum hurl_body_kind {
	BODY_NONE,
	BODY_TEXT,
	BODY_JSON,
	BODY_BYTES,
};

struct hurl_body {
	enum hurl_body_kind kind;
	struct hurl_pos pos;
	struct hurl_template text;
	struct hurl_value bytes;
};

struct hurl_option_variable {
	struct hurl_pos pos;
	const char *name;
	struct hurl_operand value;
};

struct hurl_options {
	bool location;
	bool compressed;
	unsigned int retry;
	unsigned int max_redirs;
	unsigned int retry_interval_ms;
	unsigned int delay_ms;
	unsigned int max_time_ms;
	struct hurl_option_variable *variables;
	size_t variable_count;
};

struct hurl_expectation {
	bool present;
	struct hurl_pos pos;
	struct hurl_pos status_pos;
	const char *version;	/* "1.0", "1.1", NULL: any */
	unsigned int status;	/* 0: any */
	struct hurl_kvs headers;
	struct hurl_capture *captures;
	size_t capture_count;
	struct hurl_assert *asserts;
	size_t assert_count;
	struct hurl_body body;
};

struct hurl_entry {
	struct hurl_pos pos;
	const char *method;
	struct hurl_template url;
	struct hurl_kvs headers;
	struct hurl_kvs query;
	struct hurl_kvs form;
	bool has_form;
	struct hurl_kvs cookies;
	struct hurl_kvs auth;	/* at most one */
	struct hurl_options options;
	struct hurl_body body;
	struct hurl_expectation expect;
};

struct hurl_case {
	struct hurl_case_info info;
	size_t first;
	size_t count;
};

struct hurl_file {
	struct hurl_arena arena;
	char *name;
	char *text;
	size_t len;
	struct hurl_entry *entries;
	size_t entry_count;
	struct hurl_case *cases;
	size_t case_count;
};
