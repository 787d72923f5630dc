/* SPDX-License-Identifier: MIT */

/*
 * Cases as a whole: copies at once, rounds, groups, seeds, what is asked of a host; and requests that
 * need files or options. Against the peer of test-hurl-run.c.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "http-peer.h"
#include "hurl/ast.h"
#include "hurl/hurl.h"
#include "util/util.h"

#define CASES_MAX 16
#define ASKS_MAX 16

static struct http_peer peer;

struct outcome {
	struct hurl_summary summary;
	size_t count;
	enum hurl_status status[CASES_MAX];
	unsigned int requests[CASES_MAX], line[CASES_MAX];
	char message[CASES_MAX][512], expected[CASES_MAX][1200], actual[CASES_MAX][1200];
	/* what the host was asked, and what it says */
	uint32_t asked[ASKS_MAX];
	size_t asked_count;
	struct hurl_answer answers[ASKS_MAX];
	int answer_error;
};

static void on_case(void *userdata, const struct hurl_case_result *r)
{
	struct outcome *out = userdata;
	size_t i = out->count++;

	assert_true(i < CASES_MAX);
	out->status[i] = r->status;
	out->requests[i] = r->requests;
	if (!r->failure)
		return;
	out->line[i] = r->failure->line;
	copy_string(out->message[i], sizeof(out->message[i]), r->failure->message);
	copy_string(out->expected[i], sizeof(out->expected[i]), r->failure->expected);
	copy_string(out->actual[i], sizeof(out->actual[i]), r->failure->actual);
}

static int on_ask(void *userdata, uint32_t index, struct hurl_answer *ret)
{
	struct outcome *out = userdata;

	assert_true(out->asked_count < ASKS_MAX && index < ASKS_MAX);
	out->asked[out->asked_count++] = index;
	*ret = out->answers[index];
	return out->answer_error;
}

static struct hurl_file *parsed(const char *text)
{
	struct hurl_file *file = NULL;
	struct hurl_error err;

	if (hurl_file_parse(&file, "t.hurl", text, strlen(text), &err) < 0) {
		print_error("%u:%u %s\n%s\n", err.line, err.column, err.text, text);
		fail();
	}
	return file;
}

static void run_file(struct hurl_file *file, unsigned int flags, bool host, struct outcome *out)
{
	struct hurl_run_options o = { .flags = flags | HURL_LOOPBACK_ONLY,
				      .on_case = on_case,
				      .userdata = out };
	struct hurl_error err;
	char base[64];

	snprintf(base, sizeof(base), "http://localhost:%u", peer.port);
	o.base = base;
	o.ask = host ? on_ask : NULL;
	assert_int_equal(hurl_run(&file, 1, &o, &out->summary, &err), 0);
	hurl_file_free(file);
}

static void run(const char *text, struct outcome *out)
{
	*out = (struct outcome){ 0 };
	run_file(parsed(text), 0, true, out);
}

static void expect_all_pass(const char *text)
{
	struct outcome out;

	run(text, &out);
	for (size_t i = 0; i < out.count; i++)
		if (out.status[i] != HURL_PASSED)
			print_error("%zu: line %u %s; expected %s; actual %s\n", i, out.line[i],
				    out.message[i], out.expected[i], out.actual[i]);
	assert_int_equal(out.summary.passed, out.summary.total);
}

/* ------------------------------------------------------------------ copies */

