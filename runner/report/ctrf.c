/* SPDX-License-Identifier: MIT */

/*
 * CTRF, the Common Test Report Format: one JSON object. A submission that failed for a reason of
 * its own (a limit, a broken archive) is one more test, named after the verdict, as in JUnit's.
 */

#include <math.h>

#include "report/formats.h"
#include "util/util.h"

#define SPEC_VERSION "0.0.0"

static void put_string(cJSON *o, const char *key, const char *value)
{
	if (value)
		cJSON_AddStringToObject(o, key, value);
}

static const char *status_of(const struct result_case *t)
{
	if (t->passed)
		return "passed";
	return t->skipped ? "skipped" : "failed";
}

/* What came against what was expected, where other tools have a trace of calls. */
static void put_trace(cJSON *o, const struct result_case *t)
{
	_cleanup_free_ char *trace = NULL;

	if (!t->expected && !t->actual)
		return;
	if (asprintf(&trace, "%s%sexpected: %s\nactual: %s", t->request ? t->request : "",
		     t->request ? "\n" : "", t->expected ? t->expected : "",
		     t->actual ? t->actual : "") < 0)
		trace = NULL;
	put_string(o, "trace", trace);
}

static void put_case(cJSON *list, const struct result *v, const struct result_case *t)
{
	cJSON *o = cJSON_CreateObject(), *suite, *extra;

	cJSON_AddItemToArray(list, o);
	put_string(o, "name", t->name ? t->name : "a hidden test");
	put_string(o, "status", status_of(t));
	cJSON_AddNumberToObject(o, "duration", round(t->duration_ms));
	suite = cJSON_AddArrayToObject(o, "suite");
	cJSON_AddItemToArray(suite, cJSON_CreateString(v->challenge));
	if (t->group)
		cJSON_AddItemToArray(suite, cJSON_CreateString(t->group));
	if (!t->passed) {
		put_string(o, "message", t->message);
		put_trace(o, t);
	}
	put_string(o, "filePath", t->file);
	if (t->file)
		cJSON_AddNumberToObject(o, "line", t->failure_line ? t->failure_line : t->line);
	extra = cJSON_AddObjectToObject(o, "extra");
	cJSON_AddNumberToObject(extra, "points", t->points);
	cJSON_AddBoolToObject(extra, "hidden", t->hidden);
	put_string(extra, "hint", t->hint);
}

static void put_own(cJSON *list, const struct result *v, bool passed)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddItemToArray(list, o);
	put_string(o, "name", "submission");
	put_string(o, "status", passed ? "passed" : result_is_ours(v) ? "other" : "failed");
	put_string(o, "rawStatus", v->verdict);
	cJSON_AddNumberToObject(o, "duration", round(v->wall_ms));
	if (!passed) {
		put_string(o, "message", v->reason);
		put_string(o, "trace", v->log);
	}
}

static void put_summary(cJSON *results, const struct result *v, const cJSON *tests)
{
	static const char *const keys[] = { "passed", "failed", "skipped", "pending", "other" };
	cJSON *o = cJSON_AddObjectToObject(results, "summary");
	const cJSON *t;

	cJSON_AddNumberToObject(o, "tests", cJSON_GetArraySize(tests));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int n = 0;

		cJSON_ArrayForEach(t, tests)
		{
			const cJSON *status = cJSON_GetObjectItemCaseSensitive(t, "status");

			n += streq(cJSON_GetStringValue(status), keys[i]);
		}
		cJSON_AddNumberToObject(o, keys[i], n);
	}
	cJSON_AddNumberToObject(o, "start", floor(v->began_ms));
	cJSON_AddNumberToObject(o, "stop", floor(v->began_ms + v->wall_ms));
	cJSON_AddNumberToObject(o, "duration", round(v->wall_ms));
}

static void put_results(cJSON *root, const struct result *v)
{
	cJSON *results = cJSON_AddObjectToObject(root, "results"), *tool, *tests, *extra;

	tool = cJSON_AddObjectToObject(results, "tool");
	put_string(tool, "name", "sandbox-run");
	put_string(tool, "version", v->version);
	tests = cJSON_CreateArray();
	for (uint32_t i = 0; i < v->n_cases; i++)
		put_case(tests, v, &v->cases[i]);
	if (result_needs_own(v))
		put_own(tests, v, result_own_passed(v));
	put_summary(results, v, tests);
	cJSON_AddItemToObject(results, "tests", tests);
	extra = cJSON_AddObjectToObject(results, "extra");
	put_string(extra, "verdict", v->verdict);
	put_string(extra, "reason", v->reason);
	put_string(extra, "submission", v->submission);
	cJSON_AddNumberToObject(extra, "score", v->score);
	cJSON_AddNumberToObject(extra, "max_score", v->max_score);
}

void report_ctrf(FILE *f, const struct result *v)
{
	cJSON *root = cJSON_CreateObject();
	_cleanup_free_ char *text = NULL;
	char time[32];

	put_string(root, "reportFormat", "CTRF");
	put_string(root, "specVersion", SPEC_VERSION);
	put_string(root, "generatedBy", "sandbox-run");
	if (*result_time(time, v->began_ms))
		put_string(root, "timestamp", time);
	put_results(root, v);
	text = cJSON_Print(root);
	cJSON_Delete(root);
	if (text)
		fprintf(f, "%s\n", text);
}
