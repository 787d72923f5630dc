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

enum hurl_function {
	FUNCTION_NONE,
	FUNCTION_UUID,
	FUNCTION_DATE,
};

struct hurl_piece {
	enum hurl_piece_mode mode;
	enum hurl_function function;	/* of a placeholder */
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
	ARG_BYTES,	/* a string, hex,...;, base64,...; or file,...; */
};

enum hurl_operand_kind {
	OPERAND_NONE,
	OPERAND_VALUE,		/* constant: null, boolean, number, bytes */
	OPERAND_TEXT,		/* string template */
	OPERAND_VARIABLE,	/* {{x}} without quotes: the variable with its type */
	OPERAND_REGEX,
	OPERAND_FILE,		/* the bytes of an asset */
};

struct hurl_operand {
	enum hurl_operand_kind kind;
	struct hurl_pos pos;
	struct hurl_value value;
	struct hurl_template text;
	struct hurl_regex *regex;	/* compiled, when it needs no variable */
	struct hurl_jsonpath *path;	/* likewise */
	size_t asset;			/* index into the file's assets */
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

/* A file beside the test file, named in it by file,NAME; and read when the test file is loaded. */
struct hurl_asset {
	struct hurl_pos pos;	/* where it is named first */
	const char *name;
	const char *data;	/* NULL until it was read */
	size_t len;
};

enum hurl_body_kind {
	BODY_NONE,
	BODY_TEXT,
	BODY_JSON,
	BODY_BYTES,
	BODY_FILE,
};

struct hurl_body {
	enum hurl_body_kind kind;
	struct hurl_pos pos;
	struct hurl_template text;
	struct hurl_value bytes;
	size_t asset;
};

/* One part of [Multipart]: a value, or a file with its content type. */
struct hurl_part {
	struct hurl_template key;
	struct hurl_template value;
	bool is_file;
	size_t asset;
	const char *type;	/* NULL: by the name's extension */
};

struct hurl_option_variable {
	struct hurl_pos pos;
	const char *name;
	struct hurl_operand value;
};

struct hurl_option;

/* retry: {{n}} - known only when the request is made */
struct hurl_option_template {
	const struct hurl_option *option;
	struct hurl_pos pos;
	struct hurl_template text;
};

struct hurl_options {
	bool location;
	bool compressed;
	bool path_as_is;
	bool http10;
	bool skip;
	unsigned int repeat;
	unsigned int retry;
	unsigned int max_redirs;
	unsigned int retry_interval_ms;
	unsigned int delay_ms;
	unsigned int max_time_ms;
	struct hurl_option_variable *variables;
	size_t variable_count;
	struct hurl_option_template *templates;
	size_t template_count;
	struct hurl_kvs headers;	/* header: Name: value */
	struct hurl_kvs user;		/* user: name:password, at most one */
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
	struct hurl_part *parts;	/* of [Multipart] */
	size_t part_count;
	bool has_parts;
	struct hurl_kvs cookies;
	struct hurl_kvs auth;	/* at most one */
	struct hurl_options options;
	struct hurl_body body;
	struct hurl_expectation expect;
};

/* parse-options.c: the option of a template gets its value. False: @v is not @ret_needs. */
const char *hurl_option_name(const struct hurl_option *o);
bool hurl_option_set(const struct hurl_option *o, const struct hurl_value *v,
		     struct hurl_options *out, const char **ret_needs);

/* What only the host can do or know; file-wide in the order in which it is met (hurl_file_ask). */
struct hurl_action {
	struct hurl_ask ask;
	struct hurl_pos pos;
	size_t before;			/* index of the entry that it stands before */
	struct hurl_template expected;	/* of HURL_ASK_SQL: at most one piece */
};

struct hurl_tally {
	unsigned int count;
	unsigned int status;		/* 201; 2: all of 2xx */
};

struct hurl_case {
	struct hurl_case_info info;
	size_t first;
	size_t count;
	size_t first_action, action_count;
	unsigned int parallel;		/* copies at once; 0: not asked for */
	unsigned int repeat;		/* rounds; 0: one */
	struct hurl_tally *tallies;	/* of @expect */
	size_t tally_count;
	uint64_t p95_us;		/* 0: no limit */
	uint64_t memory;		/* bytes; 0: no limit */
	bool seeded;
	uint64_t seed;
	struct hurl_pos parallel_pos, expect_pos, p95_pos, memory_pos, requires_pos;
	size_t memory_ask;		/* file-wide index of its HURL_ASK_MEMORY */
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
	struct hurl_action *actions;
	size_t action_count;
	struct hurl_asset *assets;
	size_t asset_count;
};
