/* SPDX-License-Identifier: MIT */

/* Precedence, points, exit codes, the tester's report, the probe, and what is shown of it all. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the above */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/clean.h"
#include "pipeline/probe.h"
#include "report/report.h"
#include "pipeline/tests-report.h"
#include "pipeline/units.h"
#include "pipeline/verdict.h"
#include "util/util.h"

static struct challenge_case declared[] = {
	{ .name = (char *)"one", .file = "a.hurl", .line = 1, .points = 1 },
	{ .name = (char *)"two", .file = "a.hurl", .line = 5, .points = 2, .group = (char *)"g" },
	{ .name = (char *)"three", .file = "b.hurl", .line = 1, .points = 1, .hidden = true },
};

static const struct challenge challenge = {
	.title = (char *)"T",
	.cases = declared,
	.n_cases = ARRAY_SIZE(declared),
	.case_points = 4,
	.port = 8000,
	.limits = { .memory = 512ull << 20,
		    .disk = 256ull << 20,
		    .output = 1 << 20,
		    .pids = 256,
		    .cpu_time_ns = 60 * NSEC_PER_SEC },
	.reveal = REVEAL_MESSAGES,
};

static struct job new_job(void)
{
	struct job job = JOB_NULL;

	job.challenge = &challenge;
	job.submission = "work.zip";
	job.reveal = challenge.reveal;
	return job;
}

static void add_cases(struct job *job, const char *passed)
{
	job->n_cases = ARRAY_SIZE(declared);
	job->cases = calloc(job->n_cases, sizeof(*job->cases));
	assert_non_null(job->cases);
	for (uint32_t i = 0; i < job->n_cases; i++) {
		struct test_case *t = &job->cases[i];

		t->name = strdup(declared[i].name);
		t->file = strdup(declared[i].file);
		t->points = declared[i].points;
		t->hidden = declared[i].hidden;
		t->passed = passed[i] == '1';
		if (!t->passed)
			t->message = strdup("secret message");
	}
}

static void test_precedence(void **state)
{
	static const enum verdict order[] = {
		VERDICT_IE,  VERDICT_CANCELLED, VERDICT_SUPERSEDED, VERDICT_SEC,   VERDICT_MLE,
		VERDICT_DLE, VERDICT_PLE,	VERDICT_OLE,	    VERDICT_TLE,   VERDICT_CE,
		VERDICT_BOOT, VERDICT_CRASH,	VERDICT_AC,	    VERDICT_PARTIAL, VERDICT_WA,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_true(verdict_stronger(order[i], VERDICT_NONE));
		assert_false(verdict_stronger(VERDICT_NONE, order[i]));
		for (size_t k = 0; k < ARRAY_SIZE(order); k++)
			assert_int_equal(verdict_stronger(order[i], order[k]), i < k);
	}
}

static void test_stronger_replaces(void **state)
{
	struct job job = new_job();

	(void)state;
	assert_int_equal(job_verdict(&job, VERDICT_CRASH, "crash"), 1);
	assert_int_equal(job_verdict(&job, VERDICT_AC, "all"), 1);
	assert_int_equal(job.verdict, VERDICT_CRASH);
	assert_int_equal(job_verdict(&job, VERDICT_MLE, "memory of %s", "x\033[2J"), 1);
	assert_int_equal(job.verdict, VERDICT_MLE);
	assert_string_equal(job.reason, "memory of x\\x1b[2J");
}

