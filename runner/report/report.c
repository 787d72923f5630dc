/* SPDX-License-Identifier: MIT */

/*
 * What people read: a line per stage, the tests as far as the challenge reveals them, the verdict
 * and its reason. All texts of a submission were cleaned when they entered the job.
 */

#include "report/report.h"

#include <stdarg.h>

#include "pipeline/clean.h"
#include "pipeline/units.h"
#include "util/util.h"

#define GREEN "\033[32m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define DIM "\033[2m"
#define BOLD "\033[1m"
#define RESET "\033[0m"
#define CLEAR_LINE "\r\033[K"

static const char *paint(const struct report *r, const char *code)
{
	return r->color ? code : "";
}

bool reveal_name_of(const struct job *job, const struct test_case *t)
{
	return job->reveal == REVEAL_ALL || (job->reveal >= REVEAL_NAMES && !t->hidden);
}

bool reveal_failure_of(const struct job *job, const struct test_case *t)
{
	return job->reveal == REVEAL_ALL || (job->reveal >= REVEAL_MESSAGES && !t->hidden);
}

/* Once the tests run, a server can print what it was asked: that is as secret as they are. */
bool reveal_log(const struct job *job)
{
	return job->log_tail && *job->log_tail &&
	       (!job->was_ready || job->reveal >= REVEAL_MESSAGES);
}

/* A text of several lines, each after `indent`. */
static void put_lines(const struct report *r, const char *indent, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		fprintf(r->out, "%s%.*s\n", indent, (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void put_value(const struct report *r, const char *label, const char *value)
{
	if (!value)
		return;
	if (!strchr(value, '\n')) {
		fprintf(r->out, "        %s %s\n", label, value);
		return;
	}
	fprintf(r->out, "        %s\n", label);
	put_lines(r, "          ", value);
}

static void put_failure(const struct report *r, const struct result_case *t)
{
	if (t->file)
		fprintf(r->out, "      %s%s:%d%s ", paint(r, DIM), t->file,
			t->failure_line ? t->failure_line : t->line, paint(r, RESET));
	else
		fputs("      ", r->out);
	fprintf(r->out, "%s%s%s\n", t->request ? t->request : "",
		t->request && t->message ? ": " : "", t->message ? t->message : "");
	put_value(r, "expected:", t->expected);
	put_value(r, "actual:  ", t->actual);
}

static void put_case(const struct report *r, const struct result_case *t)
{
	const char *mark = t->passed ? "✓" : "✗";

	fprintf(r->out, "  %s%s%s %s", paint(r, t->passed ? GREEN : RED), mark, paint(r, RESET),
		t->name ? t->name : "a hidden test");
	if (r->verbose)
		fprintf(r->out, "  %s%.1f ms%s", paint(r, DIM), t->duration_ms, paint(r, RESET));
	fputc('\n', r->out);
	if (!t->passed && (t->message || t->request))
		put_failure(r, t);
	if (!t->passed)
		put_value(r, "hint:    ", t->hint);
}

static void put_tests(const struct report *r, const struct result *v)
{
	if (v->run == 0)
		return;
	fputc('\n', r->out);
	for (uint32_t i = 0; i < v->n_cases; i++)
		put_case(r, &v->cases[i]);
	if (v->n_cases == 0)
		fprintf(r->out, "  %u of %u tests passed\n", v->passed, v->run);
}

static const char *verdict_color(const char *verdict)
{
	if (streq(verdict, "AC"))
		return GREEN;
	return streq(verdict, "PARTIAL") || streq(verdict, "CANCELLED") ? YELLOW : RED;
}

static const char *size_of(const struct result *v, const char *object, const char *key,
			   char out[UNITS_TEXT])
{
	double n = result_number(v, object, key);

	return units_size(out, n >= 0 && n < 1e18 ? (uint64_t)n : 0);
}

/* What no control group counts is left out. */
static void put_usage(const struct report *r, const struct result *v)
{
	double cpu = result_number(v, "usage", "cpu_ms");
	char a[UNITS_TEXT], b[UNITS_TEXT], c[UNITS_TEXT];

	if (!cJSON_GetObjectItemCaseSensitive(v->root, "usage"))
		return;
	fprintf(r->out, "  %sused: ", paint(r, DIM));
	if (result_number(v, "usage", "memory_peak") > 0)
		fprintf(r->out, "memory %s (limit %s, and %s for files), ",
			size_of(v, "usage", "memory_peak", a), size_of(v, "limits", "memory", b),
			size_of(v, "usage", "disk_total", c));
	if (cpu > 0 && cpu < 1e12)
		fprintf(r->out, "CPU %s, ", units_duration(a, (uint64_t)(cpu * 1e6)));
	fprintf(r->out, "disk %s (limit %s), %.2f s in all%s\n",
		size_of(v, "usage", "disk_used", a), size_of(v, "limits", "disk", b),
		v->wall_ms / 1000, paint(r, RESET));
}

/* The texts of a list of the result, each after `before` and once. */
static void put_list(const struct report *r, const struct result *v, const char *key,
		     const char *before)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(v->root, key), *item;

	cJSON_ArrayForEach(item, list)
	{
		if (cJSON_IsString(item))
			fprintf(r->out, "%s%s\n", before, item->valuestring);
	}
}

static void put_detected(const struct report *r, const struct result *v)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(v->root, "detected"), *item;

	cJSON_ArrayForEach(item, list)
	{
		const char *what = cJSON_GetStringValue(
			cJSON_GetObjectItemCaseSensitive(item, "what"));
		const char *text = cJSON_GetStringValue(
			cJSON_GetObjectItemCaseSensitive(item, "text"));

		if (what && text)
			fprintf(r->out, "  %s%s: %s%s\n", paint(r, DIM), what, text,
				paint(r, RESET));
	}
}

static void put_unenforced(const struct report *r, const struct result *v)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(v->root, "unenforced"), *item;
	const char *before = "  not enforced on this host, as it was allowed: ";

	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item))
			continue;
		fprintf(r->out, "%s%s", before, item->valuestring);
		before = ", ";
	}
	if (*before == ',')
		fputc('\n', r->out);
}