/* /only-one gives 201 to one of all who ask, /counter says how many asked and starts anew. */
static void test_parallel(void **state)
{
	struct outcome out;

	expect_all_pass(
		"# @test start\nGET {{base}}/counter\n"
		"# @test one of 20\n# @parallel 20\n# @expect 1 x 201, 19 x 409\n"
		"POST {{base}}/only-one\nHTTP 201\n[Asserts]\nheader \"Content-Length\" == \"0\"\n"
		"# @test count\nGET {{base}}/counter\nHTTP 200\n`20`\n"
		"# @test classes\n# @parallel 5\n# @expect 1 x 2xx, 4 x 4xx\nPOST "
		"{{base}}/only-one\n"
		"# @test all\n# @parallel 10\nGET {{base}}/ok\nHTTP 200\n{\"ok\":true}\n"
		"# @test rounds\n# @parallel 2\n# @repeat 3\nGET {{base}}/ok\nHTTP 200\n"
		"# @test their number\n# @parallel 8\nPOST {{base}}/echo\n{\"n\":{{copy}}}\nHTTP "
		"200\n"
		"[Asserts]\njsonpath \"$.n\" == {{copy}}\njsonpath \"$.n\" >= 1\njsonpath \"$.n\" "
		"<= 8\n");
	run("# @test start\nGET {{base}}/counter\n"
	    "# @test two\n# @parallel 6\n# @expect 2 x 201, 4 x 409\nPOST {{base}}/only-one\nHTTP "
	    "*\n"
	    "# @test all the same\n# @parallel 6\nGET {{base}}/ok\nHTTP 404\n"
	    "# @test demanded of the one\n# @parallel 3\n# @expect 3 x 200\nGET {{base}}/ok\nHTTP "
	    "200\n[Asserts]\n"
	    "jsonpath \"$.ok\" == false\n"
	    "# @test outside, the copy has no number\nGET {{base}}/{{copy}}\n",
	    &out);
	assert_int_equal(out.line[1], 5);
	assert_string_equal(out.expected[1], "2 x 201, 4 x 409");
	assert_non_null(strstr(out.actual[1], "1 x 201"));
	assert_non_null(strstr(out.actual[1], "5 x 409"));
	assert_int_equal(out.requests[1], 6);
	assert_int_equal(out.line[2], 11);
	assert_true(starts_with(out.message[2], "copy 1 of 6: assert failed"));
	assert_non_null(strstr(out.message[3], "of 3: assert failed"));
	assert_non_null(strstr(out.message[4], "'copy' is not defined"));
}

/* Variables, captures and cookies come along; what a copy captures is its own. */
static void test_copies_of_a_session(void **state)
{
	struct outcome out;

	expect_all_pass(
		"# @test take\nGET {{base}}/cookies\nHTTP 200\n[Captures]\nsid: cookie \"sid\"\n"
		"# @test use\n# @parallel 4\nPOST {{base}}/echo\n`{{sid}}-{{copy}}`\nHTTP 200\n"
		"[Captures]\nown: body\n[Asserts]\nheader \"X-Cookie\" contains \"sid=abc\"\n"
		"POST {{base}}/echo\n`{{own}}`\nHTTP 200\n[Asserts]\nbody == \"abc-{{copy}}\"\n");
	run("# @test take\n# @parallel 2\nGET {{base}}/ok\nHTTP 200\n[Captures]\nx: body\n"
	    "# @test gone\nGET {{base}}/{{x}}\n",
	    &out);
	assert_non_null(strstr(out.message[1], "'x' is not defined"));
	/* the slow one does not keep the others from their answers, and none outlives its deadline */
	run("# @parallel 4\nGET {{base}}/silent\n[Options]\nmax-time: 200ms\nHTTP 200\n", &out);
	assert_non_null(strstr(out.message[0], "no complete response within 200 ms"));
	assert_int_equal(out.requests[0], 4);
	/* many big answers at once are refused, not kept */
	run("# @parallel 50\nGET {{base}}/endless-body\n[Options]\nmax-time: 20s\nHTTP 200\n",
	    &out);
	assert_non_null(strstr(out.message[0], "too big for a test with so many copies"));
}

static void test_measures(void **state)
{
	struct outcome out;

	expect_all_pass("# @repeat 30\n# @p95 < 900s\nGET {{base}}/ok\nHTTP 200\n");
	run("# @repeat 20\n# @p95 < 1ms\nGET {{base}}/slow-answer\nHTTP 200\n", &out);
	assert_int_equal(out.line[0], 2);
	assert_int_equal(out.requests[0], 20);
	assert_string_equal(out.expected[0], "less than 1.0 ms");
	assert_non_null(strstr(out.actual[0], "of 20 requests"));
	run("# @repeat 5\nGET {{base}}/ok\nHTTP 404\n", &out);
	assert_int_equal(out.requests[0], 1);
}

