/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hurl.h"
#include "util/util.h"

/* Returns the index behind the closing quote, or len. */
static size_t skip_string(const char *s, size_t i, size_t len)
{
	for (i++; i < len; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == '"')
			return i + 1;
	}
	return len;
}

int hurl_json_check(const char *s, size_t len, char why[HURL_JSON_WHY])
{
	size_t depth = 0, values = 1;

	/* every value but the first comes after one of [ { , : or opens a container */
	for (size_t i = 0; i < len;) {
		char c = s[i];

		if (c == '"') {
			i = skip_string(s, i, len);
			continue;
		}
		if (c == '[' || c == '{')
			depth++;
		else if ((c == ']' || c == '}') && depth)
			depth--;
		if (c == '[' || c == '{' || c == ',')
			values++;
		if (depth > HURL_MAX_JSON_DEPTH) {
			snprintf(why, HURL_JSON_WHY, "it is nested deeper than %d levels",
				 HURL_MAX_JSON_DEPTH);
			return -EINVAL;
		}
		if (values > HURL_MAX_JSON_VALUES) {
			snprintf(why, HURL_JSON_WHY, "it holds more than %d values",
				 HURL_MAX_JSON_VALUES);
			return -EINVAL;
		}
		i++;
	}
	return 0;
}

static void decref(void *json)
{
	json_decref(json);
}

static void explain(const json_error_t *err, char why[HURL_JSON_WHY])
{
	struct hurl_buf b;

	hurl_buf_init(&b, HURL_JSON_WHY - 1);
	hurl_buf_printf(&b, "line %d, column %d: ", err->line, err->column);
	hurl_buf_add_display(&b, err->text, strlen(err->text), 120);
	copy_string(why, HURL_JSON_WHY, hurl_buf_str(&b));
	hurl_buf_done(&b);
}

json_t *hurl_json_load(struct hurl_arena *a, const char *text, size_t len, char why[HURL_JSON_WHY])
{
	json_error_t err;
	json_t *json;

	if (hurl_json_check(text, len, why) < 0)
		return NULL;
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
			  &err);
	if (!json) {
		if (len == 0)
			snprintf(why, HURL_JSON_WHY, "it is empty");
		else
			explain(&err, why);
		return NULL;
	}
	if (hurl_arena_defer(a, decref, json) < 0) {
		snprintf(why, HURL_JSON_WHY, "out of memory");
		return NULL;
	}
	return json;
}

static bool object_equal(const json_t *expected, const json_t *actual)
{
	const char *key;
	json_t *value;

	if (json_object_size(expected) != json_object_size(actual))
		return false;
	json_object_foreach((json_t *)expected, key, value) {
		const json_t *other = json_object_get(actual, key);

		if (!other || !hurl_json_equal(value, other))
			return false;
	}
	return true;
}

static bool array_equal(const json_t *expected, const json_t *actual)
{
	size_t n = json_array_size(expected);

	if (n != json_array_size(actual))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!hurl_json_equal(json_array_get(expected, i), json_array_get(actual, i)))
			return false;
	return true;
}

static bool string_equal(const json_t *a, const json_t *b)
{
	size_t n = json_string_length(a);

	return n == json_string_length(b) &&
	       memcmp(json_string_value(a), json_string_value(b), n) == 0;
}

bool hurl_json_equal(const json_t *expected, const json_t *actual)
{
	if (json_is_number(expected) && json_is_number(actual)) {
		struct hurl_value e = hurl_value_json((json_t *)expected);
		struct hurl_value v = hurl_value_json((json_t *)actual);

		return hurl_number_compare(&e, &v) == 0;
	}
	if (json_typeof(expected) != json_typeof(actual))
		return false;
	switch (json_typeof(expected)) {
	case JSON_OBJECT:
		return object_equal(expected, actual);
	case JSON_ARRAY:
		return array_equal(expected, actual);
	case JSON_STRING:
		return string_equal(expected, actual);
	default:
		return true;
	}
}

static void path_add_key(struct hurl_buf *path, const char *key)
{
	size_t plain = strspn(key,
			      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	if (plain && !key[plain]) {
		hurl_buf_addc(path, '.');
		hurl_buf_add_display(path, key, plain, 64);
		return;
	}
	hurl_buf_adds(path, "['");
	hurl_buf_add_display(path, key, strlen(key), 64);
	hurl_buf_adds(path, "']");
}

/* One step down into the first differing member; false: the difference is that of e and a. */
static bool step_object(struct hurl_buf *path, json_t **e, json_t **a)
{
	const char *key;
	json_t *value;

	json_object_foreach(*e, key, value) {
		json_t *other = json_object_get(*a, key);

		if (other && hurl_json_equal(value, other))
			continue;
		path_add_key(path, key);
		*e = value;
		*a = other;
		return true;
	}
	json_object_foreach(*a, key, value) {
		if (json_object_get(*e, key))
			continue;
		path_add_key(path, key);
		*e = NULL;
		*a = value;
		return true;
	}
	return false;
}

static bool step_array(struct hurl_buf *path, json_t **e, json_t **a)
{
	size_t n = MAX_OF(json_array_size(*e), json_array_size(*a));

	for (size_t i = 0; i < n; i++) {
		json_t *x = json_array_get(*e, i), *y = json_array_get(*a, i);

		if (x && y && hurl_json_equal(x, y))
			continue;
		hurl_buf_printf(path, "[%zu]", i);
		*e = x;
		*a = y;
		return true;
	}
	return false;
}

void hurl_json_first_diff(json_t *e, json_t *a, struct hurl_json_diff *ret)
{
	struct hurl_buf path;
	bool deeper = true;

	hurl_buf_init(&path, sizeof(ret->path) - 1);
	hurl_buf_addc(&path, '$');
	while (deeper && e && a) {
		if (json_is_object(e) && json_is_object(a))
			deeper = step_object(&path, &e, &a);
		else if (json_is_array(e) && json_is_array(a))
			deeper = step_array(&path, &e, &a);
		else
			deeper = false;
	}
	copy_string(ret->path, sizeof(ret->path), hurl_buf_str(&path));
	hurl_buf_done(&path);
	ret->expected = e;
	ret->actual = a;
}
