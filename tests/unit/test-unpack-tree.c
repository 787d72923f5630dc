/* SPDX-License-Identifier: MIT */

/*
 * What unpack() makes of honest archives: which folder is the project, what is left out, and how
 * names and line endings of other systems are put right.
 */

#include "unpack-fixture.h"

#include <locale.h>

static void test_wrapping_folder(void **state)
{
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	add(&b, "/proj/", "");
	add(&b, "/proj/src/a.js", "A");
	add(&b, "__MACOSX/proj/._a", "litter");
	add(&b, ".DS_Store", "litter");
	add(&b, "proj/node_modules/x/index.js", "module");
	add(&b, "proj/.git/config", "git");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "src/a.js", "A");
	assert_int_equal(faccessat(f.root, "node_modules", F_OK, 0), -1);
	assert_int_equal(faccessat(f.root, ".git", F_OK, 0), -1);
	assert_int_equal(faccessat(f.root, "__MACOSX", F_OK, 0), -1);
	fixture_expect(&f, RECORD_NOTE,
		       "node_modules in the archive was left out: packages are installed from "
		       "package.json",
		       true);
	fixture_reset(&f);
	start(&b);
	add(&b, "proj/a", "A");
	add(&b, "other", "B");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "proj/a", "A");
	fixture_close(&f);
}

static void test_windows_archive(void **state)
{
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	b.made_by = 20;
	add(&b, "proj\\src\\a.js", "A");
	add(&b, "proj\\b.js", "B");
	add(&b, "proj\\empty\\", "");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "src/a.js", "A");
	expect_file(&f, "b.js", "B");
	fixture_reset(&f);
	start(&b);
	add(&b, "a\\..\\..\\x", "A");
	expect(&f, finish(&b), "may not leave the folder");
	/* both kinds of separators, as some tools for Windows write them */
	fixture_reset(&f);
	start(&b);
	b.made_by = 20;
	add(&b, "proj/src\\a.js", "A");
	add(&b, "proj/", "");
	add(&b, "proj\\b.js", "B");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "src/a.js", "A");
	expect_file(&f, "b.js", "B");
	fixture_close(&f);
}

static void test_nothing_inside(void **state)
{
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	expect(&f, finish(&b), "holds no files");
	fixture_reset(&f);
	start(&b);
	add(&b, "empty/", "");
	expect(&f, finish(&b), "only empty folders");
	fixture_reset(&f);
	start(&b);
	add(&b, "x/inner.ZIP", "");
	add(&b, "x/README.txt", "");
	expect(&f, finish(&b), "holds another archive, \"x/inner.ZIP\"");
	fixture_reset(&f);
	start(&b);
	add(&b, "backup.zip", "");
	add(&b, "server.js", "");
	expect(&f, finish(&b), NULL);
	fixture_reset(&f);
	start(&b);
	add(&b, ".DS_Store", "");
	add(&b, "__MACOSX/._x", "");
	expect(&f, finish(&b), "holds no files");
	fixture_close(&f);
}

static void test_litter(void **state)
{
	static const char *const names[] = { "._server.js", "Icon\r",	     "d/Icon\r",
					     "Thumbs.db",   "desktop.ini", "Desktop.ini",
					     ".svn/x",	    ".git/config", "d/.DS_Store",
					     "__MACOSX/x",  ".Trashes/1",  "._d/x" };
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		start(&b);
		add(&b, names[i], "litter");
		add(&b, "server.js", "A");
		expect(&f, finish(&b), NULL);
		expect_file(&f, "server.js", "A");
		assert_int_equal(faccessat(f.root, names[i], F_OK, 0), -1);
		fixture_reset(&f);
	}
	start(&b);
	add(&b, ".env", "A=1");
	add(&b, ".gitignore", "x");
	add(&b, "Icon", "i");
	expect(&f, finish(&b), NULL);
	expect_file(&f, ".env", "A=1");
	expect_file(&f, ".gitignore", "x");
	expect_file(&f, "Icon", "i");
	fixture_close(&f);
}

static void test_line_endings(void **state)
{
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	add(&b, "package.json", "{\r\n\"main\": \"a.js\"\r\n}\r\n");
	add(&b, "a.js", "x\r\n");
	add(&b, "start.sh", "#!/bin/sh\r\necho 'a\rb'\r\n\r");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "a.js", "x\r\n");
	expect_file(&f, "start.sh", "#!/bin/sh\necho 'a\rb'\n\r");
	fixture_expect(&f, RECORD_START, "node|a.js", true);
	fixture_close(&f);
}