static void test_groups(void **state)
{
	struct outcome out;
	struct hurl_run_options o = { 0 };
	struct hurl_summary summary;
	struct hurl_error err;
	struct hurl_file *file;

	run("# @test a\n# @group one\nGET {{base}}/ok\nHTTP 200\n"
	    "# @test b\n# @group two\nGET {{base}}/ok\nHTTP 404\n"
	    "# @test c\n# @group three require=one\nGET {{base}}/ok\nHTTP 200\n"
	    "# @test d\n# @group four require=two\nGET {{base}}/ok\nHTTP 200\n"
	    "# @test e\n# @group five require=four\nGET {{base}}/ok\nHTTP 200\n",
	    &out);
	assert_int_equal(out.summary.passed, 2);
	assert_int_equal(out.summary.failed, 3);
	assert_int_equal(out.requests[3], 0);
	assert_string_equal(out.message[3], "not run: a test of the group 'two' failed");
	assert_string_equal(out.message[4], "not run: a test of the group 'four' failed");
	file = parsed("# @test a\n# @group b require=nobody\nGET http://localhost/\n");
	assert_int_equal(hurl_run(&file, 1, &o, &summary, &err), -EINVAL);
	assert_int_equal(err.line, 2);
	assert_non_null(strstr(err.text, "group 'nobody'"));
	hurl_file_free(file);
}

/* A seed gives the same values each time; without one they differ. */
static void test_seed(void **state)
{
	expect_all_pass(
		"# @test one\n# @seed 7\nPOST {{base}}/echo\n`{{newUuid}} {{newDate}}`\nHTTP "
		"200\n[Captures]\n"
		"first: body\n[Asserts]\nbody split \" \" nth 0 isUuid\nbody split \" \" nth 1 "
		"isIsoDate\n"
		"body endsWith \"2025-01-01T00:00:00.000000Z\"\n"
		"# @test two\n# @seed 7\nPOST {{base}}/echo\n`{{newUuid}} {{newDate}}`\nHTTP "
		"200\n[Asserts]\n"
		"body == {{first}}\n"
		"# @test three\n# @seed 8\nPOST {{base}}/echo\n`{{newUuid}}`\nHTTP 200\n[Asserts]\n"
		"body not contains \"-0000-\"\nvariable \"first\" not contains \"x\"\nbody != "
		"{{first}}\n"
		"# @test four\nPOST {{base}}/echo\n{\"a\":{{newUuid}},\"b\":\"{{newUuid}}\"}\nHTTP "
		"200\n"
		"[Captures]\na: jsonpath \"$.a\"\n[Asserts]\njsonpath \"$.b\" isUuid\njsonpath "
		"\"$.b\" != {{a}}\n"
		"jsonpath \"$.b\" != {{newUuid}}\n");
}

/* -------------------------------------------------------------------- host */

static void test_asks(void **state)
{
	static const char text[] =
		"# @test a\n# @memory < 10M\nGET {{base}}/ok\nHTTP 200\n[Captures]\nok: jsonpath "
		"\"$.ok\"\n"
		"# @sql SELECT 1 => 1\n# @restart-server\n# @sql SELECT 2 => {{ok}}\n"
		"GET {{base}}/ok\nHTTP 200\n# @sql SELECT 3 => null\n"
		"# @test b\nGET {{base}}/ok\nHTTP 200\n";
	struct outcome out = { 0 };
	struct hurl_answer *a = out.answers;

	/* in the file: memory 0, sql 1, restart 2, sql 3, sql 4 */
	a[0].number = 5 << 20;
	a[1] = (struct hurl_answer){ .status = HURL_ANSWER_TEXT, .len = 3, .text = "1.5" };
	a[3] = (struct hurl_answer){ .status = HURL_ANSWER_TEXT, .len = 1, .text = "t" };
	a[4] = (struct hurl_answer){ .status = HURL_ANSWER_NULL };
	run_file(parsed(text), 0, true, &out);
	assert_int_equal(out.line[0], 7);
	assert_string_equal(out.actual[0], "1.5");
	out.count = out.asked_count = 0;
	a[1] = (struct hurl_answer){ .status = HURL_ANSWER_TEXT, .len = 1, .text = "1" };
	run_file(parsed(text), 0, true, &out);
	assert_int_equal(out.summary.passed, 2);
	assert_int_equal(out.asked_count, 5);
	assert_memory_equal(out.asked, ((uint32_t[]){ 1, 2, 3, 0, 4 }), 20);
	out.count = out.asked_count = 0;
	a[0].number = 11 << 20;
	run_file(parsed(text), 0, true, &out);
	assert_int_equal(out.line[0], 2);
	assert_string_equal(out.actual[0], "11.0 MiB");
	assert_int_equal(out.status[1], HURL_PASSED);
}

