/* SPDX-License-Identifier: MIT */

/* The parser: what it takes, what it refuses, and where exactly it says so. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hurl/ast.h"
#include "util/util.h"

struct refusal {
	const char *text;
	unsigned int line, column;
	const char *says;	/* part of the message */
};

static const struct refusal refusals[] = {
	{ "", 1, 1, "no request" },
	{ "# only a comment\n", 2, 1, "no request" },
	{ "get http://x/\n", 1, 1, "capitals" },
	{ "GET\n", 1, 1, "expected a request line" },
	{ "GET   # nothing\n", 1, 7, "expected a URL" },
	{ "HTTP 200\n", 1, 1, "without a request" },
	{ "GET http://x\nHTTP 200\nHTTP 200\n", 3, 1, "second response" },
	{ "GET http://x\nHTTP 20\n", 2, 6, "three digits" },
	{ "GET http://x\nHTTP abc\n", 2, 6, "three digits" },
	{ "GET http://x\nHTTP 2000\n", 2, 9, "end of the line" },
	{ "GET http://x\nHTTP/2 200\n", 2, 6, "HTTP/2" },
	{ "GET http://x\nHTTP/1.5 200\n", 2, 6, "1.0 or 1.1" },
	{ "GET http://{{base/x\n", 1, 18, "'}}'" },
	{ "GET http://{{}}/x\n", 1, 14, "name of a variable" },
	{ "GET http://{{x urlEncode}}\n", 1, 16, "filter inside" },
	{ "GET http://{{getEnv}}\n", 1, 14, "getEnv" },
	{ "GET http://x\nX-A: \\d\n", 2, 6, "unknown escape" },
	{ "GET http://x\nX-A: \\u{zz}\n", 2, 9, "hexadecimal" },
	{ "GET http://x\n[Asserts]\nstatus == 1\n", 2, 1, "belongs below a response" },
	{ "GET http://x\nHTTP 200\n[Form]\na: b\n", 3, 1, "belongs to the request" },
	{ "GET http://x\n[Froms]\na: b\n", 2, 1, "did you mean [Form]" },
	{ "GET http://x\n[Multipart]\na: file,../b;\n", 3, 4, "'..'" },
	{ "GET http://x\n[Multipart]\na: file,/etc/passwd;\n", 3, 4, "absolute" },
	{ "GET http://x\n[Multipart]\na: file,a//b;\n", 3, 4, "empty" },
	{ "GET http://x\n[Multipart]\na: file,./b;\n", 3, 4, "'.'" },
	{ "GET http://x\n[Multipart]\na: file,b\n", 3, 4, "expected ';'" },
	{ "GET http://x\n[Multipart]\na: file,{{x}};\n", 3, 9, "variable is not supported" },
	{ "GET http://x\n[Multipart]\na: b\n[Form]\nc: d\n", 1, 1, "[Multipart] or [Form]" },
	{ "GET http://x\n[Multipart]\na: b\n`x`\n", 4, 1, "[Multipart] or a body" },
	{ "GET http://x\n[Options]\nuser: a:b\n[BasicAuth]\na: b\n", 1, 1, "not both" },
	{ "GET http://x\n[Options]\nuser: a:b\nuser: a:b\n", 4, 7, "once" },
	{ "GET http://x\n[Options]\nhttp1.1: false\n", 3, 10, "always HTTP/1.1" },
	{ "GET http://x\n[Options]\nhttp2: true\n", 3, 1, "'http2' is not supported" },
	{ "GET http://x\n[Options]\nrepeat: 1001\n", 3, 9, "too much" },
	{ "GET http://x\n[Options]\nlocaton: true\n", 3, 1, "did you mean 'location'" },
	{ "GET http://x\n[Options]\ninsecure: true\n", 3, 1, "'insecure' is not supported" },
	{ "GET http://x\n[Options]\nlocation: yes\n", 3, 11, "true or false" },
	{ "GET http://x\n[Options]\nretry: -1\n", 3, 8, "without a limit" },
	{ "GET http://x\n[Options]\nretry: 5000\n", 3, 8, "too much" },
	{ "GET http://x\n[Options]\nmax-time: 61s\n", 3, 11, "too long" },
	{ "GET http://x\n[Options]\ndelay: 5h\n", 3, 9, "expected ms, s or m" },
	{ "GET http://x\n[Options]\nretry: {{n}\n", 3, 11, "'}}'" },
	{ "GET http://x\n[BasicAuth]\n", 3, 1, "exactly one line" },
	{ "POST http://x\n[Form]\na: b\n`text`\n", 4, 1, "not both" },
	{ "POST http://x\n{\"a\": 1,}\n", 2, 9, "a key in double quotes" },
	{ "POST http://x\n{\"a\" 1}\n", 2, 6, "':'" },
	{ "POST http://x\n[1 2]\n", 2, 4, "',' or ']'" },
	{ "POST http://x\n{\"a\": tru}\n", 2, 7, "a value" },
	{ "POST http://x\n{\"a\": 01}\n", 2, 8, "leading 0" },
	{ "POST http://x\n{\"a\": \"x\n\"}\n", 2, 7, "no closing quote" },
	{ "POST http://x\n{\"a\": \"\\x\"}\n", 2, 9, "after the backslash" },
	{ "POST http://x\n{}}\n", 2, 3, "end of the line" },
	{ "POST http://x\n{}\nX: y\n", 3, 1, "header must stand directly below" },
	{ "POST http://x\n{}\n[Options]\n", 3, 1, "nothing may follow the body" },
	{ "POST http://x\n`abc\n", 2, 5, "closing `" },
	{ "POST http://x\n```\nabc\n", 2, 1, "no closing ```" },
	{ "POST http://x\n```xml\n<a/>\n```\n", 2, 4, "```xml is not supported" },
	{ "POST http://x\n```json\n{\"a\":}\n```\n", 3, 6, "a value" },
	{ "POST http://x\n<a/>\n", 2, 1, "XML" },
	{ "POST http://x\nfile,../a.bin;\n", 2, 1, "'..'" },
	{ "POST http://x\nfile,;\n", 2, 1, "empty" },
	{ "POST http://x\nhex,0g;\n", 2, 1, "not bytes in hex" },
	{ "POST http://x\nbase64,a*b;\n", 2, 1, "not bytes in base64" },
	{ "POST http://x\nhex,00\n", 2, 1, "expected ';'" },
	{ "GET http://x\nHTTP 200\n{\"a\":1,\"a\":2}\n", 3, 1, "duplicate object key" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nstatsu == 200\n", 4, 1, "did you mean 'status'" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nxpath \"//a\" exists\n", 4, 1, "'xpath' is not supported" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nrawbytes == hex,00;\n", 4, 1, "'rawbytes' is not supported" },
	{ "GET http://x\nHTTP 200\n[Asserts]\ncertificate \"Subject\" == \"x\"\n", 4, 1,
	  "'certificate' is not supported" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nstatus = 200\n", 4, 8, "unknown predicate '='" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nstatus equals 200\n", 4, 8, "write ==" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nstatus isDate\n", 4, 8, "'isDate' is not supported" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nstatus\n", 4, 7, "expected a predicate" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nstatus ==\n", 4, 10, "a space and a value" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nstatus == abc\n", 4, 11, "expected a value" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nstatus == 1 2\n", 4, 13, "end of the line" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nstatus == [1]\n", 4, 11, "lists and objects" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nstatus > true\n", 4, 10, "a string or a number" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nstatus == 99999999999999999999\n", 4, 11, "too big" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nbody startsWith 5\n", 4, 17, "a string or bytes" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nbody matches /(/\n", 4, 16, "bad regular expression" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nbody matches /(a)\\1/\n", 4, 15, "backreferences" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nbody matches \"\\d\"\n", 4, 15, "unknown escape" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nheader Vary == \"x\"\n", 4, 8, "in double quotes" },
	{ "GET http://x\nHTTP 200\n[Asserts]\ncookie \"a[Paht]\" exists\n", 4, 11, "unknown cookie attribute" },
	{ "GET http://x\nHTTP 200\n[Asserts]\njsonpath \"a.b\" exists\n", 4, 11, "starts with '$'" },
	{ "GET http://x\nHTTP 200\n[Asserts]\njsonpath \"$.a[\" exists\n", 4, 15, "whole number" },
	{ "GET http://x\nHTTP 200\n[Asserts]\njsonpath \"$.a.length()\" exists\n", 4, 21, "functions" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nbody toDate \"%Y\" exists\n", 4, 6, "filter 'toDate' is not" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nbody spilt \",\" count == 1\n", 4, 6, "did you mean 'split'" },
	{ "GET http://x\nHTTP 200\n[Asserts]\nbody nth \"a\" exists\n", 4, 10, "expected a value" },
	{ "GET http://x\nHTTP 200\n[Captures]\na: jsonpth \"$.a\"\n", 4, 4, "did you mean 'jsonpath'" },
	{ "GET http://x\nHTTP 200\n[Captures]\na: status == 200\n", 4, 11, "expected a filter" },
	{ "GET http://x\nHTTP 200\n[Captures]\na: body redact\n", 4, 9, "'redact' is not supported" },
	{ "GET http://x\n# caf\xc3\xa9\nX-\xc3\xa9: \xc3\xa9 \\q\n", 3, 8, "unknown escape" },
	{ "GET http://x\n\xff\n", 2, 1, "not UTF-8" },
	{ "GET http://x\rHTTP 200\n", 1, 13, "control character" },
};

static const struct refusal pragma_refusals[] = {
	{ "# @tset signup\nGET http://x\n", 1, 1, "did you mean '# @test'" },
	{ "# @author me\nGET http://x\n", 1, 1, "unknown pragma" },
	{ "# @sql SELECT 1\nGET http://x\n", 1, 1, "a statement and its value" },
	{ "# @sql => 1\nGET http://x\n", 1, 1, "a statement and its value" },
	{ "# @sql SELECT 1 =>\nGET http://x\n", 1, 1, "a statement and its value" },
	{ "# @sql SELECT {{id}} => 1\nGET http://x\n", 1, 1, "cannot hold {{variables}}" },
	{ "# @sql SELECT 1 => a{{id}}\nGET http://x\n", 1, 1, "one {{variable}}" },
	{ "# @restart-server now\nGET http://x\n", 1, 1, "takes no argument" },
	{ "# @parallel 1\nGET http://x\n", 1, 1, "from 2 to 50" },
	{ "# @parallel 51\nGET http://x\n", 1, 1, "from 2 to 50" },
	{ "# @expect 1 x 201\nGET http://x\n", 1, 1, "counts the copies" },
	{ "# @parallel 3\n# @expect 1 x 201\nGET http://x\n", 2, 1, "these are 1, but there are 3" },
	{ "# @parallel 3\n# @expect 3 x 20\nGET http://x\n", 2, 1, "numbers of statuses" },
	{ "# @parallel 3\n# @expect 3 201\nGET http://x\n", 2, 1, "numbers of statuses" },
	{ "# @parallel 3\n# @expect 1 x 201, 2 x 201\nGET http://x\n", 2, 1, "each status once" },
	{ "# @repeat 0\nGET http://x\n", 1, 1, "from 1 to 1000" },
	{ "# @p95 50ms\nGET http://x\n", 1, 1, "'<' and a duration" },
	{ "# @p95 < 50\nGET http://x\n", 1, 1, "'<' and a duration" },
	{ "# @memory < 128MB\nGET http://x\n", 1, 1, "'<' and a size" },
	{ "# @seed abc\nGET http://x\n", 1, 1, "a whole number" },
	{ "# @hint\nGET http://x\n", 1, 1, "expected a text" },
	{ "# @group require=a\nGET http://x\n", 1, 1, "expected a text" },
	{ "# @group a require=a\nGET http://x\n", 1, 1, "cannot require itself" },
	{ "# @parallel 50\n# @repeat 1000\nGET http://x\n", 3, 1, "50000 requests" },
	{ "# @test a\n# @parallel 2\nGET http://x\n\n# @restart-server\nGET http://x\n", 5, 1,
	  "before its first request or after" },
	{ "GET http://x\n# @sql SELECT 1 => 1\nHTTP 200\n", 2, 1, "inside a request" },
	{ "# @test\nGET http://x\n", 1, 1, "expected a text" },
	{ "# @test a\n# @test b\nGET http://x\n", 1, 1, "has no request" },
	{ "# @test a\nGET http://x\n# @test b\n", 3, 1, "no request follows" },
	{ "# @test a\nGET http://x\n\n# @test a\nGET http://x\n", 4, 1, "exists already (line 1)" },
	{ "# @points 2\n# @test a\nGET http://x\n", 1, 1, "must come after its '# @test'" },
	{ "# @test a\nGET http://x\n\n  # @points 2\nGET http://x\n", 4, 3, "must come after its" },
	{ "# @test a\n# @points two\nGET http://x\n", 2, 1, "whole number" },
	{ "# @test a\n# @points 1.5\nGET http://x\n", 2, 1, "whole number" },
	{ "# @test a\n# @points 9999999\nGET http://x\n", 2, 1, "whole number" },
	{ "# @test a\n# @points\nGET http://x\n", 2, 1, "whole number" },
	{ "# @test a\n# @points 1\n# @points 2\nGET http://x\n", 3, 1, "a second '# @points'" },
	{ "# @test a\n# @hide yes\nGET http://x\n", 2, 1, "takes no argument" },
	{ "# @test a\n# @group\nGET http://x\n", 2, 1, "expected a text" },
	{ "GET http://x # @hide\n", 1, 14, "line of its own" },
	{ "GET http://x\n# @test a\nHTTP 200\n", 2, 1, "inside a request" },
	{ "GET http://x\nHTTP 200\n[Asserts]\n# @test a\nstatus == 200\n", 4, 1, "inside a request" },
};

static void check_refusals(const struct refusal *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct hurl_file *file = NULL;
		struct hurl_error err;
		int r = hurl_file_parse(&file, "t.hurl", rows[i].text, strlen(rows[i].text), &err);

		if (r != -EINVAL || err.line != rows[i].line || err.column != rows[i].column ||
		    !strstr(err.text, rows[i].says)) {
			print_error("row %zu: %s\n  expected %u:%u ..%s..\n  got (%d) %u:%u %s\n", i, rows[i].text,
				    rows[i].line, rows[i].column, rows[i].says, r, err.line, err.column, err.text);
			hurl_file_free(file);
			fail();
		}
		assert_null(file);
	}
}

