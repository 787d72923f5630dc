/* SPDX-License-Identifier: MIT */

/* runner/inside/pack.c: what leaves an install jail. */

#include "inside-fixture.h"

#include "inside/pack.h"

static void test_links(void **state)
{
	static const struct {
		const char *target;
		unsigned depth;
		bool ok;
	} rows[] = {
		{ "a", 0, true },	 { "../a/b", 1, true },	    { "../../a", 2, true },
		{ "./a", 0, true },	 { "..", 1, true },	    { "a/./b/", 0, true },
		{ "", 5, false },	 { "/etc", 5, false },	    { "..", 0, false },
		{ "../../a", 1, false }, { "a/../b", 5, false },    { "../a/../b", 5, false },
		{ "./../a", 0, false },	 { ".././../a", 1, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (pack_link_ok(rows[i].target, rows[i].depth) != rows[i].ok)
			fail_msg("\"%s\" at depth %u", rows[i].target, rows[i].depth);
}

struct copies {
	struct fixture from, to;
	struct pack_limits limits;
};

static void copies_open(struct copies *c)
{
	fixture_open(&c->from);
	fixture_open(&c->to);
	c->limits = (struct pack_limits){ .bytes = 1 << 20, .files = 100 };
}

static void copies_close(struct copies *c)
{
	fixture_close(&c->from);
	fixture_close(&c->to);
}

static void expect(struct copies *c, const char *reason)
{
	struct problem p = {};
	int r = pack(c->from.root, c->to.root, &c->limits, &p);

	if (!reason && r != 0)
		fail_msg("refused: %s", p.text);
	if (reason && (r != 1 || !strstr(p.text, reason)))
		fail_msg("%d \"%s\" does not hold \"%s\"", r, p.text, reason);
	fixture_reset(&c->to);
}

static void test_copy(void **state)
{
	struct copies c;
	struct problem p = {};
	char target[64] = "";
	struct stat st;
	char *text;

	copies_open(&c);
	fixture_write(&c.from, "node_modules/a/cli.js", "#!");
	fixture_write(&c.from, "node_modules/a/x", "X");
	fixture_write(&c.from, "node_modules/.bin/z", "");
	assert_int_equal(fchmodat(c.from.root, "node_modules/a/cli.js", 06711, 0), 0);
	assert_int_equal(fchmodat(c.from.root, "node_modules/a/x", 0600, 0), 0);
	assert_int_equal(symlinkat("../a/cli.js", c.from.root, "node_modules/.bin/a"), 0);
	(void)umask(022);
	assert_int_equal(pack(c.from.root, c.to.root, &c.limits, &p), 0);
	assert_int_equal(fstatat(c.to.root, "node_modules/a/cli.js", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0755);
	assert_int_equal(fstatat(c.to.root, "node_modules/a/x", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_true(readlinkat(c.to.root, "node_modules/.bin/a", target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "../a/cli.js");
	text = fixture_read(&c.to, "node_modules/a/x");
	assert_string_equal(text, "X");
	free(text);
	copies_close(&c);
}

static void test_refusals(void **state)
{
	struct copies c;

	copies_open(&c);
	fixture_write(&c.from, "d/x", "");
	assert_int_equal(symlinkat("../..", c.from.root, "d/out"), 0);
	expect(&c, "the link \"d/out\" to \"../..\", which leads out");
	fixture_reset(&c.from);
	assert_int_equal(mkfifoat(c.from.root, "fifo", 0600), 0);
	expect(&c, "\"fifo\", which is neither");
	copies_close(&c);
}

static void test_limits(void **state)
{
	struct copies c;

	copies_open(&c);
	fixture_write(&c.from, "a", "12345");
	fixture_write(&c.from, "b", "12345");
	c.limits = (struct pack_limits){ .bytes = 10, .files = 2 };
	expect(&c, NULL);
	c.limits.bytes = 9;
	expect(&c, "larger than 9 bytes");
	c.limits = (struct pack_limits){ .bytes = 10, .files = 1 };
	expect(&c, "more than 1 files");
	copies_close(&c);
}

static void test_depth(void **state)
{
	struct copies c;
	char path[256] = "";

	copies_open(&c);
	for (int i = 0; i < 64; i++)
		strcat(path, "d/");
	strcat(path, "x");
	fixture_write(&c.from, path, "");
	expect(&c, NULL);
	memmove(path + 2, path, strlen(path) + 1);
	memcpy(path, "d/", 2);
	fixture_write(&c.from, path, "");
	expect(&c, "64 folders deep");
	copies_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),	 cmocka_unit_test(test_copy),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
