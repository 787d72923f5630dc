/* SPDX-License-Identifier: MIT */

/*
 * The engine against a real peer on the loopback: sessions, retries, redirects, deadlines, and a
 * server that does everything wrong. Each hostile path is followed by an honest one in the same
 * file, which must not be affected.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "http-peer.h"
#include "hurl/hurl.h"
#include "hurl/report-json.h"
#include "util/util.h"

#define CASES_MAX 16

static struct http_peer peer;

struct outcome {
	struct hurl_summary summary;
	size_t count;
	enum hurl_status status[CASES_MAX];
	unsigned int requests[CASES_MAX];
	unsigned int line[CASES_MAX];
	char message[CASES_MAX][512];
	char expected[CASES_MAX][1200];
	char actual[CASES_MAX][1200];
	char request[CASES_MAX][320];
	char source[CASES_MAX][160];
	struct hurl_buf report;
};

static void on_case(void *userdata, const struct hurl_case_result *r)
{
	struct outcome *out = userdata;
	size_t i = out->count++;

	assert_true(i < CASES_MAX);
	out->status[i] = r->status;
	out->requests[i] = r->requests;
	assert_int_equal(r->failure == NULL, r->status == HURL_PASSED);
	hurl_report_case(&out->report, r);
	if (!r->failure)
		return;
	out->line[i] = r->failure->line;
	copy_string(out->message[i], sizeof(out->message[i]), r->failure->message);
	copy_string(out->expected[i], sizeof(out->expected[i]), r->failure->expected);
	copy_string(out->actual[i], sizeof(out->actual[i]), r->failure->actual);
	copy_string(out->request[i], sizeof(out->request[i]), r->failure->request);
	copy_string(out->source[i], sizeof(out->source[i]), r->failure->source);
}

static void run_with(const char *text, struct hurl_run_options *o, struct outcome *out)
{
	struct hurl_file *file = NULL;
	struct hurl_error err;
	char base[64];

	*out = (struct outcome){ 0 };
	hurl_buf_init(&out->report, 1 << 20);
	snprintf(base, sizeof(base), "http://localhost:%u", peer.port);
	if (!o->base)
		o->base = base;
	o->on_case = on_case;
	o->userdata = out;
	if (hurl_file_parse(&file, "t.hurl", text, strlen(text), &err) < 0) {
		print_error("%u:%u %s\n%s\n", err.line, err.column, err.text, text);
		fail();
	}
	assert_int_equal(hurl_run(&file, 1, o, &out->summary, &err), 0);
	assert_int_equal(out->summary.total, hurl_file_cases(file));
	assert_int_equal(out->count, out->summary.total);
	hurl_file_free(file);
}

static void run(const char *text, struct outcome *out)
{
	struct hurl_run_options o = { .flags = HURL_LOOPBACK_ONLY };

	run_with(text, &o, out);
}

static void done(struct outcome *out)
{
	hurl_buf_done(&out->report);
}

static void expect_all_pass(const char *text)
{
	struct outcome out;

	run(text, &out);
	if (out.summary.passed != out.summary.total)
		for (size_t i = 0; i < out.count; i++)
			print_error("%zu: %d line %u %s; expected %s; actual %s\n", i, out.status[i], out.line[i],
				    out.message[i], out.expected[i], out.actual[i]);
	assert_int_equal(out.summary.passed, out.summary.total);
	done(&out);
}

static void test_session(void **state)
{
	expect_all_pass("# @test captures and cookies last for the file\n"
			"GET {{base}}/cookies\nHTTP 200\n[Captures]\nsid: cookie \"sid\"\n"
			"id: cookie \"theme[Max-Age]\"\ncode: status\n"
			"# @test used\n"
			"POST {{base}}/echo\nX-Thing: {{sid}}\n[Query]\na\\u{20}b: c&d\n[Cookies]\nown: 1\n"
			"{\"id\": {{id}}, \"text\": \"{{sid}}-{{code}}\"}\n"
			"HTTP 200\nX-Method: POST\nX-Path: /echo?a%20b=c%26d\nX-Type: application/json\n"
			"[Asserts]\nheader \"X-Cookie\" contains \"sid=abc\"\nheader \"X-Cookie\" contains \"own=1\"\n"
			"body == `{\"id\": 60, \"text\": \"abc-200\"}`\n");
}

static void test_requests(void **state)
{
	expect_all_pass("POST {{base}}/echo\n[Form]\na: 1 2\nb&: \xc3\xa9\nHTTP 200\n"
			"X-Type: application/x-www-form-urlencoded\n`a=1%202&b%26=%C3%A9`\n"
			"PATCH {{base}}/echo\n```\ntext\n```\nHTTP 200\nX-Type:\n```\ntext\n```\n"
			"PUT {{base}}/echo\nContent-Type: text/x\nhex,00ff;\nHTTP 200\nX-Type: text/x\n"
			"PURGE {{base}}/echo\nHTTP 200\nX-Method: PURGE\n"
			"HEAD {{base}}/ok\nHTTP 200\n[Asserts]\nbytes isEmpty\n"
			"POST {{base}}/echo\nHTTP 200\nX-Type:\n[Asserts]\nbody isEmpty\n"
			"GET http://127.0.0.1:{{port}}/ok\nHTTP 200\n{\"ok\":true}\n"
			"GET {{base}}/echo\n[Options]\nvariable: x=a b\nvariable: n=5\n{\"a\":\"{{x}}\",\"b\":{{n}}}\n"
			"HTTP 200\n{\"a\":\"a b\",\"b\":5}\n"
			"GET {{base}}/headers\nHTTP 200\nX-Empty:\nVary: B\n");
}

/* A server must not be able to tell a test from the readiness probe. */
static void test_plain_headers(void **state)
{
	char text[300];

	snprintf(text, sizeof(text),
		 "GET {{base}}/head\nHTTP 200\n[Asserts]\nbody == \"GET /head HTTP/1.1\\r\\nHost: localhost:{{port}}"
		 "\\r\\nUser-Agent: %s\\r\\nAccept: */*\\r\\n\\r\\n\"\n",
		 HURL_USER_AGENT);
	expect_all_pass(text);
}

