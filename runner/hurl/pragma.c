/* SPDX-License-Identifier: MIT */
/*
 * Grading data rides in comments, so that stock hurl runs the same file. Teachers mistype, and a
 * comment that silently means nothing costs somebody points: every comment that starts with "@"
 * and a letter must be a known pragma, in a place where it has an effect.
 */
#include "pragma.h"

#define names hurl_pragma_names
#define NAMES ((size_t)PRAGMA_SQL + 1)
#define MAX_HINT 500

/* These act where they stand, the others belong to the case as a whole. */
static bool is_step(enum hurl_pragma_kind kind)
{
	return kind == PRAGMA_RESTART || kind == PRAGMA_SQL;
}

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
	const char *near = hurl_suggest(word, len, names, NAMES);

	if (near)
		return hurl_fail_at(p, pos, "unknown pragma '# @%.*s', did you mean '# @%s'?",
				    (int)MIN_OF(len, (size_t)40), word, near);
	return hurl_fail_at(p, pos,
			    "unknown pragma '# @%.*s', expected @test, @points, @group, @hide, @hint "
			    "and so on (a comment that is none must not start with @)",
			    (int)MIN_OF(len, (size_t)40), word);
}

static int find(const char *word, size_t len)
{
	for (size_t i = 0; i < NAMES; i++)
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
	for (size_t i = n; i < len; i++)
		if ((unsigned char)text[i] < 0x20 && text[i] != '\t')
			return hurl_fail_at(p, pos, "a control character in '# @%s'", names[kind]);
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
		 size_t max, const char **ret)
{
	if (!pragma->len)
		return hurl_fail_at(p, pragma->pos, "expected a text, as in '# @%s %s'",
				    names[pragma->kind], example);
	if (pragma->len > max)
		return hurl_fail_at(p, pragma->pos, "the text of '# @%s' is longer than %zu bytes",
				    names[pragma->kind], max);
	*ret = hurl_arena_strndup(p->arena, pragma->arg, pragma->len);
	return *ret ? 0 : -ENOMEM;
}

