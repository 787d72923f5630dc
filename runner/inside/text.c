/* SPDX-License-Identifier: MIT */

/*
 * Hostile bytes on their way into a sentence. Everything a submission names (entries, packages,
 * statements) is shown to its author, often in a terminal: nothing that leaves text_quote() can
 * move a cursor, start a new line or be malformed.
 */

#include "inside/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define QUOTE_BYTES 160

int problem_set(struct problem *p, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(p->text, sizeof(p->text), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(p->text))
		p->text[utf8_cut(p->text, sizeof(p->text) - 1, sizeof(p->text) - 2)] = '\0';
	return 1;
}

static size_t sequence_size(uint8_t lead, uint32_t *ret_bits)
{
	if (lead >= 0xc2 && lead <= 0xdf) {
		*ret_bits = lead & 0x1f;
		return 2;
	}
	if ((lead & 0xf0) == 0xe0) {
		*ret_bits = lead & 0x0f;
		return 3;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		*ret_bits = lead & 0x07;
		return 4;
	}
	return 0;
}

size_t utf8_sequence(const uint8_t *s, size_t n, uint32_t *ret_code)
{
	static const uint32_t smallest[] = { [2] = 0x80, [3] = 0x800, [4] = 0x10000 };
	uint32_t code = 0;
	size_t size;

	if (n == 0)
		return 0;
	if (s[0] < 0x80) {
		*ret_code = s[0];
		return 1;
	}
	size = sequence_size(s[0], &code);
	if (size == 0 || size > n)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < smallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return size;
}

size_t utf8_valid_prefix(const char *s, size_t n)
{
	size_t at = 0;
	uint32_t code;

	while (at < n) {
		size_t size = utf8_sequence((const uint8_t *)s + at, n - at, &code);

		if (size == 0)
			break;
		at += size;
	}
	return at;
}

size_t utf8_cut(const char *s, size_t n, size_t limit)
{
	if (n <= limit)
		return n;
	for (size_t back = 0; back < 4 && back < limit; back++)
		if (((uint8_t)s[limit - back] & 0xc0) != 0x80)
			return limit - back;
	return limit;
}

bool code_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

static size_t copy_sequence(char *to, const char *from, size_t size)
{
	memcpy(to, from, size);
	return size;
}

struct quoted text_quote(const char *s, size_t n)
{
	size_t shown = utf8_cut(s, n, QUOTE_BYTES), at = 0, out = 0;
	struct quoted q;

	/* The longest escape, \u{2028} or four of \xNN, is below 20 bytes; 160 + "..." always fits.
	 */
	while (at < shown && out < sizeof(q.s) - 24) {
		uint32_t code;
		size_t size = utf8_sequence((const uint8_t *)s + at, shown - at, &code);

		if (size == 0) {
			out += (size_t)snprintf(q.s + out, sizeof(q.s) - out, "\\x%02x",
						(uint8_t)s[at]);
			at++;
			continue;
		}
		if (code_is_control(code))
			out += (size_t)snprintf(q.s + out, sizeof(q.s) - out,
						code < 0x80 ? "\\x%02x" : "\\u{%x}", code);
		else
			out += copy_sequence(q.s + out, s + at, size);
		at += size;
	}
	memcpy(q.s + out, at < n ? "..." : "", at < n ? 4 : 1);
	return q;
}

void text_scrub(char *s)
{
	size_t n = strlen(s), at = 0;

	while (at < n) {
		uint32_t code;
		size_t size = utf8_sequence((const uint8_t *)s + at, n - at, &code);

		if (size == 0)
			s[at++] = '?';
		else if (code_is_control(code) && code != '\n' && code != '\t')
			for (; size > 0; size--)
				s[at++] = ' ';
		else
			at += size;
	}
}

struct quoted text_bytes(uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	struct quoted q;
	double value = (double)bytes;
	int unit = -1;

	while (value >= 1024 && unit < 3) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		(void)snprintf(q.s, sizeof(q.s), "%u bytes", (unsigned)bytes);
	else
		(void)snprintf(q.s, sizeof(q.s),
			       value >= 10 || value == (int)value ? "%.0f %s" : "%.1f %s", value,
			       units[unit]);
	return q;
}
