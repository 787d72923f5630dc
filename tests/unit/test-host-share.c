/* SPDX-License-Identifier: MIT */
#include "pipeline/host-share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_enough_for_all(void **state)
{
	assert_int_equal(host_share_of("0.00 0.00 0.00 1/120 4711\n", 2), 1000);
	assert_int_equal(host_share_of("9.99 9.99 9.99 2/120 4711\n", 2), 1000);
	assert_int_equal(host_share_of("99.00 0.00 0.00 64/9000 1\n", 64), 1000);
}

static void test_too_many(void **state)
{
	assert_int_equal(host_share_of("0.00 0.00 0.00 4/120 4711\n", 2), 500);
	assert_int_equal(host_share_of("0.00 0.00 0.00 31/742 4711\n", 2), 64);
	assert_int_equal(host_share_of("0.00 0.00 0.00 4294967295/4294967295 1\n", 1), 1);
}

/* What makes no sense gives nobody more time. */
static void test_nonsense(void **state)
{
	assert_int_equal(host_share_of("", 2), 1000);
	assert_int_equal(host_share_of("0.00 0.00", 2), 1000);
	assert_int_equal(host_share_of("0.00 0.00 0.00 many/120 1", 2), 1000);
	assert_int_equal(host_share_of("0.00 0.00 0.00 9/120 1", 0), 1000);
	assert_int_equal(host_share_of("0.00 0.00 0.00 9/120 1", -1), 1000);
}

static void test_this_host(void **state)
{
	assert_in_range(host_share(), 1, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enough_for_all),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_this_host),
	};

	return cmocka_run_group_tests_name("host-share", tests, NULL, NULL);
}
