/* SPDX-License-Identifier: MIT */
#include <stdarg.h>

#include "parser.h"

/* Characters of context before the column in a source excerpt. */
#define EXCERPT_BEFORE 60
#define EXCERPT_BYTES 120

static const char *line_of(const char *src, size_t len, unsigned int line, size_t *ret_len)
{
	const char *end = src + len, *nl;

	while (--line > 0) {
		nl = memchr(src, '\n', (size_t)(end - src));
		if (!nl)
			break;
		src = nl + 1;
	}
	nl = memchr(src, '\n', (size_t)(end - src));
	*ret_len = (size_t)((nl ? nl : end) - src);
	return src;
}

static bool starts_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

void hurl_error_source(const char *src, size_t len, struct hurl_pos pos, char *source, size_t size,
		       unsigned int *ret_caret)
{
	unsigned int skip = pos.column > EXCERPT_BEFORE ? pos.column - EXCERPT_BEFORE : 0;
	struct hurl_buf b;
	size_t n, used = 0;
	const char *line = line_of(src, len, pos.line, &n);

	for (unsigned int i = 0; i < skip && n; i++) {
		do {
			line++;
			n--;
		} while (n && !starts_character(*line));
	}
	hurl_buf_init(&b, size - 1);
	while (used < n && (used < EXCERPT_BYTES || !starts_character(line[used])))
		used++;
	for (size_t i = 0; i < used; i++) /* the caret stands under it: one column per character */
		hurl_buf_addc(&b, (unsigned char)line[i] < 0x20 || line[i] == 0x7f ? ' ' : line[i]);
	copy_string(source, size, hurl_buf_str(&b));
	*ret_caret = pos.column - 1 - skip;
	hurl_buf_done(&b);
}

__attribute__((format(printf, 3, 0)))
static int failed(struct hurl_parser *p, struct hurl_pos pos, const char *fmt, va_list ap)
{
	struct hurl_error *e = p->err;
	char text[sizeof(e->text)];
	struct hurl_buf b;

	vsnprintf(text, sizeof(text), fmt, ap);
	hurl_buf_init(&b, sizeof(e->text) - 1);
	hurl_buf_add_display(&b, text, strlen(text), 400);
	*e = (struct hurl_error){ .line = pos.line, .column = pos.column };
	copy_string(e->file, sizeof(e->file), p->file->name);
	copy_string(e->text, sizeof(e->text), hurl_buf_str(&b));
	hurl_error_source(p->src, p->len, pos, e->source, sizeof(e->source), &e->caret);
	hurl_buf_done(&b);
	return -EINVAL;
}

int hurl_fail_at(struct hurl_parser *p, struct hurl_pos pos, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = failed(p, pos, fmt, ap);
	va_end(ap);
	return r;
}

int hurl_fail_here(struct hurl_parser *p, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = failed(p, hurl_here(p), fmt, ap);
	va_end(ap);
	return r;
}

struct hurl_pos hurl_here(const struct hurl_parser *p)
{
	struct hurl_pos pos = { .line = p->line, .column = 1 };

	for (size_t i = p->line_start; i < p->pos; i++)
		if (starts_character(p->src[i]))
			pos.column++;
	return pos;
}

int hurl_peek(const struct hurl_parser *p)
{
	return p->pos < p->len ? (unsigned char)p->src[p->pos] : -1;
}

bool hurl_looking_at(const struct hurl_parser *p, const char *s)
{
	size_t n = strlen(s);

	return n <= p->len - p->pos && memcmp(p->src + p->pos, s, n) == 0;
}

void hurl_advance(struct hurl_parser *p, size_t n)
{
	p->last_line = p->line;
	while (n-- && p->pos < p->len) {
		if (p->src[p->pos++] != '\n')
			continue;
		p->line++;
		p->line_start = p->pos;
	}
}

bool hurl_accept(struct hurl_parser *p, const char *s)
{
	if (!hurl_looking_at(p, s))
		return false;
	hurl_advance(p, strlen(s));
	return true;
}

bool hurl_at_line_end(const struct hurl_parser *p)
{
	int c = hurl_peek(p);

	return c < 0 || c == '\n' || c == '#';
}

void hurl_skip_spaces(struct hurl_parser *p)
{
	while (hurl_peek(p) == ' ' || hurl_peek(p) == '\t')
		p->pos++;
}

/* At a '#': consumes the comment, not the newline. */
static int comment(struct hurl_parser *p, bool own_line)
{
	struct hurl_pos pos = hurl_here(p);
	const char *text = p->src + p->pos + 1;
	const char *nl = memchr(text, '\n', p->len - p->pos - 1);
	size_t n = nl ? (size_t)(nl - text) : p->len - p->pos - 1;

	p->pos += 1 + n;
	return hurl_pragma_comment(p, pos, text, n, own_line);
}

static void newline(struct hurl_parser *p)
{
	p->pos++;
	p->line++;
	p->line_start = p->pos;
}

int hurl_skip_blank(struct hurl_parser *p)
{
	for (;;) {
		hurl_skip_spaces(p);
		if (hurl_peek(p) == '#') {
			int r = comment(p, true);

			if (r < 0)
				return r;
		}
		if (hurl_peek(p) != '\n')
			return 0;
		newline(p);
	}
}

int hurl_end_line(struct hurl_parser *p)
{
	char found[64];

	p->last_line = p->line;
	hurl_skip_spaces(p);
	if (hurl_peek(p) == '#') {
		int r = comment(p, false);

		if (r < 0)
			return r;
	}
	if (hurl_peek(p) < 0)
		return 0;
	if (hurl_peek(p) != '\n')
		return hurl_fail_here(p, "expected the end of the line, found %s",
				      hurl_found(p, found));
	newline(p);
	return 0;
}

size_t hurl_word_len(const struct hurl_parser *p)
{
	size_t n = 0;

	while (p->pos + n < p->len) {
		char c = p->src[p->pos + n];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '_' && c != '-')
			break;
		n++;
	}
	return n;
}

const char *hurl_found(const struct hurl_parser *p, char out[64])
{
	size_t n = hurl_word_len(p);
	unsigned int code;

	if (hurl_peek(p) < 0)
		return "the end of the file";
	if (hurl_peek(p) == '\n')
		return "the end of the line";
	if (!n)
		n = hurl_utf8_next(p->src + p->pos, p->len - p->pos, &code);
	if (n > 40)
		n = 40;
	snprintf(out, 64, "'%.*s'", (int)n, p->src + p->pos);
	return out;
}
