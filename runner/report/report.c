/* SPDX-License-Identifier: MIT */

/*
 * What people read: a line per stage, the tests as far as the challenge reveals them, the verdict
 * and its reason. All texts of a submission were cleaned when they entered the job.
 */

#include "report/report.h"

#include <stdarg.h>

#include "pipeline/clean.h"
#include "pipeline/limits.h"
#include "pipeline/units.h"
#include "pipeline/verdict.h"
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

void report_begin(const struct report *r, const struct job *job)
{
	_cleanup_free_ char *name =
		clean_line(job->submission, strlen(job->submission), CLEAN_LINE);

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
	fprintf(r->out, "%s  %-9s %s%6.0f ms%s  %s\n", r->live ? CLEAR_LINE : "", stage,
		paint(r, DIM), (double)t->wall_ns / (double)NSEC_PER_MSEC, paint(r, RESET),
		t->note);
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

static void put_failure(const struct report *r, const struct test_case *t)
{
	fprintf(r->out, "      %s%s:%d%s %s%s%s\n", paint(r, DIM), t->file,
		t->failure_line ? t->failure_line : t->line, paint(r, RESET),
		t->request ? t->request : "", t->request && t->message ? ": " : "",
		t->message ? t->message : "");
	put_value(r, "expected:", t->expected);
	put_value(r, "actual:  ", t->actual);
}

static void put_case(const struct report *r, const struct job *job, const struct test_case *t)
{
	const char *mark = t->passed ? "✓" : "✗";

	fprintf(r->out, "  %s%s%s %s", paint(r, t->passed ? GREEN : RED), mark, paint(r, RESET),
		reveal_name_of(job, t) ? t->name : "a hidden test");
	if (r->verbose)
		fprintf(r->out, "  %s%.1f ms%s", paint(r, DIM), t->duration_ms, paint(r, RESET));
	fputc('\n', r->out);
	if (!t->passed && reveal_failure_of(job, t))
		put_failure(r, t);
}

static void put_tests(const struct report *r, const struct job *job)
{
	uint32_t passed = 0;

	if (job->n_cases == 0)
		return;
	fputc('\n', r->out);
	for (uint32_t i = 0; i < job->n_cases; i++) {
		passed += job->cases[i].passed;
		if (job->reveal >= REVEAL_NAMES)
			put_case(r, job, &job->cases[i]);
	}
	if (job->reveal == REVEAL_NONE)
		fprintf(r->out, "  %u of %u tests passed\n", passed, job->n_cases);
}

static const char *verdict_color(enum verdict v)
{
	if (v == VERDICT_AC)
		return GREEN;
	return v == VERDICT_PARTIAL || v == VERDICT_CANCELLED ? YELLOW : RED;
}

/* What no control group counts is left out. */
static void put_usage(const struct report *r, const struct job *job)
{
	const struct challenge_limits *l = &job->challenge->limits;
	const struct sbx_stats *s = &job->stats;
	char a[UNITS_TEXT], b[UNITS_TEXT], c[UNITS_TEXT];

	if (!job->has_stats)
		return;
	fprintf(r->out, "  %sused: ", paint(r, DIM));
	if (s->memory_peak)
		fprintf(r->out, "memory %s (limit %s, and %s for files), ",
			units_size(a, s->memory_peak), units_size(b, l->memory),
			units_size(c, s->disk_total));
	if (s->cpu_ns)
		fprintf(r->out, "CPU %s, ", units_duration(a, s->cpu_ns));
	fprintf(r->out, "disk %s (limit %s), %.2f s in all%s\n", units_size(a, s->disk_used),
		units_size(b, l->disk), (double)job->wall_ns / (double)NSEC_PER_SEC,
		paint(r, RESET));
}

static void put_unenforced(const struct report *r, uint32_t limits)
{
	const char *name, *before = "";
	uint32_t bit;

	if (!limits)
		return;
	fputs("  not enforced on this host, as it was allowed: ", r->out);
	for (unsigned int i = 0; (name = limit_name(i, &bit)); i++) {
		if (!(limits & bit))
			continue;
		fprintf(r->out, "%s%s", before, name);
		before = ", ";
	}
	fputc('\n', r->out);
}

static void put_verdict(const struct report *r, const struct job *job)
{
	fprintf(r->out, "%s%s%s%s", paint(r, BOLD), paint(r, verdict_color(job->verdict)),
		verdict_name(job->verdict), paint(r, RESET));
	if (job->verdict != VERDICT_IE && job->verdict != VERDICT_CANCELLED)
		fprintf(r->out, "  %.10g of %.10g points", job->score, job->max_score);
	fputc('\n', r->out);
	put_lines(r, "  ", job->reason);
}

void report_end(const struct report *r, const struct job *job)
{
	const struct stage_time *last = job->n_times ? &job->times[job->n_times - 1] : NULL;

	if (!r->quiet && last)
		fprintf(r->out, "  %-9s %s%6.0f ms%s\n", last->name, paint(r, DIM),
			(double)last->wall_ns / (double)NSEC_PER_MSEC, paint(r, RESET));
	if (!r->quiet) {
		put_tests(r, job);
		fputc('\n', r->out);
	}
	put_verdict(r, job);
	if (r->quiet)
		return;
	if (reveal_log(job)) {
		fprintf(r->out, "  %sits last lines of output:%s\n", paint(r, DIM),
			paint(r, RESET));
		put_lines(r, "  | ", job->log_tail);
	}
	for (uint32_t i = 0; i < job->n_notes; i++)
		fprintf(r->out, "  note: %s\n", job->notes[i]);
	put_usage(r, job);
	put_unenforced(r, job->unenforced);
}