static void put_verdict(const struct report *r, const struct result *v)
{
	fprintf(r->out, "%s%s%s%s", paint(r, BOLD), paint(r, verdict_color(v->verdict)), v->verdict,
		paint(r, RESET));
	if (!result_is_ours(v))
		fprintf(r->out, "  %.10g of %.10g points", v->score, v->max_score);
	fputc('\n', r->out);
	put_lines(r, "  ", v->reason);
}

static void put_stage(const struct report *r, const char *name, double wall_ms, const char *note)
{
	fprintf(r->out, "  %-9s %s%6.0f ms%s%s%s\n", name, paint(r, DIM), wall_ms, paint(r, RESET),
		note && *note ? "  " : "", note ? note : "");
}

void report_begin(const struct report *r, const struct job *job)
{
	_cleanup_free_ char *name = clean_line(job->submission, strlen(job->submission),
					       CLEAN_LINE);

	if (!r->quiet)
		fprintf(r->out, "%s%s%s: %s\n\n", paint(r, BOLD), job->challenge->title,
			paint(r, RESET), name ? name : "");
}

void report_progress(const struct job *job, const char *stage, bool done)
{
	const struct report *r = job->progress_data;
	const struct stage_time *t = &job->times[job->n_times - 1];

	if (r->quiet || (!done && !r->live))
		return;
	if (!done) {
		fprintf(r->out, "  %-9s      ...", stage);
		fflush(r->out);
		return;
	}
	fputs(r->live ? CLEAR_LINE : "", r->out);
	put_stage(r, stage, (double)t->wall_ns / (double)NSEC_PER_MSEC, t->note);
}

static void report_result(const struct report *r, const struct result *v)
{
	if (!r->quiet) {
		put_tests(r, v);
		fputc('\n', r->out);
	}
	put_verdict(r, v);
	if (r->quiet)
		return;
	if (v->log && *v->log) {
		fprintf(r->out, "  %sits last lines of output:%s\n", paint(r, DIM),
			paint(r, RESET));
		put_lines(r, "  | ", v->log);
	}
	put_list(r, v, "notes", "  note: ");
	put_detected(r, v);
	put_usage(r, v);
	put_unenforced(r, v);
}

void report_whole(const struct report *r, const struct result *v)
{
	if (!r->quiet) {
		fprintf(r->out, "%s%s%s: %s\n\n", paint(r, BOLD), v->challenge, paint(r, RESET),
			v->submission);
		for (uint32_t i = 0; i < v->n_stages; i++)
			put_stage(r, v->stages[i].name, v->stages[i].wall_ms, v->stages[i].note);
	}
	report_result(r, v);
}

void report_end(const struct report *r, const struct job *job, const struct result *v)
{
	const struct stage_time *last = job->n_times ? &job->times[job->n_times - 1] : NULL;

	if (!r->quiet && last)
		put_stage(r, last->name, (double)last->wall_ns / (double)NSEC_PER_MSEC, NULL);
	report_result(r, v);
}