/* "G", or "G require=A" */
static int group(struct hurl_parser *p, const struct hurl_pragma *pragma, struct hurl_case *c)
{
	static const char word[] = "require=";
	const char *at = memmem(pragma->arg, pragma->len, word, strlen(word));
	struct hurl_pragma name = *pragma, required = *pragma;
	int r;

	if (!at || (at > pragma->arg && at[-1] != ' ' && at[-1] != '\t'))
		return label(p, pragma, "accounts", HURL_MAX_NAME, &c->info.group);
	name.len = (size_t)(at - pragma->arg);
	required.arg = at + strlen(word);
	required.len = pragma->len - name.len - strlen(word);
	trim(&name.arg, &name.len);
	trim(&required.arg, &required.len);
	c->requires_pos = pragma->pos;
	r = label(p, &name, "bookings require=accounts", HURL_MAX_NAME, &c->info.group);
	if (r == 0)
		r = label(p, &required, "bookings require=accounts", HURL_MAX_NAME,
			  &c->info.requires);
	if (r == 0 && streq(c->info.group, c->info.requires))
		r = hurl_fail_at(p, pragma->pos, "a group cannot require itself");
	return r;
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

static int add_action(struct hurl_parser *p, const struct hurl_pragma *pragma, struct hurl_case *c,
		      size_t before, struct hurl_action **ret)
{
	static const enum hurl_ask_kind kinds[] = { [PRAGMA_RESTART] = HURL_ASK_RESTART,
						    [PRAGMA_SQL] = HURL_ASK_SQL,
						    [PRAGMA_MEMORY] = HURL_ASK_MEMORY };
	struct hurl_file *f = p->file;
	struct hurl_action *a;

	if (f->action_count == HURL_MAX_ASKS)
		return hurl_fail_at(p, pragma->pos,
				    "more than %d of @restart-server, @sql and @memory",
				    HURL_MAX_ASKS);
	a = hurl_arena_push(p->arena, &f->actions, &f->action_count, sizeof(*a));
	if (!a)
		return -ENOMEM;
	*a = (struct hurl_action){ .pos = pragma->pos, .before = before };
	a->ask.kind = kinds[pragma->kind];
	a->ask.line = pragma->pos.line;
	if (!c->action_count)
		c->first_action = f->action_count - 1;
	c->action_count++;
	*ret = a;
	return 0;
}

static int add_step(struct hurl_parser *p, const struct hurl_pragma *pragma, struct hurl_case *c,
		    size_t before)
{
	struct hurl_action *a;
	int r = add_action(p, pragma, c, before, &a);

	if (r == 0 && pragma->kind == PRAGMA_SQL)
		return hurl_pragma_sql(p, pragma, a);
	if (r == 0 && pragma->len)
		return hurl_fail_at(p, pragma->pos, "'# @restart-server' takes no argument");
	return r;
}

static int add_memory(struct hurl_parser *p, const struct hurl_pragma *pragma, struct hurl_case *c)
{
	struct hurl_action *a;
	int r = add_action(p, pragma, c, SIZE_MAX, &a);

	if (r < 0)
		return r;
	c->memory_ask = p->file->action_count - 1;
	c->memory_pos = pragma->pos;
	return hurl_pragma_memory(p, pragma, &c->memory);
}

static int apply_run(struct hurl_parser *p, const struct hurl_pragma *pragma, struct hurl_case *c)
{
	switch (pragma->kind) {
	case PRAGMA_PARALLEL:
		c->parallel_pos = pragma->pos;
		return hurl_pragma_count(p, pragma, &c->parallel);
	case PRAGMA_REPEAT:
		return hurl_pragma_count(p, pragma, &c->repeat);
	case PRAGMA_EXPECT:
		c->expect_pos = pragma->pos;
		return hurl_pragma_expect(p, pragma, c);
	case PRAGMA_P95:
		c->p95_pos = pragma->pos;
		return hurl_pragma_p95(p, pragma, &c->p95_us);
	case PRAGMA_SEED:
		c->seeded = true;
		return hurl_pragma_seed(p, pragma, &c->seed);
	default:
		return add_memory(p, pragma, c);
	}
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
		r = label(p, pragma, "signup works", HURL_MAX_NAME, &c->info.name);
		return r < 0 ? r : unique_name(p, pragma, c);
	case PRAGMA_POINTS:
		return hurl_pragma_points(p, pragma, &c->info.points);
	case PRAGMA_GROUP:
		return group(p, pragma, c);
	case PRAGMA_HINT:
		return label(p, pragma, "look at the status code", MAX_HINT, &c->info.hint);
	case PRAGMA_HIDE:
		if (pragma->len)
			r = hurl_fail_at(p, pragma->pos, "'# @hide' takes no argument");
		c->info.hidden = true;
		return r;
	default:
		return apply_run(p, pragma, c);
	}
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

		if (is_step(pragma->kind) && !c && f->case_count) {
			r = add_step(p, pragma, &f->cases[f->case_count - 1], entry);
			if (r < 0)
				return r;
			continue;
		}
		if (opens && c)
			return second_opener(p);
		if (!opens && !c && f->case_count)
			return misplaced(p, pragma);
		if (!c)
			c = opens ? new_case(p, entry, pragma->pos.line)
				  : file_case(p, entry, line);
		if (!c)
			return -ENOMEM;
		r = is_step(pragma->kind) ? add_step(p, pragma, c, entry)
					  : apply(p, pragma, c, &seen);
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

/* The copies of a round go together: nothing can happen between two of their requests. */
static int check_steps(struct hurl_parser *p, const struct hurl_case *c)
{
	if (!c->parallel && c->repeat < 2)
		return 0;
	for (size_t i = 0; i < c->action_count; i++) {
		const struct hurl_action *a = &p->file->actions[c->first_action + i];

		if (a->before != SIZE_MAX && a->before > c->first &&
		    a->before < c->first + c->count)
			return hurl_fail_at(p, a->pos,
					    "in a test with @parallel or @repeat, this must come before "
					    "its first request or after its last one");
	}
	return 0;
}

static int check_case(struct hurl_parser *p, const struct hurl_case *c)
{
	size_t copies = MAX_OF(c->parallel, 1u), rounds = MAX_OF(c->repeat, 1u), sum = 0;

	if (c->tally_count && !c->parallel)
		return hurl_fail_at(p, c->expect_pos,
				    "'# @expect' counts the copies of '# @parallel N', "
				    "which this test lacks");
	for (size_t i = 0; i < c->tally_count; i++)
		sum += c->tallies[i].count;
	if (c->tally_count && sum != copies)
		return hurl_fail_at(p, c->expect_pos, "these are %zu, but there are %zu copies",
				    sum, copies);
	if (copies * rounds * c->count > HURL_MAX_CASE_REQUESTS)
		return hurl_fail_at(p, (struct hurl_pos){ c->info.line, 1 },
				    "%zu requests for one test with its copies and rounds, the most is %d",
				    copies * rounds * c->count, HURL_MAX_CASE_REQUESTS);
	return check_steps(p, c);
}

int hurl_pragma_file_end(struct hurl_parser *p)
{
	struct hurl_file *f = p->file;
	int r = 0;

	for (size_t i = 0; i < p->pending_count && r == 0; i++) {
		const struct hurl_pragma *pragma = &p->pending[i];

		if (!is_step(pragma->kind))
			return hurl_fail_at(p, pragma->pos, "no request follows this '# @%s'",
					    names[pragma->kind]);
		r = add_step(p, pragma, &f->cases[f->case_count - 1], f->entry_count);
	}
	for (size_t i = 0; i < f->case_count && r == 0; i++)
		r = check_case(p, &f->cases[i]);
	return r;
}
