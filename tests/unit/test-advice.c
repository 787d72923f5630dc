/* SPDX-License-Identifier: MIT */

/* runner/pipeline/advice.c: what clients print when they do not reach their database. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/advice.h"
#include "util/util.h"

static void test_advice(void **state)
{
	static const struct {
		const char *log, *advice; /* a part of it; NULL: none */
	} rows[] = {
		{ "error: database \"shop\" does not exist", "a database named \"shop\"" },
		{ "FATAL: role \"bob\" does not exist\n", "as the user \"bob\"" },
		{ "Error: getaddrinfo ENOTFOUND ep-1.neon.tech\n", "the host \"ep-1.neon.tech\"" },
		{ "getaddrinfo EAI_AGAIN mydb.internal", "the host \"mydb.internal\"" },
		{ "connect ECONNREFUSED 127.0.0.1:5433\n    at x", "port 5433, where nothing" },
		{ "connect ECONNREFUSED ::1:27017,", "port 27017, where nothing" },
		{ "Error: self-signed certificate", "rejectUnauthorized: false" },
		{ "connect ECONNREFUSED 127.0.0.1:5432",
		  NULL }, /* ours, which is not the code's fault */
		{ "relation \"todos\" does not exist", NULL },
		{ "database \"shop", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *advice = advice_text(rows[i].log, 5432);

		if (!rows[i].advice)
			assert_null(advice);
		else if (!advice || !strstr(advice, rows[i].advice))
			fail_msg("%s: \"%s\"", rows[i].log, advice ? advice : "");
	}
}

static void test_manifest(void **state)
{
	_cleanup_free_ char *mongo = NULL, *none = NULL, *other = NULL;

	mongo = advice_manifest("{\"dependencies\":{\"mongoose\":\"^8\",\"pg\":\"8\"}}", true);
	assert_non_null(mongo);
	assert_non_null(strstr(mongo, "has mongoose, but there is no MongoDB here"));
	assert_non_null(strstr(mongo, "DATABASE_URL"));
	other = advice_manifest("{\"dependencies\":{\"mysql2\":\"3\"}}", false);
	assert_non_null(other);
	assert_null(strstr(other, "DATABASE_URL"));
	none = advice_manifest("{\"dependencies\":{\"pg\":\"8\",\"redis-mock\":\"1\"}}", true);
	assert_null(none);
}

static void test_port(void **state)
{
	static const char in_use[] = "x\nError: listen EADDRINUSE: address already in use :::8000\n";
	static const char other[] = "Error: listen EADDRINUSE: address already in use :::80001\n:8000";
	_cleanup_free_ char *advice = advice_port(in_use, 3001, 8000);
	_cleanup_free_ char *none = advice_port(other, 3001, 8000);

	assert_non_null(advice);
	assert_non_null(strstr(advice, "first answered on port 3001 and later wanted port 8000"));
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_advice),
					    cmocka_unit_test(test_manifest),
					    cmocka_unit_test(test_port) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