static void test_server_gone(void **state)
{
	struct outcome out = { 0 };

	out.answers[0] = (struct hurl_answer){ .status = HURL_ANSWER_GONE,
					       .len = 4,
					       .text = "dead" };
	run_file(
		parsed("# @test a\nGET {{base}}/ok\n# @restart-server\n# @test b\nGET {{base}}/ok\n"
		       "# @test c\nGET {{base}}/ok\n"),
		0, true, &out);
	assert_int_equal(out.summary.failed, 3);
	assert_string_equal(out.message[0], "dead");
	assert_int_equal(out.line[0], 3);
	assert_non_null(strstr(out.message[1], "did not come back"));
	assert_int_equal(out.requests[2], 0);
	/* a host that is gone */
	out = (struct outcome){ .answer_error = -EPIPE };
	run_file(parsed("# @test a\n# @sql SELECT 1 => 1\nGET {{base}}/ok\n"), 0, true, &out);
	assert_non_null(strstr(out.message[0], "the judge does not answer"));
	assert_int_equal(out.requests[0], 0);
}

static void test_without_host(void **state)
{
	struct hurl_file *file = parsed(
		"# @test a\nGET {{base}}/ok\n# @restart-server\nGET {{base}}/ok\n");
	struct hurl_run_options o = { .base = "http://localhost:1" };
	struct hurl_summary summary;
	struct outcome out = { 0 };
	struct hurl_error err;

	assert_int_equal(hurl_run(&file, 1, &o, &summary, &err), -EINVAL);
	assert_int_equal(err.line, 3);
	assert_non_null(strstr(err.text, "--skip-pragmas"));
	run_file(file, HURL_SKIP_ASKS, false, &out);
	assert_int_equal(out.summary.passed, 1);
	assert_int_equal(out.summary.left_out, 1);
}

/* ------------------------------------------------------------------ options */

static void test_options(void **state)
{
	struct outcome out;

	expect_all_pass(
		"GET {{base}}/flaky\n[Options]\nvariable: n=2\nretry: {{n}}\nretry-interval: "
		"1\nHTTP 200\n"
		"GET {{base}}/nothing\n[Options]\nskip: true\nHTTP 200\n"
		"GET {{base}}/redirect\n[Options]\nvariable: on=true\nlocation: {{on}}\nHTTP "
		"200\n[Asserts]\n"
		"redirects count == 1\nredirects nth 0 location == \"{{base}}/ok?redirected\"\n"
		"ip == \"127.0.0.1\"\nip isIpv4\n"
		"GET {{base}}/ok\nHTTP 200\n[Asserts]\nredirects isEmpty\n"
		"GET {{base}}/head\n[Options]\nheader: X-Own: a\nuser: bob:pass\nHTTP "
		"200\n[Asserts]\n"
		"body contains \"X-Own: a\"\nbody contains \"Authorization: Basic Ym9iOnBhc3M=\"\n"
		"GET {{base}}/head\n[Options]\nhttp1.0: true\nHTTP 200\n[Asserts]\nbody startsWith "
		"\"GET /head HTTP/1.0\"\n"
		"GET {{base}}/a/../head\n[Options]\npath-as-is: true\nHTTP 404\n"
		"GET {{base}}/a/../head\nHTTP 200\n"
		"GET {{base}}/head\n[Options]\ncompressed: true\nHTTP 200\n[Asserts]\nbody "
		"contains \"Accept-Encoding: \"\n"
		"GET {{base}}/gzip-hello\nHTTP 200\n`hello`\n"
		"GET {{base}}/head\nHTTP 200\n[Asserts]\nbody not contains \"Accept-Encoding\"\n");
	run("# @test repeated\nGET {{base}}/ok\n[Options]\nrepeat: 3\nHTTP 200\n"
	    "# @test wrong type\nGET {{base}}/ok\n[Options]\nvariable: n=x\nretry: {{n}}\n"
	    "# @test too much\nGET {{base}}/ok\n[Options]\nvariable: n=99999\nretry: {{n}}\n"
	    "# @test never\nGET {{base}}/ok\n[Options]\nrepeat: 0\nHTTP 404\n",
	    &out);
	assert_int_equal(out.requests[0], 3);
	assert_non_null(strstr(out.message[1], "'retry' needs a whole number"));
	assert_non_null(strstr(out.message[2], "'retry' needs a whole number"));
	assert_int_equal(out.status[3], HURL_PASSED);
}

