/* SPDX-License-Identifier: MIT */
#include "eval.h"
#include "parser.h"

#define MAX_NAMES 64
#define MAX_FILTERS 20

/* Every word of a row's table, to propose one of them. */
#define COLLECT_NAMES(names, count, types)                                           \
	do {                                                                         \
		for (size_t _i = 0; (types)[_i].name && (count) < MAX_NAMES; _i++)   \
			(names)[(count)++] = (types)[_i].name;                       \
	} while (0)

static size_t token_len(const struct hurl_parser *p)
{
	size_t n = 0;

	while (p->pos + n < p->len && !strchr(" \t\n#\"/", p->src[p->pos + n]))
		n++;
	return n;
}

static bool is_word(const char *name, const char *word, size_t len)
{
	return strlen(name) == len && memcmp(name, word, len) == 0;
}

static int unknown(struct hurl_parser *p, const char *what, const char *const *names, size_t count,
		   const struct hurl_name *refused)
{
	const char *word = p->src + p->pos;
	size_t len = token_len(p);
	const char *hint = hurl_refused(refused, word, len);
	const char *near = hurl_suggest(word, len, names, count);
	char found[64];

	if (hint)
		return hurl_fail_here(p, "the %s '%.*s' is not supported%s%s", what, (int)len, word,
				      *hint ? ": " : "", hint);
	if (!len)
		return hurl_fail_here(p, "expected a %s, found %s", what, hurl_found(p, found));
	if (near)
		return hurl_fail_here(p, "unknown %s '%.*s', did you mean '%s'?", what,
				      (int)MIN_OF(len, (size_t)40), word, near);
	return hurl_fail_here(p, "unknown %s '%.*s'", what, (int)MIN_OF(len, (size_t)40), word);
}

static int parse_query(struct hurl_parser *p, struct hurl_query *q)
{
	const char *names[MAX_NAMES], *word = p->src + p->pos;
	size_t len = token_len(p), count = 0;

	q->pos = hurl_here(p);
	for (const struct hurl_query_type *t = hurl_query_types; t->name; t++)
		if (is_word(t->name, word, len))
			q->type = t;
	if (!q->type) {
		COLLECT_NAMES(names, count, hurl_query_types);
		return unknown(p, "query", names, count, hurl_refused_queries);
	}
	hurl_advance(p, len);
	return hurl_parse_argument(p, q->type->arg, q->type->name, &q->arg);
}

static const struct hurl_filter_type *find_filter(const char *word, size_t len)
{
	for (const struct hurl_filter_type *t = hurl_filter_types; t->name; t++)
		if (is_word(t->name, word, len))
			return t;
	return NULL;
}

/* Stops before the first word that is no filter. */
static int parse_filters(struct hurl_parser *p, struct hurl_filters *ret)
{
	for (;;) {
		const struct hurl_filter_type *type;
		struct hurl_filter *f;

		hurl_skip_spaces(p);
		type = find_filter(p->src + p->pos, token_len(p));
		if (!type)
			return 0;
		if (ret->count == MAX_FILTERS)
			return hurl_fail_here(p, "more than %d filters", MAX_FILTERS);
		f = hurl_arena_push(p->arena, &ret->items, &ret->count, sizeof(*f));
		if (!f)
			return -ENOMEM;
		f->type = type;
		f->pos = hurl_here(p);
		hurl_advance(p, strlen(type->name));
		for (size_t i = 0; i < ARRAY_SIZE(f->args); i++) {
			int r = hurl_parse_argument(p, type->args[i], type->name, &f->args[i]);

			if (r < 0)
				return r;
		}
	}
}

static int unknown_predicate(struct hurl_parser *p)
{
	const char *names[2 * MAX_NAMES], *word = p->src + p->pos;
	size_t len = token_len(p), count = 0;

	if (hurl_refused(hurl_refused_filters, word, len))
		return unknown(p, "filter", names, 0, hurl_refused_filters);
	COLLECT_NAMES(names, count, hurl_predicate_types);
	COLLECT_NAMES(names, count, hurl_filter_types);
	return unknown(p, "predicate", names, count, hurl_refused_predicates);
}

static int parse_predicate(struct hurl_parser *p, struct hurl_predicate *ret)
{
	size_t len = token_len(p);

	ret->pos = hurl_here(p);
	if (len == 3 && hurl_accept(p, "not")) {
		ret->negated = true;
		hurl_skip_spaces(p);
		len = token_len(p);
	}
	for (const struct hurl_predicate_type *t = hurl_predicate_types; t->name; t++)
		if (is_word(t->name, p->src + p->pos, len))
			ret->type = t;
	if (!ret->type)
		return unknown_predicate(p);
	hurl_advance(p, len);
	return hurl_parse_argument(p, ret->type->arg, ret->type->name, &ret->arg);
}

int hurl_parse_assert(struct hurl_parser *p, struct hurl_assert *ret)
{
	int r = parse_query(p, &ret->query);

	if (r == 0)
		r = parse_filters(p, &ret->filters);
	if (r == 0)
		r = parse_predicate(p, &ret->predicate);
	return r < 0 ? r : hurl_end_line(p);
}

int hurl_parse_capture(struct hurl_parser *p, struct hurl_capture *ret)
{
	char found[64];
	int r = hurl_parse_text(p, &hurl_text_key, &ret->name);

	if (r < 0)
		return r;
	hurl_skip_spaces(p);
	if (!hurl_accept(p, ":"))
		return hurl_fail_here(p, "expected ':' after the name of the variable, found %s",
				      hurl_found(p, found));
	hurl_skip_spaces(p);
	r = parse_query(p, &ret->query);
	if (r == 0)
		r = parse_filters(p, &ret->filters);
	if (r < 0)
		return r;
	if (!hurl_at_line_end(p) &&
	    hurl_refused(hurl_refused_filters, p->src + p->pos, token_len(p)))
		return unknown_predicate(p);
	if (hurl_looking_at(p, "redact"))
		return hurl_fail_here(p, "'redact' is not supported");
	if (!hurl_at_line_end(p))
		return hurl_fail_here(p, "expected a filter or the end of the line, found %s",
				      hurl_found(p, found));
	return hurl_end_line(p);
}
