/* SPDX-License-Identifier: MIT */
/*
 * What stands behind a pragma: numbers with units, tallies, statements. One grammar each, no more.
 */
#include "pragma.h"

#define MAX_POINTS 1000000
#define MAX_TALLIES 16

const char *const hurl_pragma_names[] = {
	[PRAGMA_TEST] = "test",     [PRAGMA_POINTS] = "points", [PRAGMA_GROUP] = "group",
	[PRAGMA_HIDE] = "hide",     [PRAGMA_HINT] = "hint",     [PRAGMA_PARALLEL] = "parallel",
	[PRAGMA_EXPECT] = "expect", [PRAGMA_REPEAT] = "repeat", [PRAGMA_P95] = "p95",
	[PRAGMA_MEMORY] = "memory", [PRAGMA_SEED] = "seed",     [PRAGMA_RESTART] = "restart-server",
	[PRAGMA_SQL] = "sql",
};

static int fail(struct hurl_parser *p, const struct hurl_pragma *pragma, const char *expected)
{
	return hurl_fail_at(p, pragma->pos, "expected %s", expected);
}

static size_t digits(const char *s, size_t len, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;

	*ret = 0;
	while (i < len && s[i] >= '0' && s[i] <= '9') {
		n = n * 10 + (uint64_t)(s[i++] - '0');
		if (n > max)
			return 0;
	}
	*ret = n;
	return i;
}

static bool whole(const struct hurl_pragma *pragma, uint64_t min, uint64_t max, uint64_t *ret)
{
	size_t n = digits(pragma->arg, pragma->len, max, ret);

	return n && n == pragma->len && *ret >= min;
}

int hurl_pragma_points(struct hurl_parser *p, const struct hurl_pragma *pragma, unsigned int *ret)
{
	uint64_t n;

	if (!whole(pragma, 0, MAX_POINTS, &n))
		return fail(p, pragma, "a whole number from 0 to 1000000, as in '# @points 2'");
	*ret = (unsigned int)n;
	return 0;
}

int hurl_pragma_count(struct hurl_parser *p, const struct hurl_pragma *pragma, unsigned int *ret)
{
	bool parallel = pragma->kind == PRAGMA_PARALLEL;
	uint64_t n;

	if (!whole(pragma, parallel ? 2 : 1, parallel ? HURL_MAX_PARALLEL : HURL_MAX_REPEAT, &n))
		return fail(p, pragma,
			    parallel ? "a whole number from 2 to 50, as in '# @parallel 20'"
				     : "a whole number from 1 to 1000, as in '# @repeat 100'");
	*ret = (unsigned int)n;
	return 0;
}

int hurl_pragma_seed(struct hurl_parser *p, const struct hurl_pragma *pragma, uint64_t *ret)
{
	if (!whole(pragma, 0, INT64_MAX / 16, ret))
		return fail(p, pragma, "a whole number, as in '# @seed 42'");
	return 0;
}

static void skip(const char **s, size_t *len, size_t n)
{
	*s += n;
	*len -= n;
	while (*len && (**s == ' ' || **s == '\t')) {
		(*s)++;
		(*len)--;
	}
}

/* "< 50ms": the number and its unit, one of @units; *ret_scale is the unit's. */
static bool below(const struct hurl_pragma *pragma, const char *const *units,
		  const uint64_t *scales, uint64_t *ret)
{
	const char *s = pragma->arg;
	size_t len = pragma->len, n;

	if (!len || *s != '<')
		return false;
	skip(&s, &len, 1);
	n = digits(s, len, 1000000, ret);
	if (!n || !*ret)
		return false;
	s += n;
	len -= n;
	for (size_t i = 0; units[i]; i++) {
		if (strlen(units[i]) != len || memcmp(units[i], s, len) != 0)
			continue;
		*ret *= scales[i];
		return true;
	}
	return false;
}

int hurl_pragma_p95(struct hurl_parser *p, const struct hurl_pragma *pragma, uint64_t *ret_us)
{
	static const char *const units[] = { "ms", "s", NULL };
	static const uint64_t scales[] = { 1000, 1000000 };

	if (!below(pragma, units, scales, ret_us))
		return fail(p, pragma, "'<' and a duration, as in '# @p95 < 50ms'");
	return 0;
}

int hurl_pragma_memory(struct hurl_parser *p, const struct hurl_pragma *pragma, uint64_t *ret)
{
	static const char *const units[] = { "K", "M", "G", NULL };
	static const uint64_t scales[] = { 1u << 10, 1u << 20, 1u << 30 };

	if (!below(pragma, units, scales, ret))
		return fail(p, pragma, "'<' and a size, as in '# @memory < 128M'");
	return 0;
}

