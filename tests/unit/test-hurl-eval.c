/* SPDX-License-Identifier: MIT */

/*
 * Queries, filters, predicates, JSONPath and JSON comparison, without a network: each row is one
 * assert as a teacher writes it, judged against a fixed response. Every predicate has rows that
 * hold and rows that do not.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hurl/check.h"
#include "hurl/json.h"
#include "util/util.h"

static const char car[] =
	"{\"id\":7,\"big\":9007199254740993,\"price\":19.5,\"whole\":2.0,\"name\":\"Volvo 240\",\"empty\":\"\","
	"\"sold\":false,\"owner\":null,\"none\":[],\"nothing\":{},\"a b\":1,\"x.y\":{\"z\":3},"
	"\"date\":\"2030-05-01\",\"num\":\"42\",\"b64\":\"aGk=\",\"url\":\"a b/c&d\",\"enc\":\"a%20b%26\","
	"\"inner\":\"{\\\"k\\\":[1,2]}\",\"csv\":\"a,b,,c\",\"nul\":\"ok\\u0000evil\","
	"\"tags\":[\"red\",\"fast\",\"red\"],\"nums\":[1,2.0,3],\"deep\":{\"deep\":{\"id\":1}},"
	"\"cars\":[{\"id\":1,\"n\":\"a\",\"p\":10,\"d\":{\"k\":true}},{\"id\":2,\"n\":\"b\",\"p\":20},"
	"{\"id\":3,\"n\":\"b\",\"p\":30.0,\"d\":{\"k\":false}}]}";

static const struct hurl_header headers[] = {
	{ "Content-Type", "application/json; charset=utf-8", 31 },
	{ "Vary", "Origin", 6 },
	{ "vary", "Accept", 6 },
	{ "Set-Cookie", "sid=abc; Path=/; HttpOnly; SameSite=Lax", 39 },
	{ "Set-Cookie", "theme=dark; Max-Age=60; Expires=Wed, 13 Jan 2021 22:23:01 GMT", 61 },
};

static struct hurl_response response(void)
{
	return (struct hurl_response){
		.status = 201,
		.version = "1.1",
		.url = "http://localhost:8000/cars",
		.headers = (struct hurl_header *)headers,
		.header_count = ARRAY_SIZE(headers),
		.body = car,
		.body_len = sizeof(car) - 1,
		.duration_ms = 12,
	};
}

/* Judges the response part @text against @resp: 0 or EVAL_FAILED; <0 if the text is refused. */
static int judge_in(const char *text, const struct hurl_response *resp, struct hurl_vars *vars,
		    struct hurl_fail_record *fail)
{
	struct hurl_arena arena;
	struct hurl_eval e = { .arena = &arena, .vars = vars, .response = resp, .fail = fail };
	_cleanup_free_ char *file_text = NULL;
	struct hurl_file *file = NULL;
	struct hurl_error err;
	int r;

	*fail = (struct hurl_fail_record){ 0 };
	if (asprintf(&file_text, "GET http://x\n%s\n", text) < 0)
		return -ENOMEM;
	r = hurl_file_parse(&file, "t.hurl", file_text, strlen(file_text), &err);
	if (r < 0) {
		print_error("%u:%u: %s\n%s\n", err.line, err.column, err.text, file_text);
		return r;
	}
	hurl_arena_init(&arena, HURL_MAX_SCRATCH);
	r = hurl_check_response(&e, &file->entries[0].expect);
	hurl_arena_done(&arena);
	hurl_file_free(file);
	return r;
}

static int judge(const char *text, const struct hurl_response *resp, struct hurl_fail_record *fail)
{
	struct hurl_vars vars = { 0 };
	int r;

	assert_int_equal(hurl_vars_set_text(&vars, "seven", "7"), 0);
	assert_int_equal(hurl_vars_set_text(&vars, "volvo", "Volvo"), 0);
	assert_int_equal(hurl_vars_set_text(&vars, "key", "name"), 0);
	r = judge_in(text, resp, &vars, fail);
	hurl_vars_done(&vars);
	return r;
}

struct row {
	const char *assert;
	int holds;	/* 1, 0; -1: fails, and fails with "not" too */
};

