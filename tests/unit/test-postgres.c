/* SPDX-License-Identifier: MIT */

/* URLs as Prisma has them, what Postgres's errors mean, and results that no jsonb would take. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fleet/ledger/ledger-internal.h"
#include "fleet/ledger/pg-errors.h"
#include "fleet/ledger/url.h"
#include "util/util.h"

#define P "postgresql://u:p@h/d"

static const struct {
	const char *text, *url, *schema;
	bool pooler;
} urls[] = {
	{ P, P, NULL, false },
	{ P "?", P, NULL, false },
	{ P "?schema=public", P, "public", false },
	{ P "?schema=public&connection_limit=5", P, "public", false },
	{ P "?connection_limit=5&sslmode=require&pool_timeout=0", P "?sslmode=require", NULL,
	  false },
	{ P "?sslmode=require&pgbouncer=true&socket_timeout=3", P "?sslmode=require", NULL, true },
	{ P "?host=/run&schema=a%5Fb&port=1", P "?host=/run&port=1", "a_b", false },
	{ P "?pgbouncer=false&pgbouncer=truex", P, NULL, false },
	{ P "?schema=", P, NULL, false },
	{ P "?schema=a&schema=b", P, "b", false },
	{ P "?schema", P, NULL, false },
	{ P "?&&host=x&", P "?host=x", NULL, false },
	{ P "?schemas=x", P "?schemas=x", NULL, false },
	{ P "?options=-c%20schema=x", P "?options=-c%20schema=x", NULL, false },
	{ "postgres://u:a?schema=b@h/d?schema=c", "postgres://u:a?schema=b@h/d", "c", false },
	{ "postgresql://h/d@x?schema=c", "postgresql://h/d@x", "c", false },
	{ "postgresql:///d?host=/run&schema=c", "postgresql:///d?host=/run", "c", false },
	{ "host=/run dbname=x", "host=/run dbname=x", NULL, false },
	{ "host=h password=a://b?schema=c", "host=h password=a://b?schema=c", NULL, false },
	{ "", "", NULL, false },
	{ "mysql://u:p@h/d?x=y", NULL, NULL, false },
	{ "prisma+postgres://h", NULL, NULL, false },
	{ P "?schema=a%2", NULL, NULL, false },
	{ P "?schema=a%zz", NULL, NULL, false },
	{ P "?schema=a%00b", NULL, NULL, false },
};

static void test_url(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		struct postgres_url u = { 0 };
		struct sbx_error err = { 0 };
		int r = postgres_url_parse(urls[i].text, &u, &err);

		assert_int_equal(r, urls[i].url ? 0 : -EINVAL);
		if (r < 0) {
			assert_null(u.url);
			continue;
		}
		assert_string_equal(u.url, urls[i].url);
		assert_int_equal(u.pooler, urls[i].pooler);
		if (urls[i].schema)
			assert_string_equal(u.schema, urls[i].schema);
		else
			assert_null(u.schema);
		postgres_url_done(&u);
	}
}

static void test_states(void **state)
{
	static const struct {
		const char *state;
		int code;
	} rows[] = {
		{ NULL, -EAGAIN },    { "", -EAGAIN },      { "08006", -EAGAIN },
		{ "57P01", -EAGAIN }, { "57014", -EAGAIN }, { "53300", -EAGAIN },
		{ "53100", -EAGAIN }, { "40001", -EAGAIN }, { "40P01", -EAGAIN },
		{ "25006", -EAGAIN }, { "55P03", -EAGAIN }, { "28P01", -EACCES },
		{ "28000", -EACCES }, { "3D000", -EACCES }, { "42501", -EACCES },
		{ "42P01", -EPROTO }, { "3F000", -EPROTO }, { "42703", -EPROTO },
		{ "42601", -EIO },    { "23514", -EINVAL }, { "XX000", -EIO },
		{ "22P02", -EINVAL }, { "25P02", -EIO },    { "4", -EIO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(pg_sqlstate_code(rows[i].state), rows[i].code);
}

static void test_json(void **state)
{
	static const struct {
		const char *json, *text, *stages;
	} rows[] = {
		{ "{}", "{}", NULL },
		{ "{\"stages\":[ 1, 2 ]}", "{\"stages\":[ 1, 2 ]}", "[1,2]" },
		{ "{\"stages\":\"\\u0000\"}", "{\"stages\":\"\\ufffd\"}", "\"\xef\xbf\xbd\"" },
		{ "{\"stages\":\"\\\\u0000\"}", "{\"stages\":\"\\\\u0000\"}", "\"\\\\u0000\"" },
		{ "{\"a\":\"\\\\\\u0000\"}", "{\"a\":\"\\\\\\ufffd\"}", NULL },
		{ "{\"a\":\"\\ud83d\\ude00\"}", "{\"a\":\"\\ud83d\\ude00\"}", NULL },
		{ "{\"a\":\"\\ud83d\\u0041\"}", "{\"a\":\"\\ufffd\\u0041\"}", NULL },
		{ "{\"a\":\"\\ud83d\\ud83d\\ude00\"}", "{\"a\":\"\\ufffd\\ud83d\\ude00\"}", NULL },
		{ "{\"a\":\"\\uDE00\"}", "{\"a\":\"\\ufffd\"}", NULL },
		{ "{\"a\":\"\\ud83d\"}", "{\"a\":\"\\ufffd\"}", NULL },
		{ "{\"a\":\"\xff\xc3\xa9\xc3\"}", "{\"a\":\"?\xc3\xa9?\"}", NULL },
		{ "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"???\"}", NULL },
		{ "{\"a\":\"\\u12\"}", NULL, NULL },
		{ "{\"a\":\"\\ud8", NULL, NULL },
		{ "{\"a\":\"\\", NULL, NULL },
		{ "{\"a\":1e999999}", NULL, NULL },
		{ "{\"a\":1}x", NULL, NULL },
		{ "[]", NULL, NULL },
		{ "", NULL, NULL },
		{ NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ledger_json j = { 0 };
		struct sbx_error err = { 0 };
		int r = ledger_json_make(rows[i].json, &j, &err);

		assert_int_equal(r, rows[i].text ? 0 : -EINVAL);
		if (r < 0)
			continue;
		assert_string_equal(j.text, rows[i].text);
		if (rows[i].stages)
			assert_string_equal(j.stages, rows[i].stages);
		else
			assert_null(j.stages);
		assert_null(j.usage);
		ledger_json_done(&j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests_name("postgres", tests, NULL, NULL);
}
