/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "filter.h"
#include "json.h"
#include "util/util.h"

#define MAX_RESULT HURL_MAX_RESULT
/* Each match looks at the whole text again: text times matches is the work. */
#define MAX_REGEX_TEXT (1024 * 1024)
#define MAX_REGEX_MATCHES 1000

#define wrong_input hurl_filter_wrong_input
#define finish hurl_filter_finish

int hurl_filter_wrong_input(struct hurl_eval *e, const struct hurl_filter *f,
			    const struct hurl_value *in, const char *needs)
{
	struct hurl_buf b;

	hurl_buf_init(&b, 1100);
	hurl_value_describe(in, &b);
	if (!e->fail->set) {
		hurl_fail_expected(e->fail, needs, strlen(needs));
		hurl_fail_actual(e->fail, hurl_buf_str(&b), b.len);
	}
	hurl_buf_done(&b);
	return hurl_eval_fail(e, f->pos, "the filter '%s' needs %s, not %s", f->type->name, needs,
			      hurl_value_kind_name(in));
}

int hurl_filter_finish(struct hurl_eval *e, const struct hurl_filter *f, struct hurl_buf *b,
		       bool bytes, struct hurl_value *ret)
{
	size_t len = b->len;
	char *text;

	if (hurl_buf_error(b) == -E2BIG) {
		hurl_buf_done(b);
		return hurl_eval_fail(e, f->pos, "the result of '%s' is longer than %d bytes",
				      f->type->name, MAX_RESULT);
	}
	text = hurl_buf_to_arena(b, e->arena);
	if (!text)
		return -ENOMEM;
	*ret = bytes ? hurl_value_bytes(text, len) : hurl_value_string(text, len);
	return 0;
}

static int filter_count(struct hurl_eval *e, const struct hurl_filter *f,
			const struct hurl_value *in, struct hurl_value *ret)
{
	if (in->kind == VALUE_LIST)
		*ret = hurl_value_int((int64_t)json_array_size(in->json));
	else if (in->kind == VALUE_OBJECT)
		*ret = hurl_value_int((int64_t)json_object_size(in->json));
	else if (in->kind == VALUE_BYTES)
		*ret = hurl_value_int((int64_t)in->len);
	else
		return wrong_input(e, f, in, "a list, an object or bytes");
	return 0;
}

static int pick(struct hurl_eval *e, const struct hurl_filter *f, const struct hurl_value *in,
		int64_t i, struct hurl_value *ret)
{
	int64_t n;

	if (in->kind != VALUE_LIST)
		return wrong_input(e, f, in, "a list");
	n = (int64_t)json_array_size(in->json);
	if (i < 0)
		i += n;
	if (i >= 0 && i < n)
		*ret = hurl_value_json(json_array_get(in->json, (size_t)i));
	return 0;
}

static int filter_nth(struct hurl_eval *e, const struct hurl_filter *f, const struct hurl_value *in,
		      struct hurl_value *ret)
{
	return pick(e, f, in, f->args[0].value.integer, ret);
}

static int filter_first(struct hurl_eval *e, const struct hurl_filter *f,
			const struct hurl_value *in, struct hurl_value *ret)
{
	return pick(e, f, in, 0, ret);
}

static int filter_last(struct hurl_eval *e, const struct hurl_filter *f,
		       const struct hurl_value *in, struct hurl_value *ret)
{
	return pick(e, f, in, -1, ret);
}

static int filter_jsonpath(struct hurl_eval *e, const struct hurl_filter *f,
			   const struct hurl_value *in, struct hurl_value *ret)
{
	char why[HURL_JSON_WHY];
	json_t *root = in->json;

	if (in->kind == VALUE_STRING) {
		root = hurl_json_load(e->arena, in->text, in->len, why);
		if (!root)
			return hurl_eval_fail(e, f->pos, "this string is not valid JSON: %s", why);
	}
	if (!root)
		return wrong_input(e, f, in, "a string with JSON, a list or an object");
	return hurl_apply_jsonpath(e, &f->args[0], root, ret);
}

static int filter_regex(struct hurl_eval *e, const struct hurl_filter *f,
			const struct hurl_value *in, struct hurl_value *ret)
{
	const struct hurl_regex *re;
	struct hurl_match m;
	bool matched;
	int r;

	if (in->kind != VALUE_STRING)
		return wrong_input(e, f, in, "a string");
	r = hurl_operand_regex(e, &f->args[0], &re);
	if (r != 0)
		return r;
	if (!hurl_regex_groups(re))
		return hurl_eval_fail(e, f->pos, "this regular expression needs a group (...)");
	r = hurl_match(e, f->pos, re, in, 0, &m, &matched);
	if (r == 0 && matched && m.group_start <= m.group_end)
		*ret = hurl_value_string(in->text + m.group_start, m.group_end - m.group_start);
	return r;
}