static const struct row rows[] = {
	/* == and != */
	{ "status == 201", 1 }, { "status == 200", 0 }, { "status != 200", 1 }, { "status != 201", 0 },
	{ "status == \"201\"", 0 }, { "jsonpath \"$.id\" == 7.0", 1 }, { "jsonpath \"$.whole\" == 2", 1 },
	{ "jsonpath \"$.id\" == {{seven}}", 1 }, { "jsonpath \"$.id\" == \"{{seven}}\"", 0 },
	{ "jsonpath \"$.big\" == 9007199254740993", 1 }, { "jsonpath \"$.big\" == 9007199254740992", 0 },
	{ "jsonpath \"$.big\" == 9007199254740992.0", 0 }, { "jsonpath \"$.sold\" == false", 1 },
	{ "jsonpath \"$.sold\" == true", 0 }, { "jsonpath \"$.sold\" == null", 0 },
	{ "jsonpath \"$.owner\" == null", 1 }, { "jsonpath \"$.owner\" != null", 0 },
	{ "jsonpath \"$.price\" == 19.5", 1 }, { "jsonpath \"$.price\" == 19.50001", 0 },
	{ "jsonpath \"$.name\" == \"Volvo 240\"", 1 }, { "jsonpath \"$.name\" == \"volvo 240\"", 0 },
	{ "jsonpath \"$.name\" == `{{volvo}} 240`", 1 }, { "jsonpath \"$.nul\" == \"ok\"", 0 },
	{ "jsonpath \"$.nul\" == \"ok\\u{0}evil\"", 1 }, { "jsonpath \"$.tags\" != \"red\"", 1 },
	{ "jsonpath \"$.missing\" == 1", 0 }, { "jsonpath \"$.missing\" != 1", 0 },
	/* order */
	{ "status < 202", 1 }, { "status < 201", 0 }, { "status <= 201", 1 }, { "status <= 200", 0 },
	{ "status > 200", 1 }, { "status > 201", 0 }, { "status >= 201", 1 }, { "status >= 202", 0 },
	{ "jsonpath \"$.price\" > 19", 1 }, { "jsonpath \"$.big\" > 9007199254740992.0", 1 },
	{ "jsonpath \"$.date\" < \"2030-05-02\"", 1 }, { "jsonpath \"$.date\" > \"2030-05-02\"", 0 },
	{ "jsonpath \"$.name\" > 1", -1 }, { "jsonpath \"$.owner\" < 1", -1 },
	{ "jsonpath \"$.missing\" < 1", 0 },
	/* text */
	{ "jsonpath \"$.name\" startsWith \"{{volvo}}\"", 1 }, { "jsonpath \"$.name\" startsWith \"240\"", 0 },
	{ "jsonpath \"$.id\" startsWith \"7\"", -1 }, { "bytes startsWith hex,7b22;", 1 },
	{ "bytes startsWith hex,7b23;", 0 }, { "jsonpath \"$.name\" endsWith \"240\"", 1 },
	{ "jsonpath \"$.name\" endsWith \"Volvo\"", 0 }, { "jsonpath \"$.id\" endsWith \"7\"", -1 },
	{ "bytes endsWith hex,5d7d;", 1 }, { "jsonpath \"$.name\" contains \"o 2\"", 1 },
	{ "jsonpath \"$.name\" contains \"O 2\"", 0 }, { "jsonpath \"$.id\" contains \"7\"", -1 },
	{ "body contains \"Volvo\"", 1 }, { "bytes contains hex,566f6c;", 1 }, { "bytes contains hex,00;", 0 },
	{ "jsonpath \"$.tags\" contains \"fast\"", 1 }, { "jsonpath \"$.missing\" contains \"x\"", 0 },
	{ "jsonpath \"$.date\" matches /^\\d{4}-\\d{2}-\\d{2}$/", 1 }, { "jsonpath \"$.date\" matches /^x/", 0 },
	{ "jsonpath \"$.date\" matches \"^\\\\d+-\"", 1 }, { "jsonpath \"$.name\" matches \"^{{volvo}}\"", 1 },
	{ "jsonpath \"$.id\" matches /7/", -1 },
	/* forms of strings */
	{ "jsonpath \"$.id\" isUuid", -1 }, { "jsonpath \"$.name\" isUuid", 0 },
	{ "jsonpath \"$.date\" isIsoDate", 0 }, { "jsonpath \"$.id\" isIsoDate", -1 },
	{ "jsonpath \"$.date\" replace \"2030-05-01\" \"2030-02-30T00:00:00Z\" isIsoDate", 0 },
	{ "jsonpath \"$.date\" replace \"2030-05-01\" \"2028-02-29T23:59:60.5+02:00\" isIsoDate", 1 },
	{ "jsonpath \"$.date\" replace \"2030-05-01\" \"2028-02-29T24:00:00Z\" isIsoDate", 0 },
	{ "jsonpath \"$.date\" replace \"2030-05-01\" \"2028-02-29 23:00:00Z\" isIsoDate", 0 },
	{ "jsonpath \"$.name\" isIpv4", 0 }, { "jsonpath \"$.id\" isIpv4", -1 },
	{ "jsonpath \"$.name\" replace \"Volvo 240\" \"::1\" isIpv6", 1 },
	{ "jsonpath \"$.name\" replace \"Volvo 240\" \"::1\" isIpv4", 0 },
	{ "jsonpath \"$.tags\" isList", 1 }, { "jsonpath \"$.tags\" isObject", 0 },
	{ "jsonpath \"$\" isObject", 1 }, { "jsonpath \"$.name\" isList", 0 },
	/* digests and encodings */
	{ "bytes toHex startsWith \"7b22\"", 1 }, { "sha256 count == 32", 1 }, { "md5 count == 16", 1 },
	{ "sha256 == hex,00;", 0 }, { "jsonpath \"$.name\" toHex exists", -1 },
	{ "jsonpath \"$.name\" utf8Encode utf8Decode == \"Volvo 240\"", 1 },
	{ "jsonpath \"$.name\" base64UrlSafeEncode base64UrlSafeDecode utf8Decode == \"Volvo 240\"", 1 },
	{ "jsonpath \"$.name\" base64UrlSafeDecode exists", -1 },
	{ "jsonpath \"$.name\" htmlEscape == \"Volvo 240\"", 1 },
	{ "jsonpath \"$.name\" urlQueryParam \"q\" exists", 0 }, { "jsonpath \"$.id\" urlQueryParam \"q\" exists", -1 },
	{ "jsonpath \"$\" location exists", -1 }, { "redirects isEmpty", 1 },
	/* collections */
	{ "jsonpath \"$.tags\" includes \"fast\"", 1 }, { "jsonpath \"$.tags\" includes \"slow\"", 0 },
	{ "jsonpath \"$.nums\" includes 2", 1 }, { "jsonpath \"$.nums\" includes \"2\"", 0 },
	{ "jsonpath \"$.name\" includes \"V\"", -1 }, { "jsonpath \"$.none\" isEmpty", 1 },
	{ "jsonpath \"$.nothing\" isEmpty", 1 }, { "jsonpath \"$.empty\" isEmpty", 1 },
	{ "jsonpath \"$.tags\" isEmpty", 0 }, { "jsonpath \"$.name\" isEmpty", 0 },
	{ "jsonpath \"$.id\" isEmpty", -1 },
	/* existence and types */
	{ "jsonpath \"$.owner\" exists", 1 }, { "jsonpath \"$.missing\" exists", 0 },
	{ "jsonpath \"$.cars[3]\" exists", 0 }, { "jsonpath \"$.id\" isInteger", 1 },
	{ "jsonpath \"$.price\" isInteger", 0 }, { "jsonpath \"$.whole\" isInteger", 0 },
	{ "jsonpath \"$.whole\" isFloat", 1 }, { "jsonpath \"$.id\" isFloat", 0 },
	{ "jsonpath \"$.id\" isNumber", 1 }, { "jsonpath \"$.price\" isNumber", 1 },
	{ "jsonpath \"$.num\" isNumber", 0 }, { "jsonpath \"$.num\" isString", 1 },
	{ "jsonpath \"$.id\" isString", 0 }, { "jsonpath \"$.sold\" isBoolean", 1 },
	{ "jsonpath \"$.owner\" isBoolean", 0 }, { "jsonpath \"$.tags\" isCollection", 1 },
	{ "jsonpath \"$.nothing\" isCollection", 1 }, { "jsonpath \"$.name\" isCollection", 0 },
	/* queries */
	{ "header \"content-type\" contains \"json\"", 1 }, { "header \"X-None\" exists", 0 },
	{ "header \"Vary\" count == 2", 1 }, { "header \"Vary\" includes \"Accept\"", 1 },
	{ "cookie \"sid\" == \"abc\"", 1 }, { "cookie \"sid[Value]\" == \"abc\"", 1 },
	{ "cookie \"sid[Path]\" == \"/\"", 1 }, { "cookie \"sid[HttpOnly]\" exists", 1 },
	{ "cookie \"sid[Secure]\" exists", 0 }, { "cookie \"sid[HttpOnly]\" == true", -1 },
	{ "cookie \"sid[SameSite]\" == \"Lax\"", 1 }, { "cookie \"sid[Domain]\" exists", 0 },
	{ "cookie \"theme[Max-Age]\" == 60", 1 }, { "cookie \"theme[Expires]\" contains \"13 Jan\"", 1 },
	{ "cookie \"si\" exists", 0 }, { "duration < 1000", 1 }, { "duration < 5", 0 },
	{ "url endsWith \"/cars\"", 1 }, { "version == \"1.1\"", 1 }, { "variable \"seven\" == 7", 1 },
	{ "variable \"unknown\" exists", 0 }, { "regex \"name\\\":\\\"(\\\\w+) \" == \"Volvo\"", 1 },
	{ "regex /(zzz)/ exists", 0 }, { "body isString", 1 }, { "bytes isCollection", 1 },
	/* JSONPath */
	{ "jsonpath \"$\" isCollection", 1 }, { "jsonpath \"$['a b']\" == 1", 1 },
	{ "jsonpath \"$['x.y'].z\" == 3", 1 }, { "jsonpath \"$[\\\"x.y\\\"]['z']\" == 3", 1 },
	{ "jsonpath \"$.{{key}}\" == \"Volvo 240\"", 1 }, { "jsonpath \"$.cars[0].id\" == 1", 1 },
	{ "jsonpath \"$.cars[-1].id\" == 3", 1 }, { "jsonpath \"$.cars[-4]\" exists", 0 },
	{ "jsonpath \"$.cars[*].id\" count == 3", 1 }, { "jsonpath \"$.cars[*].id\" includes 3", 1 },
	{ "jsonpath \"$.cars[*].d.k\" count == 2", 1 }, { "jsonpath \"$.cars[0,2].id\" nth 1 == 3", 1 },
	{ "jsonpath \"$.cars[1:].id\" count == 2", 1 }, { "jsonpath \"$.cars[:-1].id\" count == 2", 1 },
	{ "jsonpath \"$.cars[1:2].id\" first == 2", 1 }, { "jsonpath \"$.cars[5:9]\" count == 0", 1 },
	{ "jsonpath \"$..id\" count == 5", 1 }, { "jsonpath \"$.deep..id\" count == 1", 1 },
	{ "jsonpath \"$.x.y\" exists", 0 }, { "jsonpath \"$.deep.*\" count == 1", 1 },
	{ "jsonpath \"$.tags.*\" count == 3", 1 }, { "jsonpath \"$.deep..*\" count == 2", 1 },
	{ "jsonpath \"$.cars[?(@.n == 'b')].id\" count == 2", 1 },
	{ "jsonpath \"$.cars[?(@.n=='b' && @.p > 20)].id\" nth 0 == 3", 1 },
	{ "jsonpath \"$.cars[?(@.p >= 20)]\" count == 2", 1 }, { "jsonpath \"$.cars[?(@.p == 30)]\" count == 1", 1 },
	{ "jsonpath \"$.cars[?(@.d)]\" count == 2", 1 }, { "jsonpath \"$.cars[?(@.d.k == true)].id\" first == 1", 1 },
	{ "jsonpath \"$.cars[?@.n != 'b'].id\" first == 1", 1 },
	{ "jsonpath \"$.cars[?(@.n == 'z')]\" isEmpty", 1 }, { "jsonpath \"$.cars[?(@.n == 'z')]\" exists", 1 },
	{ "jsonpath \"$.tags[?(@ == 'red')]\" count == 2", 1 }, { "jsonpath \"$.missing[*]\" exists", 0 },
	{ "jsonpath \"$.name[0]\" exists", 0 }, { "jsonpath \"$.name[*]\" count == 0", 1 },
	/* filters */
	{ "jsonpath \"$.cars\" count == 3", 1 }, { "jsonpath \"$.nothing\" count == 0", 1 },
	{ "bytes count > 100", 1 }, { "jsonpath \"$.id\" count == 1", -1 },
	{ "jsonpath \"$.missing\" count == 0", -1 }, { "jsonpath \"$.tags\" nth -1 == \"red\"", 1 },
	{ "jsonpath \"$.tags\" nth 3 exists", 0 }, { "jsonpath \"$.tags\" last == \"red\"", 1 },
	{ "jsonpath \"$.num\" toInt == 42", 1 }, { "jsonpath \"$.name\" toInt == 42", -1 },
	{ "jsonpath \"$.price\" toInt == 19", 1 }, { "jsonpath \"$.num\" toFloat isFloat", 1 },
	{ "jsonpath \"$.id\" toString == \"7\"", 1 }, { "jsonpath \"$.inner\" jsonpath \"$.k[1]\" == 2", 1 },
	{ "jsonpath \"$.name\" jsonpath \"$.k\" exists", -1 },
	{ "jsonpath \"$.csv\" split \",\" count == 4", 1 }, { "jsonpath \"$.csv\" split \",\" nth 2 == \"\"", 1 },
	{ "jsonpath \"$.csv\" replace \",\" \"-\" == \"a-b--c\"", 1 },
	{ "jsonpath \"$.date\" replaceRegex /\\d+/ \"n\" == \"n-n-n\"", 1 },
	{ "jsonpath \"$.csv\" replaceRegex /x*/ \"_\" startsWith \"_a_\"", 1 },
	{ "jsonpath \"$.name\" regex /(\\d+)$/ == \"240\"", 1 }, { "jsonpath \"$.name\" regex /(zz)/ exists", 0 },
	{ "jsonpath \"$.url\" urlEncode == \"a%20b/c%26d\"", 1 }, { "jsonpath \"$.enc\" urlDecode == \"a b&\"", 1 },
	{ "jsonpath \"$.b64\" base64Decode == hex,6869;", 1 }, { "jsonpath \"$.date\" base64Decode exists", -1 },
	{ "jsonpath \"$.b64\" base64Decode base64Encode == \"aGk=\"", 1 },
};

