/* SPDX-License-Identifier: MIT */

/* The result for machines: docs/result.md says what every member means and when it is there. */

#include <cjson/cJSON.h>

#include "report/report.h"
#include "report/result.h"
#include "pipeline/clean.h"
#include "pipeline/limits.h"
#include "pipeline/verdict.h"
#include "util/util.h"

static double ms(uint64_t ns)
{
	return (double)(ns / 1000) / 1000;
}

static void put_string(cJSON *o, const char *key, const char *value)
{
	if (value)
		cJSON_AddStringToObject(o, key, value);
	else
		cJSON_AddNullToObject(o, key);
}

/* A text that may not be well-formed: a path as it was given, a message of the system. */
static void put_raw(cJSON *o, const char *key, const char *value)
{
	_cleanup_free_ char *clean = clean_line(value, strlen(value), 4096);

	put_string(o, key, clean ? clean : "");
}

static void put_number(cJSON *o, const char *key, double value)
{
	cJSON_AddNumberToObject(o, key, value);
}

static const char *status_of(const struct test_case *t)
{
	if (t->passed)
		return "passed";
	return t->skipped ? "skipped" : "failed";
}

static void put_failure(cJSON *o, const struct test_case *t)
{
	cJSON *f = cJSON_AddObjectToObject(o, "failure");

	put_string(f, "message", t->message);
	put_string(f, "request", t->request);
	put_number(f, "line", t->failure_line ? t->failure_line : t->line);
	put_number(f, "column", t->failure_column);
	put_string(f, "expected", t->expected);
	put_string(f, "actual", t->actual);
}

/* The cases of a job are those of its challenge, in the same order. */
static const char *hint_of(const struct job *job, const struct test_case *t)
{
	size_t i = (size_t)(t - job->cases);

	return i < job->challenge->n_cases ? job->challenge->cases[i].hint : NULL;
}

static void put_case(cJSON *list, const struct job *job, const struct test_case *t)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddItemToArray(list, o);
	put_string(o, "name", reveal_name_of(job, t) ? t->name : NULL);
	put_string(o, "group", reveal_name_of(job, t) ? t->group : NULL);
	if (reveal_failure_of(job, t)) {
		put_string(o, "file", t->file);
		put_number(o, "line", t->line);
	}
	put_number(o, "points", t->points);
	cJSON_AddBoolToObject(o, "hidden", t->hidden);
	put_string(o, "status", status_of(t));
	put_number(o, "duration_ms", t->duration_ms);
	if (!t->passed && reveal_name_of(job, t) && hint_of(job, t))
		put_string(o, "hint", hint_of(job, t));
	if (!t->passed && reveal_failure_of(job, t))
		put_failure(o, t);
}

static void put_tests(cJSON *root, const struct job *job)
{
	cJSON *tests = cJSON_AddObjectToObject(root, "tests"), *cases;
	uint32_t passed = 0, skipped = 0;

	for (uint32_t i = 0; i < job->n_cases; i++) {
		passed += job->cases[i].passed;
		skipped += job->cases[i].skipped;
	}
	put_number(tests, "total", job->challenge->n_cases);
	put_number(tests, "run", job->n_cases);
	put_number(tests, "passed", passed);
	put_number(tests, "failed", job->n_cases - passed - skipped);
	put_number(tests, "skipped", skipped);
	put_string(tests, "reveal", reveal_name(job->reveal));
	if (job->reveal == REVEAL_NONE)
		return;
	cases = cJSON_AddArrayToObject(tests, "cases");
	for (uint32_t i = 0; i < job->n_cases; i++)
		put_case(cases, job, &job->cases[i]);
}

static void put_stages(cJSON *root, const struct job *job)
{
	cJSON *list = cJSON_AddArrayToObject(root, "stages");

	for (uint32_t i = 0; i < job->n_times; i++) {
		const struct stage_time *t = &job->times[i];
		cJSON *o = cJSON_CreateObject();

		cJSON_AddItemToArray(list, o);
		put_string(o, "name", t->name);
		put_number(o, "start_ms", ms(t->start_ns));
		put_number(o, "wall_ms", ms(t->wall_ns));
		put_string(o, "note", *t->note ? t->note : NULL);
	}
	put_number(root, "wall_ms", ms(job->wall_ns));
}

