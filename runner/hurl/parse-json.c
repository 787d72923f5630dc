/* SPDX-License-Identifier: MIT */
/*
 * JSON as the file spells it, with {{variables}}: as values, and inside strings. The text is kept
 * as it is (a request sends it so); only its shape is checked here. A variable is always encoded
 * for its place when it is filled in, so that no value, and no captured one above all, can change
 * the structure of a body.
 */
#include "parser.h"

struct json_text {
	struct hurl_template *t;
	size_t start;	/* of the literal text not yet added */
	unsigned int depth;
};

static int parse_any(struct hurl_parser *p, struct json_text *j);

static void blanks(struct hurl_parser *p)
{
	while (hurl_peek(p) == ' ' || hurl_peek(p) == '\t' || hurl_peek(p) == '\n')
		hurl_advance(p, 1);
}

static int expected(struct hurl_parser *p, const char *what)
{
	char found[64];

	return hurl_fail_here(p, "in this JSON, expected %s, found %s", what, hurl_found(p, found));
}

static int placeholder(struct hurl_parser *p, struct json_text *j, enum hurl_piece_mode mode)
{
	int r = hurl_template_add(p, j->t, p->src + j->start, p->pos - j->start);

	if (r == 0)
		r = hurl_parse_placeholder(p, mode, j->t);
	j->start = p->pos;
	return r;
}

static int string_escape(struct hurl_parser *p)
{
	int c;

	hurl_advance(p, 1);
	c = hurl_peek(p);
	if (c <= 0 || !strchr("\"\\/bfnrtu", c))
		return expected(p, "one of \" \\ / b f n r t u after the backslash");
	hurl_advance(p, 1);
	for (int i = 0; c == 'u' && i < 4; i++) {
		if (hurl_peek(p) <= 0 || !strchr("0123456789abcdefABCDEF", hurl_peek(p)))
			return expected(p, "four hexadecimal digits after \\u");
		hurl_advance(p, 1);
	}
	return 0;
}

static int parse_string(struct hurl_parser *p, struct json_text *j)
{
	struct hurl_pos pos = hurl_here(p);
	int r = 0;

	hurl_advance(p, 1);
	while (r == 0 && hurl_peek(p) != '"') {
		int c = hurl_peek(p);

		if (c < 0 || c == '\n')
			return hurl_fail_at(p, pos, "this JSON string has no closing quote");
		if (c < 0x20)
			return expected(p, "\\t or \\u00XX instead of a control character");
		if (hurl_looking_at(p, "{{"))
			r = placeholder(p, j, PIECE_JSON_STRING);
		else if (c == '\\')
			r = string_escape(p);
		else
			hurl_advance(p, 1);
	}
	if (r == 0)
		hurl_advance(p, 1);
	return r;
}

static size_t digits(struct hurl_parser *p)
{
	size_t n = 0;

	for (; hurl_peek(p) >= '0' && hurl_peek(p) <= '9'; n++)
		hurl_advance(p, 1);
	return n;
}

static int parse_number(struct hurl_parser *p)
{
	(void)hurl_accept(p, "-");
	if (!hurl_accept(p, "0") && !digits(p))
		return expected(p, "a digit");
	if (hurl_peek(p) >= '0' && hurl_peek(p) <= '9')
		return expected(p, "no digit after a leading 0");
	if (hurl_accept(p, ".") && !digits(p))
		return expected(p, "a digit after the point");
	if (hurl_accept(p, "e") || hurl_accept(p, "E")) {
		(void)(hurl_accept(p, "+") || hurl_accept(p, "-"));
		if (!digits(p))
			return expected(p, "the digits of the exponent");
	}
	return 0;
}

static int parse_member(struct hurl_parser *p, struct json_text *j)
{
	int r;

	if (hurl_peek(p) != '"')
		return expected(p, "a key in double quotes");
	r = parse_string(p, j);
	if (r < 0)
		return r;
	blanks(p);
	if (!hurl_accept(p, ":"))
		return expected(p, "':'");
	blanks(p);
	return parse_any(p, j);
}

static int parse_container(struct hurl_parser *p, struct json_text *j, const char *close,
			   int (*item)(struct hurl_parser *, struct json_text *))
{
	char what[32];
	int r;

	if (++j->depth > HURL_MAX_JSON_DEPTH)
		return hurl_fail_here(p, "this JSON is nested deeper than %d levels",
				      HURL_MAX_JSON_DEPTH);
	hurl_advance(p, 1);
	blanks(p);
	if (!hurl_accept(p, close)) {
		for (;;) {
			r = item(p, j);
			if (r < 0)
				return r;
			blanks(p);
			if (hurl_accept(p, close))
				break;
			if (!hurl_accept(p, ",")) {
				snprintf(what, sizeof(what), "',' or '%s'", close);
				return expected(p, what);
			}
			blanks(p);
		}
	}
	j->depth--;
	return 0;
}

static int parse_any(struct hurl_parser *p, struct json_text *j)
{
	int c = hurl_peek(p);

	if (hurl_looking_at(p, "{{"))
		return placeholder(p, j, PIECE_JSON_VALUE);
	if (c == '{')
		return parse_container(p, j, "}", parse_member);
	if (c == '[')
		return parse_container(p, j, "]", parse_any);
	if (c == '"')
		return parse_string(p, j);
	if (c == '-' || (c >= '0' && c <= '9'))
		return parse_number(p);
	if (hurl_accept(p, "true") || hurl_accept(p, "false") || hurl_accept(p, "null"))
		return 0;
	return expected(p, "a value");
}

int hurl_parse_json(struct hurl_parser *p, struct hurl_template *ret)
{
	struct hurl_template t = { .pos = hurl_here(p) };
	struct json_text j = { .t = &t, .start = p->pos };
	int r = parse_any(p, &j);

	if (r == 0)
		r = hurl_template_add(p, &t, p->src + j.start, p->pos - j.start);
	if (r == 0)
		*ret = t;
	return r;
}