/* "19 x 409" at *s, up to the comma or the end. */
static bool one_tally(const char **s, size_t *len, struct hurl_tally *ret)
{
	uint64_t count, status;
	size_t n = digits(*s, *len, HURL_MAX_PARALLEL, &count);

	if (!n)
		return false;
	skip(s, len, n);
	if (!*len || **s != 'x')
		return false;
	skip(s, len, 1);
	n = digits(*s, *len, 999, &status);
	if (n == 1 && status >= 1 && *len >= 3 && memcmp(*s + 1, "xx", 2) == 0)
		n = 3;
	else if (n != 3 || status < 100)
		return false;
	skip(s, len, n);
	*ret = (struct hurl_tally){ .count = (unsigned int)count, .status = (unsigned int)status };
	return true;
}

int hurl_pragma_expect(struct hurl_parser *p, const struct hurl_pragma *pragma, struct hurl_case *c)
{
	static const char form[] = "numbers of statuses, as in '# @expect 1 x 201, 19 x 409'";
	const char *s = pragma->arg;
	size_t len = pragma->len;

	for (;;) {
		struct hurl_tally *t;

		if (c->tally_count == MAX_TALLIES)
			return fail(p, pragma, "at most 16 statuses");
		t = hurl_arena_push(p->arena, &c->tallies, &c->tally_count, sizeof(*t));
		if (!t)
			return -ENOMEM;
		if (!one_tally(&s, &len, t))
			return fail(p, pragma, form);
		for (size_t i = 0; i + 1 < c->tally_count; i++)
			if (c->tallies[i].status == t->status)
				return fail(p, pragma, "each status once");
		if (!len)
			return 0;
		if (*s != ',')
			return fail(p, pragma, form);
		skip(&s, &len, 1);
	}
}

static bool is_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(s[i] >= 'a' && s[i] <= 'z') && !(s[i] >= 'A' && s[i] <= 'Z') &&
		    !(i && s[i] >= '0' && s[i] <= '9') && s[i] != '_' && !(i && s[i] == '-'))
			return false;
	return len > 0;
}

/* The value behind "=>": as it stands, or one {{variable}} and nothing else. */
static int expected_value(struct hurl_parser *p, const struct hurl_pragma *pragma, const char *s,
			  size_t len, struct hurl_template *ret)
{
	struct hurl_piece *piece;
	int r;

	ret->pos = pragma->pos;
	r = hurl_template_add(p, ret, s, len);
	if (r < 0 || !memmem(s, len, "{{", 2))
		return r;
	if (len < 5 || memcmp(s, "{{", 2) != 0 || memcmp(s + len - 2, "}}", 2) != 0 ||
	    !is_name(s + 2, len - 4))
		return fail(p, pragma, "a value or one {{variable}} behind '=>'");
	piece = ret->pieces;
	piece->mode = PIECE_PLAIN;
	piece->pos = pragma->pos;
	piece->text = hurl_arena_strndup(p->arena, s + 2, len - 4);
	piece->len = len - 4;
	return piece->text ? 0 : -ENOMEM;
}

static const char *last_arrow(const char *s, size_t len)
{
	for (const char *at = s + len; at >= s + 2; at--)
		if (at[-2] == '=' && at[-1] == '>')
			return at - 2;
	return NULL;
}

int hurl_pragma_sql(struct hurl_parser *p, const struct hurl_pragma *pragma, struct hurl_action *a)
{
	static const char form[] =
		"a statement and its value, as in '# @sql SELECT count(*) FROM users => 1'";
	const char *arrow = last_arrow(pragma->arg, pragma->len);
	const char *value = arrow ? arrow + 2 : NULL;
	size_t len, value_len;

	if (!arrow)
		return fail(p, pragma, form);
	len = (size_t)(arrow - pragma->arg);
	value_len = pragma->len - len - 2;
	skip(&value, &value_len, 0);
	while (len && (pragma->arg[len - 1] == ' ' || pragma->arg[len - 1] == '\t'))
		len--;
	if (!len || !value_len)
		return fail(p, pragma, form);
	if (len > HURL_MAX_SQL || value_len > HURL_MAX_ANSWER)
		return hurl_fail_at(p, pragma->pos, "a statement may have %d bytes, its value %d",
				    HURL_MAX_SQL, HURL_MAX_ANSWER);
	if (memmem(pragma->arg, len, "{{", 2))
		return hurl_fail_at(p, pragma->pos,
				    "a statement cannot hold {{variables}}: they may "
				    "come from the server under test");
	a->ask.sql = hurl_arena_strndup(p->arena, pragma->arg, len);
	return a->ask.sql ? expected_value(p, pragma, value, value_len, &a->expected) : -ENOMEM;
}
