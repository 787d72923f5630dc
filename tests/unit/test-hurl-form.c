/* SPDX-License-Identifier: MIT */

/* The JSON form: what it refuses and where it says so; it and the text are one tree. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>

#include "hurl/ast.h"
#include "util/util.h"

#define REQUEST "{\"request\":{\"method\":\"GET\",\"url\":\"http://x\"}"
#define STEP(response) "{\"hurl\":1,\"cases\":[{\"steps\":[" REQUEST response "}]}]}"
#define ASSERT(assert) STEP(",\"response\":{\"status\":200,\"asserts\":[" assert "]}")

struct refusal {
	const char *text;
	const char *says; /* the whole path, and a part of the message */
};

static const struct refusal refusals[] = {
	{ "", "$: not valid JSON" },
	{ "[]", "$: expected an object" },
	{ "{\"hurl\":1,\"cases\":[],\"x\":1}", "$: unknown key 'x'" },
	{ "{\"hurl\":2,\"cases\":[]}", "$: 'hurl' is the version" },
	{ "{\"hurl\":1,\"cases\":[]}", "$: 'cases' is a list with at least one" },
	{ "{\"hurl\":1,\"cases\":{}}", "'cases' is a list" },
	{ "{\"hurl\":1,\"cases\":[{\"steps\":[]}]}", "$.cases[0]: 'steps' is a list" },
	{ "{\"hurl\":1,\"cases\":[{\"nmae\":\"x\",\"steps\":[1]}]}",
	  "$.cases[0]: unknown key 'nmae', did you mean 'name'" },
	{ "{\"hurl\":1,\"cases\":[{\"name\":\"a\\nb\",\"steps\":[1]}]}",
	  "$.cases[0]: a control character in 'test'" },
	{ "{\"hurl\":1,\"cases\":[{\"name\":\"x\",\"steps\":[1]}]}",
	  "$.cases[0].steps[0]: expected an object" },
	{ "{\"hurl\":1,\"cases\":[{\"name\":\"x\",\"points\":-1,\"steps\":[" REQUEST "}]}]}",
	  "$.cases[0]: expected a whole number from 0" },
	{ "{\"hurl\":1,\"cases\":[{\"name\":\"x\",\"expect\":\"1 x 201\",\"steps\":[" REQUEST
	  "}]}]}",
	  "$.cases[0]: '# @expect' counts" },
	{ "{\"hurl\":1,\"cases\":[{\"steps\":[{\"sql\":\"SELECT 1\"}]}]}",
	  "$.cases[0].steps[0]: expected a string 'value'" },
	{ "{\"hurl\":1,\"cases\":[{\"steps\":[{\"restart-server\":false}]}]}", "can only be true" },
	{ "{\"hurl\":1,\"cases\":[{\"steps\":[{\"request\":{\"method\":\"get\",\"url\":\"x\"}}]}]}",
	  "$.cases[0].steps[0].request: a method is a word" },
	{ "{\"hurl\":1,\"cases\":[{\"steps\":[{\"request\":{\"method\":\"GET\",\"url\":\"{{x\"}}]}]"
	  "}",
	  "$.cases[0].steps[0].request: a {{ without" },
	{ "{\"hurl\":1,\"cases\":[{\"steps\":[{\"request\":{\"method\":\"GET\",\"url\":\"x\","
	  "\"body\":{\"json\":\"{]\"}}}]}]}",
	  "$.cases[0].steps[0].request.body: in this JSON" },
	{ "{\"hurl\":1,\"cases\":[{\"steps\":[{\"request\":{\"method\":\"GET\",\"url\":\"x\","
	  "\"body\":{\"file\":\"../a\"}}}]}]}",
	  "$.cases[0].steps[0].request.body: a file is named" },
	{ "{\"hurl\":1,\"cases\":[{\"steps\":[{\"request\":{\"method\":\"GET\",\"url\":\"x\","
	  "\"options\":"
	  "[{\"name\":\"retry\",\"value\":\"x\"}]}}]}]}",
	  "$.cases[0].steps[0].request.options[0]: expected a whole number" },
	{ STEP(",\"response\":{\"status\":\"200\"}"),
	  "$.cases[0].steps[0].response: 'status' is a number" },
	{ ASSERT("{\"query\":{\"type\":\"statsu\"},\"predicate\":{\"type\":\"exists\"}}"),
	  "$.cases[0].steps[0].response.asserts[0]: unknown query 'statsu'" },
	{ ASSERT("{\"query\":{\"type\":\"jsonpath\",\"arg\":\"a.b\"},\"predicate\":{\"type\":"
		 "\"exists\"}}"),
	  "$.cases[0].steps[0].response.asserts[0]: bad JSONPath" },
	{ ASSERT("{\"query\":{\"type\":\"status == "
		 "200\\nGET\"},\"predicate\":{\"type\":\"exists\"}}"),
	  "$.cases[0].steps[0].response.asserts[0].query: 'type' is not a word" },
	{ ASSERT("{\"query\":{\"type\":\"status\"},\"predicate\":{\"type\":\"==\",\"value\":{"
		 "\"variable\":\"a}} x\"}}}"),
	  "$.cases[0].steps[0].response.asserts[0]" },
	{ ASSERT("{\"query\":{\"type\":\"status\"},\"predicate\":{\"type\":\"==\",\"value\":[1]}}"),
	  ".predicate: a list cannot stand here" },
	{ ASSERT("{\"query\":{\"type\":\"status\"},\"predicate\":{\"type\":\"==\",\"value\":{"
		 "\"base64\":\"a;b\"}}}"),
	  ".predicate: this is not base64" },
};

