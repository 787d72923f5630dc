/* SPDX-License-Identifier: MIT */
#include "value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define SHOWN_BYTES 300

struct hurl_value hurl_value_string(const char *text, size_t len)
{
	return (struct hurl_value){ .kind = VALUE_STRING, .text = text, .len = len };
}

struct hurl_value hurl_value_bytes(const char *bytes, size_t len)
{
	return (struct hurl_value){ .kind = VALUE_BYTES, .text = bytes, .len = len };
}

struct hurl_value hurl_value_int(int64_t v)
{
	return (struct hurl_value){ .kind = VALUE_INT, .integer = v };
}

struct hurl_value hurl_value_json(json_t *json)
{
	struct hurl_value v = { .kind = VALUE_NONE };

	if (!json)
		return v;
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return (struct hurl_value){ .kind = VALUE_OBJECT, .json = json };
	case JSON_ARRAY:
		return (struct hurl_value){ .kind = VALUE_LIST, .json = json };
	case JSON_STRING:
		return hurl_value_string(json_string_value(json), json_string_length(json));
	case JSON_INTEGER:
		return hurl_value_int(json_integer_value(json));
	case JSON_REAL:
		return (struct hurl_value){ .kind = VALUE_FLOAT, .real = json_real_value(json) };
	case JSON_TRUE:
	case JSON_FALSE:
		return (struct hurl_value){ .kind = VALUE_BOOL, .boolean = json_is_true(json) };
	case JSON_NULL:
		v.kind = VALUE_NULL;
	}
	return v;
}

const char *hurl_value_kind_name(const struct hurl_value *v)
{
	static const char *const names[] = {
		[VALUE_NONE] = "nothing",    [VALUE_NULL] = "null",
		[VALUE_BOOL] = "a boolean",  [VALUE_INT] = "an integer",
		[VALUE_FLOAT] = "a float",   [VALUE_STRING] = "a string",
		[VALUE_BYTES] = "bytes",     [VALUE_LIST] = "a list",
		[VALUE_OBJECT] = "an object", [VALUE_FLAG] = "a flag without a value",
	};

	return names[v->kind];
}

bool hurl_value_is_number(const struct hurl_value *v)
{
	return v->kind == VALUE_INT || v->kind == VALUE_FLOAT;
}

static int compare_int_real(int64_t i, double d)
{
	int64_t whole;

	if (d >= 0x1p63)
		return -1;
	if (d < -0x1p63)
		return 1;
	whole = (int64_t)d;
	if (i != whole)
		return i < whole ? -1 : 1;
	/* the conversion truncated toward zero: what it cut decides */
	return d > (double)whole ? -1 : d < (double)whole ? 1 : 0;
}

int hurl_number_compare(const struct hurl_value *a, const struct hurl_value *b)
{
	if (a->kind == VALUE_INT && b->kind == VALUE_INT)
		return a->integer < b->integer ? -1 : a->integer > b->integer;
	if (a->kind == VALUE_INT)
		return compare_int_real(a->integer, b->real);
	if (b->kind == VALUE_INT)
		return -compare_int_real(b->integer, a->real);
	return a->real < b->real ? -1 : a->real > b->real;
}

bool hurl_value_equal(const struct hurl_value *a, const struct hurl_value *b)
{
	if (hurl_value_is_number(a) && hurl_value_is_number(b))
		return hurl_number_compare(a, b) == 0;
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case VALUE_BOOL:
		return a->boolean == b->boolean;
	case VALUE_STRING:
	case VALUE_BYTES:
		return a->len == b->len && (!a->len || memcmp(a->text, b->text, a->len) == 0);
	case VALUE_LIST:
	case VALUE_OBJECT:
		return hurl_json_equal(a->json, b->json);
	case VALUE_NULL:
		return true;
	default:
		return false;
	}
}

void hurl_format_real(double v, char out[32])
{
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(out, 32, "%.*g", precision, v);
		if (strtod(out, NULL) == v)
			break;
	}
	if (!strpbrk(out, ".eni"))
		strcat(out, ".0");
}

static void describe_bytes(const struct hurl_value *v, struct hurl_buf *out)
{
	hurl_buf_printf(out, "%zu bytes hex,", v->len);
	for (size_t i = 0; i < v->len && i < 32; i++)
		hurl_buf_printf(out, "%02x", (unsigned char)v->text[i]);
	hurl_buf_adds(out, v->len > 32 ? "...;" : ";");
}

static int collect(const char *data, size_t len, void *out)
{
	struct hurl_buf *b = out;

	hurl_buf_add(b, data, len);
	return hurl_buf_error(b) ? -1 : 0;
}

/* jansson ends the dump when the little buffer is full: a huge tree costs nothing here. */
static void describe_json(const struct hurl_value *v, struct hurl_buf *out)
{
	struct hurl_buf text;

	hurl_buf_init(&text, SHOWN_BYTES);
	(void)json_dump_callback(v->json, collect, &text, JSON_COMPACT | JSON_REAL_PRECISION(15));
	if (v->kind == VALUE_LIST)
		hurl_buf_printf(out, "list of %zu ", json_array_size(v->json));
	else
		hurl_buf_adds(out, "object ");
	hurl_buf_add_display(out, hurl_buf_str(&text), text.len, SHOWN_BYTES);
	if (hurl_buf_error(&text))
		hurl_buf_adds(out, "...");
	hurl_buf_done(&text);
}

void hurl_value_describe(const struct hurl_value *v, struct hurl_buf *out)
{
	char real[32];

	switch (v->kind) {
	case VALUE_BOOL:
		hurl_buf_adds(out, v->boolean ? "boolean true" : "boolean false");
		break;
	case VALUE_INT:
		hurl_buf_printf(out, "integer %lld", (long long)v->integer);
		break;
	case VALUE_FLOAT:
		hurl_format_real(v->real, real);
		hurl_buf_printf(out, "float %s", real);
		break;
	case VALUE_STRING:
		hurl_buf_adds(out, "string \"");
		hurl_buf_add_display(out, v->text, v->len, SHOWN_BYTES);
		hurl_buf_addc(out, '"');
		break;
	case VALUE_BYTES:
		describe_bytes(v, out);
		break;
	case VALUE_LIST:
	case VALUE_OBJECT:
		describe_json(v, out);
		break;
	default:
		hurl_buf_adds(out, hurl_value_kind_name(v));
	}
}