static void test_failures(void **state)
{
	struct outcome out;

	run("# @test status\n# @points 3\nGET {{base}}/ok?q=1\nHTTP 404\n"
	    "# @test next still runs\n# @points 2\nGET {{base}}/ok\nHTTP 200\n"
	    "# @test body\nGET {{base}}/ok\nHTTP 200\n{\"ok\": false}\n"
	    "# @test stops at the first failure\nGET {{base}}/ok\nHTTP 500\nGET {{base}}/ok\n"
	    "# @test undefined\nGET {{base}}/{{nothing}}\nHTTP 200\n"
	    "# @test refused\nGET http://localhost:1/\nHTTP 200\n"
	    "# @test no response part\nGET {{base}}/missing\n",
	    &out);
	assert_int_equal(out.summary.passed, 2);
	assert_int_equal(out.summary.failed, 5);
	assert_int_equal(out.summary.points, 3);
	assert_int_equal(out.summary.max_points, 10);
	assert_int_equal(out.line[0], 4);
	assert_string_equal(out.expected[0], "status 404");
	assert_string_equal(out.actual[0], "status 200");
	assert_string_equal(out.request[0], "GET /ok?q=1");
	assert_string_equal(out.source[0], "HTTP 404");
	assert_string_equal(out.message[2], "the JSON body differs at $.ok");
	assert_string_equal(out.expected[2], "$.ok: boolean false");
	assert_int_equal(out.requests[3], 1);
	assert_non_null(strstr(out.message[4], "'nothing' is not defined"));
	assert_int_equal(out.requests[4], 0);
	assert_non_null(strstr(out.message[5], "nothing accepts connections"));
	done(&out);
}

static void test_redirects(void **state)
{
	struct outcome out;

	run("# @test only when asked\nGET {{base}}/redirect\nHTTP 302\nLocation: /ok?redirected\n"
	    "# @test followed\nGET {{base}}/redirect\n[Options]\nlocation: true\nHTTP 200\n[Asserts]\n"
	    "url == \"{{base}}/ok?redirected\"\n"
	    "# @test other port\nGET {{base}}/away\n[Options]\nlocation: true\nHTTP 200\n"
	    "# @test other host\nGET {{base}}/away-host\n[Options]\nlocation: true\nHTTP 200\n"
	    "# @test file\nGET {{base}}/file\n[Options]\nlocation: true\nHTTP 200\n"
	    "# @test loop\nGET {{base}}/loop\n[Options]\nlocation: true\nmax-redirs: 3\nHTTP 200\n",
	    &out);
	assert_int_equal(out.summary.passed, 2);
	assert_int_equal(out.requests[1], 2);
	for (size_t i = 2; i < 5; i++) {
		assert_non_null(strstr(out.message[i], "another server"));
		assert_int_equal(out.requests[i], 1);
	}
	assert_non_null(strstr(out.message[5], "more than 3 redirects"));
	assert_int_equal(out.requests[5], 4);
	done(&out);
}

