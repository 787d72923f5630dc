/* SPDX-License-Identifier: MIT */

/* runner/inside/pack.c: what leaves an install jail. */

#include "inside-fixture.h"

#include "inside/pack.h"
#include "store/share.h"

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
	int r = pack(c->from.root, c->to.root, NULL, &c->limits, &p);

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
	assert_int_equal(pack(c.from.root, c.to.root, NULL, &c.limits, &p), 0);
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

/* The list that pack writes with `base`, its paths joined by commas, sorted. */
static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t pack_with_base(struct copies *c, const struct fixture *base, char **ret_list)
{
	struct pack_base b = { .dir = base->root, .list = memfd_create("list", MFD_CLOEXEC) };
	struct problem p = {};
	off_t size;

	assert_int_equal(pack(c->from.root, c->to.root, &b, &c->limits, &p), 0);
	size = lseek(b.list, 0, SEEK_END);
	*ret_list = calloc(1, (size_t)size + 1);
	assert_int_equal(pread(b.list, *ret_list, (size_t)size, 0), size);
	close(b.list);
	return (size_t)size;
}

static void expect_list(const char *list, size_t size, const char *wanted)
{
	char *paths[16], text[512] = "";
	size_t n = 0;

	for (size_t at = 0; at < size; at += strlen(list + at) + 1)
		paths[n++] = (char *)list + at;
	qsort(paths, n, sizeof(*paths), by_name);
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? "," : "",
			 paths[i]);
	assert_string_equal(text, wanted);
}

/* What the base has is listed, what differs in content, mode or kind is copied. */
static void test_base(void **state)
{
	struct fixture base;
	struct copies c;
	struct stat st;
	char *list, *text;
	size_t size;

	copies_open(&c);
	fixture_open(&base);
	fixture_write(&base, "same/x", "X");
	fixture_write(&base, "same/y", "Y");
	fixture_write(&base, "content", "1");
	fixture_write(&base, "size", "1");
	fixture_write(&base, "mode", "1");
	fixture_write(&base, "gone", "1");
	fixture_write(&base, "kind/x", "1");
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(fchmodat(base.root,
					  (const char *[]){ "same/x", "same/y", "content", "size",
							    "mode", "gone" }[i],
					  0644, 0),
				 0);
	fixture_write(&c.from, "same/x", "X");
	assert_int_equal(linkat(base.root, "same/y", c.from.root, "same/y", 0), 0);
	fixture_write(&c.from, "content", "2");
	fixture_write(&c.from, "size", "12");
	fixture_write(&c.from, "mode", "1");
	assert_int_equal(fchmodat(c.from.root, "mode", 0755, 0), 0);
	fixture_write(&c.from, "kind", "1");
	fixture_write(&c.from, "new/x", "1");
	(void)umask(022);
	size = pack_with_base(&c, &base, &list);
	expect_list(list, size, "same/x,same/y");
	assert_int_equal(faccessat(c.to.root, "same/x", F_OK, 0), -1);
	assert_int_equal(faccessat(c.to.root, "gone", F_OK, 0), -1);
	assert_int_equal(faccessat(c.to.root, "new/x", F_OK, 0), 0);
	assert_int_equal(share_link(base.root, c.to.root, list, size, 2), 2);
	assert_int_equal(fstatat(c.to.root, "same/y", &st, 0), 0);
	assert_int_equal(st.st_nlink, 3);
	text = fixture_read(&c.to, "content");
	assert_string_equal(text, "2");
	free(text);
	free(list);
	c.limits.bytes = 7; /* shared files count: 8 bytes in all */
	fixture_reset(&c.to);
	{
		struct pack_base b = { .dir = base.root, .list = memfd_create("l", MFD_CLOEXEC) };
		struct problem p = {};

		assert_int_equal(pack(c.from.root, c.to.root, &b, &c.limits, &p), 1);
		close(b.list);
	}
	fixture_close(&base);
	copies_close(&c);
}

/* The list comes from a jail: no path in it leads out of the two trees, or to what is no file. */
static void test_hostile_list(void **state)
{
	static const struct {
		const char *list;
		size_t size;
		int error;
	} rows[] = {
		{ "x", 1, -EBADMSG },	       { "/etc/passwd", 12, -EBADMSG },
		{ "../x", 5, -EBADMSG },       { "d/../x", 7, -EBADMSG },
		{ "", 1, -EBADMSG },	       { "d//x", 5, -EBADMSG },
		{ "d/", 3, -EBADMSG },	       { "./x", 4, -EBADMSG },
		{ "link/passwd", 12, -ENOTDIR }, { "link", 5, -EINVAL },
		{ "d", 2, -EINVAL },	       { "fifo", 5, -EINVAL },
		{ "odd", 4, -EINVAL },	       { "none", 5, -ENOENT },
		{ "x\0x", 4, -EEXIST },	       { "x\0y\0z", 6, -E2BIG },
	};
	struct fixture base, to;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_open(&base);
		fixture_open(&to);
		fixture_write(&base, "x", "X");
		fixture_write(&base, "y", "Y");
		fixture_write(&base, "odd", "X");
		assert_int_equal(fchmodat(base.root, "x", 0644, 0), 0);
		assert_int_equal(fchmodat(base.root, "y", 0644, 0), 0);
		assert_int_equal(fchmodat(base.root, "odd", 04755, 0), 0);
		assert_int_equal(mkdirat(base.root, "d", 0755), 0);
		assert_int_equal(mkfifoat(base.root, "fifo", 0644), 0);
		assert_int_equal(symlinkat("/etc", base.root, "link"), 0);
		assert_int_equal(mkdirat(to.root, "link", 0755), 0);
		assert_int_equal(share_link(base.root, to.root, rows[i].list, rows[i].size, 2),
				 rows[i].error);
		fixture_close(&base);
		fixture_close(&to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),	 cmocka_unit_test(test_copy),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_depth),	 cmocka_unit_test(test_base),
		cmocka_unit_test(test_hostile_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