static void test_wrapped_twice(void **state)
{
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	add(&b, "a/b/c/package.json", "{}");
	add(&b, "a/b/c/src/x.js", "X");
	add(&b, "a/.DS_Store", "");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "src/x.js", "X");
	fixture_reset(&f);
	start(&b);
	add(&b, "proj/src/server.js", "X");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "src/server.js", "X");
	fixture_close(&f);
}

/* Takes `archive`. */
static void expect_modules(struct fixture *f, int archive, bool used)
{
	assert_int_equal(unpack(archive, f->root, f->out, true), 0);
	close_fd(archive);
	fixture_expect(f, RECORD_NODE_MODULES, used ? "" : NULL, true);
	assert_int_equal(faccessat(f->root, "node_modules/x/index.js", F_OK, 0), used ? 0 : -1);
}

static void add_modules(struct builder *b)
{
	add(b, "p/package.json", "{}");
	add(b, "p/node_modules/x/index.js", "module");
}

static void add_link(struct builder *b, const char *name, const char *target)
{
	add_named(b, name, strlen(name), target, 0120777);
}

static void test_modules_used(void **state)
{
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	add_modules(&b);
	add_link(&b, "p/node_modules/.bin/x", "../x/index.js");
	add_link(&b, "p/node_modules/y", "x");
	add_link(&b, "p/node_modules/out", "../package.json");
	add_link(&b, "p/node_modules/far", "../../../etc/passwd");
	add_link(&b, "p/node_modules/abs", "/etc/passwd");
	expect_modules(&f, finish(&b), true);
	expect_file(&f, "node_modules/.bin/x", "module");
	expect_file(&f, "node_modules/y/index.js", "module");
	assert_int_equal(faccessat(f.root, "node_modules/out", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(f.root, "node_modules/far", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(f.root, "node_modules/abs", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	/* a lockfile says better what they should be */
	fixture_reset(&f);
	start(&b);
	add_modules(&b);
	add(&b, "p/yarn.lock", "");
	expect_modules(&f, finish(&b), false);
	/* a file below a link */
	fixture_reset(&f);
	start(&b);
	add_modules(&b);
	add_link(&b, "p/node_modules/y", "x");
	add(&b, "p/node_modules/y/evil.js", "");
	assert_int_equal(unpack(finish(&b), f.root, f.out, true), 1);
	fixture_close(&f);
}

#define SERVER "{\"dependencies\":{\"express\":\"4\"}}"
#define CLIENT "{\"dependencies\":{\"react\":\"18\"}}"

static void test_several_projects(void **state)
{
	static const char note[] = "the project is the folder \"backend\" of the archive; the rest "
				   "was left out";
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	add(&b, "frontend/package.json", CLIENT);
	add(&b, "frontend/index.js", "");
	add(&b, "backend/package.json", SERVER);
	add(&b, "backend/server.js", "S");
	add(&b, "backend/backend/x", "X");
	add(&b, "README.md", "");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "server.js", "S");
	expect_file(&f, "backend/x", "X");
	assert_int_equal(faccessat(f.root, "frontend", F_OK, 0), -1);
	assert_int_equal(faccessat(f.root, "README.md", F_OK, 0), -1);
	fixture_expect(&f, RECORD_NOTE, note, true);
	fixture_expect(&f, RECORD_START, "node|server.js", true);
	fixture_reset(&f);
	start(&b);
	add(&b, "a/package.json", SERVER);
	add(&b, "b/package.json", SERVER);
	expect(&f, finish(&b), "several projects that could be the server");
	/* a workspace whose root has nothing to start */
	fixture_reset(&f);
	start(&b);
	add(&b, "package.json", "{\"scripts\":{\"start\":\"npm start --prefix apps/api\"}}");
	add(&b, "apps/api/package.json", "{\"scripts\":{\"start\":\"node main.js\"}}");
	add(&b, "apps/api/main.js", "M");
	add(&b, "apps/web/package.json", CLIENT);
	expect(&f, finish(&b), NULL);
	expect_file(&f, "main.js", "M");
	/* what lies at the top is the project as soon as it can be started */
	fixture_reset(&f);
	start(&b);
	add(&b, "package.json", "{\"scripts\":{\"start\":\"node x.js\"}}");
	add(&b, "x.js", "X");
	add(&b, "api/package.json", SERVER);
	expect(&f, finish(&b), NULL);
	expect_file(&f, "x.js", "X");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrapping_folder),
		cmocka_unit_test(test_windows_archive),
		cmocka_unit_test(test_nothing_inside),
		cmocka_unit_test(test_litter),
		cmocka_unit_test(test_line_endings),
		cmocka_unit_test(test_wrapped_twice),
		cmocka_unit_test(test_modules_used),
		cmocka_unit_test(test_several_projects),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
