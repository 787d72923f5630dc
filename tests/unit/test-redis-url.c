/* SPDX-License-Identifier: MIT */

/* runner/fleet/queue/redis-url.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fleet/queue/redis.h"
#include "util/util.h"

static void expect(const char *text, const char *host, const char *port, const char *user,
		   const char *password, const char *path, int db)
{
	struct redis_url u;
	struct sbx_error err = { 0 };

	if (redis_url_parse(text, &u, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	assert_string_equal(u.host ? u.host : "-", host);
	assert_string_equal(u.port, port);
	assert_string_equal(u.user ? u.user : "-", user);
	assert_string_equal(u.password ? u.password : "-", password);
	assert_string_equal(u.path ? u.path : "-", path);
	assert_int_equal(u.db, db);
	redis_url_done(&u);
}

static void test_taken(void **state)
{
	(void)state;
	expect("redis://h", "h", "6379", "-", "-", "-", 0);
	expect("redis://h:1234/3", "h", "1234", "-", "-", "-", 3);
	expect("redis://h/", "h", "6379", "-", "-", "-", 0);
	expect("redis://:secret@h", "h", "6379", "-", "secret", "-", 0);
	expect("redis://me:s%40:/x@h:1/15", "h", "1", "me", "s@:/x", "-", 15);
	expect("redis://me:@h", "h", "6379", "me", "", "-", 0);
	expect("redis://[::1]:7", "::1", "7", "-", "-", "-", 0);
	expect("redis://[fe80::1%25eth0]", "fe80::1%25eth0", "6379", "-", "-", "-", 0);
	expect("unix:///run/redis.sock", "-", "", "-", "-", "/run/redis.sock", 0);
	expect("unix:///run/a@b.sock?db=2", "-", "", "-", "-", "/run/a@b.sock", 2);
	expect("unix://me:pw@/run/redis.sock", "-", "", "me", "pw", "/run/redis.sock", 0);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"h",
		"http://h",
		"redis://",
		"redis://:6379",
		"redis://h:",
		"redis://h:x",
		"redis://h:1234567",
		"redis://h/x",
		"redis://h/-1",
		"redis://h/1x",
		"redis://h/65536",
		"redis://me@h",
		"redis://:%zz@h",
		"redis://:%00@h",
		"redis://:%4@h",
		"redis://[::1",
		"unix://",
		"unix://run/redis.sock",
		"unix:///s?database=2",
		"unix:///s?db=x",
	};
	struct redis_url u;
	struct sbx_error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (redis_url_parse(texts[i], &u, &err) != -EINVAL)
			fail_msg("%s is taken", texts[i]);
		assert_non_null(strstr(err.text, "redis://[[USER]:PASSWORD@]HOST[:PORT]"));
		redis_url_done(&u);
	}
	assert_int_equal(redis_url_parse("rediss://h", &u, &err), -EINVAL);
	assert_non_null(strstr(err.text, "stunnel"));
	redis_url_done(&u);
	/* a password is in no message */
	assert_int_equal(redis_url_parse("redis://me:hunter2@h:x", &u, &err), -EINVAL);
	assert_null(strstr(err.text, "hunter2"));
	redis_url_done(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("redis-url", tests, NULL, NULL);
}
