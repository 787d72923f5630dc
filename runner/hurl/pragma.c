/* SPDX-License-Identifier: MIT */
/*
 * Grading data rides in comments, so that stock hurl runs the same file. Teachers mistype, and a
 * comment that silently means nothing costs somebody points: every comment that starts with "@"
 * and a letter must be a known pragma, in a place where it has an effect.
 */
#include "parser.h"

#define MAX_POINTS 1000000

static const char *const names[] = {
	[PRAGMA_TEST] = "test",
	[PRAGMA_POINTS] = "points",
	[PRAGMA_GROUP] = "group",
	[PRAGMA_HIDE] = "hide",
};

static const struct hurl_name planned[] = {
	{ "hint", "" }, { "parallel", "" }, { "restart-server", "" }, { "sql", "" }, { "p95", "" },
	{ "memory", "" }, { NULL, NULL },
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void trim(const char **s, size_t *len)
{
	while (*len && (**s == ' ' || **s == '\t')) {
		(*s)++;
		(*len)--;
	}
	while (*len && ((*s)[*len - 1] == ' ' || (*s)[*len - 1] == '\t'))
		(*len)--;
}

static int unknown(struct hurl_parser *p, struct hurl_pos pos, const char *word, size_t len)
{
	const char *near = hurl_suggest(word, len, names, ARRAY_SIZE(names));

	if (hurl_refused(planned, word, len))
		return hurl_fail_at(p, pos, "'# @%.*s' is not supported by this version", (int)len,
				    word);
	if (near)
		return hurl_fail_at(p, pos, "unknown pragma '# @%.*s', did you mean '# @%s'?",
				    (int)MIN_OF(len, (size_t)40), word, near);
	return hurl_fail_at(p, pos,
			    "unknown pragma '# @%.*s', expected @test, @points, @group or @hide "
			    "(a comment that is none must not start with @)",
			    (int)MIN_OF(len, (size_t)40), word);
}

static int find(const char *word, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == len && memcmp(names[i], word, len) == 0)
			return (int)i;
	return -1;
}

int hurl_pragma_comment(struct hurl_parser *p, struct hurl_pos pos, const char *text, size_t len,
			bool own_line)
{
	struct hurl_pragma *pragma;
	size_t n = 1;
	int kind;

	trim(&text, &len);
	if (len < 2 || text[0] != '@' || !is_letter(text[1]))
		return 0;
	while (n < len && text[n] != ' ' && text[n] != '\t')
		n++;
	kind = find(text + 1, n - 1);
	if (kind < 0)
		return unknown(p, pos, text + 1, n - 1);
	if (!own_line)
		return hurl_fail_at(p, pos, "'# @%s' must stand on a line of its own", names[kind]);
	pragma = hurl_arena_push(p->arena, &p->pending, &p->pending_count, sizeof(*pragma));
	if (!pragma)
		return -ENOMEM;
	pragma->kind = (enum hurl_pragma_kind)kind;
	pragma->pos = pos;
	pragma->arg = text + n;
	pragma->len = len - n;
	trim(&pragma->arg, &pragma->len);
	return 0;
}

static int label(struct hurl_parser *p, const struct hurl_pragma *pragma, const char *example,
		 const char **ret)
{
	if (!pragma->len)
		return hurl_fail_at(p, pragma->pos, "expected a text, as in '# @%s %s'",
				    names[pragma->kind], example);
	if (pragma->len > HURL_MAX_NAME)
		return hurl_fail_at(p, pragma->pos, "the text of '# @%s' is longer than %d bytes",
				    names[pragma->kind], HURL_MAX_NAME);
	*ret = hurl_arena_strndup(p->arena, pragma->arg, pragma->len);
	return *ret ? 0 : -ENOMEM;
}

static int points(struct hurl_parser *p, const struct hurl_pragma *pragma, unsigned int *ret)
{
	unsigned int n = 0;

	for (size_t i = 0; i < pragma->len; i++) {
		char c = pragma->arg[i];

		if (c < '0' || c > '9' || n > MAX_POINTS)
			goto bad;
		n = n * 10 + (unsigned int)(c - '0');
	}
	if (pragma->len && n <= MAX_POINTS) {
		*ret = n;
		return 0;
	}
bad:
	return hurl_fail_at(p, pragma->pos,
			    "expected a whole number from 0 to %d, as in '# @points 2'", MAX_POINTS);
}