static void put_limits(cJSON *root, const struct challenge_limits *l)
{
	cJSON *o = cJSON_AddObjectToObject(root, "limits");

	put_number(o, "memory", (double)l->memory);
	put_number(o, "disk", (double)l->disk);
	put_number(o, "output", (double)l->output);
	put_number(o, "pids", l->pids);
	put_number(o, "cpu", (double)l->cpu_milli / 1000);
	put_number(o, "cpu_time_ms", ms(l->cpu_time_ns));
	put_number(o, "install_ms", ms(l->install_ns));
	put_number(o, "build_ms", ms(l->build_ns));
	put_number(o, "boot_ms", ms(l->boot_ns));
	put_number(o, "tests_ms", ms(l->tests_ns));
	put_number(o, "database_memory", (double)l->database_memory);
	put_number(o, "database_disk", (double)l->database_disk);
}

static void put_usage(cJSON *root, const struct job *job)
{
	const struct sbx_stats *s = &job->stats;
	cJSON *o;

	if (!job->has_stats)
		return;
	o = cJSON_AddObjectToObject(root, "usage");
	if (s->memory_peak)
		put_number(o, "memory_peak", (double)s->memory_peak);
	if (s->pids_peak)
		put_number(o, "pids_peak", (double)s->pids_peak);
	if (s->cpu_ns)
		put_number(o, "cpu_ms", ms(s->cpu_ns));
	put_number(o, "disk_used", (double)s->disk_used);
	put_number(o, "disk_total", (double)s->disk_total);
	put_number(o, "oom_kills", (double)s->oom_kills);
	put_number(o, "pids_refused", (double)s->pids_refused);
}

static const char *by_name(int32_t by)
{
	static const char *const names[] = {
		[SBX_BY_NONE] = "none",	      [SBX_BY_CGROUP2] = "cgroup2",
		[SBX_BY_CGROUP1] = "cgroup1", [SBX_BY_RLIMIT] = "rlimit",
		[SBX_BY_TMPFS] = "tmpfs",     [SBX_BY_TIMER] = "timer",
		[SBX_BY_PIPE] = "pipe",	      [SBX_BY_NO_SWAP] = "no swap",
	};

	return by >= 0 && by < (int32_t)ARRAY_SIZE(names) ? names[by] : "unknown";
}

static void put_enforced(cJSON *root, const struct sbx_result *r)
{
	cJSON *o = cJSON_AddObjectToObject(root, "enforced");

	put_string(o, "memory", by_name(r->memory_by));
	put_string(o, "swap", by_name(r->swap_by));
	put_string(o, "pids", by_name(r->pids_by));
	put_string(o, "cpu", by_name(r->cpu_by));
	put_string(o, "cpu_time", by_name(r->cpu_time_by));
	put_string(o, "disk", by_name(r->disk_by));
	put_string(o, "output", by_name(r->output_by));
}

static void put_server(cJSON *root, const struct job *job)
{
	const struct sbx_result *r = &job->server_result;
	cJSON *o;

	if (r->size == 0)
		return;
	o = cJSON_AddObjectToObject(root, "server");
	cJSON_AddBoolToObject(o, "ended", job->server_ended);
	if (job->server_ended && r->exit_code >= 0)
		put_number(o, "exit_code", r->exit_code);
	if (job->server_ended && r->term_signal > 0)
		put_number(o, "signal", r->term_signal);
	put_number(o, "wall_ms", ms(r->wall_ns));
	put_number(o, "stdout_bytes", (double)r->stdout_bytes);
	put_number(o, "stderr_bytes", (double)r->stderr_bytes);
	put_enforced(root, r);
}