static void test_evidence(void **state)
{
	static const struct {
		int32_t from;
		enum verdict to;
	} rows[] = {
		{ SBX_VERDICT_EXITED, VERDICT_CRASH }, { SBX_VERDICT_SIGNALED, VERDICT_CRASH },
		{ SBX_VERDICT_KILLED, VERDICT_CRASH }, { SBX_VERDICT_WALL, VERDICT_TLE },
		{ SBX_VERDICT_CPU, VERDICT_TLE },      { SBX_VERDICT_MEMORY, VERDICT_MLE },
		{ SBX_VERDICT_DISK, VERDICT_DLE },     { SBX_VERDICT_PIDS, VERDICT_PLE },
		{ SBX_VERDICT_OUTPUT, VERDICT_OLE },   { SBX_VERDICT_SECURITY, VERDICT_SEC },
		{ SBX_VERDICT_LOST, VERDICT_IE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sbx_result r = { .verdict = rows[i].from, .exit_code = 1 };

		assert_int_equal(verdict_of(&r, false, VERDICT_CRASH), rows[i].to);
	}
}

/* V8 gives up by itself when its heap is full: only with its own words and only when it aborted. */
static void test_heap(void **state)
{
	struct sbx_result r = { .verdict = SBX_VERDICT_SIGNALED,
				.exit_code = -1,
				.term_signal = SIGABRT };

	(void)state;
	assert_int_equal(verdict_of(&r, true, VERDICT_CRASH), VERDICT_MLE);
	assert_int_equal(verdict_of(&r, false, VERDICT_CRASH), VERDICT_CRASH);
	r = (struct sbx_result){ .verdict = SBX_VERDICT_EXITED, .exit_code = 134 };
	assert_int_equal(verdict_of(&r, true, VERDICT_CRASH), VERDICT_MLE);
	r.exit_code = 1;
	assert_int_equal(verdict_of(&r, true, VERDICT_CRASH), VERDICT_CRASH);
}

static void test_reasons(void **state)
{
	struct sbx_result r = { .verdict = SBX_VERDICT_EXITED, .exit_code = 3 };
	struct job job = new_job();

	(void)state;
	assert_int_equal(job_verdict_from(&job, &r, VERDICT_CE, "The build"), 1);
	assert_int_equal(job.verdict, VERDICT_CE);
	assert_string_equal(job.reason, "The build ended with exit code 3.");
	job = new_job();
	r = (struct sbx_result){ .verdict = SBX_VERDICT_SIGNALED,
				 .exit_code = -1,
				 .term_signal = SIGSEGV };
	job_verdict_from(&job, &r, VERDICT_CRASH, "The server");
	assert_string_equal(job.reason, "The server was ended by signal 11 (SIGSEGV).");
	job = new_job();
	r = (struct sbx_result){ .verdict = SBX_VERDICT_MEMORY };
	job_verdict_from(&job, &r, VERDICT_CRASH, "The server");
	assert_int_equal(job.verdict, VERDICT_MLE);
	assert_non_null(strstr(job.reason, "512 MiB"));
	job = new_job();
	r = (struct sbx_result){ .verdict = SBX_VERDICT_LOST };
	assert_true(job_verdict_from(&job, &r, VERDICT_CRASH, "The server") < 0);
	assert_int_equal(job.verdict, VERDICT_NONE);
}

static void test_decide(void **state)
{
	static const struct {
		const char *passed;
		enum verdict before, after;
		double score;
		bool ready;
		int code;
	} rows[] = {
		{ "111", VERDICT_NONE, VERDICT_AC, 4, true, 0 },
		{ "110", VERDICT_NONE, VERDICT_PARTIAL, 3, true, 1 },
		{ "000", VERDICT_NONE, VERDICT_WA, 0, true, 1 },
		{ "111", VERDICT_CRASH, VERDICT_CRASH, 4, true, 1 },
		{ "010", VERDICT_MLE, VERDICT_MLE, 2, true, 1 },
		{ "000", VERDICT_MLE, VERDICT_MLE, 0, false, 3 },
		{ "000", VERDICT_BOOT, VERDICT_BOOT, 0, false, 3 },
		{ "000", VERDICT_CE, VERDICT_CE, 0, false, 3 },
		{ "111", VERDICT_SEC, VERDICT_SEC, 0, true, 1 },
		{ "111", VERDICT_IE, VERDICT_IE, 0, true, 4 },
		{ "111", VERDICT_CANCELLED, VERDICT_CANCELLED, 0, true, 130 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct job job = new_job();

		add_cases(&job, rows[i].passed);
		job.verdict = rows[i].before;
		job.was_ready = rows[i].ready;
		verdict_decide(&job);
		assert_int_equal(job.verdict, rows[i].after);
		assert_true(job.score == rows[i].score);
		assert_true(job.max_score == 4);
		assert_int_equal(verdict_exit_code(&job), rows[i].code);
		job_done(&job);
	}
}

static void test_score(void **state)
{
	(void)state;
	assert_true(verdict_score(3, 4, 0) == 3);
	assert_true(verdict_score(3, 4, 100) == 75);
	assert_true(verdict_score(1, 3, 100) == 33.33);
	assert_true(verdict_score(0, 0, 100) == 0);
}

/* A limit that was touched while everything passed is a note. */
static void test_notes(void **state)
{
	struct job job = new_job();

	(void)state;
	add_cases(&job, "111");
	job.has_stats = job.was_ready = true;
	job.stats = (struct sbx_stats){ .oom_kills = 1, .pids_refused = 7, .disk_full = 1 };
	verdict_decide(&job);
	assert_int_equal(job.verdict, VERDICT_AC);
	assert_int_equal(job.n_notes, 3);
	assert_non_null(strstr(job.notes[1], "256 processes"));
	job_done(&job);
}

#define PLAN "{\"event\":\"plan\",\"cases\":3}\n"
#define CASE1                                                                                  \
	"{\"event\":\"case\",\"name\":\"forged\",\"line\":1,\"status\":\"passed\",\"points\":" \
	"1000}\n"
#define CASE2                                                                                      \
	"{\"event\":\"case\",\"name\":\"x\",\"line\":5,\"status\":\"failed\",\"duration_ms\":1.5," \
	"\"failure\":{\"message\":\"m\\u001b[31m\",\"line\":7,\"column\":2,\"request\":\"GET /\"," \
	"\"expected\":\"status 200\",\"actual\":\"status 500\"}}\n"
#define CASE3 "{\"event\":\"case\",\"name\":\"x\",\"line\":1,\"status\":\"skipped\"}\n"
#define END "{\"event\":\"end\",\"passed\":1,\"failed\":1,\"skipped\":1,\"total\":3}\n"

static struct test_case *cases;

static void forget_cases(void)
{
	test_cases_free(cases, challenge.n_cases);
	cases = NULL;
}

static int parse_report(struct tests_report *r, const char *text, bool by_index)
{
	char why[TESTS_REPORT_WHY] = "";

	forget_cases();
	cases = test_cases_declare(&challenge);
	assert_non_null(cases);
	return tests_report_parse(r, cases, challenge.n_cases, by_index, text, strlen(text), why);
}

static int parse(struct tests_report *r, const char *text)
{
	return parse_report(r, text, false);
}

static void test_report_whole(void **state)
{
	struct tests_report r;

	(void)state;
	assert_int_equal(parse(&r, "{\"event\":\"ready\"}\n" PLAN CASE1 CASE2 CASE3 END), 0);
	assert_true(r.ended);
	assert_int_equal(r.n, 3);
	assert_int_equal(r.skipped, 1);
	/* Names and points are the challenge's, whatever the report says. */
	assert_string_equal(cases[0].name, "one");
	assert_true(cases[0].points == 1);
	assert_true(cases[0].passed);
	assert_false(cases[1].passed);
	assert_string_equal(cases[1].message, "m\\x1b[31m");
	assert_string_equal(cases[1].expected, "status 200");
	assert_int_equal(cases[1].failure_line, 7);
	assert_true(cases[2].skipped);
	tests_report_done(&r);
	forget_cases();
}

static void test_report_cut(void **state)
{
	static const char *const texts[] = { "", PLAN, PLAN CASE1, PLAN CASE1 "{\"event\":\"ca" };
	static const uint32_t n[] = { 0, 0, 1, 1 };
	struct tests_report r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(parse(&r, texts[i]), 0);
		assert_false(r.ended);
		assert_int_equal(r.n, n[i]);
		assert_string_equal(cases[2].name, "three");
		tests_report_done(&r);
		forget_cases();
	}
}

static void test_report_refused(void **state)
{
	static const char *const texts[] = {
		"garbage\n",
		"[]\n",
		"{\"event\":\"nonsense\"}\n",
		"{\"event\":\"plan\",\"event\":\"plan\",\"cases\":3}\n",
		"{\"event\":\"plan\",\"cases\":4}\n",
		PLAN PLAN,
		CASE1,
		PLAN CASE2,
		PLAN "{\"event\":\"case\",\"line\":1,\"status\":\"won\"}\n",
		PLAN CASE1 END,
		PLAN CASE1 CASE2 CASE3
		"{\"event\":\"end\",\"passed\":3,\"failed\":0,\"skipped\":0,\"total\":3}\n",
		PLAN CASE1 CASE2 CASE3 CASE1,
		PLAN CASE1 CASE2 CASE3 END END,
	};
	struct tests_report r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(parse(&r, texts[i]), -EBADMSG);
		tests_report_done(&r);
		forget_cases();
	}
}