/* ------------------------------------------------------------------- files */

static void write_file(const char *folder, const char *name, const char *text)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static int load(const char *folder, const char *text, struct hurl_file **ret,
		struct hurl_error *err)
{
	_cleanup_free_ char *path = NULL;

	write_file(folder, "t.hurl", text);
	assert_true(asprintf(&path, "%s/t.hurl", folder) > 0);
	return hurl_file_load(ret, path, "t.hurl", err);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void test_files(void **state)
{
	static const char text[] =
		"POST {{base}}/echo\nfile,a b.txt;\nHTTP 200\nX-Type:\nfile,a b.txt;\n"
		"POST {{base}}/echo\n[Multipart]\nfield: va\"lue\nq\\u{22}: x\nup: file,a b.txt;\n"
		"pic: file,sub/p.png; image/x-own\nHTTP 200\n[Asserts]\n"
		"header \"X-Type\" startsWith \"multipart/form-data; boundary=---\"\n"
		"body contains \"name=\\\"field\\\"\\r\\n\\r\\nva\\\"lue\\r\\n\"\nbody contains "
		"\"name=\\\"q%22\\\"\"\n"
		"body contains \"name=\\\"up\\\"; filename=\\\"a b.txt\\\"\\r\\nContent-Type: "
		"text/plain\\r\\n\\r\\nhello\\r\\n\"\n"
		"body contains \"filename=\\\"sub/p.png\\\"\\r\\nContent-Type: "
		"image/x-own\\r\\n\\r\\nPNG\\r\\n--\"\n"
		"body endsWith \"--\\r\\n\"\nbytes contains file,sub/p.png;\n";
	char folder[] = "/tmp/hurl-files-XXXXXX", sub[64], link[64];
	struct hurl_file *file = NULL;
	struct outcome out = { 0 };
	struct hurl_error err;

	assert_non_null(mkdtemp(folder));
	snprintf(sub, sizeof(sub), "%s/sub", folder);
	snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(mkdir(sub, 0700), 0);
	assert_int_equal(symlink("/etc/hostname", link), 0);
	write_file(folder, "a b.txt", "hello");
	write_file(sub, "p.png", "PNG");
	if (load(folder, text, &file, &err) < 0)
		print_error("%u:%u %s\n", err.line, err.column, err.text);
	assert_non_null(file);
	assert_int_equal(file->asset_count, 2);
	assert_string_equal(file->assets[0].name, "a b.txt");
	run_file(file, 0, false, &out);
	if (out.summary.passed != 1)
		print_error("%s; %s; %s\n", out.message[0], out.expected[0], out.actual[0]);
	assert_int_equal(out.summary.passed, 1);
	assert_int_equal(load(folder, "POST http://x\nfile,none;\n", &file, &err), -EINVAL);
	assert_int_equal(err.line, 2);
	assert_non_null(strstr(err.text, "cannot read the file none"));
	assert_int_equal(load(folder, "POST http://x\nfile,link;\n", &file, &err), -EINVAL);
	assert_non_null(strstr(err.text, "leads out of"));
	assert_int_equal(load(folder, "POST http://x\nfile,sub;\n", &file, &err), -EINVAL);
	assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int start(void **state)
{
	if (hurl_global_init(false) < 0)
		return -1;
	return http_peer_start(&peer);
}

static int stop(void **state)
{
	http_peer_stop(&peer);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parallel),    cmocka_unit_test(test_copies_of_a_session),
		cmocka_unit_test(test_measures),    cmocka_unit_test(test_groups),
		cmocka_unit_test(test_seed),        cmocka_unit_test(test_asks),
		cmocka_unit_test(test_server_gone), cmocka_unit_test(test_without_host),
		cmocka_unit_test(test_options),     cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
