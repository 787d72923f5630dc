/* SPDX-License-Identifier: MIT */

/* What a tester of suites may say: cases by index, in any order; whatever is odd has failed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the above */
#include <cmocka.h>
#include <string.h>

#include "pipeline/tests-report.h"
#include "util/util.h"

static struct challenge_case declared[] = {
	{ .name = (char *)"a > one", .file = "a.test.ts", .line = 3, .points = 1 },
	{ .name = (char *)"a > two", .file = "a.test.ts", .line = 4, .points = 1 },
	{ .name = (char *)"three", .file = "b.test.ts", .line = 1, .points = 1 },
};

static const struct challenge challenge = { .cases = declared, .n_cases = ARRAY_SIZE(declared) };

static struct test_case *cases;
static struct tests_report report;
static char why[TESTS_REPORT_WHY];

static int teardown(void **state)
{
	(void)state;
	tests_report_done(&report);
	test_cases_free(cases, challenge.n_cases);
	cases = NULL;
	return 0;
}

static int parse(const char *text)
{
	*why = '\0';
	(void)teardown(NULL);
	cases = test_cases_declare(&challenge);
	assert_non_null(cases);
	return tests_report_parse(&report, cases, challenge.n_cases, true, text, strlen(text), why);
}

#define READY "{\"event\":\"ready\"}\n"
#define PLAN READY "{\"event\":\"plan\",\"cases\":3}\n"
#define CASE(index, status)                                                                        \
	"{\"event\":\"case\",\"index\":" #index ",\"status\":\"" status "\",\"duration_ms\":1}\n"
#define END "{\"event\":\"end\"}\n"

static void test_any_order(void **state)
{
	(void)state;
	assert_int_equal(parse(PLAN CASE(2, "passed") CASE(0, "passed") CASE(1, "failed") END), 0);
	assert_true(report.ready && report.ended);
	assert_true(cases[0].passed && !cases[1].passed && cases[2].passed);
	assert_string_equal(cases[2].name, "three");
}

static void test_skipped_is_failed(void **state)
{
	(void)state;
	assert_int_equal(parse(PLAN CASE(0, "passed") CASE(1, "skipped") END), 0);
	assert_false(cases[1].passed);
	assert_false(cases[1].skipped);
	assert_string_equal(cases[1].message, "the suite skipped this test");
	assert_false(cases[2].reported);
	assert_false(cases[2].passed);
}

static void test_twice_is_failed(void **state)
{
	(void)state;
	assert_int_equal(parse(PLAN CASE(0, "failed") CASE(0, "passed") CASE(1, "passed")
				       CASE(1, "passed") END),
			 0);
	assert_false(cases[0].passed);
	assert_false(cases[1].passed);
	assert_string_equal(cases[1].message, "the suite reported this test twice");
}

static void test_broken(void **state)
{
	static const char *const texts[] = {
		PLAN CASE(0, "passed") CASE(1, "passed")
			CASE(2, "passed") "{\"event\":\"broken\",\"cases\":[0,1],\"message\":"
					  "\"after\\u001b[2Jall\"}\n" END,
		PLAN
		"{\"event\":\"broken\",\"cases\":[0,1],\"message\":\"after\\u001b[2Jall\"}\n" CASE(
			0, "passed") CASE(1, "passed") CASE(2, "passed") END,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(parse(texts[i]), 0);
		assert_false(cases[0].passed || cases[1].passed);
		assert_true(cases[2].passed);
		assert_string_equal(cases[0].message, "after\\x1b[2Jall");
	}
}

static void test_cut_off(void **state)
{
	(void)state;
	assert_int_equal(parse(PLAN CASE(0, "passed") "{\"event\":\"case\",\"index\":1,\"sta"), 0);
	assert_false(report.ended);
	assert_true(cases[0].passed);
	assert_false(cases[1].reported);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"garbage\n",
		READY CASE(0, "passed"),
		PLAN CASE(3, "passed"),
		PLAN CASE(-1, "passed"),
		PLAN CASE(0.5, "passed"),
		PLAN CASE(0, "won"),
		PLAN END CASE(0, "passed"),
		PLAN END END,
		END,
		READY "{\"event\":\"plan\",\"cases\":2}\n",
		PLAN "{\"event\":\"broken\",\"cases\":[3],\"message\":\"x\"}\n",
		PLAN "{\"event\":\"broken\",\"message\":\"x\"}\n",
		READY "{\"event\":\"broken\",\"cases\":[0],\"message\":\"x\"}\n",
		PLAN "{\"event\":\"case\",\"index\":0,\"index\":1,\"status\":\"passed\"}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(parse(texts[i]), -EBADMSG);
}

/* More than is ever read: it must still be known that the tester was ready. */
static void test_too_big(void **state)
{
	static const char line[] = "{\"event\":\"broken\",\"cases\":[0],\"message\":\"x\"}\n";
	size_t size = strlen(PLAN), n = TESTS_REPORT_MAX / (sizeof(line) - 1) + 1;
	char *text = malloc(size + n * (sizeof(line) - 1) + 1);

	(void)state;
	assert_non_null(text);
	memcpy(text, PLAN, size + 1);
	for (; n > 0; n--, size += sizeof(line) - 1)
		memcpy(text + size, line, sizeof(line));
	assert_int_equal(parse(text), -EBADMSG);
	assert_true(report.ready);
	assert_non_null(strstr(why, "too big"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_any_order, teardown),
		cmocka_unit_test_teardown(test_skipped_is_failed, teardown),
		cmocka_unit_test_teardown(test_twice_is_failed, teardown),
		cmocka_unit_test_teardown(test_broken, teardown),
		cmocka_unit_test_teardown(test_cut_off, teardown),
		cmocka_unit_test_teardown(test_refused, teardown),
		cmocka_unit_test_teardown(test_too_big, teardown),
	};

	return cmocka_run_group_tests_name("tests-report", tests, NULL, NULL);
}