/* Inserts "not" before the predicate: the last place where "not" parses as one. */
static void negate(const char *assert_text, char *out, size_t size)
{
	static const char *const words[] = { " == ", " != ", " < ", " <= ", " > ", " >= ", " startsWith ",
					     " endsWith ", " contains ", " includes ", " matches ", " exists",
					     " isEmpty", " isInteger", " isFloat", " isNumber", " isString",
					     " isBoolean", " isCollection", " isList", " isObject", " isIsoDate",
					     " isUuid", " isIpv4", " isIpv6" };
	const char *best = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *at = assert_text;

		/* operators inside the quotes of a JSONPath filter do not count */
		while ((at = strstr(at, words[i]))) {
			size_t quotes = 0;

			for (const char *c = assert_text; c < at; c++)
				quotes += *c == '"' && (c == assert_text || c[-1] != '\\');
			if (quotes % 2 == 0 && (!best || at < best))
				best = at;
			at++;
		}
	}
	assert_non_null(best);
	snprintf(out, size, "%.*s not%s", (int)(best - assert_text), assert_text, best);
}

static void test_rows(void **state)
{
	const struct hurl_response resp = response();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hurl_fail_record fail_record;
		char text[400], negated[300];
		int plain, inverse;

		snprintf(text, sizeof(text), "HTTP *\n[Asserts]\n%s", rows[i].assert);
		plain = judge(text, &resp, &fail_record);
		if (plain == EVAL_FAILED)
			assert_true(fail_record.set && fail_record.message[0] && fail_record.pos.line == 4);
		negate(rows[i].assert, negated, sizeof(negated));
		snprintf(text, sizeof(text), "HTTP *\n[Asserts]\n%s", negated);
		inverse = judge(text, &resp, &fail_record);
		if (plain != (rows[i].holds == 1 ? 0 : EVAL_FAILED) ||
		    inverse != (rows[i].holds == 0 ? 0 : EVAL_FAILED)) {
			print_error("%s: %d, expected %d; %s: %d (%s)\n", rows[i].assert, plain, rows[i].holds,
				    negated, inverse, fail_record.message);
			fail();
		}
	}
}