static void test_refusals(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *row = &refusals[i];
		struct hurl_file *file = NULL;
		struct hurl_error err;
		int r = hurl_file_parse(&file, "t.json", row->text, strlen(row->text), &err);

		if (r != -EINVAL || !strstr(err.text, row->says) || err.line) {
			print_error("row %zu: %s\n  expected %s\n  got (%d) %u %s\n", i, row->text,
				    row->says, r, err.line, err.text);
			fail();
		}
	}
}

/* No text of a document can become anything but itself. */
static void test_no_injection(void **state)
{
	static const char text[] =
		"{\"hurl\":1,\"cases\":[{\"name\":\"a # "
		"@hide\",\"steps\":[{\"request\":{\"method\":\"GET\","
		"\"url\":\" http://x/\\nHTTP 200 \",\"headers\":[{\"name\":\"X: "
		"y\\n[Form]\",\"value\":\" a # b\\n\\\\ \"},"
		"{\"name\":\"[Query]\",\"value\":\"file,x;\"}],\"multipart\":[{\"name\":\"f\","
		"\"value\":\"file,x;\"}],"
		"\"options\":[{\"name\":\"variable\",\"variable\":\"v\",\"value\":\"q\\\" # "
		"\\n\"}]},"
		"\"response\":{\"body\":{\"text\":\"`\\n```\\nGET x\\\\\"}}}]}]}";
	struct hurl_file *f = NULL;
	const struct hurl_entry *e;
	struct hurl_error err;

	if (hurl_file_parse(&f, "t.json", text, strlen(text), &err) < 0)
		print_error("%s\n", err.text);
	assert_non_null(f);
	e = f->entries;
	assert_int_equal(f->entry_count, 1);
	assert_int_equal(f->case_count, 1);
	assert_string_equal(f->cases[0].info.name, "a # @hide");
	assert_false(f->cases[0].info.hidden);
	assert_string_equal(e->url.pieces[0].text, " http://x/\nHTTP 200 ");
	assert_int_equal(e->headers.count, 2);
	assert_string_equal(e->headers.items[0].key.pieces[0].text, "X: y\n[Form]");
	assert_string_equal(e->headers.items[0].value.pieces[0].text, " a # b\n\\ ");
	assert_string_equal(e->headers.items[1].key.pieces[0].text, "[Query]");
	assert_false(e->parts[0].is_file);
	assert_string_equal(e->parts[0].value.pieces[0].text, "file,x;");
	assert_string_equal(e->options.variables[0].value.text.pieces[0].text, "q\" # \n");
	assert_string_equal(e->expect.body.text.pieces[0].text, "`\n```\nGET x\\");
	assert_int_equal(e->expect.status, 0);
	hurl_file_free(f);
}

