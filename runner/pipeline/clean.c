/* SPDX-License-Identifier: MIT */

/*
 * Untrusted bytes made fit to be shown: on a terminal (no escape sequence survives), in a log and
 * in JSON (well-formed UTF-8). Used for all that a submission printed, named or answered.
 */

#include "pipeline/clean.h"

#include "inside/text.h"
#include "util/util.h"

struct out {
	char *s;
	size_t at, max;
	bool full;
};

/* Worst case of one input byte: "\xNN" or the three bytes of U+FFFD. */
#define GROWTH 10

static void put(struct out *o, const char *s, size_t n)
{
	if (o->full)
		return;
	if (n > o->max - o->at) {
		o->full = true;
		memcpy(o->s + o->at, "...", 3);
		o->at += 3;
		return;
	}
	memcpy(o->s + o->at, s, n);
	o->at += n;
}

/* One character or bad byte at `s`; returns how many bytes it took. */
static size_t put_one(struct out *o, const char *s, size_t n, bool one_line)
{
	char text[16];
	uint32_t code = 0;
	size_t size = utf8_sequence((const uint8_t *)s, n, &code);

	if (size == 0) {
		put(o, "\xef\xbf\xbd", 3);
		return 1;
	}
	if (code == '\n' || code == '\t') {
		put(o, one_line ? " " : s, 1);
		return 1;
	}
	if (!code_is_control(code)) {
		put(o, s, size);
		return size;
	}
	snprintf(text, sizeof(text), code < 0x100 ? "\\x%02x" : "\\u{%x}", code);
	put(o, text, strlen(text));
	return size;
}

static int out_init(struct out *o, size_t n, size_t max)
{
	*o = (struct out){ .max = MIN_OF(max, n * GROWTH) };
	o->s = malloc(o->max + 4);
	return o->s ? 0 : -ENOMEM;
}

static char *clean(const char *s, size_t n, size_t max, bool one_line)
{
	struct out o;

	if (out_init(&o, n, max) < 0)
		return NULL;
	for (size_t at = 0; at < n && !o.full;)
		at += put_one(&o, s + at, n - at, one_line);
	o.s[o.at] = '\0';
	return o.s;
}

char *clean_text(const char *s, size_t n, size_t max)
{
	return clean(s, n, max, false);
}

char *clean_line(const char *s, size_t n, size_t max)
{
	return clean(s, n, max, true);
}

/* Length of a colour or cursor sequence (ESC [ parameters letter) at `s`, or 0. */
static size_t escape_sequence(const char *s, size_t n)
{
	size_t at = 2;

	if (n < 3 || s[0] != '\033' || s[1] != '[')
		return 0;
	while (at < n && ((s[at] >= '0' && s[at] <= '9') || s[at] == ';' || s[at] == '?'))
		at++;
	return at < n && s[at] >= '@' && s[at] <= '~' ? at + 1 : 0;
}

/* What a terminal would show of the line: what follows the last carriage return inside it. */
static const char *visible(const char *s, size_t *n)
{
	while (*n > 0 && s[*n - 1] == '\r')
		(*n)--;
	for (size_t i = *n; i > 0; i--) {
		if (s[i - 1] == '\r') {
			*n -= i;
			return s + i;
		}
	}
	return s;
}

static void put_line(struct out *o, const char *line, size_t n)
{
	const char *s = visible(line, &n);
	struct out one;

	if (out_init(&one, n, CLEAN_LINE) < 0)
		return;
	for (size_t at = 0; at < n && !one.full;) {
		size_t skip = escape_sequence(s + at, n - at);

		at += skip ? skip : put_one(&one, s + at, n - at, false);
	}
	put(o, one.s, one.at);
	free(one.s);
}

/* Start of the last `lines` lines. */
static const char *tail_start(const char *s, size_t n, unsigned int lines)
{
	for (size_t i = n; i > 0; i--) {
		if (s[i - 1] == '\n' && lines-- == 1)
			return s + i;
	}
	return s;
}

char *clean_tail(const char *s, size_t n, unsigned int lines)
{
	const char *end;
	struct out o;

	while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == '\r' || s[n - 1] == ' '))
		n--;
	end = s + n;
	s = tail_start(s, n, lines);
	while (s < end && *s == '\n')
		s++;
	if (out_init(&o, (size_t)(end - s) + 1, (size_t)lines * (CLEAN_LINE + 4)) < 0)
		return NULL;
	while (s < end) {
		const char *newline = memchr(s, '\n', (size_t)(end - s));
		const char *stop = newline ? newline : end;

		put_line(&o, s, (size_t)(stop - s));
		if (newline)
			put(&o, "\n", 1);
		s = newline ? newline + 1 : end;
	}
	o.s[o.at] = '\0';
	return o.s;
}