static const struct {
	const char *expected, *actual;
	const char *path;	/* of the first difference; NULL: equal */
} pairs[] = {
	{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", NULL },
	{ "{\"a\":1}", "{\"a\":1.0}", NULL },
	{ "[1,2]", "[1.0, 2e0]", NULL },
	{ "[1,2]", "[2,1]", "$[0]" },
	{ "[1,2]", "[1,2,3]", "$[2]" },
	{ "[1,2]", "[1]", "$[1]" },
	{ "{\"a\":1}", "{}", "$.a" },
	{ "{}", "{\"a\":1}", "$.a" },
	{ "{\"a\":null}", "{}", "$.a" },
	{ "{\"a\":{\"b\":[1,{\"c\":\"x\"}]}}", "{\"a\":{\"b\":[1,{\"c\":\"y\"}]}}", "$.a.b[1].c" },
	{ "{\"a b\":1}", "{\"a b\":2}", "$['a b']" },
	{ "9007199254740993", "9007199254740992", "$" },
	{ "9007199254740993", "9007199254740993", NULL },
	{ "9007199254740993", "9007199254740992.0", "$" },
	{ "-1", "-1.0", NULL },
	{ "1.5", "1", "$" },
	{ "-9223372036854775808", "-9223372036854775808.0", NULL },
	{ "9223372036854775807", "9223372036854775807.0", "$" },
	{ "\"1\"", "1", "$" },
	{ "true", "1", "$" },
	{ "false", "null", "$" },
	{ "\"a\\u0000b\"", "\"a\"", "$" },
	{ "\"a\\u0000b\"", "\"a\\u0000b\"", NULL },
	{ "\"\\u00e9\"", "\"\xc3\xa9\"", NULL },
	{ "[]", "{}", "$" },
};

static void test_json_compare(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct hurl_json_diff diff;
		struct hurl_arena a;
		char why[HURL_JSON_WHY];
		json_t *e, *v;

		hurl_arena_init(&a, 1 << 20);
		e = hurl_json_load(&a, pairs[i].expected, strlen(pairs[i].expected), why);
		v = hurl_json_load(&a, pairs[i].actual, strlen(pairs[i].actual), why);
		assert_non_null(e);
		assert_non_null(v);
		assert_int_equal(hurl_json_equal(e, v), pairs[i].path == NULL);
		assert_int_equal(hurl_json_equal(v, e), pairs[i].path == NULL);
		if (pairs[i].path) {
			hurl_json_first_diff(e, v, &diff);
			assert_string_equal(diff.path, pairs[i].path);
		}
		hurl_arena_done(&a);
	}
}