static void test_refusals(void **state)
{
	check_refusals(refusals, ARRAY_SIZE(refusals));
}

static void test_pragma_refusals(void **state)
{
	check_refusals(pragma_refusals, ARRAY_SIZE(pragma_refusals));
}

static struct hurl_file *parsed(const char *text)
{
	struct hurl_file *file = NULL;
	struct hurl_error err;

	if (hurl_file_parse(&file, "t.hurl", text, strlen(text), &err) < 0) {
		print_error("refused: %u:%u %s\n%s\n", err.line, err.column, err.text, text);
		fail();
	}
	return file;
}

static void test_source_and_caret(void **state)
{
	static const char text[] = "GET http://x\nHTTP 200\n[Asserts]\n\tcaf\xc3\xa9 == 1\n";
	struct hurl_file *file;
	struct hurl_error err;
	char message[800];

	assert_int_equal(hurl_file_parse(&file, "a.hurl", text, strlen(text), &err), -EINVAL);
	assert_string_equal(err.source, " caf\xc3\xa9 == 1");
	assert_int_equal(err.column, 2);
	assert_int_equal(err.caret, 1);
	hurl_error_format(&err, message, sizeof(message));
	assert_true(starts_with(message, "a.hurl:4:2: unknown query"));
}

/* A long line is cut around the column, and the caret still points to it. */
static void test_long_line(void **state)
{
	char text[4000] = "GET http://x/";
	struct hurl_file *file;
	struct hurl_error err;
	size_t n = strlen(text);

	memset(text + n, 'a', 3000);
	strcpy(text + n + 3000, "{{}}bbb\n");
	assert_int_equal(hurl_file_parse(&file, "a.hurl", text, strlen(text), &err), -EINVAL);
	assert_int_equal(err.column, n + 3003);
	assert_true(strlen(err.source) < sizeof(err.source));
	assert_memory_equal(err.source + err.caret - 2, "{{}}bbb", 7);
}

