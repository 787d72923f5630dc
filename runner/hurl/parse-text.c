/* SPDX-License-Identifier: MIT */
#include "parser.h"

const struct hurl_text_kind hurl_text_key = {
	.what = "name", .stops = " \t#:", .escapes = "#:\\bfnrtu",
};
const struct hurl_text_kind hurl_text_value = {
	.what = "value", .stops = "#", .escapes = "#\\bfnrtu", .trim = true,
};
static const struct hurl_text_kind quoted = {
	.what = "string", .stops = "\"", .escapes = "\"\\bfnrtu",
};
static const struct hurl_text_kind oneline = {
	.what = "string", .stops = "`", .escapes = "`#\\bfnrtu",
};

int hurl_template_add(struct hurl_parser *p, struct hurl_template *t, const char *text, size_t len)
{
	struct hurl_piece *piece;

	if (!len)
		return 0;
	piece = hurl_arena_push(p->arena, &t->pieces, &t->count, sizeof(*piece));
	if (!piece)
		return -ENOMEM;
	piece->mode = PIECE_TEXT;
	piece->text = hurl_arena_strndup(p->arena, text, len);
	piece->len = len;
	return piece->text ? 0 : -ENOMEM;
}

const char *hurl_template_constant(const struct hurl_template *t, size_t *ret_len)
{
	*ret_len = 0;
	if (!t->count)
		return "";
	if (t->count > 1 || t->pieces[0].mode != PIECE_TEXT)
		return NULL;
	*ret_len = t->pieces[0].len;
	return t->pieces[0].text;
}

static bool is_word(const char *name, const char *word, size_t len)
{
	return strlen(name) == len && memcmp(name, word, len) == 0;
}

static enum hurl_function function_of(const char *word, size_t len)
{
	if (is_word("newUuid", word, len))
		return FUNCTION_UUID;
	return is_word("newDate", word, len) ? FUNCTION_DATE : FUNCTION_NONE;
}

