/* SPDX-License-Identifier: MIT */

/* challenge.json: what is accepted, what is refused, and that a teacher is told where and why. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the above */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "challenge/challenge.h"
#include "util/util.h"

#define TEST_A                                                     \
	"# @test first\n# @points 2\nGET {{base}}/a\nHTTP 200\n\n" \
	"# @test second\n# @group g\n# @hide\nGET {{base}}/b\nHTTP 200\n"
#define TEST_B "GET {{base}}/c\nHTTP 200\n"

static char dir[64];

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	char path[128];

	(void)state;
	/* A name that glob(3) must not take for a pattern. */
	snprintf(dir, sizeof(dir), "/tmp/challenge[1]-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/tests", dir);
	if (mkdir(path, 0700) < 0)
		return -1;
	write_file("tests/02-b.hurl", TEST_B);
	write_file("tests/01-a.hurl", TEST_A);
	write_file("bad.hurl", "# @test x\nGET {{base}}/a\nHTTP two\n");
	write_file("empty.hurl", "# nothing here\n");
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {
		"tests/01-a.hurl", "tests/02-b.hurl", "tests", "bad.hurl",
		"02-b.hurl",	   "empty.hurl",      ""
	};
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)remove(path);
	}
	return 0;
}

static struct challenge *accept(const char *text)
{
	char why[CHALLENGE_ERROR_SIZE] = "";
	struct challenge *c = NULL;

	if (challenge_parse(&c, dir, text, strlen(text), why) != 0)
		fail_msg("refused: %s", why);
	return c;
}

/* `parts`: separated by '|'; all of them must be in the message. */
static void refuse(const char *text, const char *parts)
{
	char why[CHALLENGE_ERROR_SIZE] = "", copy[256], *rest = copy, *part;
	struct challenge *c = NULL;

	assert_int_equal(challenge_parse(&c, dir, text, strlen(text), why), -EINVAL);
	assert_null(c);
	snprintf(copy, sizeof(copy), "%s", parts);
	while ((part = strsep(&rest, "|"))) {
		if (!strstr(why, part))
			fail_msg("\"%s\" is not in: %s", part, why);
	}
}

#define BASE "\"title\": \"T\", \"tests\": [\"tests/*.hurl\"], \"port\": 8000"

static void test_defaults(void **state)
{
	struct challenge *c = accept("{" BASE "}");

	(void)state;
	assert_string_equal(c->title, "T");
	assert_int_equal(c->port, 8000);
	assert_null(c->health);
	assert_false(c->postgres);
	assert_int_equal(c->install.kind, COMMAND_AUTO);
	assert_int_equal(c->start.kind, COMMAND_AUTO);
	assert_int_equal(c->limits.memory, 512ull << 20);
	assert_int_equal(c->limits.pids, 256);
	assert_int_equal(c->limits.cpu_milli, 2000);
	assert_int_equal(c->limits.boot_ns, 10 * NSEC_PER_SEC);
	assert_int_equal(c->limits.output, 1 << 20);
	assert_int_equal(c->reveal, REVEAL_NAMES);
	assert_true(c->points == 0);
	assert_null(c->env[0]);
	challenge_free(c);
}

static void test_everything(void **state)
{
	struct challenge *c = accept(
		"{ // a comment\n" BASE ",\n"
		"\"install\": null, \"build\": [\"node\", \"b.js\"], \"migrate\": [\"a.sql\", "
		"\"db/\"],\n"
		"\"start\": [\"node\", \"src/index.js\"], \"health\": \"/health?x=1\", /* "
		"\"port\": 1 */\n"
		"\"database\": \"postgres\", \"limits\": { \"memory\": \"256M\", \"boot\": "
		"\"1500ms\",\n"
		"\"cpu\": 0.5, \"pids\": 64, \"tests\": \"2m\", \"database_disk\": \"1G\" },\n"
		"\"reveal\": \"messages\", \"points\": 12.5, \"env\": { \"A\": \"//not a "
		"comment\", \"B\": \"\" } }");

	(void)state;
	assert_int_equal(c->install.kind, COMMAND_NONE);
	assert_int_equal(c->build.kind, COMMAND_ARGV);
	assert_string_equal(c->build.argv[1], "b.js");
	assert_null(c->build.argv[2]);
	assert_string_equal(c->migrate.argv[1], "db/");
	assert_string_equal(c->health, "/health?x=1");
	assert_true(c->postgres);
	assert_int_equal(c->limits.memory, 256 << 20);
	assert_int_equal(c->limits.boot_ns, 1500 * NSEC_PER_MSEC);
	assert_int_equal(c->limits.cpu_milli, 500);
	assert_int_equal(c->limits.tests_ns, 120 * NSEC_PER_SEC);
	assert_int_equal(c->limits.database_disk, 1ull << 30);
	assert_int_equal(c->reveal, REVEAL_MESSAGES);
	assert_true(c->points == 12.5);
	assert_string_equal(c->env[0], "A=//not a comment");
	assert_string_equal(c->env[1], "B=");
	assert_null(c->env[2]);
	challenge_free(c);
}

