/* SPDX-License-Identifier: MIT */

/* runner/fleet/queue/payload.c: what producers push, and what somebody else may push. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fleet/queue/queue.h"
#include "util/util.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct queue_submission s;
static char why[200];

static int parse(const char *text)
{
	memset(why, 0, sizeof(why));
	return queue_payload_parse(text, strlen(text), &s, why);
}

static void refused(const char *text, const char *reason)
{
	struct queue_submission before = s;

	assert_int_equal(parse(text), -EINVAL);
	assert_string_equal(why, reason);
	assert_memory_equal(&before, &s, sizeof(s));
}

static void test_native(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"id\":\"a1\",\"student\":\"ann@x.org\",\"contest\":\"c:1\","
			       "\"challenge\":\"cars\",\"url\":\"https://h/a.zip?x=%20\","
			       "\"sha256\":\"" HASH "\",\"priority\":2,"
			       "\"submitted_at\":1700000000123,"
			       "\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-"
			       "b7ad6b7169203331-01\",\"more\":{\"of\":[\"us\",null,1e5]}}"),
			 0);
	assert_string_equal(s.id, "a1");
	assert_string_equal(s.student, "ann@x.org");
	assert_string_equal(s.contest, "c:1");
	assert_string_equal(s.challenge, "cars");
	assert_string_equal(s.url, "https://h/a.zip?x=%20");
	assert_string_equal(s.sha256, HASH);
	assert_int_equal(s.priority, QUEUE_PRACTICE);
	assert_int_equal(s.submitted_ms, 1700000000123);
	assert_int_equal(strlen(s.traceparent), 55);
	assert_string_equal(s.channel, "");
	assert_int_equal(parse(" {\"url\":\"u\",\"challenge\":\"c\",\"student\":\"s\",\"id\":\"i\","
			       "\"contest\":null,\"sha256\":null,\"priority\":\"admin\","
			       "\"traceparent\":\"nonsense\"} "),
			 0);
	assert_string_equal(s.contest, "");
	assert_string_equal(s.traceparent, "");
	assert_int_equal(s.priority, QUEUE_ADMIN);
	assert_int_equal(s.submitted_ms, 0);
}

static void test_priority(void **state)
{
	(void)state;
	(void)parse("{\"id\":\"i\",\"student\":\"s\",\"challenge\":\"c\",\"url\":\"u\"}");
	assert_int_equal(s.priority, QUEUE_PRACTICE);
	(void)parse("{\"id\":\"i\",\"student\":\"s\",\"challenge\":\"c\",\"url\":\"u\","
		    "\"contest\":\"x\"}");
	assert_int_equal(s.priority, QUEUE_CONTEST);
}

static void test_devforces(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"id\":\"3f2c9a60-1a2b-4c3d-8e4f-5a6b7c8d9e0f\","
			       "\"challengeId\":\"ch-1\","
			       "\"url\":\"https://bucket/user-7-challenge-ch-1\"}"),
			 0);
	assert_string_equal(s.student, "user-7");
	assert_string_equal(s.challenge, "ch-1");
	assert_string_equal(s.channel, s.id);
	assert_int_equal(s.priority, QUEUE_CONTEST);
	(void)parse(
		"{\"id\":\"i\",\"challengeId\":\"c\",\"url\":\"https://b/u-challenge-c?sig=a/b\"}");
	assert_string_equal(s.student, "u");
	/* whose it is cannot be seen: its own, so that it stands behind nobody's other ones */
	(void)parse("{\"id\":\"i\",\"challengeId\":\"c\",\"url\":\"https://b/-challenge-c\"}");
	assert_string_equal(s.student, "i");
	(void)parse("{\"id\":\"i\",\"challengeId\":\"c\",\"url\":\"https://b/a%20b-challenge-c\"}");
	assert_string_equal(s.student, "i");
	(void)parse("{\"id\":\"i\",\"challengeId\":\"c\",\"url\":\"https://b/x.zip\"}");
	assert_string_equal(s.student, "i");
	(void)parse("{\"id\":\"i\",\"challengeId\":\"c\",\"url\":\"u-challenge-c\"}");
	assert_string_equal(s.student, "u");
}