static void test_json_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "empty" }, { "{", "" }, { "{\"a\":1,\"a\":2}", "duplicate" }, { "[1] x", "end of file" },
		{ "\xef\xbb\xbf{}", "" }, { "\"\xff\"", "" }, { "99999999999999999999", "too big" },
		{ "1e999", "overflow" }, { "nul", "" }, { "{\"a\":1,}", "" }, { "'a'", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct hurl_arena a;
		char why[HURL_JSON_WHY] = "";

		hurl_arena_init(&a, 1 << 20);
		assert_null(hurl_json_load(&a, bad[i].text, strlen(bad[i].text), why));
		if (!strstr(why, bad[i].says) || !*why) {
			print_error("%s: %s\n", bad[i].text, why);
			fail();
		}
		hurl_arena_done(&a);
	}
}

/* Expected bodies and headers, and what their failure says. */
static void test_response_part(void **state)
{
	static const struct {
		const char *text;
		const char *expected;	/* NULL: holds */
	} parts[] = {
		{ "HTTP 201", NULL },
		{ "HTTP 200", "status 200" },
		{ "HTTP/1.0 201", "HTTP/1.0" },
		{ "HTTP/1.1 201", NULL },
		{ "HTTP 201\nvary: Accept", NULL },
		{ "HTTP 201\nVary: Accept\nVary: Origin", NULL },
		{ "HTTP 201\nVary: Other", "Vary: Other" },
		{ "HTTP 201\nX-None: a", "X-None: a" },
		{ "HTTP 201\n`{}`", "string \"{}\"" },
		{ "HTTP 201\n{\"id\":7}", "$.big: nothing" },
		{ "HTTP 201\nhex,00;", "1 bytes hex,00;" },
		{ "HTTP 201\n[Captures]\nx: jsonpath \"$.missing\"", "a value" },
		{ "HTTP 201\n[Captures]\nx: jsonpath \"$.id\"\n[Asserts]\nvariable \"x\" == 7", NULL },
		{ "HTTP 201\n[Captures]\nx: jsonpath \"$.cars\"\n[Asserts]\nvariable \"x\" count == 3", NULL },
	};
	const struct hurl_response resp = response();

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct hurl_fail_record fail_record;
		int r = judge(parts[i].text, &resp, &fail_record);

		if (!parts[i].expected) {
			assert_int_equal(r, 0);
			continue;
		}
		assert_int_equal(r, EVAL_FAILED);
		assert_string_equal(fail_record.expected, parts[i].expected);
		assert_true(fail_record.actual[0]);
	}
}