static void test_tests(void **state)
{
	struct challenge *c = accept("{" BASE "}");

	(void)state;
	assert_int_equal(c->n_tests, 2);
	assert_string_equal(c->tests[0].name, "tests/01-a.hurl");
	assert_string_equal(c->tests[0].mount, "01-a.hurl");
	assert_string_equal(c->tests[0].text, TEST_A);
	assert_string_equal(c->tests[1].mount, "02-b.hurl");
	assert_int_equal(c->n_cases, 3);
	assert_string_equal(c->cases[0].name, "first");
	assert_true(c->cases[0].points == 2);
	assert_false(c->cases[0].hidden);
	assert_null(c->cases[0].group);
	assert_string_equal(c->cases[1].name, "second");
	assert_string_equal(c->cases[1].group, "g");
	assert_true(c->cases[1].hidden);
	assert_string_equal(c->cases[2].file, "02-b.hurl");
	assert_true(c->case_points == 4);
	challenge_free(c);
}

/* A file that two patterns match is one file; names from several folders stay apart. */
static void test_several_folders(void **state)
{
	struct challenge *c;

	(void)state;
	write_file("02-b.hurl", TEST_B);
	c = accept("{\"title\": \"T\", \"port\": 1, "
		   "\"tests\": [\"tests/02-b.hurl\", \"tests/*.hurl\", \"02-b.hurl\"]}");
	assert_int_equal(c->n_tests, 3);
	assert_string_equal(c->tests[0].mount, "02-b.hurl");
	assert_string_equal(c->tests[2].mount, "tests/02-b.hurl");
	challenge_free(c);
	write_file("02-b.hurl", "");
}

static void test_refused_form(void **state)
{
	(void)state;
	refuse("", "challenge.json:1:1: |not JSON");
	refuse("[]", ":1:1: |one object");
	refuse("{\n \"title\": \"t\",\n}", ":2:14: |this comma is too many");
	refuse("{\"tests\": [\"a\", ], \"port\": 1}", ":1:15: |this comma");
	refuse("{\"port\": 1, 'title': 2}", "not JSON");
	refuse("{\n" BASE "\n\"x\": 1}", ":3:1: |not JSON");
	refuse("{" BASE "} trailing", "not JSON");
	refuse("{" BASE ", /* open", "comment has no end");
	refuse("{" BASE ", \"env\": {\"A\": \"\\u0000\"}}", "\\u0000");
	refuse("{ \"title\": \"\xff\" }", ":1:13: |UTF-8");
}

static void test_refused_keys(void **state)
{
	(void)state;
	refuse("{\n" BASE ",\n  \"prot\": 1}", ":3:11: |did you mean \"port\"?|($.prot)");
	refuse("{" BASE ", \"xyzzy\": 1}", "no key \"xyzzy\" here|title, tests");
	refuse("{\n" BASE ",\n\n\"port\": 1}", ":4:9: |comes twice|($.port)");
	refuse("{" BASE ", \"limits\": {\"memroy\": \"1G\"}}",
	       "did you mean \"memory\"?|($.limits.memroy)");
	refuse("{" BASE ", \"env\": {\"A\": \"\", \"A\": \"\"}}", "comes twice|($.env.A)");
	refuse("{\"tests\": [\"tests/*.hurl\"], \"port\": 1}", "\"title\" is missing");
	refuse("{\"title\": \"T\", \"port\": 1}", "\"tests\" is missing");
	refuse("{\"title\": \"T\", \"tests\": [\"tests/*.hurl\"]}", "\"port\" is missing");
}

