/* SPDX-License-Identifier: MIT */

/* JavaScript suites in challenge.json: which files, run by what, in which order. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the above */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "challenge/challenge-packages.h"
#include "challenge/challenge-suite.h"
#include "util/util.h"

static char dir[64];

static const struct {
	const char *name, *text;
} files[] = {
	{ "t/a.test.mjs", "import test from 'node:test'\n" },
	{ "t/b.test.js", "test('x', () => { expect(1).toBe(1) })\n" },
	{ "t/c.spec.ts", "import { it } from \"vitest\"\n" },
	{ "t/d.test.cts", "const { test } = require('@jest/globals')\n" },
	{ "t/e.hurl", "GET {{base}}/c\nHTTP 200\n" },
	{ "t/helper.ts", "export const x = 1\n" },
};

static int setup(void **state)
{
	char path[128];

	(void)state;
	copy_string(dir, sizeof(dir), "/tmp/challenge-suite-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/t", dir);
	if (mkdir(path, 0700) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", dir, files[i].name);
		f = fopen(path, "w");
		if (!f || fputs(files[i].text, f) < 0 || fclose(f) != 0)
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i].name);
		(void)remove(path);
	}
	snprintf(path, sizeof(path), "%s/t", dir);
	(void)remove(path);
	return remove(dir);
}

static int load(struct challenge **ret, const char *more, char *why)
{
	char text[1024];

	snprintf(text, sizeof(text), "{\"title\": \"T\", \"port\": 1%s}", more);
	return challenge_parse(ret, dir, text, strlen(text), why);
}

static void test_names(void **state)
{
	static const char *const yes[] = { "a.test.js", "x/b.spec.mts", "c.test.cjs", "d.spec.ts" };
	static const char *const no[] = { "a.js",   "test.js", ".test.js",  "a.test.json",
					  "a.hurl", "a.test",  "a.tests.js" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		assert_true(challenge_is_suite(yes[i]));
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_false(challenge_is_suite(no[i]));
}

static void test_order(void **state)
{
	static const struct {
		const char *mount;
		enum tests_runner runner;
	} expected[] = { { "e.hurl", TESTS_HURL },
			 { "c.spec.ts", TESTS_VITEST },
			 { "b.test.js", TESTS_JEST },
			 { "d.test.cts", TESTS_JEST },
			 { "a.test.mjs", TESTS_NODE } };
	char why[CHALLENGE_ERROR_SIZE] = "";
	struct challenge *c = NULL;

	(void)state;
	assert_int_equal(
		load(&c, ", \"tests\": [\"t/*.test.*\", \"t/*.spec.ts\", \"t/e.hurl\"]", why), 0);
	assert_int_equal(c->n_tests, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_string_equal(c->tests[i].mount, expected[i].mount);
		assert_int_equal(c->tests[i].runner, expected[i].runner);
	}
	/* Those of suites are known once they are published. */
	assert_int_equal(c->n_cases, 1);
	challenge_free(c);
}

static void test_key(void **state)
{
	char why[CHALLENGE_ERROR_SIZE] = "";
	struct challenge *c = NULL;

	(void)state;
	assert_int_equal(load(&c,
			      ", \"tests\": [\"t/b.test.js\"], \"suite\": {\"runner\": \"vitest\", "
			      "\"fast\": false, \"total\": 3, \"points\": 2.5, \"files\": "
			      "[\"t/*.ts\", \"t/b.test.js\"]}",
			      why),
			 0);
	assert_int_equal(c->tests[0].runner, TESTS_VITEST);
	assert_true(c->suite.no_fast);
	assert_int_equal(c->suite.total, 3);
	assert_true(c->suite.points == 2.5);
	assert_int_equal(c->suite.n_files, 2);
	challenge_free(c);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ ", \"tests\": [\"t/e.hurl\"], \"suite\": {}", "names none" },
		{ ", \"tests\": [\"t/e.hurl\"], \"suite\": {}", "($.suite)" },
		{ ", \"tests\": [\"t/b.test.js\"], \"suite\": []", "an object" },
		{ ", \"tests\": [\"t/b.test.js\"], \"suite\": {\"runer\": 1}", "\"runner\"" },
		{ ", \"tests\": [\"t/b.test.js\"], \"suite\": {\"runner\": \"mocha\"}",
		  "$.suite.runner" },
		{ ", \"tests\": [\"t/b.test.js\"], \"suite\": {\"fast\": true}", "$.suite.fast" },
		{ ", \"tests\": [\"t/b.test.js\"], \"suite\": {\"total\": 0}", "$.suite.total" },
		{ ", \"tests\": [\"t/b.test.js\"], \"suite\": {\"points\": 0}", "$.suite.points" },
		{ ", \"tests\": [\"t/b.test.js\"], \"suite\": {\"files\": [\"../x\"]}",
		  "relative" },
		{ ", \"tests\": [\"t/b.test.js\"], \"suite\": {\"files\": [\"node_modules/x\"]}",
		  "node_modules" },
		{ ", \"tests\": [\"t/b.test.js\"], \"suite\": {\"files\": [\"t/none\"]}",
		  "no file matches" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char why[CHALLENGE_ERROR_SIZE] = "";
		struct challenge *c = NULL;

		assert_int_equal(load(&c, rows[i].text, why), -EINVAL);
		if (!strstr(why, rows[i].why))
			fail_msg("%s\n  has no \"%s\"", why, rows[i].why);
	}
}