/* A captured value cannot choose the server, nor break out of a header or a body. */
static void test_captured_values(void **state)
{
	struct outcome out;

	run("# @test take\nGET {{base}}/evil-url\nHTTP 200\n[Captures]\nurl: jsonpath \"$.url\"\n"
	    "GET {{base}}/line-break\nHTTP 200\n[Captures]\nv: jsonpath \"$.v\"\n"
	    "GET {{base}}/quote\nHTTP 200\n[Captures]\nq: jsonpath \"$.v\"\n"
	    "# @test url\nGET {{url}}\nHTTP 200\n"
	    "# @test copied\nGET {{copy}}\n[Options]\nvariable: copy={{url}}\nHTTP 200\n"
	    "# @test header\nGET {{base}}/ok\nX-A: {{v}}\nHTTP 200\n"
	    "# @test body\nPOST {{base}}/echo\n{\"v\":\"{{q}}\"}\nHTTP 200\n[Asserts]\n"
	    "jsonpath \"$.role\" not exists\njsonpath \"$.v\" == {{q}}\n"
	    "# @test base itself\nGET {{base}}/ok\n[Options]\nvariable: again={{base}}\nHTTP 200\n",
	    &out);
	assert_int_equal(out.status[0], HURL_PASSED);
	assert_non_null(strstr(out.message[1], "leads to another server, http://127.0.0.2:1"));
	assert_int_equal(out.requests[1], 0);
	assert_non_null(strstr(out.message[2], "leads to another server"));
	assert_non_null(strstr(out.message[3], "line break"));
	assert_int_equal(out.requests[3], 0);
	assert_int_equal(out.status[4], HURL_PASSED);
	assert_int_equal(out.status[5], HURL_PASSED);
	done(&out);
}

static void test_only_loopback(void **state)
{
	struct outcome out;

	run("# @test v4\nGET http://192.0.2.1/\n[Options]\nmax-time: 5s\nHTTP 200\n"
	    "# @test v6\nGET http://[2001:db8::1]:80/\nHTTP 200\n"
	    "# @test scheme\nGET ftp://localhost/\nHTTP 200\n"
	    "# @test tls\nGET https://localhost/\nHTTP 200\n"
	    "# @test any\nGET http://0.0.0.0:{{port}}/ok\nHTTP 200\n",
	    &out);
	assert_int_equal(out.summary.failed, 5);
	assert_non_null(strstr(out.message[0], "only loopback"));
	assert_non_null(strstr(out.message[1], "only loopback"));
	assert_non_null(strstr(out.message[2], "only http://"));
	assert_non_null(strstr(out.message[3], "only http://"));
	assert_non_null(strstr(out.message[4], "only loopback"));
	done(&out);
}

static void test_retry(void **state)
{
	struct outcome out;

	run("# @test enough\nGET {{base}}/flaky\n[Options]\nretry: 2\nretry-interval: 1ms\nHTTP 200\n", &out);
	assert_int_equal(out.summary.passed, 1);
	assert_int_equal(out.requests[0], 3);
	done(&out);
	run("# @test too few\nGET {{base}}/flaky\n[Options]\nretry: 1\nretry-interval: 1ms\nHTTP 200\n", &out);
	assert_int_equal(out.summary.failed, 1);
	assert_int_equal(out.requests[0], 2);
	done(&out);
}

/* A deadline decides whatever the server does meanwhile; the rest of the run is reported, not lost. */
static void test_total_timeout(void **state)
{
	struct hurl_run_options o = { .flags = HURL_LOOPBACK_ONLY, .total_timeout_ms = 400 };
	struct outcome out;

	run_with("# @test one\nGET {{base}}/ok\nHTTP 200\n"
		 "# @test two\nGET {{base}}/slow-body\nHTTP 200\n"
		 "# @test three\nGET {{base}}/ok\nHTTP 200\n# @test four\n# @points 5\nGET {{base}}/ok\n",
		 &o, &out);
	assert_true(out.summary.timed_out);
	assert_int_equal(out.summary.passed, 1);
	assert_int_equal(out.summary.failed, 1);
	assert_int_equal(out.summary.skipped, 2);
	assert_int_equal(out.summary.points, 1);
	assert_int_equal(out.summary.max_points, 8);
	assert_non_null(strstr(out.message[1], "time limit of the whole run"));
	assert_int_equal(out.status[3], HURL_SKIPPED);
	assert_int_equal(out.requests[3], 0);
	done(&out);
}