static bool starts_name(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

int hurl_parse_placeholder(struct hurl_parser *p, enum hurl_piece_mode mode,
			   struct hurl_template *t)
{
	struct hurl_piece *piece;
	struct hurl_pos pos;
	char found[64];
	size_t n;

	hurl_advance(p, 2);
	hurl_skip_spaces(p);
	pos = hurl_here(p);
	n = starts_name(hurl_peek(p)) ? hurl_word_len(p) : 0;
	if (!n)
		return hurl_fail_here(p, "expected the name of a variable, found %s",
				      hurl_found(p, found));
	if (is_word("getEnv", p->src + p->pos, n))
		return hurl_fail_here(p, "the function getEnv is not supported");
	piece = hurl_arena_push(p->arena, &t->pieces, &t->count, sizeof(*piece));
	if (!piece)
		return -ENOMEM;
	*piece = (struct hurl_piece){ .mode = mode, .pos = pos, .len = n };
	piece->function = function_of(p->src + p->pos, n);
	piece->text = hurl_arena_strndup(p->arena, p->src + p->pos, n);
	if (!piece->text)
		return -ENOMEM;
	hurl_advance(p, n);
	hurl_skip_spaces(p);
	if (hurl_accept(p, "}}"))
		return 0;
	if (hurl_word_len(p))
		return hurl_fail_here(p, "a filter inside {{ }} is not supported, filter where the "
					 "variable is captured");
	return hurl_fail_here(p, "expected '}}', found %s", hurl_found(p, found));
}

/* \u{1f600} */
static int unicode_escape(struct hurl_parser *p, struct hurl_buf *out)
{
	unsigned int code = 0, digits = 0;

	if (!hurl_accept(p, "{"))
		return hurl_fail_here(p, "expected '{', as in \\u{e9}");
	for (; digits < 7 && hurl_peek(p) > 0 && strchr("0123456789abcdefABCDEF", hurl_peek(p));
	     digits++) {
		int c = hurl_peek(p);

		code = code * 16 + (unsigned int)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
		hurl_advance(p, 1);
	}
	if (!digits || !hurl_looking_at(p, "}") || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return hurl_fail_here(p, "expected the hexadecimal code of a character and '}', "
					 "as in \\u{e9}");
	hurl_advance(p, 1);
	hurl_buf_add_utf8(out, code);
	return 0;
}

static int escape(struct hurl_parser *p, const struct hurl_text_kind *kind, struct hurl_buf *out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	struct hurl_pos pos = hurl_here(p);
	const char *known;
	char found[64];
	int c;

	hurl_advance(p, 1);
	c = hurl_peek(p);
	if (c <= 0 || c == '\n' || !strchr(kind->escapes, c))
		return hurl_fail_at(p, pos,
				    "unknown escape: after \\ comes %s; write \\\\ for a backslash%s",
				    hurl_found(p, found),
				    kind == &quoted ? ", or a regular expression as /.../" : "");
	hurl_advance(p, 1);
	if (c == 'u')
		return unicode_escape(p, out);
	known = strchr(from, c);
	hurl_buf_addc(out, known ? to[known - from] : (char)c);
	return 0;
}

static int flush(struct hurl_parser *p, struct hurl_buf *text, struct hurl_template *t)
{
	int r = hurl_buf_error(text);

	if (!r)
		r = hurl_template_add(p, t, hurl_buf_str(text), text->len);
	hurl_buf_done(text);
	return r;
}

static int parse_pieces(struct hurl_parser *p, const struct hurl_text_kind *kind,
			struct hurl_buf *text, struct hurl_template *t)
{
	size_t keep = 0; /* bytes of text that trimming must leave */
	int r;

	while (hurl_peek(p) > 0 && hurl_peek(p) != '\n' && !strchr(kind->stops, hurl_peek(p))) {
		char c = p->src[p->pos];

		if (hurl_looking_at(p, "{{")) {
			r = flush(p, text, t);
			if (r == 0)
				r = hurl_parse_placeholder(p, PIECE_PLAIN, t);
			if (r < 0)
				return r;
			keep = 0;
		} else if (c == '\\') {
			r = escape(p, kind, text);
			if (r < 0)
				return r;
			keep = text->len;
		} else {
			hurl_buf_addc(text, c);
			hurl_advance(p, 1);
			if (c != ' ' && c != '\t')
				keep = text->len;
		}
	}
	if (kind->trim)
		text->len = keep;
	return flush(p, text, t);
}

int hurl_parse_text(struct hurl_parser *p, const struct hurl_text_kind *kind,
		    struct hurl_template *ret)
{
	struct hurl_template t = { .pos = hurl_here(p) };
	struct hurl_buf text;
	int r;

	hurl_buf_init(&text, HURL_MAX_SOURCE);
	r = parse_pieces(p, kind, &text, &t);
	hurl_buf_done(&text);
	if (r == 0)
		*ret = t;
	return r;
}

static int delimited(struct hurl_parser *p, const struct hurl_text_kind *kind,
		     struct hurl_template *ret)
{
	struct hurl_pos pos = hurl_here(p);
	int r;

	hurl_advance(p, 1);
	r = hurl_parse_text(p, kind, ret);
	if (r < 0)
		return r;
	ret->pos = pos;
	if (!hurl_accept(p, kind->stops))
		return hurl_fail_here(p, "expected the closing %s of the string that starts in "
					 "column %u",
				      kind->stops, pos.column);
	return 0;
}

int hurl_parse_quoted(struct hurl_parser *p, struct hurl_template *ret)
{
	char found[64];

	if (!hurl_looking_at(p, "\""))
		return hurl_fail_here(p, "expected a string in double quotes, found %s",
				      hurl_found(p, found));
	return delimited(p, &quoted, ret);
}

int hurl_parse_oneline(struct hurl_parser *p, struct hurl_template *ret)
{
	return delimited(p, &oneline, ret);
}

int hurl_parse_raw(struct hurl_parser *p, size_t end, struct hurl_template *ret)
{
	struct hurl_template t = { .pos = hurl_here(p) };
	int r;

	while (p->pos < end) {
		const char *text = p->src + p->pos;
		const char *open = memmem(text, end - p->pos, "{{", 2);
		size_t n = open ? (size_t)(open - text) : end - p->pos;

		r = hurl_template_add(p, &t, text, n);
		if (r < 0)
			return r;
		hurl_advance(p, n);
		if (!open)
			break;
		r = hurl_parse_placeholder(p, PIECE_PLAIN, &t);
		if (r < 0)
			return r;
	}
	*ret = t;
	return 0;
}
