/* SPDX-License-Identifier: MIT */
/*
 * A typed value: what a query yields, a filter transforms, a predicate judges and a variable
 * holds. Lists and objects are jansson trees; strings and bytes are (pointer, length), so that a
 * body is never copied. A value owns nothing: its memory belongs to the arena of the request, to
 * the file, or to the variable set.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

enum hurl_value_kind {
	VALUE_NONE,	/* the query found nothing */
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_FLOAT,
	VALUE_STRING,
	VALUE_BYTES,
	VALUE_LIST,
	VALUE_OBJECT,
	/* a cookie attribute without a value (Secure, HttpOnly): it can only exist */
	VALUE_FLAG,
};

struct hurl_value {
	enum hurl_value_kind kind;
	bool boolean;
	int64_t integer;
	double real;
	const char *text;
	size_t len;
	json_t *json;
};

struct hurl_value hurl_value_string(const char *text, size_t len);
struct hurl_value hurl_value_bytes(const char *bytes, size_t len);
struct hurl_value hurl_value_int(int64_t v);
struct hurl_value hurl_value_json(json_t *json);

/* "a string", for messages. */
const char *hurl_value_kind_name(const struct hurl_value *v);

/* Exact, also between integers and floats: 1 == 1.0, 9007199254740993 != 9007199254740992.0 */
int hurl_number_compare(const struct hurl_value *a, const struct hurl_value *b);
bool hurl_value_is_number(const struct hurl_value *v);
bool hurl_value_equal(const struct hurl_value *a, const struct hurl_value *b);

/* For people: `string "abc"`, `integer 5`, `list [1,2]`, escaped and cut. */
void hurl_value_describe(const struct hurl_value *v, struct hurl_buf *out);

/* The shortest decimal form that reads back as the same double. */
void hurl_format_real(double v, char out[32]);