/* What a server sends is shown, but cannot act on a terminal. */
static void test_escaped(void **state)
{
	static const char body[] = "\033[31m\a\r\n\t\xe2\x80\xae\xc3\xa9";
	struct hurl_response resp = response();
	struct hurl_fail_record fail_record;

	resp.body = body;
	resp.body_len = sizeof(body) - 1;
	assert_int_equal(judge("HTTP *\n[Asserts]\nbody == \"x\"", &resp, &fail_record), EVAL_FAILED);
	assert_string_equal(fail_record.actual, "string \"\\x1b[31m\\x07\\r\\n\\t\\u{202e}\xc3\xa9\"");
	resp.body = "\xff\xfe";
	resp.body_len = 2;
	assert_int_equal(judge("HTTP *\n[Asserts]\nbody == \"x\"", &resp, &fail_record), EVAL_FAILED);
	assert_non_null(strstr(fail_record.message, "not UTF-8"));
	assert_int_equal(judge("HTTP *\n[Asserts]\nbytes == hex,fffe;", &resp, &fail_record), 0);
}

/* A pattern that backtracks without end meets the match limit. */
static void test_regex_limit(void **state)
{
	char body[6000];
	struct hurl_response resp = response();
	struct hurl_fail_record fail_record;

	memset(body, 'a', sizeof(body));
	body[sizeof(body) - 1] = '!';
	resp.body = body;
	resp.body_len = sizeof(body);
	assert_int_equal(judge("HTTP *\n[Asserts]\nbody matches /^(a+)+$/", &resp, &fail_record), EVAL_FAILED);
	assert_non_null(strstr(fail_record.message, "too many steps"));
	assert_int_equal(judge("HTTP *\n[Asserts]\nbody not matches /^(a+)+$/", &resp, &fail_record),
			 EVAL_FAILED);
}