static void put_unenforced(cJSON *root, uint32_t limits)
{
	cJSON *list = cJSON_AddArrayToObject(root, "unenforced");
	const char *name;
	uint32_t bit;

	for (unsigned int i = 0; (name = limit_name(i, &bit)); i++)
		if (limits & bit)
			cJSON_AddItemToArray(list, cJSON_CreateString(name));
}

static void put_error(cJSON *root, const struct sbx_error *e)
{
	cJSON *o = cJSON_AddObjectToObject(root, "error");

	put_number(o, "errno", -e->code);
	put_raw(o, "stage", e->stage);
	put_raw(o, "item", e->item);
	put_raw(o, "text", e->text);
}

static void put_detected(cJSON *root, const struct job *job)
{
	cJSON *list = cJSON_AddArrayToObject(root, "detected");

	for (uint32_t i = 0; i < job->n_detected; i++) {
		cJSON *o = cJSON_CreateObject();

		cJSON_AddItemToArray(list, o);
		put_string(o, "what", job->detected[i].what);
		put_string(o, "text", job->detected[i].text);
	}
}

/* One row is one array of numbers: four hundred objects would be most of the file. */
static void put_samples(cJSON *root, const struct job *job)
{
	static const char *const columns[] = { "at_ms", "memory", "cpu_ms", "database_memory",
					       "database_cpu_ms" };
	cJSON *o, *rows;

	if (job->n_samples == 0)
		return;
	o = cJSON_AddObjectToObject(root, "samples");
	cJSON_AddItemToObject(o, "columns",
			      cJSON_CreateStringArray(columns, ARRAY_SIZE(columns)));
	rows = cJSON_AddArrayToObject(o, "rows");
	for (uint32_t i = 0; i < job->n_samples; i++) {
		const struct sample *s = &job->samples[i];
		const double row[] = { ms(s->at_ns), (double)s->memory[0], ms(s->cpu_ns[0]),
				       (double)s->memory[1], ms(s->cpu_ns[1]) };

		cJSON_AddItemToArray(rows, cJSON_CreateDoubleArray(row, ARRAY_SIZE(row)));
	}
}

/* By the clock on the wall; what the job keeps is monotonic. */
static void put_began(cJSON *root, const struct job *job)
{
	struct timespec now;
	char text[32];

	if (job->began_ns == 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
		return;
	result_time(text, (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6 -
				  ms(now_ns() - job->began_ns));
	put_string(root, "began_at", text);
}

static void put_database(cJSON *root, const struct job *job)
{
	cJSON *o;

	if (!job->challenge->postgres)
		return;
	o = cJSON_AddObjectToObject(root, "database");
	put_string(o, "provider", job->keeper_fd >= 0 ? "server" : "instance");
	if (job->keeper_fd >= 0)
		put_number(o, "disk", (double)job->database.disk);
}

static void put_all(cJSON *root, const struct job *job)
{
	cJSON *list;

	put_string(root, "schema", "sandbox-result/1");
	put_string(root, "version", sbx_version());
	put_string(root, "challenge", job->challenge->title);
	put_raw(root, "submission", job->submission);
	put_began(root, job);
	put_string(root, "verdict", verdict_name(job->verdict));
	put_string(root, "reason", job->reason);
	put_number(root, "exit_code", verdict_exit_code(job));
	put_number(root, "score", job->score);
	put_number(root, "max_score", job->max_score);
	put_number(root, "points", job->points);
	put_number(root, "max_points", job->max_points);
	put_tests(root, job);
	put_stages(root, job);
	put_limits(root, &job->challenge->limits);
	put_usage(root, job);
	put_server(root, job);
	put_database(root, job);
	put_unenforced(root, job->unenforced);
	put_detected(root, job);
	put_samples(root, job);
	list = cJSON_AddArrayToObject(root, "notes");
	for (uint32_t i = 0; i < job->n_notes; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(job->notes[i]));
	put_string(root, "log", reveal_log(job) ? job->log_tail : NULL);
	if (job->verdict == VERDICT_IE)
		put_error(root, &job->error);
}

cJSON *result_tree(const struct job *job)
{
	cJSON *root = cJSON_CreateObject();

	if (root)
		put_all(root, job);
	return root;
}
