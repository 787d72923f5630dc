/* SPDX-License-Identifier: MIT */

/* Texts in reports: nothing that a submission says can become more than a text. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the above */
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "pipeline/samples.h"
#include "report/formats.h"
#include "report/markup.h"
#include "util/util.h"

/* In place of the library's: what is sampled is not the matter here. */
void sbx_jail_usage(struct sbx_jail *j, uint64_t *ret_memory, uint64_t *ret_cpu_ns)
{
	(void)j;
	*ret_memory = 1 << 20;
	*ret_cpu_ns = 5;
}

static char *written(void (*write)(FILE *, const char *), const char *text)
{
	char *ret = NULL;
	size_t size;
	FILE *f = open_memstream(&ret, &size);

	assert_non_null(f);
	write(f, text);
	assert_int_equal(fclose(f), 0);
	return ret;
}

static char *reported(void (*write)(FILE *, const struct result *), const struct result *v)
{
	char *ret = NULL;
	size_t size;
	FILE *f = open_memstream(&ret, &size);

	assert_non_null(f);
	write(f, v);
	assert_int_equal(fclose(f), 0);
	return ret;
}

static void test_markup(void **state)
{
	static const struct {
		const char *in, *text, *attribute;
	} rows[] = {
		{ "plain", "plain", "plain" },
		{ "", "", "" },
		{ "<a href=\"x\">&'", "&lt;a href=&quot;x&quot;&gt;&amp;&#39;",
		  "&lt;a href=&quot;x&quot;&gt;&amp;&#39;" },
		{ "]]>", "]]&gt;", "]]&gt;" },
		{ "a\n\tb", "a\n\tb", "a&#10;&#9;b" },
		{ "a\rb",
		  "a\xef\xbf\xbd"
		  "b",
		  "a\xef\xbf\xbd"
		  "b" },
		{ "\x1b[31m", "\xef\xbf\xbd[31m", "\xef\xbf\xbd[31m" },
		{ "\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xef\xbf\xbe", "\xef\xbf\xbd", "\xef\xbf\xbd" },
		{ "\xc2\x85", "\xef\xbf\xbd", "\xef\xbf\xbd" },
		{ "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf0\x9f\x90\xb4 \xe4\xb8\xad", "\xf0\x9f\x90\xb4 \xe4\xb8\xad",
		  "\xf0\x9f\x90\xb4 \xe4\xb8\xad" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = written(markup_text, rows[i].in);
		_cleanup_free_ char *attribute = written(markup_attribute, rows[i].in);

		assert_string_equal(text, rows[i].text);
		assert_string_equal(attribute, rows[i].attribute);
	}
}

static struct result *parsed(const char *json)
{
	struct result *v = NULL;
	char why[RESULT_WHY];
	cJSON *root = cJSON_Parse(json);

	assert_non_null(root);
	assert_int_equal(result_new(&v, root, why), 0);
	return v;
}

#define HEAD "{\"schema\":\"sandbox-result/1\",\"challenge\":\"C\",\"reason\":\"r\","

static void test_numbers(void **state)
{
	_cleanup_(result_freep) struct result *v = parsed(
		HEAD "\"verdict\":\"WA\",\"began_at\":\"2026-01-02T03:04:05.678Z\","
		     "\"tests\":{\"total\":1e300,\"run\":-5,\"passed\":\"3\",\"cases\":7},"
		     "\"stages\":[1,{\"wall_ms\":\"x\"}],\"samples\":{\"rows\":[[1,-2],9,[1e308,"
		     "1e308]]}}");
	char time[32];

	(void)state;
	assert_int_equal(v->total, INT32_MAX);
	assert_int_equal(v->run, 0);
	assert_int_equal(v->passed, 0);
	assert_int_equal(v->n_cases, 0);
	assert_int_equal(v->n_stages, 2);
	assert_string_equal(v->stages[1].name, "");
	assert_int_equal(v->n_samples, 3);
	assert_true(v->samples[2].memory[0] == 1e15);
	assert_true(v->samples[0].at_ms == 1 && v->samples[0].memory[0] == 0);
	assert_string_equal(result_time(time, v->began_ms), "2026-01-02T03:04:05.678Z");
	assert_string_equal(result_time(time, 0), "");
	assert_string_equal(result_time(time, 1e300), "");
	assert_true(isnan(result_number(v, "limits", "memory")));
}

static void test_refused(void **state)
{
	struct result *v = NULL;
	char why[RESULT_WHY] = "";

	(void)state;
	assert_int_equal(result_new(&v, cJSON_Parse("[]"), why), -EINVAL);
	assert_int_equal(result_new(&v, cJSON_Parse("{\"schema\":7}"), why), -EINVAL);
	assert_int_equal(result_new(&v, NULL, why), -ENOMEM);
	assert_null(v);
	assert_true(*why);
}

/* A name that would close a line, a directive or a block of TAP does neither. */
static void test_tap(void **state)
{
	_cleanup_(result_freep) struct result *v = parsed(
		HEAD "\"verdict\":\"WA\",\"tests\":{\"run\":1,\"cases\":[{\"status\":\"failed\","
		     "\"name\":\"a # SKIP \\\\ \\nok "
		     "2\",\"failure\":{\"message\":\"x\\n...\\n\\\"\"}}]}}");
	_cleanup_free_ char *tap = reported(report_tap, v);

	(void)state;
	assert_string_equal(tap, "TAP version 14\n1..1\nnot ok 1 - a \\# SKIP \\\\  ok 2\n"
				 "  ---\n  duration_ms: 0.000\n  message: \"x\\n...\\n\\\"\"\n"
				 "  severity: \"fail\"\n  ...\n");
}

/* Each verdict is told as what it is: a test that fails, an error of ours, or nothing more. */
static void test_own(void **state)
{
	static const struct {
		const char *json, *junit, *tap;
	} rows[] = {
		{ HEAD "\"verdict\":\"CE\"}", "<failure type=\"CE\" message=\"r\">",
		  "not ok 1 - submission: CE" },
		{ HEAD "\"verdict\":\"IE\"}", "<error type=\"IE\" message=\"r\">",
		  "not ok 1 - submission: IE" },
		{ HEAD "\"verdict\":\"AC\",\"tests\":{\"run\":3,\"passed\":3}}",
		  "tests=\"1\" failures=\"0\" errors=\"0\"", "\nok 1 - submission: AC" },
		{ HEAD "\"verdict\":\"PARTIAL\",\"tests\":{\"run\":3,\"passed\":2}}",
		  "<failure type=\"PARTIAL\"", "not ok 1 - submission: PARTIAL" },
		{ HEAD "\"verdict\":\"PARTIAL\",\"tests\":{\"run\":2,\"passed\":1,\"cases\":"
		       "[{\"status\":\"passed\"},{\"status\":\"skipped\"}]}}",
		  "<failure type=\"PARTIAL\"", "not ok 3 - submission: PARTIAL" },
		{ HEAD "\"verdict\":\"<WORD>\"}", "<error type=\"&lt;WORD&gt;\"",
		  "not ok 1 - submission: <WORD>" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(result_freep) struct result *v = parsed(rows[i].json);
		_cleanup_free_ char *junit = reported(report_junit, v);
		_cleanup_free_ char *tap = reported(report_tap, v);
		_cleanup_free_ char *html = reported(report_html, v);

		assert_non_null(strstr(junit, rows[i].junit));
		assert_non_null(strstr(tap, rows[i].tap));
		assert_null(strstr(html, "<WORD>"));
	}
}

static void test_ctrf(void **state)
{
	_cleanup_(result_freep) struct result *v = parsed(
		HEAD "\"verdict\":\"MLE\",\"wall_ms\":7.6,\"began_at\":\"2026-01-02T03:04:05Z\","
		     "\"tests\":{\"run\":2,\"passed\":1,\"cases\":[{\"name\":\"a\",\"status\":"
		     "\"passed\",\"duration_ms\":1.4},{\"name\":null,\"status\":\"skipped\"}]}}");
	_cleanup_free_ char *text = reported(report_ctrf, v);
	cJSON *root = cJSON_Parse(text);
	const cJSON *results = cJSON_GetObjectItem(root, "results"),
		    *sums = cJSON_GetObjectItem(results, "summary"),
		    *tests = cJSON_GetObjectItem(results, "tests");

	(void)state;
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(root, "reportFormat")),
			    "CTRF");
	assert_int_equal(cJSON_GetArraySize(tests), 3);
	assert_int_equal(cJSON_GetObjectItem(sums, "tests")->valuedouble, 3);
	assert_int_equal(cJSON_GetObjectItem(sums, "failed")->valuedouble, 1);
	assert_int_equal(cJSON_GetObjectItem(sums, "stop")->valuedouble -
				 cJSON_GetObjectItem(sums, "start")->valuedouble,
			 7);
	assert_string_equal(
		cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetArrayItem(tests, 1), "name")),
		"a hidden test");
	cJSON_Delete(root);
}