static char *repeated(const char *unit, size_t count, const char *end, size_t *ret_len)
{
	size_t n = strlen(unit);
	char *text = malloc(n * count + strlen(end) + 1);

	for (size_t i = 0; i < count; i++)
		memcpy(text + i * n, unit, n);
	strcpy(text + n * count, end);
	*ret_len = strlen(text);
	return text;
}

static void test_json_caps(void **state)
{
	static const struct {
		const char *unit, *says;
		size_t count;
	} bombs[] = {
		{ "[", "deeper than 200", 1000000 },
		{ "{\"a\":", "deeper than 200", 201 },
		{ "{},", "more than 250000 values", 2000000 },
		{ "1,", "more than 250000 values", 4000000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bombs); i++) {
		struct hurl_response resp = response();
		struct hurl_fail_record fail_record;
		_cleanup_free_ char *text = repeated(bombs[i].unit, bombs[i].count, "0", &resp.body_len);

		resp.body = text;
		assert_int_equal(judge("HTTP *\n[Asserts]\njsonpath \"$.a\" exists", &resp, &fail_record),
				 EVAL_FAILED);
		assert_non_null(strstr(fail_record.message, bombs[i].says));
	}
}

/* Paths that visit a document over and over have a budget. */
static void test_path_budget(void **state)
{
	struct hurl_response resp = response();
	struct hurl_fail_record fail_record;
	char body[2000];
	size_t n = 0;

	for (int i = 0; i < 150; i++)
		n += (size_t)snprintf(body + n, sizeof(body) - n, "[0,");
	n += (size_t)snprintf(body + n, sizeof(body) - n, "0");
	memset(body + n, ']', 150);
	resp.body = body;
	resp.body_len = n + 150;
	assert_int_equal(judge("HTTP *\n[Asserts]\njsonpath \"$..*\" count == 300", &resp, &fail_record), 0);
	assert_int_equal(judge("HTTP *\n[Asserts]\njsonpath \"$..*..*..*..*\" count == 1", &resp, &fail_record),
			 EVAL_FAILED);
	assert_non_null(strstr(fail_record.message, "visits more than"));
}

