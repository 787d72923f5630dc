/* SPDX-License-Identifier: MIT */

/* What is made of npm's messages, and whose fault they say it is. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "deps/npm-errors.h"
#include "util/util.h"

static const char not_found[] =
	"npm warn deprecated old@1.0.0: do not use\n"
	"npm error code E404\n"
	"npm error 404 Not Found - GET http://localhost/nope\n"
	"npm error 404\n"
	"npm error 404  'nope@1.0.0' is not in this registry.\n"
	"npm error 404\n"
	"npm error 404 Note that you can also install from a\n"
	"npm error 404 tarball, folder, http url, or git url.\n"
	"npm error A complete log of this run can be found in: /tmp/npm/_logs/x.log\n";

static const char mismatch[] = "npm error code EUSAGE\n"
			       "npm error\n"
			       "npm error `npm ci` can only install packages when your "
			       "package.json and lockfile are in sync.\n"
			       "npm error\n"
			       "npm error Invalid: lock file's a@1.0.0 does not satisfy a@2.0.0\n"
			       "npm error\n"
			       "npm error Clean install a project\n"
			       "npm error\n"
			       "npm error Usage:\n"
			       "npm error npm ci\n";

static void expect_text(const char *log, const char *text)
{
	_cleanup_free_ char *got = npm_error_text(log);

	assert_non_null(got);
	assert_string_equal(got, text);
}

static void test_codes(void **state)
{
	char code[8];

	(void)state;
	npm_error_code(not_found, code, sizeof(code));
	assert_string_equal(code, "E404");
	npm_error_code("no such line\n", code, sizeof(code));
	assert_string_equal(code, "");
	npm_error_code("npm error code AVERYLONGCODE", code, sizeof(code));
	assert_string_equal(code, "AVERYLO");
}

static void test_texts(void **state)
{
	(void)state;
	expect_text(not_found,
		    "Not Found - GET http://localhost/nope 'nope@1.0.0' is not in this registry.");
	expect_text(mismatch, "Invalid: lock file's a@1.0.0 does not satisfy a@2.0.0");
	expect_text("", "");
	expect_text("npm error", "");
}

/* Names in a lockfile are the submission's: what is shown holds no control bytes and has an end. */
static void test_hostile_text(void **state)
{
	_cleanup_free_ char *text = NULL, *log = malloc(100000);
	size_t n = 0;

	(void)state;
	expect_text("npm error \033[2Jgone\n", "\\x1b[2Jgone");
	while (n < 90000)
		n += (size_t)sprintf(log + n, "npm error %s\n", "word word word word");
	text = npm_error_text(log);
	assert_true(strlen(text) <= 400);
}

static void test_whose_fault(void **state)
{
	static const char *const ours[] = {
		"",	     "ECONNREFUSED", "ECONNRESET",
		"ENOTFOUND", "ETIMEDOUT",    "E401",
		"E500",	     "E503",	     "SELF_SIGNED_CERT_IN_CHAIN",
		"ENOSPC",    "EACCES"
	};
	static const char *const theirs[] = { "E404", "ETARGET", "EINTEGRITY", "EUSAGE",
					      "ERESOLVE" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		assert_false(npm_error_is_students(ours[i]));
	for (size_t i = 0; i < ARRAY_SIZE(theirs); i++)
		assert_true(npm_error_is_students(theirs[i]));
}

static void test_package_of_digest(void **state)
{
	static const char lock[] =
		"{\"packages\":{\"\":{},\"node_modules/"
		"a\":{\"integrity\":\"sha512-0123456789aa==\"},"
		"\"node_modules/@s/b\":{\"integrity\":\"sha512-0123456789bb==\"}}}";
	static const char log[] =
		"npm error Integrity checksum failed: wanted sha512-0123456789bb== but got x\n";
	_cleanup_free_ char *name = npm_package_of_digest(lock, strlen(lock), log);

	(void)state;
	assert_string_equal(name, "@s/b");
	assert_null(npm_package_of_digest(lock, strlen(lock),
					  "npm error : wanted sha512-zzzzzzzzzzzz== but"));
	assert_null(npm_package_of_digest(lock, strlen(lock), "npm error no digest\n"));
	assert_null(npm_package_of_digest(lock, 20, log));
	assert_null(npm_package_of_digest("sha512-0123456789bb==", 21, log));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_whose_fault),
		cmocka_unit_test(test_package_of_digest),
	};

	return cmocka_run_group_tests_name("npm-errors", tests, NULL, NULL);
}