static void test_request(void **state)
{
	struct hurl_file *f = parsed("PURGE {{base}}/x?a=1 # why\n"
				     "X-A: b \\# c  \n"
				     "X-Empty:\n"
				     "[Query]\nq: 1\n[QueryStringParams]\n2: two\n"
				     "[Cookies]\nsid: {{sid}}\n"
				     "[BasicAuth]\nbob: secret\n"
				     "[Options]\nlocation: true\nretry: 3\nretry-interval: 2s\nmax-time: 7\n"
				     "delay: 5\nvariable: name=tom jones\nvariable: n=5\n"
				     "{ \"a\": [1, -2.5e3, {{n}}, \"{{name}}\", null] }\n");
	const struct hurl_entry *e = &f->entries[0];

	assert_int_equal(f->entry_count, 1);
	assert_string_equal(e->method, "PURGE");
	assert_int_equal(e->url.count, 2);
	assert_string_equal(e->url.pieces[1].text, "/x?a=1");
	assert_int_equal(e->headers.count, 2);
	assert_string_equal(e->headers.items[0].value.pieces[0].text, "b # c");
	assert_int_equal(e->headers.items[1].value.count, 0);
	assert_int_equal(e->query.count, 2);
	assert_int_equal(e->cookies.count, 1);
	assert_int_equal(e->auth.count, 1);
	assert_true(e->options.location);
	assert_int_equal(e->options.retry, 3);
	assert_int_equal(e->options.retry_interval_ms, 2000);
	assert_int_equal(e->options.max_time_ms, 7000);
	assert_int_equal(e->options.delay_ms, 5);
	assert_int_equal(e->options.variable_count, 2);
	assert_int_equal(e->options.variables[0].value.kind, OPERAND_TEXT);
	assert_int_equal(e->options.variables[1].value.value.kind, VALUE_INT);
	assert_int_equal(e->body.kind, BODY_JSON);
	assert_int_equal(e->body.text.count, 5);
	assert_int_equal(e->body.text.pieces[1].mode, PIECE_JSON_VALUE);
	assert_int_equal(e->body.text.pieces[3].mode, PIECE_JSON_STRING);
	assert_false(e->expect.present);
	hurl_file_free(f);
}

