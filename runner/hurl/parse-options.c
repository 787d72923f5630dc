/* SPDX-License-Identifier: MIT */
#include "parser.h"

#define MAX_RETRY 1000
#define MAX_DELAY_MS 60000

enum option_kind {
	OPTION_BOOLEAN,
	OPTION_NUMBER,
	OPTION_DURATION,	/* a bare number counts as stated in the row */
	OPTION_VARIABLE,
};

struct option {
	const char *name;
	enum option_kind kind;
	size_t offset;
	unsigned int max;
	unsigned int unit_ms;
};

static const struct option options[] = {
	{ "compressed", OPTION_BOOLEAN, offsetof(struct hurl_options, compressed), 0, 0 },
	{ "delay", OPTION_DURATION, offsetof(struct hurl_options, delay_ms), MAX_DELAY_MS, 1 },
	{ "location", OPTION_BOOLEAN, offsetof(struct hurl_options, location), 0, 0 },
	{ "max-redirs", OPTION_NUMBER, offsetof(struct hurl_options, max_redirs),
	  HURL_MAX_REDIRECTS, 0 },
	{ "max-time", OPTION_DURATION, offsetof(struct hurl_options, max_time_ms),
	  HURL_MAX_REQUEST_MS, 1000 },
	{ "retry", OPTION_NUMBER, offsetof(struct hurl_options, retry), MAX_RETRY, 0 },
	{ "retry-interval", OPTION_DURATION, offsetof(struct hurl_options, retry_interval_ms),
	  MAX_DELAY_MS, 1 },
	{ "variable", OPTION_VARIABLE, 0, 0, 0 },
};

static int no_template(struct hurl_parser *p)
{
	if (hurl_looking_at(p, "{{"))
		return hurl_fail_here(p, "a variable is not supported as the value of an option");
	return 0;
}

static int parse_boolean(struct hurl_parser *p, bool *ret)
{
	char found[64];

	if (hurl_accept(p, "true"))
		*ret = true;
	else if (hurl_accept(p, "false"))
		*ret = false;
	else
		return hurl_fail_here(p, "expected true or false, found %s", hurl_found(p, found));
	return 0;
}

static int parse_digits(struct hurl_parser *p, unsigned int max, unsigned int *ret)
{
	struct hurl_pos pos = hurl_here(p);
	unsigned int n = 0, digits = 0;
	char found[64];

	if (hurl_looking_at(p, "-1"))
		return hurl_fail_here(p, "without a limit (-1) is not supported, the most is %u", max);
	for (; hurl_peek(p) >= '0' && hurl_peek(p) <= '9'; digits++) {
		if (n < 100000000)
			n = n * 10 + (unsigned int)(hurl_peek(p) - '0');
		hurl_advance(p, 1);
	}
	if (!digits)
		return hurl_fail_here(p, "expected a whole number, found %s", hurl_found(p, found));
	if (n > max)
		return hurl_fail_at(p, pos, "%u is too much, the most is %u", n, max);
	*ret = n;
	return 0;
}

static int parse_duration(struct hurl_parser *p, const struct option *o, unsigned int *ret)
{
	struct hurl_pos pos = hurl_here(p);
	unsigned int n, unit = o->unit_ms;
	char found[64];
	int r = parse_digits(p, 100000000, &n);

	if (r < 0)
		return r;
	if (hurl_accept(p, "ms"))
		unit = 1;
	else if (hurl_accept(p, "s"))
		unit = 1000;
	else if (hurl_accept(p, "m"))
		unit = 60000;
	else if (hurl_word_len(p))
		return hurl_fail_here(p, "expected ms, s or m, found %s", hurl_found(p, found));
	if (n > o->max / unit)
		return hurl_fail_at(p, pos, "this is too long, the most is %us", o->max / 1000);
	*ret = n * unit;
	return 0;
}

/* As in Hurl, what is no typed literal is a string without quotes. */
static bool is_literal(const struct hurl_parser *p)
{
	const char *s = p->src + p->pos;
	size_t len = 0;

	while (p->pos + len < p->len && !strchr(" \t\n#", s[len]))
		len++;
	if (!len || strchr("\"`", *s) || hurl_looking_at(p, "{{"))
		return true;
	if ((len == 4 && (!memcmp(s, "true", 4) || !memcmp(s, "null", 4))) ||
	    (len == 5 && !memcmp(s, "false", 5)))
		return true;
	while (len && strchr("-.0123456789", s[len - 1]))
		len--;
	return len == 0;
}

static int parse_variable(struct hurl_parser *p, struct hurl_options *o)
{
	struct hurl_option_variable *v;
	char found[64];
	size_t n = hurl_word_len(p);

	v = hurl_arena_push(p->arena, &o->variables, &o->variable_count, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->pos = hurl_here(p);
	if (!n)
		return hurl_fail_here(p, "expected name=value, found %s", hurl_found(p, found));
	v->name = hurl_arena_strndup(p->arena, p->src + p->pos, n);
	if (!v->name)
		return -ENOMEM;
	hurl_advance(p, n);
	hurl_skip_spaces(p);
	if (!hurl_accept(p, "="))
		return hurl_fail_here(p, "expected '=', found %s", hurl_found(p, found));
	hurl_skip_spaces(p);
	v->value.pos = hurl_here(p);
	if (!is_literal(p)) {
		v->value.kind = OPERAND_TEXT;
		return hurl_parse_text(p, &hurl_text_value, &v->value.text);
	}
	return hurl_parse_operand(p, &v->value);
}

static int parse_value(struct hurl_parser *p, const struct option *o, struct hurl_options *out)
{
	char *field = (char *)out + o->offset;
	int r;

	if (o->kind == OPTION_VARIABLE)
		return parse_variable(p, out);
	r = no_template(p);
	if (r < 0)
		return r;
	if (o->kind == OPTION_BOOLEAN)
		return parse_boolean(p, (bool *)field);
	if (o->kind == OPTION_NUMBER)
		return parse_digits(p, o->max, (unsigned int *)field);
	return parse_duration(p, o, (unsigned int *)field);
}

static int unknown(struct hurl_parser *p, const char *word, size_t len)
{
	const char *hint = hurl_refused(hurl_refused_options, word, len);
	const char *names[ARRAY_SIZE(options)], *near;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		names[i] = options[i].name;
	near = hurl_suggest(word, len, names, ARRAY_SIZE(names));
	if (hint)
		return hurl_fail_here(p, "the option '%.*s' is not supported%s%s", (int)len, word,
				      *hint ? ": " : "", hint);
	return hurl_fail_here(p, "unknown option '%.*s'%s%s%s", (int)MIN_OF(len, (size_t)40), word,
			      near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int hurl_parse_option(struct hurl_parser *p, struct hurl_options *out)
{
	const char *word = p->src + p->pos;
	const struct option *o = NULL;
	size_t len = 0;
	int r;

	while (p->pos + len < p->len && !strchr(" \t\n:#", word[len]))
		len++;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strlen(options[i].name) == len && memcmp(options[i].name, word, len) == 0)
			o = &options[i];
	if (!o)
		return unknown(p, word, len);
	hurl_advance(p, len);
	hurl_skip_spaces(p);
	if (!hurl_accept(p, ":"))
		return hurl_fail_here(p, "expected ':' after %s", o->name);
	hurl_skip_spaces(p);
	r = parse_value(p, o, out);
	return r < 0 ? r : hurl_end_line(p);
}