static int filter_replace(struct hurl_eval *e, const struct hurl_filter *f,
			  const struct hurl_value *in, struct hurl_value *ret)
{
	const char *old, *new, *at, *s = in->text;
	size_t old_len, new_len, left = in->len;
	struct hurl_buf b;
	int r;

	if (in->kind != VALUE_STRING)
		return wrong_input(e, f, in, "a string");
	r = hurl_render(e, &f->args[0].text, &old, &old_len);
	if (r == 0)
		r = hurl_render(e, &f->args[1].text, &new, &new_len);
	if (r != 0)
		return r;
	if (!old_len)
		return hurl_eval_fail(e, f->pos, "replace needs a text to look for");
	hurl_buf_init(&b, MAX_RESULT);
	while (!hurl_buf_error(&b) && (at = memmem(s, left, old, old_len))) {
		hurl_buf_add(&b, s, (size_t)(at - s));
		hurl_buf_add(&b, new, new_len);
		left -= (size_t)(at - s) + old_len;
		s = at + old_len;
	}
	hurl_buf_add(&b, s, left);
	return finish(e, f, &b, false, ret);
}

/* The next place to look at: behind the match, and behind one more character if it was empty. */
static size_t next_start(const struct hurl_value *in, const struct hurl_match *m)
{
	size_t next = m->end;

	if (m->start != m->end)
		return next;
	do {
		next++;
	} while (next < in->len && ((unsigned char)in->text[next] & 0xc0) == 0x80);
	return next;
}

static int replace_matches(struct hurl_eval *e, const struct hurl_filter *f,
			   const struct hurl_regex *re, const struct hurl_value *in,
			   const struct hurl_value *with, struct hurl_buf *b)
{
	size_t from = 0, done = 0;

	for (int count = 0; from <= in->len && !hurl_buf_error(b); count++) {
		struct hurl_match m;
		bool matched;
		int r = hurl_match(e, f->pos, re, in, from, &m, &matched);

		if (r != 0)
			return r;
		if (!matched)
			break;
		if (count == MAX_REGEX_MATCHES)
			return hurl_eval_fail(e, f->pos, "more than %d matches to replace",
					      MAX_REGEX_MATCHES);
		if (m.start > done)
			hurl_buf_add(b, in->text + done, m.start - done);
		hurl_buf_add(b, with->text, with->len);
		done = MAX_OF(done, m.end);
		from = next_start(in, &m);
	}
	hurl_buf_add(b, in->text + done, in->len - done);
	return 0;
}

static int filter_replace_regex(struct hurl_eval *e, const struct hurl_filter *f,
				const struct hurl_value *in, struct hurl_value *ret)
{
	const struct hurl_regex *re;
	struct hurl_value with;
	struct hurl_buf b;
	int r;

	if (in->kind != VALUE_STRING || in->len > MAX_REGEX_TEXT)
		return wrong_input(e, f, in, "a string of at most 1 MiB");
	r = hurl_operand_regex(e, &f->args[0], &re);
	if (r == 0)
		r = hurl_operand_value(e, &f->args[1], &with);
	if (r != 0)
		return r;
	hurl_buf_init(&b, MAX_RESULT);
	r = replace_matches(e, f, re, in, &with, &b);
	if (r != 0) {
		hurl_buf_done(&b);
		return r;
	}
	return finish(e, f, &b, false, ret);
}

static void decref(void *json)
{
	json_decref(json);
}

static int filter_split(struct hurl_eval *e, const struct hurl_filter *f,
			const struct hurl_value *in, struct hurl_value *ret)
{
	const char *separator, *at, *s = in->text;
	size_t n, left = in->len;
	json_t *list;
	int r;

	if (in->kind != VALUE_STRING)
		return wrong_input(e, f, in, "a string");
	r = hurl_render(e, &f->args[0].text, &separator, &n);
	if (r != 0)
		return r;
	if (!n)
		return hurl_eval_fail(e, f->pos, "split needs a separator");
	list = json_array();
	if (!list || hurl_arena_defer(e->arena, decref, list) < 0)
		return -ENOMEM;
	do {
		size_t len;

		if (json_array_size(list) == HURL_MAX_JSON_VALUES)
			return hurl_eval_fail(e, f->pos, "split makes more than %d parts",
					      HURL_MAX_JSON_VALUES);
		at = memmem(s, left, separator, n);
		len = at ? (size_t)(at - s) : left;
		if (json_array_append_new(list, json_stringn_nocheck(s, len)) < 0)
			return -ENOMEM;
		if (at) {
			s += len + n;
			left -= len + n;
		}
	} while (at);
	*ret = hurl_value_json(list);
	return 0;
}