static void test_variables(void **state)
{
	static const struct {
		const char *text;
		enum hurl_value_kind kind;
	} typed[] = {
		{ "5", VALUE_INT },	    { "-5", VALUE_INT },    { "1.5", VALUE_FLOAT },
		{ "true", VALUE_BOOL },	    { "null", VALUE_NULL }, { "\"5\"", VALUE_STRING },
		{ "1e5", VALUE_STRING },    { "", VALUE_STRING },   { "5 ", VALUE_STRING },
		{ "99999999999999999999", VALUE_STRING },
	};
	struct hurl_vars vars = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(typed); i++) {
		assert_int_equal(hurl_vars_set_text(&vars, "x", typed[i].text), 0);
		assert_int_equal(hurl_vars_get(&vars, "x")->value.kind, typed[i].kind);
	}
	assert_int_equal(vars.count, 1);
	for (int i = 0; i < HURL_MAX_VARIABLES - 1; i++) {
		char name[16];

		snprintf(name, sizeof(name), "v%d", i);
		assert_int_equal(hurl_vars_set_text(&vars, name, "1"), 0);
	}
	assert_int_equal(hurl_vars_set_text(&vars, "one-more", "1"), -E2BIG);
	hurl_vars_done(&vars);
}

/* Encoded for their place: no value changes the structure of a body. */
static void test_render(void **state)
{
	struct hurl_vars vars = { 0 };
	struct hurl_response resp = response();
	struct hurl_fail_record fail_record;

	resp.body = "{\"s\":\"say \\\"5\\\"\",\"n\":5,\"v\":\"x\\\",\\\"role\\\":\\\"admin\"}";
	resp.body_len = strlen(resp.body);
	assert_int_equal(hurl_vars_set_text(&vars, "n", "5"), 0);
	assert_int_equal(hurl_vars_set_text(&vars, "v", "x\",\"role\":\"admin"), 0);
	assert_int_equal(judge_in("HTTP *\n{\"s\":\"say \\\"{{n}}\\\"\",\"n\":{{n}},\"v\":\"{{v}}\"}", &resp, &vars,
				  &fail_record), 0);
	assert_int_equal(judge_in("HTTP *\n```json\n{\"s\":\"say \\\"{{n}}\\\"\",\"n\":{{n}},\"v\":{{v}}}\n```",
				  &resp, &vars, &fail_record), 0);
	assert_int_equal(judge_in("HTTP *\n{\"s\":{{undefined}}}", &resp, &vars, &fail_record), EVAL_FAILED);
	assert_non_null(strstr(fail_record.message, "'undefined' is not defined"));
	hurl_vars_done(&vars);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	     cmocka_unit_test(test_json_compare),
		cmocka_unit_test(test_json_refused), cmocka_unit_test(test_response_part),
		cmocka_unit_test(test_escaped),	     cmocka_unit_test(test_regex_limit),
		cmocka_unit_test(test_json_caps),    cmocka_unit_test(test_path_budget),
		cmocka_unit_test(test_variables),    cmocka_unit_test(test_render),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