static volatile sig_atomic_t cancel_flag;

static void *cancel_later(void *unused)
{
	(void)poll(NULL, 0, 100);
	cancel_flag = 1;
	return NULL;
}

static void test_cancel(void **state)
{
	struct hurl_run_options o = { .flags = HURL_LOOPBACK_ONLY, .cancel = &cancel_flag };
	struct outcome out;
	pthread_t thread;

	cancel_flag = 0;
	assert_int_equal(pthread_create(&thread, NULL, cancel_later, NULL), 0);
	run_with("# @test one\nGET {{base}}/silent\n[Options]\nmax-time: 60s\nHTTP 200\n"
		 "# @test two\nGET {{base}}/ok\nHTTP 200\n", &o, &out);
	(void)pthread_join(thread, NULL);
	assert_true(out.summary.cancelled);
	assert_int_equal(out.summary.skipped, 2);
	done(&out);
}

static void test_options(void **state)
{
	struct hurl_run_options o = { .base = "ftp://x" };
	struct hurl_variable variable = { "who", "ada" };
	struct hurl_summary summary;
	struct hurl_error err;
	struct outcome out;
	char base[64], why[128];

	assert_int_equal(hurl_run(NULL, 0, &o, &summary, &err), -EINVAL);
	assert_true(err.text[0]);
	assert_int_equal(hurl_check_base("localhost:8000", 0, why, sizeof(why)), -EINVAL);
	assert_int_equal(hurl_check_base("http://x/?a", 0, why, sizeof(why)), -EINVAL);
	assert_int_equal(hurl_check_base("https://x/", 0, why, sizeof(why)), -EINVAL);
	assert_int_equal(hurl_check_base("https://x/", HURL_ALLOW_HTTPS, why, sizeof(why)), 0);
	snprintf(base, sizeof(base), "http://127.0.0.1:%u//", peer.port);
	o = (struct hurl_run_options){ .base = base, .variables = &variable, .variable_count = 1 };
	run_with("GET {{base}}/ok\nHTTP 200\n[Asserts]\nvariable \"who\" == \"ada\"\nvariable \"port\" isInteger\n"
		 "url startsWith \"http://127.0.0.1:{{port}}/ok\"\n", &o, &out);
	assert_int_equal(out.summary.passed, 1);
	done(&out);
}

/* ------------------------------------------------------------------ hostile */

struct hostile {
	const char *path;
	const char *expect;	/* response part */
	const char *says;	/* NULL: holds */
};