static bool number_of(const struct hurl_value *in, bool real, struct hurl_value *ret)
{
	_cleanup_free_ char *text = strndup(in->text, in->len);
	char *end;

	if (!text || !in->len || strlen(text) != in->len ||
	    strspn(text, "+-.0123456789eE") != in->len)
		return false;
	errno = 0;
	if (real)
		*ret = (struct hurl_value){ .kind = VALUE_FLOAT, .real = strtod(text, &end) };
	else
		*ret = hurl_value_int(strtoll(text, &end, 10));
	return errno == 0 && !*end && end != text;
}

static int filter_to_int(struct hurl_eval *e, const struct hurl_filter *f,
			 const struct hurl_value *in, struct hurl_value *ret)
{
	if (in->kind == VALUE_INT) {
		*ret = *in;
		return 0;
	}
	if (in->kind == VALUE_FLOAT && fabs(in->real) < 0x1p63) {
		*ret = hurl_value_int((int64_t)in->real);
		return 0;
	}
	if (in->kind == VALUE_STRING && in->len < 32 && number_of(in, false, ret))
		return 0;
	return wrong_input(e, f, in, "a number or a string with a whole number");
}

static int filter_to_float(struct hurl_eval *e, const struct hurl_filter *f,
			   const struct hurl_value *in, struct hurl_value *ret)
{
	if (in->kind == VALUE_FLOAT)
		*ret = *in;
	else if (in->kind == VALUE_INT)
		*ret = (struct hurl_value){ .kind = VALUE_FLOAT, .real = (double)in->integer };
	else if (in->kind != VALUE_STRING || in->len > 400 || !number_of(in, true, ret))
		return wrong_input(e, f, in, "a number or a string with a number");
	return 0;
}

static int filter_to_string(struct hurl_eval *e, const struct hurl_filter *f,
			    const struct hurl_value *in, struct hurl_value *ret)
{
	struct hurl_buf b;
	char real[32];

	if (in->kind == VALUE_STRING) {
		*ret = *in;
		return 0;
	}
	hurl_buf_init(&b, 64);
	if (in->kind == VALUE_INT)
		hurl_buf_printf(&b, "%lld", (long long)in->integer);
	else if (in->kind == VALUE_BOOL)
		hurl_buf_adds(&b, in->boolean ? "true" : "false");
	else if (in->kind == VALUE_FLOAT) {
		hurl_format_real(in->real, real);
		hurl_buf_adds(&b, real);
	} else {
		return wrong_input(e, f, in, "a number, a boolean or a string");
	}
	return finish(e, f, &b, false, ret);
}

const struct hurl_filter_type hurl_filter_types[] = {
	{ "count", { ARG_NONE, ARG_NONE }, filter_count },
	{ "nth", { ARG_INT, ARG_NONE }, filter_nth },
	{ "first", { ARG_NONE, ARG_NONE }, filter_first },
	{ "last", { ARG_NONE, ARG_NONE }, filter_last },
	{ "jsonpath", { ARG_JSONPATH, ARG_NONE }, filter_jsonpath },
	{ "regex", { ARG_REGEX, ARG_NONE }, filter_regex },
	{ "replace", { ARG_STRING, ARG_STRING }, filter_replace },
	{ "replaceRegex", { ARG_REGEX, ARG_STRING }, filter_replace_regex },
	{ "split", { ARG_STRING, ARG_NONE }, filter_split },
	{ "toInt", { ARG_NONE, ARG_NONE }, filter_to_int },
	{ "toFloat", { ARG_NONE, ARG_NONE }, filter_to_float },
	{ "toString", { ARG_NONE, ARG_NONE }, filter_to_string },
	{ "urlEncode", { ARG_NONE, ARG_NONE }, hurl_filter_url_encode },
	{ "urlDecode", { ARG_NONE, ARG_NONE }, hurl_filter_url_decode },
	{ "base64Encode", { ARG_NONE, ARG_NONE }, hurl_filter_base64_encode },
	{ "base64Decode", { ARG_NONE, ARG_NONE }, hurl_filter_base64_decode },
	{ "base64UrlSafeEncode", { ARG_NONE, ARG_NONE }, hurl_filter_base64_url_encode },
	{ "base64UrlSafeDecode", { ARG_NONE, ARG_NONE }, hurl_filter_base64_url_decode },
	{ "toHex", { ARG_NONE, ARG_NONE }, hurl_filter_to_hex },
	{ "utf8Encode", { ARG_NONE, ARG_NONE }, hurl_filter_utf8_encode },
	{ "utf8Decode", { ARG_NONE, ARG_NONE }, hurl_filter_utf8_decode },
	{ "htmlEscape", { ARG_NONE, ARG_NONE }, hurl_filter_html_escape },
	{ "urlQueryParam", { ARG_STRING, ARG_NONE }, hurl_filter_url_param },
	{ "location", { ARG_NONE, ARG_NONE }, hurl_filter_location },
	{ NULL, { ARG_NONE, ARG_NONE }, NULL },
};