static char *other_form(const char *name, const char *text, size_t len, bool to_json)
{
	struct hurl_file *file = NULL;
	struct hurl_error err;
	char *out = NULL;

	if (hurl_file_parse(&file, name, text, len, &err) < 0 ||
	    (to_json ? hurl_file_to_json(file, &out, &err) : hurl_file_to_hurl(file, &out, &err)) <
		    0) {
		print_error("%s:%u:%u %s\n%s\n", name, err.line, err.column, err.text, text);
		fail();
	}
	hurl_file_free(file);
	return out;
}

static void round_trip(const char *text, size_t len)
{
	_cleanup_free_ char *json = other_form("t.hurl", text, len, true);
	_cleanup_free_ char *hurl = other_form("t.json", json, strlen(json), false);
	_cleanup_free_ char *again = other_form("t.hurl", hurl, strlen(hurl), true);

	assert_string_equal(json, again);
}

static unsigned int files;

static int on_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *dot = strrchr(path, '.');
	_cleanup_free_ char *text = NULL;
	FILE *f;

	if (type != FTW_F || !dot || !streq(dot, ".hurl") || strstr(path, "/refused/") ||
	    st->st_size > 1 << 20)
		return 0;
	text = malloc((size_t)st->st_size + 1);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fread(text, 1, (size_t)st->st_size, f), st->st_size);
	(void)fclose(f);
	round_trip(text, (size_t)st->st_size);
	files++;
	return 0;
}

/* Every test file of the repository. */
static void test_round_trip(void **state)
{
	const char *const folders[] = { "examples", "tests" };
	const char *root = getenv("SANDBOX_SOURCE");

	if (!root)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = NULL;

		assert_true(asprintf(&path, "%s/%s", root, folders[i]) > 0);
		assert_int_equal(nftw(path, on_file, 16, FTW_PHYS), 0);
	}
	assert_in_range(files, 8, 100000);
}

/* JSON bodies may stand as JSON, too. */
static void test_json_body(void **state)
{
	static const char text[] =
		"{\"hurl\":1,\"cases\":[{\"steps\":[{\"request\":{\"method\":\"PUT\",\"url\":\"x\","
		"\"body\":{\"json\":{\"a\":[1,2.5,null,\"{{x}}\"]}}}}]}]}";
	struct hurl_file *f = NULL;
	struct hurl_error err;

	assert_int_equal(hurl_file_parse(&f, "t.json", text, strlen(text), &err), 0);
	assert_int_equal(f->entries[0].body.kind, BODY_JSON);
	assert_int_equal(f->entries[0].body.text.count, 3);
	assert_int_equal(f->entries[0].body.text.pieces[1].mode, PIECE_JSON_STRING);
	hurl_file_free(f);
}

static void test_no_json_form(void **state)
{
	static const char text[] = "GET http://x/\\u{7b}{a\n";
	struct hurl_file *f = NULL;
	struct hurl_error err;
	char *out = NULL;

	assert_int_equal(hurl_file_parse(&f, "t.hurl", text, strlen(text), &err), 0);
	assert_int_equal(hurl_file_to_json(f, &out, &err), -EOPNOTSUPP);
	assert_int_equal(err.line, 1);
	hurl_file_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),     cmocka_unit_test(test_no_injection),
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_json_body),
		cmocka_unit_test(test_no_json_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
