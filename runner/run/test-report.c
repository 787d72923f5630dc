/* SPDX-License-Identifier: MIT */
#include "run/test-report.h"

#include <sandbox/sandbox.h>

#include "util/util.h"

static void put_string(cJSON *o, const char *key, const char *value)
{
	if (value && *value)
		cJSON_AddStringToObject(o, key, value);
	else
		cJSON_AddNullToObject(o, key);
}

int test_report_begin(struct test_report *t, const char *url)
{
	struct timespec now;
	char time[32];

	t->root = cJSON_CreateObject();
	if (!t->root)
		return -ENOMEM;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	t->began_ms = (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
	put_string(t->root, "schema", "sandbox-result/1");
	put_string(t->root, "version", sbx_version());
	put_string(t->root, "challenge", "sandbox-run test");
	put_string(t->root, "submission", url);
	put_string(t->root, "began_at", result_time(time, t->began_ms));
	t->cases = cJSON_CreateArray();
	return t->cases ? 0 : -ENOMEM;
}

static void put_failure(cJSON *o, const struct hurl_failure *f)
{
	cJSON *failure = cJSON_AddObjectToObject(o, "failure");

	put_string(failure, "message", f->message);
	put_string(failure, "request", f->request);
	put_string(failure, "expected", f->expected);
	put_string(failure, "actual", f->actual);
	cJSON_AddNumberToObject(failure, "line", f->line);
	cJSON_AddNumberToObject(failure, "column", f->column);
}

void test_report_case(struct test_report *t, const struct hurl_case_result *r)
{
	static const char *const statuses[] = { "passed", "failed", "skipped" };
	cJSON *o;

	if (!t->cases)
		return;
	o = cJSON_CreateObject();
	cJSON_AddItemToArray(t->cases, o);
	put_string(o, "name", r->info->name);
	put_string(o, "group", r->info->group);
	put_string(o, "file", r->info->file);
	cJSON_AddNumberToObject(o, "line", r->info->line);
	cJSON_AddNumberToObject(o, "points", r->info->points);
	cJSON_AddBoolToObject(o, "hidden", r->info->hidden);
	put_string(o, "status", statuses[r->status]);
	cJSON_AddNumberToObject(o, "duration_ms", r->duration_ms);
	if (r->failure && r->info->hint)
		put_string(o, "hint", r->info->hint);
	if (r->failure)
		put_failure(o, r->failure);
}

static void put_verdict(cJSON *root, const struct hurl_summary *s)
{
	char reason[128];

	snprintf(reason, sizeof(reason), "%u of %u tests passed%s.", s->passed, s->total,
		 s->cancelled ? " before it was interrupted"
		 : s->skipped ? "; the time was over before the rest"
			      : "");
	put_string(root, "reason", reason);
	if (s->cancelled)
		put_string(root, "verdict", "CANCELLED");
	else
		put_string(root, "verdict",
			   s->passed == s->total ? "AC"
			   : s->passed > 0       ? "PARTIAL"
						 : "WA");
}

int test_report_end(struct test_report *t, const struct hurl_summary *s, struct result **ret)
{
	cJSON *root = steal_ptr(t->root), *tests;
	char why[RESULT_WHY];

	put_verdict(root, s);
	cJSON_AddNumberToObject(root, "score", (double)s->points);
	cJSON_AddNumberToObject(root, "max_score", (double)s->max_points);
	cJSON_AddNumberToObject(root, "wall_ms", s->duration_ms);
	tests = cJSON_AddObjectToObject(root, "tests");
	cJSON_AddNumberToObject(tests, "total", s->total);
	cJSON_AddNumberToObject(tests, "run", s->total);
	cJSON_AddNumberToObject(tests, "passed", s->passed);
	cJSON_AddNumberToObject(tests, "failed", s->failed);
	cJSON_AddNumberToObject(tests, "skipped", s->skipped);
	put_string(tests, "reveal", "all");
	cJSON_AddItemToObject(tests, "cases", steal_ptr(t->cases));
	return result_new(ret, root, why);
}

void test_report_done(struct test_report *t)
{
	cJSON_Delete(t->root);
	cJSON_Delete(t->cases);
	*t = (struct test_report){ 0 };
}