static struct hurl_case *new_case(struct hurl_parser *p, size_t entry, unsigned int line)
{
	struct hurl_file *f = p->file;
	struct hurl_case *c = hurl_arena_push(p->arena, &f->cases, &f->case_count, sizeof(*c));

	if (c) {
		c->info = (struct hurl_case_info){ .file = f->name, .line = line, .points = 1 };
		c->first = entry;
	}
	return c;
}

static int unique_name(struct hurl_parser *p, const struct hurl_pragma *pragma,
		       const struct hurl_case *c)
{
	const struct hurl_file *f = p->file;

	for (size_t i = 0; i < f->case_count; i++) {
		const struct hurl_case *other = &f->cases[i];

		if (other != c && streq(other->info.name, c->info.name))
			return hurl_fail_at(p, pragma->pos,
					    "a test of this name exists already (line %u)",
					    other->info.line);
	}
	return 0;
}

/* seen: one bit per kind, for this case */
static int apply(struct hurl_parser *p, const struct hurl_pragma *pragma, struct hurl_case *c,
		 unsigned int *seen)
{
	int r = 0;

	if (*seen & 1u << pragma->kind)
		return hurl_fail_at(p, pragma->pos, "a second '# @%s' for the same test",
				    names[pragma->kind]);
	*seen |= 1u << pragma->kind;
	switch (pragma->kind) {
	case PRAGMA_TEST:
		r = label(p, pragma, "signup works", &c->info.name);
		return r < 0 ? r : unique_name(p, pragma, c);
	case PRAGMA_POINTS:
		return points(p, pragma, &c->info.points);
	case PRAGMA_GROUP:
		return label(p, pragma, "accounts", &c->info.group);
	case PRAGMA_HIDE:
		if (pragma->len)
			r = hurl_fail_at(p, pragma->pos, "'# @hide' takes no argument");
		c->info.hidden = true;
	}
	return r;
}

/* A file whose first entries come before any @test has a case named after the file. */
static struct hurl_case *file_case(struct hurl_parser *p, size_t entry, unsigned int line)
{
	struct hurl_case *c = new_case(p, entry, line);

	if (c)
		c->info.name = p->file->name;
	return c;
}

static int misplaced(struct hurl_parser *p, const struct hurl_pragma *pragma)
{
	return hurl_fail_at(p, pragma->pos,
			    "'# @%s' must come after its '# @test' and before the first request",
			    names[pragma->kind]);
}

static int second_opener(struct hurl_parser *p)
{
	const struct hurl_pragma *first = &p->pending[0];

	if (first->kind != PRAGMA_TEST)
		return misplaced(p, first);
	return hurl_fail_at(p, first->pos, "this test has no request");
}

int hurl_pragma_entry(struct hurl_parser *p, size_t entry, unsigned int line)
{
	struct hurl_file *f = p->file;
	struct hurl_case *c = NULL;
	unsigned int seen = 0;

	for (size_t i = 0; i < p->pending_count; i++) {
		const struct hurl_pragma *pragma = &p->pending[i];
		bool opens = pragma->kind == PRAGMA_TEST;
		int r;

		if (opens && c)
			return second_opener(p);
		if (!opens && !c && f->case_count)
			return misplaced(p, pragma);
		if (!c)
			c = opens ? new_case(p, entry, pragma->pos.line) : file_case(p, entry, line);
		if (!c)
			return -ENOMEM;
		r = apply(p, pragma, c, &seen);
		if (r < 0)
			return r;
	}
	p->pending_count = 0;
	p->pending = NULL;
	if (!f->case_count && !file_case(p, entry, line))
		return -ENOMEM;
	f->cases[f->case_count - 1].count++;
	return 0;
}

int hurl_pragma_entry_end(struct hurl_parser *p)
{
	if (p->pending_count && p->pending[0].pos.line < p->last_line)
		return hurl_fail_at(p, p->pending[0].pos,
				    "'# @%s' stands inside a request; it must come before the "
				    "request line",
				    names[p->pending[0].kind]);
	return 0;
}

int hurl_pragma_file_end(struct hurl_parser *p)
{
	if (!p->pending_count)
		return 0;
	return hurl_fail_at(p, p->pending[0].pos, "no request follows this '# @%s'",
			    names[p->pending[0].kind]);
}