static void test_bodies(void **state)
{
	static const struct {
		const char *text;
		enum hurl_body_kind kind;
		const char *content;
	} rows[] = {
		{ "[1,2]", BODY_JSON, "[1,2]" },
		{ "[true]", BODY_JSON, "[true]" },
		{ "\"x\"", BODY_JSON, "\"x\"" },
		{ "42", BODY_JSON, "42" },
		{ "true", BODY_JSON, "true" },
		{ "`one \\`line\\` \\u{e9}`", BODY_TEXT, "one `line` \xc3\xa9" },
		{ "```\nline1\n# no comment\n\\n\n```", BODY_TEXT, "line1\n# no comment\n\\n\n" },
		{ "```text\nx\n```", BODY_TEXT, "x\n" },
		{ "```x```", BODY_TEXT, "x" },
		{ "``````", BODY_TEXT, "" },
		{ "```json\n {\"a\":\n 1}\n```", BODY_JSON, "{\"a\":\n 1}" },
		{ "hex,68 69;", BODY_BYTES, "hi" },
		{ "base64,aGk=;", BODY_BYTES, "hi" },
		{ "base64,aG\n k=;", BODY_BYTES, "hi" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[200];
		struct hurl_file *f;
		const struct hurl_body *b;

		snprintf(text, sizeof(text), "POST http://x\n%s\n\nHTTP 200\n%s\n\n\nGET http://y", rows[i].text,
			 rows[i].text);
		f = parsed(text);
		assert_int_equal(f->entry_count, 2);
		b = &f->entries[0].body;
		assert_int_equal(b->kind, rows[i].kind);
		if (b->kind == BODY_BYTES)
			assert_string_equal(b->bytes.text, rows[i].content);
		else
			assert_string_equal(b->text.count ? b->text.pieces[0].text : "", rows[i].content);
		assert_int_equal(f->entries[0].expect.body.kind, rows[i].kind);
		hurl_file_free(f);
	}
}

static void test_response(void **state)
{
	struct hurl_file *f = parsed("GET http://x\nHTTP/1.1 201 # created\n# c\nContent-Type: a\n[Captures]\n"
				     "id: jsonpath \"$.id\" toInt\n[Asserts]\n"
				     "jsonpath \"$.a[0]\" not contains \"x\" # c\n"
				     "header \"A\" split \",\" nth -1 matches /^\\d+\\/x$/\n"
				     "bytes startsWith hex,ff;\n\nGET http://y\nHTTP *\n");
	const struct hurl_expectation *x = &f->entries[0].expect;

	assert_int_equal(f->entry_count, 2);
	assert_string_equal(x->version, "1.1");
	assert_int_equal(x->status, 201);
	assert_int_equal(x->headers.count, 1);
	assert_int_equal(x->capture_count, 1);
	assert_int_equal(x->captures[0].filters.count, 1);
	assert_int_equal(x->assert_count, 3);
	assert_true(x->asserts[0].predicate.negated);
	assert_non_null(x->asserts[0].query.arg.path);
	assert_int_equal(x->asserts[1].filters.count, 2);
	assert_non_null(x->asserts[1].predicate.arg.regex);
	assert_int_equal(f->entries[1].expect.status, 0);
	assert_true(f->entries[1].expect.present);
	hurl_file_free(f);
}

static void test_cases(void **state)
{
	struct hurl_file *f = parsed("\xef\xbb\xbf# a file\r\nGET http://x\r\n\r\n# @test one: two\r\n"
				     "# @points 3\r\n# @group g h\r\n# @hide\r\nGET http://x\r\nHTTP 200\r\n"
				     "GET http://x\r\n#@test   three  \r\n# @points 0\r\nGET http://x\r\n");
	const struct hurl_case *c = f->cases;

	assert_int_equal(hurl_file_cases(f), 3);
	assert_string_equal(c[0].info.name, "t.hurl");
	assert_int_equal(c[0].info.line, 2);
	assert_int_equal(c[0].info.points, 1);
	assert_int_equal(c[0].count, 1);
	assert_string_equal(c[1].info.name, "one: two");
	assert_int_equal(c[1].info.line, 4);
	assert_int_equal(c[1].info.points, 3);
	assert_string_equal(c[1].info.group, "g h");
	assert_true(c[1].info.hidden);
	assert_int_equal(c[1].count, 2);
	assert_string_equal(c[2].info.name, "three");
	assert_int_equal(c[2].info.points, 0);
	assert_null(c[2].info.group);
	assert_false(c[2].info.hidden);
	hurl_file_free(f);
}

static void test_caps(void **state)
{
	size_t len = HURL_MAX_SOURCE + 1;
	_cleanup_free_ char *text = malloc(len);
	struct hurl_file *f;
	struct hurl_error err;

	memset(text, '\n', len);
	assert_int_equal(hurl_file_parse(&f, "a", text, len, &err), -EINVAL);
	assert_non_null(strstr(err.text, "longer than"));
	for (size_t i = 0; i <= HURL_MAX_ENTRIES; i++)
		memcpy(text + i * 6, "GET a\n", 6);
	assert_int_equal(hurl_file_parse(&f, "a", text, 6 * (HURL_MAX_ENTRIES + 1), &err), -EINVAL);
	assert_non_null(strstr(err.text, "more than 10000 requests"));
	assert_int_equal(err.line, HURL_MAX_ENTRIES + 1);
	memcpy(text, "POST a\n", 7);
	memset(text + 7, '[', len - 8);
	assert_int_equal(hurl_file_parse(&f, "a", text, len - 1, &err), -EINVAL);
	assert_non_null(strstr(err.text, "nested deeper"));
}

static void test_load(void **state)
{
	struct hurl_file *f;
	struct hurl_error err;

	assert_int_equal(hurl_file_load(&f, "/nonexistent/x.hurl", "x.hurl", &err), -ENOENT);
	assert_string_equal(err.file, "x.hurl");
	assert_int_equal(err.line, 0);
	assert_int_equal(hurl_file_load(&f, "/", "folder", &err), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),      cmocka_unit_test(test_pragma_refusals),
		cmocka_unit_test(test_source_and_caret), cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_request),	      cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_response),      cmocka_unit_test(test_cases),
		cmocka_unit_test(test_caps),	      cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
