/* SPDX-License-Identifier: MIT */
#include "buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hurl_buf_init(struct hurl_buf *b, size_t limit)
{
	*b = (struct hurl_buf){ .limit = limit };
}

void hurl_buf_done(struct hurl_buf *b)
{
	free(b->data);
	*b = (struct hurl_buf){ .limit = b->limit };
}

static int reserve(struct hurl_buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 64;
	char *data;

	if (b->error)
		return b->error;
	if (more > b->limit - b->len)
		return b->error = -E2BIG;
	while (cap < b->len + more + 1)
		cap *= 2;
	if (cap == b->cap)
		return 0;
	data = realloc(b->data, cap);
	if (!data)
		return b->error = -ENOMEM;
	b->data = data;
	b->cap = cap;
	return 0;
}

void hurl_buf_add(struct hurl_buf *b, const char *data, size_t len)
{
	if (reserve(b, len) < 0)
		return;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void hurl_buf_addc(struct hurl_buf *b, char c)
{
	hurl_buf_add(b, &c, 1);
}

void hurl_buf_adds(struct hurl_buf *b, const char *s)
{
	hurl_buf_add(b, s, strlen(s));
}

void hurl_buf_printf(struct hurl_buf *b, const char *fmt, ...)
{
	char tmp[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(tmp, sizeof(tmp), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	hurl_buf_add(b, tmp, (size_t)n < sizeof(tmp) ? (size_t)n : sizeof(tmp) - 1);
}

const char *hurl_buf_str(const struct hurl_buf *b)
{
	return b->data ? b->data : "";
}

int hurl_buf_error(const struct hurl_buf *b)
{
	return b->error;
}

char *hurl_buf_to_arena(struct hurl_buf *b, struct hurl_arena *a)
{
	char *copy = NULL;

	if (!b->error)
		copy = hurl_arena_strndup(a, hurl_buf_str(b), b->len);
	hurl_buf_done(b);
	return copy;
}

void hurl_buf_add_utf8(struct hurl_buf *b, unsigned int c)
{
	char out[4];

	if (c < 0x80) {
		hurl_buf_addc(b, (char)c);
	} else if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		hurl_buf_add(b, out, 2);
	} else if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		hurl_buf_add(b, out, 3);
	} else {
		out[0] = (char)(0xf0 | c >> 18);
		out[1] = (char)(0x80 | (c >> 12 & 0x3f));
		out[2] = (char)(0x80 | (c >> 6 & 0x3f));
		out[3] = (char)(0x80 | (c & 0x3f));
		hurl_buf_add(b, out, 4);
	}
}

size_t hurl_utf8_next(const char *str, size_t len, unsigned int *ret_code)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)str;
	unsigned int code;
	size_t n;

	if (!len)
		return 0;
	if (s[0] < 0x80) {
		*ret_code = s[0];
		return 1;
	}
	n = (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
	if (!n || n > len)
		return 0;
	code = s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fu);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return n;
}

bool hurl_utf8_valid(const char *s, size_t len)
{
	unsigned int code;

	while (len) {
		size_t n = hurl_utf8_next(s, len, &code);

		if (!n)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

static bool is_invisible(unsigned int c)
{
	return (c >= 0x80 && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff9 && c <= 0xfffb) || c >= 0xe0000;
}

static void add_display_char(struct hurl_buf *b, const char *s, size_t n, unsigned int c)
{
	if (c == '\n')
		hurl_buf_adds(b, "\\n");
	else if (c == '\r')
		hurl_buf_adds(b, "\\r");
	else if (c == '\t')
		hurl_buf_adds(b, "\\t");
	else if (c < 0x20 || c == 0x7f)
		hurl_buf_printf(b, "\\x%02x", c);
	else if (is_invisible(c))
		hurl_buf_printf(b, "\\u{%x}", c);
	else
		hurl_buf_add(b, s, n);
}

void hurl_buf_add_display(struct hurl_buf *b, const char *s, size_t len, size_t max)
{
	size_t i = 0;

	while (i < len && i < max) {
		unsigned int c = 0;
		size_t n = hurl_utf8_next(s + i, len - i, &c);

		if (n)
			add_display_char(b, s + i, n, c);
		else
			hurl_buf_printf(b, "\\x%02x", (unsigned char)s[i]);
		i += n ? n : 1;
	}
	if (i < len)
		hurl_buf_printf(b, "... (%zu more bytes)", len - i);
}

void hurl_buf_add_json_escaped(struct hurl_buf *b, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\') {
			hurl_buf_addc(b, '\\');
			hurl_buf_addc(b, (char)c);
		} else if (c == '\n') {
			hurl_buf_adds(b, "\\n");
		} else if (c < 0x20 || c == 0x7f) {
			hurl_buf_printf(b, "\\u%04x", c);
		} else {
			hurl_buf_addc(b, (char)c);
		}
	}
}

void hurl_buf_add_json(struct hurl_buf *b, const char *s, size_t len)
{
	hurl_buf_addc(b, '"');
	hurl_buf_add_json_escaped(b, s, len);
	hurl_buf_addc(b, '"');
}

void hurl_buf_add_url(struct hurl_buf *b, const char *s, size_t len, const char *keep)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    (c && (strchr("-._~", c) || strchr(keep, c))))
			hurl_buf_addc(b, (char)c);
		else
			hurl_buf_printf(b, "%%%02X", c);
	}
}
