/* SPDX-License-Identifier: MIT */
/* Filters between text and its encodings: percent, base64, hexadecimal, UTF-8, HTML. */
#include "codec.h"
#include "filter.h"
#include "util/util.h"

#define wrong_input hurl_filter_wrong_input
#define finish hurl_filter_finish

int hurl_filter_url_encode(FILTER_ARGS)
{
	struct hurl_buf b;

	if (in->kind != VALUE_STRING)
		return wrong_input(e, f, in, "a string");
	hurl_buf_init(&b, HURL_MAX_RESULT);
	hurl_buf_add_url(&b, in->text, in->len, "/");
	return finish(e, f, &b, false, ret);
}

int hurl_filter_url_decode(FILTER_ARGS)
{
	struct hurl_buf b;

	if (in->kind != VALUE_STRING)
		return wrong_input(e, f, in, "a string");
	hurl_buf_init(&b, HURL_MAX_RESULT);
	if (!hurl_url_decode(&b, in->text, in->len)) {
		hurl_buf_done(&b);
		return wrong_input(e, f, in, "a string with correct %-escapes");
	}
	return finish(e, f, &b, false, ret);
}

/* "a=b" between two '&': true when its decoded name is the one that is looked for */
static bool param_matches(const char *s, size_t len, const char *name, size_t name_len,
			  struct hurl_buf *value)
{
	const char *eq = memchr(s, '=', len);
	size_t key = eq ? (size_t)(eq - s) : len;
	struct hurl_buf b;
	bool same;

	hurl_buf_init(&b, HURL_MAX_RESULT);
	same = hurl_url_decode(&b, s, key) && b.len == name_len &&
	       (!name_len || memcmp(b.data, name, name_len) == 0);
	hurl_buf_done(&b);
	return same && (!eq || hurl_url_decode(value, eq + 1, len - key - 1));
}

int hurl_filter_url_param(FILTER_ARGS)
{
	const char *name, *s, *end;
	size_t name_len;
	int r;

	if (in->kind != VALUE_STRING)
		return wrong_input(e, f, in, "a string with a URL");
	r = hurl_render(e, &f->args[0].text, &name, &name_len);
	if (r != 0)
		return r;
	s = memchr(in->text, '?', in->len);
	end = in->text + in->len;
	for (const char *hash = s; s && hash < end; hash++)
		if (*hash == '#')
			end = hash;
	while (s && s < end) {
		const char *next = memchr(s + 1, '&', (size_t)(end - s - 1));
		size_t len = (size_t)((next ? next : end) - s - 1);
		struct hurl_buf value;

		hurl_buf_init(&value, HURL_MAX_RESULT);
		if (param_matches(s + 1, len, name, name_len, &value))
			return finish(e, f, &value, false, ret);
		hurl_buf_done(&value);
		s = next;
	}
	return 0;
}

int hurl_filter_base64_encode(FILTER_ARGS)
{
	struct hurl_buf b;

	if (in->kind != VALUE_BYTES && in->kind != VALUE_STRING)
		return wrong_input(e, f, in, "bytes or a string");
	hurl_buf_init(&b, HURL_MAX_RESULT);
	hurl_base64_encode(&b, in->text, in->len);
	return finish(e, f, &b, false, ret);
}

int hurl_filter_base64_decode(FILTER_ARGS)
{
	struct hurl_buf b;

	if (in->kind != VALUE_STRING)
		return wrong_input(e, f, in, "a string");
	hurl_buf_init(&b, HURL_MAX_RESULT);
	if (!hurl_base64_decode(&b, in->text, in->len)) {
		hurl_buf_done(&b);
		return wrong_input(e, f, in, "a string in base64");
	}
	return finish(e, f, &b, true, ret);
}

static void swap(char *s, size_t len, char from, char to)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] == from)
			s[i] = to;
}

int hurl_filter_base64_url_encode(FILTER_ARGS)
{
	struct hurl_buf b;

	if (in->kind != VALUE_BYTES && in->kind != VALUE_STRING)
		return wrong_input(e, f, in, "bytes or a string");
	hurl_buf_init(&b, HURL_MAX_RESULT);
	hurl_base64_encode(&b, in->text, in->len);
	if (b.data) {
		swap(b.data, b.len, '+', '-');
		swap(b.data, b.len, '/', '_');
	}
	while (b.len && b.data[b.len - 1] == '=')
		b.data[--b.len] = '\0';
	return finish(e, f, &b, false, ret);
}

int hurl_filter_base64_url_decode(FILTER_ARGS)
{
	struct hurl_buf b, copy;
	bool ok;

	if (in->kind != VALUE_STRING)
		return wrong_input(e, f, in, "a string");
	hurl_buf_init(&copy, HURL_MAX_RESULT);
	hurl_buf_add(&copy, in->text, in->len);
	ok = !memchr(in->text, '+', in->len) && !memchr(in->text, '/', in->len);
	if (copy.data) {
		swap(copy.data, copy.len, '-', '+');
		swap(copy.data, copy.len, '_', '/');
	}
	while (copy.len % 4)
		hurl_buf_addc(&copy, '=');
	hurl_buf_init(&b, HURL_MAX_RESULT);
	ok = ok && hurl_base64_decode(&b, hurl_buf_str(&copy), copy.len);
	hurl_buf_done(&copy);
	if (!ok) {
		hurl_buf_done(&b);
		return wrong_input(e, f, in, "a string in URL-safe base64");
	}
	return finish(e, f, &b, true, ret);
}

int hurl_filter_to_hex(FILTER_ARGS)
{
	static const char digits[] = "0123456789abcdef";
	struct hurl_buf b;

	if (in->kind != VALUE_BYTES)
		return wrong_input(e, f, in, "bytes");
	hurl_buf_init(&b, HURL_MAX_RESULT);
	for (size_t i = 0; i < in->len; i++) {
		hurl_buf_addc(&b, digits[(unsigned char)in->text[i] >> 4]);
		hurl_buf_addc(&b, digits[(unsigned char)in->text[i] & 15]);
	}
	return finish(e, f, &b, false, ret);
}

int hurl_filter_utf8_encode(FILTER_ARGS)
{
	if (in->kind != VALUE_STRING)
		return wrong_input(e, f, in, "a string");
	*ret = hurl_value_bytes(in->text, in->len);
	return 0;
}

int hurl_filter_utf8_decode(FILTER_ARGS)
{
	if (in->kind != VALUE_BYTES || !hurl_utf8_valid(in->text, in->len))
		return wrong_input(e, f, in, "bytes that are UTF-8");
	*ret = hurl_value_string(in->text, in->len);
	return 0;
}

int hurl_filter_html_escape(FILTER_ARGS)
{
	struct hurl_buf b;

	if (in->kind != VALUE_STRING)
		return wrong_input(e, f, in, "a string");
	hurl_buf_init(&b, 2 * HURL_MAX_RESULT);
	for (size_t i = 0; i < in->len; i++) {
		char c = in->text[i];

		if (c == '&')
			hurl_buf_adds(&b, "&amp;");
		else if (c == '<')
			hurl_buf_adds(&b, "&lt;");
		else if (c == '>')
			hurl_buf_adds(&b, "&gt;");
		else
			hurl_buf_addc(&b, c);
	}
	return finish(e, f, &b, false, ret);
}

/* Of an element of the query redirects. */
int hurl_filter_location(FILTER_ARGS)
{
	if (in->kind != VALUE_OBJECT || !json_is_string(json_object_get(in->json, "location")))
		return wrong_input(e, f, in, "a redirect");
	*ret = hurl_value_json(json_object_get(in->json, "location"));
	return 0;
}