static const struct hostile hostiles[] = {
	{ "/endless", "HTTP 200", "more than 8 MiB" },
	{ "/endless-body", "HTTP 200", "more than 8 MiB" },
	{ "/big-length", "HTTP 200", "more than 8 MiB" },
	{ "/endless-interim", "HTTP 200", "header" },
	{ "/trailers", "HTTP 200", "header" },
	{ "/slow-head", "HTTP 200", "no complete response within 300 ms" },
	{ "/slow-body", "HTTP 200", "no complete response within 300 ms" },
	{ "/silent", "HTTP 200", "no complete response within 300 ms" },
	{ "/big-header", "HTTP 200", "more than 64 KiB" },
	{ "/many-headers", "HTTP 200", "more than 100 header" },
	{ "/nul-header", "HTTP 200", "no acceptable response" },
	{ "/fold", "HTTP 200", "folded" },
	{ "/no-colon", "HTTP 200", "no acceptable response" },
	{ "/bare-lf", "HTTP 200", "CR LF" },
	{ "/status-long", "HTTP 200", "no acceptable response" },
	{ "/status-low", "HTTP *", "no acceptable response" },
	{ "/switch", "HTTP 101", "change of the protocol" },
	{ "/http09", "HTTP 200", "not HTTP/1.1" },
	{ "/h2", "HTTP 200", "no acceptable response" },
	{ "/http2-status", "HTTP 200", "no acceptable response" },
	{ "/tls", "HTTP 200", "not HTTP/1.1" },
	{ "/noise", "HTTP 200", "no acceptable response" },
	{ "/close", "HTTP 200", "closed without an answer" },
	{ "/half-head", "HTTP 200", "no acceptable response" },
	{ "/short", "HTTP 200", "before the body was complete" },
	{ "/two-lengths", "HTTP 200", "more than one Content-Length" },
	{ "/both", "HTTP 200", "together with Transfer-Encoding" },
	{ "/negative", "HTTP 200", "no acceptable response" },
	{ "/huge-length", "HTTP 200", "no acceptable response" },
	{ "/bad-chunk", "HTTP 200", "no acceptable response" },
	{ "/big-chunk", "HTTP 200", "no acceptable response" },
	{ "/cut-chunk", "HTTP 200", "no acceptable response" },
	{ "/reset", "HTTP 200", "no acceptable response" },
	{ "/deep", "HTTP 200\n[Asserts]\njsonpath \"$.a\" exists", "deeper than 200" },
	{ "/wide", "HTTP 200\n[Asserts]\njsonpath \"$\" count > 0", "more than 250000 values" },
	{ "/dup", "HTTP 200\n[Asserts]\njsonpath \"$.a\" == 2", "duplicate" },
	{ "/dup", "HTTP 200\n[Asserts]\njsonpath \"$.a\" == 1", "duplicate" },
	{ "/dup", "HTTP 200\n{\"a\":2}", "not valid JSON" },
	{ "/nul", "HTTP 200\n{\"a\":\"ok\"}", "differs at $.a" },
	{ "/bom", "HTTP 200\n{\"a\":1}", "not valid JSON" },
	{ "/bad-utf8", "HTTP 200\n[Asserts]\njsonpath \"$.a\" exists", "not valid JSON" },
	{ "/bad-utf8", "HTTP 200\n[Asserts]\nbody contains \"a\"", "not UTF-8" },
	{ "/car", "HTTP 200\n{\"id\":9007199254740992,\"tags\":[\"a\",\"b\"],\"n\":1}", "differs at $.id" },
	{ "/car", "HTTP 200\n{\"n\":1,\"tags\":[\"a\",\"b\"],\"id\":9007199254740993}", NULL },
	{ "/aaaa", "HTTP 200\n[Asserts]\nbody matches /^(a|aa)+$/", "too many steps" },
	{ "/long", "HTTP 200\n{}", "more bytes than it announced" },
	{ "/chunked-more", "HTTP 200\n{}", "more bytes than it announced" },
	{ "/two-answers", "HTTP 200\n{}", "more bytes than it announced" },
	{ "/interims", "HTTP 200\n{}", NULL },
	{ "/trailer", "HTTP 200\n{}", NULL },
	{ "/no-length", "HTTP 200\n{}", NULL },
	{ "/drip-chunks", "HTTP 200", "no complete response within 300 ms" },
	{ "/long-chunk-extension", "HTTP 200", "far more bytes than its body has" },
	{ "/te-identity", "HTTP 200", "no acceptable response" },
	{ "/header-line", "HTTP 200", "no acceptable response" },
	{ "/lying-gzip", "HTTP 200", "Content-Encoding" },
	{ "/unknown-encoding", "HTTP 200", "no acceptable response" },
	{ "/gzip-bomb", "HTTP 200", "more than 8 MiB" },
	{ "/reset-first", "HTTP 200", "no acceptable response" },
	{ "/fin-first", "HTTP 200", "closed without an answer" },
	{ "/length-plus", "HTTP 200", "impossible Content-Length" },
	{ "/length-list", "HTTP 200", "impossible Content-Length" },
	{ "/space-colon", "HTTP 200", "no acceptable response" },
	{ "/negative-chunk", "HTTP 200", "no acceptable response" },
	{ "/proto-key", "HTTP 200\n{\"__proto__\":{\"admin\":true},\"a\":1}", NULL },
	{ "/big-number", "HTTP 200\n[Asserts]\njsonpath \"$\" exists", "not valid JSON" },
	{ "/long-string", "HTTP 200\n[Asserts]\njsonpath \"$\" exists", "more than 8 MiB" },
};

static void test_hostile(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(hostiles); i++) {
		const struct hostile *h = &hostiles[i];
		struct outcome out;
		char text[500];

		snprintf(text, sizeof(text),
			 "# @test before\nGET {{base}}/ok\nHTTP 200\n{\"ok\":true}\n"
			 "# @test hostile\nGET {{base}}%s\n[Options]\nmax-time: %s\n%s\n"
			 "# @test after\nGET {{base}}/ok\nHTTP 200\n{\"ok\":true}\n",
			 h->path, h->says && strstr(h->says, "300 ms") ? "300ms" : "30s", h->expect);
		run(text, &out);
		if (out.status[1] != (h->says ? HURL_FAILED : HURL_PASSED) ||
		    (h->says && !strstr(out.message[1], h->says))) {
			print_error("%s: %d %s\n", h->path, out.status[1], out.message[1]);
			fail();
		}
		if (out.status[0] != HURL_PASSED || out.status[2] != HURL_PASSED)
			print_error("%s: %s %s\n", h->path, out.message[0], out.message[2]);
		assert_int_equal(out.status[0], HURL_PASSED);
		assert_int_equal(out.status[2], HURL_PASSED);
		done(&out);
	}
}