static void test_probe(void **state)
{
	static const struct {
		const char *text;
		int status;
	} rows[] = {
		{ "", 0 },
		{ "HTTP/1.1 20", 0 },
		{ "HTTP/1.1 200", 0 },
		{ "HTTP/1.1 200 OK\r\n", 200 },
		{ "HTTP/1.0 404\r\n", 404 },
		{ "HTTP/1.1 099 OK\r\n", -EPROTO },
		{ "HTTP/1.1 999 OK\r\n", -EPROTO },
		{ "HTTP/1.1 2000\r\n\r\n", -EPROTO },
		{ "HTTP/1.9 200 OK\r\n", -EPROTO },
		{ "HTTP/2 200 \r\n\r\n", -EPROTO },
		{ "SSH-2.0", -EPROTO },
		{ "h", -EPROTO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(probe_status(rows[i].text, strlen(rows[i].text)), rows[i].status);
}

static void check_clean(char *got, const char *expected)
{
	assert_non_null(got);
	assert_string_equal(got, expected);
	free(got);
}

static void test_clean(void **state)
{
	(void)state;
	check_clean(clean_text("a\nb\tc\x01", 6, 100), "a\nb\tc\\x01");
	check_clean(clean_text("\xff\xc3\xa9", 3, 100), "\xef\xbf\xbd\xc3\xa9");
	check_clean(clean_text("\xe2\x80\xae", 3, 100), "\\u{202e}");
	check_clean(clean_text("abcdef", 6, 3), "abc...");
	check_clean(clean_text("", 0, 3), "");
	check_clean(clean_line("a\nb", 3, 100), "a b");
	check_clean(clean_tail("1\n2\n3\n", 6, 2), "2\n3");
	check_clean(clean_tail("only", 4, 2), "only");
	check_clean(clean_tail("", 0, 2), "");
	check_clean(clean_tail("\033[31mred\033[0m\n10%\r20%\r\nend\n", 26, 20), "red\n20%\nend");
	check_clean(clean_tail("\033]0;title\007x", 11, 1), "\\x1b]0;title\\x07x");
}

static void test_units(void **state)
{
	char out[UNITS_TEXT];

	(void)state;
	assert_string_equal(units_size(out, 300), "300 bytes");
	assert_string_equal(units_size(out, 512ull << 20), "512 MiB");
	assert_string_equal(units_size(out, 1536ull << 20), "1.5 GiB");
	assert_string_equal(units_duration(out, 10 * NSEC_PER_SEC), "10 s");
	assert_string_equal(units_duration(out, 9800 * NSEC_PER_MSEC), "9.8 s");
	assert_string_equal(units_duration(out, 250 * NSEC_PER_MSEC), "250 ms");
}

/* What JSON and people are told, by what the challenge reveals. */
static void check_reveal(enum reveal reveal, bool names, bool messages, bool hidden)
{
	struct job job = new_job();
	_cleanup_free_ char *json = NULL;
	cJSON *root;

	job.reveal = reveal;
	add_cases(&job, "100");
	job.was_ready = true;
	job.log_tail = strdup("server output");
	verdict_decide(&job);
	root = result_tree(&job);
	assert_non_null(root);
	json = cJSON_Print(root);
	assert_non_null(json);
	assert_string_equal(cJSON_GetObjectItem(root, "schema")->valuestring, "sandbox-result/1");
	assert_int_equal(strstr(json, "\"two\"") != NULL, names);
	assert_int_equal(strstr(json, "secret message") != NULL, messages);
	assert_int_equal(strstr(json, "server output") != NULL, messages);
	assert_int_equal(strstr(json, "\"three\"") != NULL, hidden);
	cJSON_Delete(root);
	job_done(&job);
}

static void test_reveal(void **state)
{
	(void)state;
	check_reveal(REVEAL_NONE, false, false, false);
	check_reveal(REVEAL_NAMES, true, false, false);
	check_reveal(REVEAL_MESSAGES, true, true, false);
	check_reveal(REVEAL_ALL, true, true, true);
}

static void count_undo(void *data)
{
	(*(int *)data)++;
}

static void test_undo_full(void **state)
{
	struct job job = new_job();
	int n = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(job.undo); i++)
		assert_int_equal(job_push_undo(&job, count_undo, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(job_push_undo(&job, count_undo, &n), -ENOSPC);
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precedence),     cmocka_unit_test(test_stronger_replaces),
		cmocka_unit_test(test_evidence),       cmocka_unit_test(test_heap),
		cmocka_unit_test(test_reasons),	       cmocka_unit_test(test_decide),
		cmocka_unit_test(test_score),	       cmocka_unit_test(test_notes),
		cmocka_unit_test(test_report_whole),   cmocka_unit_test(test_report_cut),
		cmocka_unit_test(test_report_refused), cmocka_unit_test(test_probe),
		cmocka_unit_test(test_clean),	       cmocka_unit_test(test_units),
		cmocka_unit_test(test_reveal),	       cmocka_unit_test(test_undo_full),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