static void test_ranges(void **state)
{
	static const char *const yes[] = { "4.1.12", "^4.0.0", "^4",   "~4.1.0", "~4", "4.x",  "4.1.*",
					   "*",	     "",       "latest", ">=3",	   "v4", "=4.1", "^3 || ^4",
					   ">= 4.1.12", "~4.1.12" };
	static const char *const no[] = { "4.1.11", "^4.1.13", "^3.2.0", "~4.0.0", "5",	  "<5",
					  ">4",	    "^4.2",    "next",	 "4.1.12-beta", "3.x", "^0.4.1",
					  "4.1.12.1", "^3||^5" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (!challenge_range_allows(yes[i], "4.1.12"))
			fail_msg("%s does not allow 4.1.12", yes[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		if (challenge_range_allows(no[i], "4.1.12"))
			fail_msg("%s allows 4.1.12", no[i]);
	}
	assert_true(challenge_range_allows("^0.27.1", "0.27.7"));
	assert_false(challenge_range_allows("^0.26.0", "0.27.7"));
	assert_false(challenge_range_allows("^0.0.1", "0.0.2"));
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void remove_file(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(remove(path), 0);
}

/* What is needed besides what is there anyway; from beside the tests, or from above. */
static void test_packages(void **state)
{
	static const char text[] = "{ \"type\": \"module\", \"scripts\": {}, \"devDependencies\": {"
				   " \"vitest\": \"^4.0.0\", \"axios\": \"^1.0.0\", \"zod\": \"^4.0.0\","
				   " \"chai\": \"^4.0.0\", \"@types/node\": \"*\" } }";
	static const char *const names[] = { "package.json", "t/package.json" };
	static const char *const folders[] = { "", "t/" };
	char why[CHALLENGE_ERROR_SIZE] = "";
	struct challenge *c = NULL;

	(void)state;
	write_file("t/package-lock.json", "{}");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		write_file(names[i], text);
		assert_int_equal(load(&c, ", \"tests\": [\"t/*.test.*\", \"t/e.hurl\"]", why), 0);
		assert_string_equal(c->suite.packages.folder, folders[i]);
		assert_string_equal(c->suite.packages.manifest,
				    "{\"devDependencies\":{\"zod\":\"^4.0.0\",\"chai\":\"^4.0.0\"}}");
		assert_int_equal(c->suite.packages.lockfile != NULL, i == 1);
		assert_int_equal(c->suite.n_files, 1);
		assert_string_equal(c->suite.files[0].name, names[i]);
		c = challenge_free(c);
	}
	/* Tests in Hurl alone have no use for them. */
	assert_int_equal(load(&c, ", \"tests\": [\"t/e.hurl\"]", why), 0);
	assert_null(c->suite.packages.folder);
	challenge_free(c);
	remove_file("package.json");
	remove_file("t/package.json");
	remove_file("t/package-lock.json");
}

static void test_packages_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "{ \"dependencies\": { \"vitest\": \"^3.0.0\" } }", "t/package.json:1:31: suites are" },
		{ "{ \"dependencies\": { \"jest\": \"29\" } }", "$.dependencies.jest" },
		{ "{ \"dependencies\": { \"a\": \"file:../a\" } }", "npm registry" },
		{ "{ \"dependencies\": { \"a\": \"owner/a\" } }", "npm registry" },
		{ "{ \"dependencies\": { \"a\": 1 } }", "$.dependencies.a" },
		{ "{ \"dependencies\": { \"a\": \"1\", \"a\": \"2\" } }", "twice" },
		{ "{ \"dependencies\": [] }", "an object" },
		{ "[]", "one object" },
		{ "{ \"dependencies\": { \"a\": \"1\" }, \"workspaces\": [\"b\"] }", "$.workspaces" },
		{ "{ \"dependencies\": { \"a\": \"1\" } }", "t/yarn.lock" },
		{ "{", "t/package.json:1" },
	};

	(void)state;
	write_file("t/yarn.lock", "");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char why[CHALLENGE_ERROR_SIZE] = "";
		struct challenge *c = NULL;

		write_file("t/package.json", rows[i].text);
		assert_int_equal(load(&c, ", \"tests\": [\"t/b.test.js\"]", why), -EINVAL);
		if (!strstr(why, rows[i].why))
			fail_msg("%s\n  has no \"%s\"", why, rows[i].why);
	}
	remove_file("t/package.json");
	remove_file("t/yarn.lock");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_packages),
		cmocka_unit_test(test_packages_refused),
	};

	return cmocka_run_group_tests_name("challenge-suite", tests, setup, teardown);
}