static void test_refused(void **state)
{
	(void)state;
	refused("[]", "it is no JSON object");
	refused("{}", "\"id\" is missing");
	refused("{\"id\":\"i\"}", "\"url\" is missing");
	refused("{\"id\":7,\"url\":\"u\"}", "\"id\" is not a string");
	refused("{\"id\":\"a/b\",\"url\":\"u\"}",
		"\"id\" is malformed: letters, digits and _.:@- are allowed");
	refused("{\"id\":\"\",\"url\":\"u\"}",
		"\"id\" is malformed: letters, digits and _.:@- are allowed");
	refused("{\"id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
		"\"url\":\"u\"}",
		"\"id\" has more than 64 bytes");
	refused("{\"id\":\"i\",\"url\":\"u v\"}", "\"url\" has a character that no URL has");
	refused("{\"id\":\"i\",\"url\":\"u\\nv\"}", "\"url\" has a character that no URL has");
	refused("{\"id\":\"i\",\"url\":\"\"}", "\"url\" is empty");
	refused("{\"id\":\"i\",\"url\":\"u\"}", "\"student\" is missing");
	refused("{\"id\":\"i\",\"url\":\"u\",\"student\":\"s\"}", "\"challenge\" is missing");
	refused("{\"id\":\"i\",\"url\":\"u\",\"challengeId\":[]}",
		"\"challengeId\" is not a string");
	refused("{\"id\":\"i\",\"url\":\"u\",\"student\":\"s\",\"challenge\":\"c\","
		"\"contest\":\"\\u00e9\"}",
		"\"contest\" is malformed: letters, digits and _.:@- are allowed");
	refused("{\"id\":\"i\",\"url\":\"u\",\"student\":\"s\",\"challenge\":\"c\","
		"\"sha256\":\"ABC\"}",
		"\"sha256\" is not 64 hex digits in lower case");
	refused("{\"id\":\"i\",\"url\":\"u\",\"student\":\"s\",\"challenge\":\"c\","
		"\"priority\":4}",
		"\"priority\" is not 0 to 3, admin, contest, practice or rejudge");
	refused("{\"id\":\"i\",\"url\":\"u\",\"student\":\"s\",\"challenge\":\"c\","
		"\"submitted_at\":-1}",
		"\"submitted_at\" is not a number of milliseconds since 1970");
	refused("{\"id\":\"i\",\"url\":\"u\",\"student\":\"s\",\"challenge\":\"c\","
		"\"submitted_at\":\"2026\"}",
		"\"submitted_at\" is not a number of milliseconds since 1970");
}

/* What is no JSON that we take; the reason is one line of ASCII. */
static void test_hostile(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"{",
		"{\"id\":\"a\",\"id\":\"b\",\"url\":\"u\",\"student\":\"s\",\"challenge\":\"c\"}",
		"{\"id\":\"a\\u0000b\",\"url\":\"u\",\"student\":\"s\",\"challenge\":\"c\"}",
		"{\"id\":\"a\xff\",\"url\":\"u\",\"student\":\"s\",\"challenge\":\"c\"}",
		"{\"id\":\"i\",\"url\":\"u\",\"student\":\"s\",\"challenge\":\"c\",\"x\":"
		"\"\xed\xa0\x80\"}",
		"{\"id\":\"i\",\"url\":\"u\",\"student\":\"s\",\"challenge\":\"c\"} x",
		"{\"id\":\"i\",\"url\":\"u\",\"student\":\"s\",\"challenge\":\"c\",\"x\":1e999}",
		"{\"id\":\"i\",\"url\":\"u\",\"student\":\"s\",\"challenge\":\"c\",\"submitted_"
		"at\":"
		"99999999999999999999}",
		"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}",
		"\x01\x02\n\xff\xfe",
	};
	static const char least[] =
		"{\"id\":\"i\",\"url\":\"u\",\"student\":\"s\",\"challenge\":\"c\"}";
	char *big = calloc(1, QUEUE_PAYLOAD_MAX + 2);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(parse(texts[i]), -EINVAL);
		assert_true(strlen(why) > 10);
		for (const char *c = why; *c; c++)
			assert_in_range(*c, 0x20, 0x7e);
	}
	memset(big, ' ', QUEUE_PAYLOAD_MAX + 1);
	memcpy(big, least, strlen(least));
	assert_int_equal(queue_payload_parse(big, QUEUE_PAYLOAD_MAX, &s, why), 0);
	assert_int_equal(queue_payload_parse(big, QUEUE_PAYLOAD_MAX + 1, &s, why), -EINVAL);
	memset(big, '[', QUEUE_PAYLOAD_MAX);
	assert_int_equal(queue_payload_parse(big, QUEUE_PAYLOAD_MAX, &s, why), -EINVAL);
	assert_string_equal(why, "it is nested deeper than 8");
	assert_int_equal(queue_payload_parse("{}\0", 3, &s, why), -EINVAL);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_native),    cmocka_unit_test(test_priority),
		cmocka_unit_test(test_devforces), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