/* The cap is on what the bytes become. Without the option they are only bytes. */
static void test_compressed(void **state)
{
	struct outcome out;

	run("# @test bomb\nGET {{base}}/gzip-bomb\n[Options]\ncompressed: true\nmax-time: 30s\nHTTP 200\n"
	    "# @test after\nGET {{base}}/ok\nHTTP 200\n", &out);
	assert_non_null(strstr(out.message[0], "more than 8 MiB"));
	assert_int_equal(out.status[1], HURL_PASSED);
	done(&out);
}

/* Each response is within its own limits; what the session keeps of them has one, too. */
static void test_cookie_flood(void **state)
{
	struct outcome out;

	run("GET {{base}}/cookie-flood\n[Options]\nretry: 100\nretry-interval: 0\nmax-time: 30s\nHTTP 500\n",
	    &out);
	assert_non_null(strstr(out.message[0], "more than 1 MiB of cookies"));
	done(&out);
}

/* Settings of the environment that would lead a request elsewhere. */
static void test_environment(void **state)
{
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
	expect_all_pass("GET {{base}}/ok\nHTTP 200\n");
	assert_int_equal(unsetenv("http_proxy"), 0);
	assert_int_equal(unsetenv("ALL_PROXY"), 0);
}

/* Bodies of all the hostile peers went by: what remains is a small process. */
static void test_memory(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	const long most_kib = 1024 * 1024; /* its quarantine keeps what was freed */
#else
	const long most_kib = 128 * 1024;
#endif
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	assert_in_range(usage.ru_maxrss, 1, most_kib);
}

/* Every line of the report is JSON in valid UTF-8, whatever was sent, and no control byte survives. */
static void test_report(void **state)
{
	char *line, *rest;
	struct outcome out;
	int lines = 0;

	run("# @test a \"quoted\" \\ name\n# @hide\nGET {{base}}/ansi\nHTTP 200\n`x`\n"
	    "# @test header\nGET {{base}}/ansi\nHTTP 200\nContent-Type: x\n"
	    "# @test json\nGET {{base}}/ansi\nHTTP 200\n{}\n"
	    "# @test fine\n# @group g\nGET {{base}}/ok\n", &out);
	hurl_report_plan(&out.report, 4);
	hurl_report_end(&out.report, &out.summary);
	hurl_report_error(&out.report, "t.hurl:1:1: \"x\"");
	hurl_report_ready(&out.report);
	assert_int_equal(hurl_buf_error(&out.report), 0);
	for (line = strtok_r(out.report.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		json_t *event = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

		if (!event)
			print_error("%s\n", line);
		assert_non_null(event);
		assert_true(json_is_string(json_object_get(event, "event")));
		assert_null(strpbrk(line, "\033\a\r"));
		assert_true(strlen(line) < HURL_MAX_REPORT_LINE);
		if (lines++ == 0) {
			json_t *failure = json_object_get(event, "failure");

			assert_string_equal(json_string_value(json_object_get(event, "name")),
					    "a \"quoted\" \\ name");
			assert_true(json_is_true(json_object_get(event, "hidden")));
			assert_string_equal(json_string_value(json_object_get(failure, "request")), "GET /ansi");
			assert_non_null(strstr(json_string_value(json_object_get(failure, "actual")),
					       "\\x1b[2J"));
		}
		json_decref(event);
	}
	assert_int_equal(lines, 8);
	done(&out);
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
		cmocka_unit_test(test_session),	       cmocka_unit_test(test_requests),
		cmocka_unit_test(test_plain_headers),  cmocka_unit_test(test_failures),
		cmocka_unit_test(test_redirects),      cmocka_unit_test(test_captured_values),
		cmocka_unit_test(test_only_loopback),  cmocka_unit_test(test_retry),
		cmocka_unit_test(test_total_timeout),  cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_options),	       cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_compressed),     cmocka_unit_test(test_cookie_flood),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_memory),	       cmocka_unit_test(test_report),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
