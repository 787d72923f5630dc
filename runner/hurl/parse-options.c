/* SPDX-License-Identifier: MIT */
#include "parser.h"

#define MAX_RETRY 1000
#define MAX_DELAY_MS 60000

enum option_kind {
	OPTION_BOOLEAN,
	OPTION_NUMBER,
	OPTION_DURATION,	/* a bare number counts as stated in the row */
	OPTION_VARIABLE,
	OPTION_HEADER,
	OPTION_USER,
	OPTION_FIXED,		/* true is how it is anyway; false is refused */
};

struct hurl_option {
	const char *name;
	enum option_kind kind;
	size_t offset;
	unsigned int max;
	unsigned int unit_ms;
};

static const struct hurl_option options[] = {
	{ "compressed", OPTION_BOOLEAN, offsetof(struct hurl_options, compressed), 0, 0 },
	{ "delay", OPTION_DURATION, offsetof(struct hurl_options, delay_ms), MAX_DELAY_MS, 1 },
	{ "header", OPTION_HEADER, offsetof(struct hurl_options, headers), 0, 0 },
	{ "http1.0", OPTION_BOOLEAN, offsetof(struct hurl_options, http10), 0, 0 },
	{ "http1.1", OPTION_FIXED, 0, 0, 0 },
	{ "location", OPTION_BOOLEAN, offsetof(struct hurl_options, location), 0, 0 },
	{ "max-redirs", OPTION_NUMBER, offsetof(struct hurl_options, max_redirs),
	  HURL_MAX_REDIRECTS, 0 },
	{ "max-time", OPTION_DURATION, offsetof(struct hurl_options, max_time_ms),
	  HURL_MAX_REQUEST_MS, 1000 },
	{ "path-as-is", OPTION_BOOLEAN, offsetof(struct hurl_options, path_as_is), 0, 0 },
	{ "repeat", OPTION_NUMBER, offsetof(struct hurl_options, repeat), HURL_MAX_REPEAT, 0 },
	{ "retry", OPTION_NUMBER, offsetof(struct hurl_options, retry), MAX_RETRY, 0 },
	{ "retry-interval", OPTION_DURATION, offsetof(struct hurl_options, retry_interval_ms),
	  MAX_DELAY_MS, 1 },
	{ "skip", OPTION_BOOLEAN, offsetof(struct hurl_options, skip), 0, 0 },
	{ "user", OPTION_USER, offsetof(struct hurl_options, user), 0, 0 },
	{ "variable", OPTION_VARIABLE, 0, 0, 0 },
};

/* {{name}}: what it means is known when the request is made (hurl_option_resolve). */
static int parse_template(struct hurl_parser *p, const struct hurl_option *o,
			  struct hurl_options *out)
{
	struct hurl_option_template *t;

	t = hurl_arena_push(p->arena, &out->templates, &out->template_count, sizeof(*t));
	if (!t)
		return -ENOMEM;
	*t = (struct hurl_option_template){ .option = o, .pos = hurl_here(p) };
	t->text.pos = t->pos;
	return hurl_parse_placeholder(p, PIECE_PLAIN, &t->text);
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
		return hurl_fail_here(p, "without a limit (-1) is not supported, the most is %u",
				      max);
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

static int parse_duration(struct hurl_parser *p, const struct hurl_option *o, unsigned int *ret)
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

/* "Name: value", or "user:password" */
static int parse_pair(struct hurl_parser *p, struct hurl_kvs *kvs, bool once)
{
	struct hurl_kv *kv;
	char found[64];
	int r;

	if (once && kvs->count)
		return hurl_fail_here(p, "this option can be given once");
	if (kvs->count == 100)
		return hurl_fail_here(p, "more than 100 of these");
	kv = hurl_arena_push(p->arena, &kvs->items, &kvs->count, sizeof(*kv));
	if (!kv)
		return -ENOMEM;
	r = hurl_parse_text(p, &hurl_text_key, &kv->key);
	if (r < 0)
		return r;
	hurl_skip_spaces(p);
	if (!kv->key.count || !hurl_accept(p, ":"))
		return hurl_fail_here(p, "expected '%s', found %s",
				      once ? "user:password" : "Name: value", hurl_found(p, found));
	hurl_skip_spaces(p);
	return hurl_parse_text(p, &hurl_text_value, &kv->value);
}

static int parse_fixed(struct hurl_parser *p)
{
	struct hurl_pos pos = hurl_here(p);
	bool value = true;
	int r = parse_boolean(p, &value);

	if (r == 0 && !value)
		r = hurl_fail_at(p, pos, "requests are always HTTP/1.1, unless http1.0 is true");
	return r;
}

static int parse_value(struct hurl_parser *p, const struct hurl_option *o, struct hurl_options *out)
{
	char *field = (char *)out + o->offset;

	switch (o->kind) {
	case OPTION_VARIABLE:
		return parse_variable(p, out);
	case OPTION_HEADER:
	case OPTION_USER:
		return parse_pair(p, (struct hurl_kvs *)(void *)field, o->kind == OPTION_USER);
	case OPTION_FIXED:
		return parse_fixed(p);
	default:
		break;
	}
	if (hurl_looking_at(p, "{{"))
		return parse_template(p, o, out);
	if (o->kind == OPTION_BOOLEAN)
		return parse_boolean(p, (bool *)field);
	if (o->kind == OPTION_NUMBER)
		return parse_digits(p, o->max, (unsigned int *)(void *)field);
	return parse_duration(p, o, (unsigned int *)(void *)field);
}

const char *hurl_option_name(const struct hurl_option *o)
{
	return o->name;
}

bool hurl_option_set(const struct hurl_option *o, const struct hurl_value *v,
		     struct hurl_options *out, const char **ret_needs)
{
	char *field = (char *)out + o->offset;
	unsigned int unit = o->kind == OPTION_DURATION ? o->unit_ms : 1;

	*ret_needs = o->kind == OPTION_BOOLEAN ? "a boolean" : "a whole number within its limit";
	if (o->kind == OPTION_BOOLEAN) {
		if (v->kind == VALUE_BOOL)
			*(bool *)field = v->boolean;
		return v->kind == VALUE_BOOL;
	}
	if (v->kind != VALUE_INT || v->integer < 0 || v->integer > (int64_t)(o->max / unit))
		return false;
	*(unsigned int *)(void *)field = (unsigned int)v->integer * unit;
	return true;
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
	const struct hurl_option *o = NULL;
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