/* However long a job is, its samples fit, in order and spread over all of its time. */
static void test_samples(void **state)
{
	static struct job job = JOB_NULL;
	uint64_t step, begin = now_ns();

	(void)state;
	assert_true(samples_take(&job) == UINT64_MAX);
	job.app = (struct sbx_jail *)&job; /* only handed on */
	step = samples_take(&job);
	assert_int_equal(job.n_samples, 1);
	assert_true(samples_take(&job) <= step);
	assert_int_equal(job.n_samples, 1);
	job.began_ns = begin;
	for (unsigned int i = 0; i < 5000; i++) {
		/* as if an interval had passed */
		job.sampled_ns -= job.sample_interval_ns;
		(void)samples_take(&job);
		assert_true(job.n_samples <= ARRAY_SIZE(job.samples));
	}
	assert_true(job.n_samples >= ARRAY_SIZE(job.samples) / 2);
	assert_true(job.sample_interval_ns >= 8 * step);
	for (uint32_t i = 2; i < job.n_samples; i++)
		assert_true(job.samples[i].at_ns >= job.samples[i - 1].at_ns);
	assert_int_equal(job.samples[job.n_samples - 1].memory[0], 1 << 20);
	assert_int_equal(job.samples[job.n_samples - 1].memory[1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_markup),  cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_tap),
		cmocka_unit_test(test_own),     cmocka_unit_test(test_ctrf),
		cmocka_unit_test(test_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