static void test_refused_values(void **state)
{
	(void)state;
	refuse("{\"title\": \"\"}", "($.title)");
	refuse("{\"port\": 0}", "1 to 65535|($.port)");
	refuse("{\"port\": 80.5}", "1 to 65535");
	refuse("{\"port\": \"8000\"}", "must be a number");
	refuse("{\"limits\": {\"memory\": 512}}", "\"512M\"|($.limits.memory)");
	refuse("{\"limits\": {\"memory\": \"512\"}}", "($.limits.memory)");
	refuse("{\"limits\": {\"memory\": \"1M\"}}", "from 32 MiB");
	refuse("{\"limits\": {\"boot\": \"10\"}}", "($.limits.boot)");
	refuse("{\"limits\": {\"pids\": 1.5}}", "whole number");
	refuse("{\"limits\": {\"cpu\": 0}}", "processors");
	refuse("{\"limits\": []}", "must be an object");
	refuse("{\"start\": null}", "\"auto\" or a list");
	refuse("{\"start\": []}", "1 to 64 words");
	refuse("{\"build\": [\"a\", 1]}", "($.build[1])");
	refuse("{\"health\": \"health\"}", "starts with /");
	refuse("{\"health\": \"/a b\"}", "starts with /");
	refuse("{\"database\": \"mysql\"}", "\"postgres\"");
	refuse("{\"reveal\": \"all\"}", "($.reveal)");
	refuse("{\"points\": 0}", "above 0");
	refuse("{\"env\": {\"PORT\": \"1\"}}", "set by the sandbox");
	refuse("{\"env\": {\"A-B\": \"1\"}}", "no name of a variable");
	refuse("{\"env\": {\"A\": 1}}", "in quotes|($.env.A)");
	refuse("{\"migrate\": [\"../a.sql\"]}", "without \"..\"");
	refuse("{\"migrate\": \"a.sql\"}", "list of SQL files|($.migrate)");
	refuse("{\"install\": [\"yarn\", \"install\"]}", "command of npm|($.install)");
	refuse("{\"install\": [\"npm\"]}", "command of npm");
	refuse("{" BASE ", \"migrate\": [\"a.sql\"]}", "no database to migrate|($.migrate)");
	refuse("{\"title\": \"T\", \"tests\": [\"tests/*.hurl\"], \"port\": 5432, \"database\": "
	       "\"postgres\"}",
	       "the database listens");
}

static void test_refused_tests(void **state)
{
	(void)state;
	refuse("{\"tests\": []}", "($.tests)");
	refuse("{\"tests\": [\"../x.hurl\"]}", "without \"..\"|($.tests[0])");
	refuse("{\"tests\": [\"/etc/*.hurl\"]}", "relative");
	refuse("{\"title\": \"T\", \"port\": 1, \"tests\": [\"tests/*.hurl\", \"none/*.hurl\"]}",
	       "no file matches|($.tests[1])");
	refuse("{\"title\": \"T\", \"port\": 1, \"tests\": [\"tests\"]}", "Is a directory");
	refuse("{\"title\": \"T\", \"port\": 1, \"tests\": [\"empty.hurl\"]}",
	       "empty.hurl:|no request");
	refuse("{\"title\": \"T\", \"port\": 1, \"tests\": [\"bad.hurl\"]}",
	       "/bad.hurl:3:6: |HTTP two|^");
}

static void test_load(void **state)
{
	char why[CHALLENGE_ERROR_SIZE] = "";
	struct challenge *c = NULL;

	(void)state;
	assert_int_equal(challenge_load(&c, "/nonexistent", why), -EINVAL);
	assert_non_null(strstr(why, "/nonexistent/challenge.json: there is no such file"));
	assert_null(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),       cmocka_unit_test(test_everything),
		cmocka_unit_test(test_tests),	       cmocka_unit_test(test_several_folders),
		cmocka_unit_test(test_refused_form),   cmocka_unit_test(test_refused_keys),
		cmocka_unit_test(test_refused_values), cmocka_unit_test(test_refused_tests),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests_name("challenge", tests, setup, teardown);
}
