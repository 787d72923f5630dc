/* SPDX-License-Identifier: MIT */

/* Records of a jail become facts, or nothing at all. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the above */
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>

#include "inside/records.h"
#include "pipeline/facts.h"
#include "util/util.h"

static int new_stream(void)
{
	int fd = memfd_create("records", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void put(int fd, enum record_tag tag, const char *s)
{
	assert_int_equal(records_put_string(fd, tag, s), 0);
}

static void end(int fd)
{
	assert_int_equal(records_put(fd, RECORD_END, NULL, 0), 0);
}

static void test_whole(void **state)
{
	_cleanup_close_ int fd = new_stream();
	char *refusal = (char *)"untouched";
	struct facts f;

	(void)state;
	assert_int_equal(records_put_counts(fd, 7, 1ull << 33), 0);
	put(fd, RECORD_START, "node");
	put(fd, RECORD_START, "server.js");
	put(fd, RECORD_MIGRATION, "migrations/1.sql");
	put(fd, RECORD_MANIFEST, "{}");
	assert_int_equal(records_put(fd, RECORD_HAS_DEPENDENCIES, NULL, 0), 0);
	end(fd);
	assert_int_equal(facts_read(fd, &f, &refusal), 0);
	assert_null(refusal);
	assert_int_equal(f.files, 7);
	assert_true(f.bytes == 1ull << 33);
	assert_string_equal(f.start[0], "node");
	assert_string_equal(f.start[1], "server.js");
	assert_null(f.start[2]);
	assert_null(f.build);
	assert_string_equal(f.migrations[0], "migrations/1.sql");
	assert_int_equal(f.manifest_size, 2);
	assert_true(f.has_dependencies);
	assert_false(f.prisma_migrations);
	facts_done(&f);
}

static void test_refusal(void **state)
{
	_cleanup_close_ int fd = new_stream();
	_cleanup_free_ char *refusal = NULL;
	struct facts f;

	(void)state;
	put(fd, RECORD_ERROR, "not a zip");
	end(fd);
	assert_int_equal(facts_read(fd, &f, &refusal), 0);
	assert_string_equal(refusal, "not a zip");
	facts_done(&f);
}

/* A stream without its end, or with anything that our program does not write, is worth nothing. */
static void test_broken(void **state)
{
	static const char garbage[] = "\x03\0\0\0\xff\xff\xff\xffhello";
	struct facts f = { .files = 42 };
	char *refusal = NULL;

	(void)state;
	for (int i = 0; i < 3; i++) {
		_cleanup_close_ int fd = new_stream();

		if (i > 0)
			put(fd, RECORD_START, "node");
		if (i > 1)
			assert_int_equal(write(fd, garbage, sizeof(garbage)), sizeof(garbage));
		assert_int_equal(facts_read(fd, &f, &refusal), -EBADMSG);
		assert_int_equal(f.files, 42);
		assert_null(refusal);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
