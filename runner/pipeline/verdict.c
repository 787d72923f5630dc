/* SPDX-License-Identifier: MIT */

/*
 * From evidence to a verdict. enum verdict is in the order of precedence: a stage that finds a
 * stronger one replaces what stands, a weaker one does not. The library already decided how each
 * process ended from counters and timers; here it is put in words for students.
 *
 * One sign is read from output: V8 ends a program whose JavaScript heap is full with SIGABRT and
 * says so. The heap's limit is derived from the memory limit (NODE_OPTIONS), so this is the memory
 * limit, met a little early. A student who forges the line gets MLE in place of CRASH.
 */

#include "pipeline/verdict.h"

#include <signal.h>
#include <string.h>

#include "pipeline/log-line.h"
#include "pipeline/units.h"
#include "util/util.h"

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = {
		[VERDICT_NONE] = "NONE",
		[VERDICT_IE] = "IE",
		[VERDICT_CANCELLED] = "CANCELLED",
		[VERDICT_SUPERSEDED] = "SUPERSEDED",
		[VERDICT_SEC] = "SEC",
		[VERDICT_MLE] = "MLE",
		[VERDICT_DLE] = "DLE",
		[VERDICT_PLE] = "PLE",
		[VERDICT_OLE] = "OLE",
		[VERDICT_TLE] = "TLE",
		[VERDICT_CE] = "CE",
		[VERDICT_BOOT] = "BOOT",
		[VERDICT_CRASH] = "CRASH",
		[VERDICT_AC] = "AC",
		[VERDICT_PARTIAL] = "PARTIAL",
		[VERDICT_WA] = "WA",
	};

	return names[v];
}

bool verdict_stronger(enum verdict a, enum verdict b)
{
	return a != VERDICT_NONE && (b == VERDICT_NONE || a < b);
}

/* 134 and 133: a shell in between tells of SIGABRT and SIGTRAP in its exit code. */
static bool aborted(const struct sbx_result *r)
{
	return r->term_signal == SIGABRT || r->term_signal == SIGTRAP ||
	       r->exit_code == 128 + SIGABRT || r->exit_code == 128 + SIGTRAP;
}

enum verdict verdict_of(const struct sbx_result *r, bool heap_exhausted, enum verdict otherwise)
{
	switch (r->verdict) {
	case SBX_VERDICT_SECURITY:
		return VERDICT_SEC;
	case SBX_VERDICT_MEMORY:
		return VERDICT_MLE;
	case SBX_VERDICT_DISK:
		return VERDICT_DLE;
	case SBX_VERDICT_PIDS:
		return VERDICT_PLE;
	case SBX_VERDICT_OUTPUT:
		return VERDICT_OLE;
	case SBX_VERDICT_WALL:
	case SBX_VERDICT_CPU:
		return VERDICT_TLE;
	case SBX_VERDICT_LOST:
		return VERDICT_IE;
	default:
		return heap_exhausted && aborted(r) ? VERDICT_MLE : otherwise;
	}
}

#define VERDICT_HOW 64

/* "ended with exit code 1", "was ended by signal 11 (SIGSEGV)". Returns `out`. */
static const char *how_ended(char out[VERDICT_HOW], const struct sbx_result *r)
{
	const char *name = r->term_signal ? sigabbrev_np(r->term_signal) : NULL;

	if (r->term_signal && name)
		snprintf(out, VERDICT_HOW, "was ended by signal %d (SIG%s)", r->term_signal, name);
	else if (r->term_signal)
		snprintf(out, VERDICT_HOW, "was ended by signal %d", r->term_signal);
	else
		snprintf(out, VERDICT_HOW, "ended with exit code %d", r->exit_code);
	return out;
}

static int time_verdict(struct job *job, const struct sbx_result *r, const char *what)
{
	char text[UNITS_TEXT];

	if (r->verdict == SBX_VERDICT_CPU)
		return job_verdict(job, VERDICT_TLE,
				   "%s used more than %s of CPU time, the limit. Is there an "
				   "endless loop?",
				   what, units_duration(text, job->challenge->limits.cpu_time_ns));
	return job_verdict(job, VERDICT_TLE,
			   "%s was stopped after %s: it took longer than it may. Does it start a "
			   "watcher or a server, or wait for something?",
			   what, units_duration(text, r->wall_ns));
}

static int memory_verdict(struct job *job, const struct sbx_result *r, const char *what)
{
	char text[UNITS_TEXT];

	units_size(text, job->challenge->limits.memory);
	if (r->verdict == SBX_VERDICT_MEMORY)
		return job_verdict(job, VERDICT_MLE,
				   "%s needed more memory than the limit of %s. Does it "
				   "keep data for every request, or read something big at once?",
				   what, text);
	return job_verdict(
		job, VERDICT_MLE,
		"%s filled its JavaScript heap and gave up: the memory limit is "
		"%s, of which the heap may have two thirds. Does it keep data for every request?",
		what, text);
}

/* With the line that says why, unless it could tell of the tests (report.c: reveal_log). */
static int ended_verdict(struct job *job, enum verdict v, const char *what, const char *how)
{
	char hint[LOG_LINE];

	if (!*job->log_error || (job->was_ready && job->reveal < REVEAL_MESSAGES))
		return job_verdict(job, v, "%s %s.", what, how);
	log_error_hint(job->log_error, job->facts.manifest, hint);
	return job_verdict(job, v, "%s %s: %s%s", what, how, job->log_error, hint);
}

int job_verdict_from(struct job *job, const struct sbx_result *r, enum verdict otherwise,
		     const char *what)
{
	const struct challenge_limits *limits = &job->challenge->limits;
	enum verdict v = verdict_of(r, job->heap_exhausted, otherwise);
	char text[UNITS_TEXT], how[VERDICT_HOW];

	switch (v) {
	case VERDICT_IE:
		return job_fail(job, -EIO, "jail", "%s was lost: the init of its jail died", what);
	case VERDICT_SEC:
		return job_verdict(job, v,
				   "%s made a system call of a foreign kind (32-bit or x32), which "
				   "the sandbox ends at once.",
				   what);
	case VERDICT_MLE:
		return memory_verdict(job, r, what);
	case VERDICT_DLE:
		return job_verdict(job, v,
				   "%s filled the disk space of %s that a submission has. Does it "
				   "write files or a log without end?",
				   what, units_size(text, limits->disk));
	case VERDICT_PLE:
		return job_verdict(job, v,
				   "%s wanted more than %u processes and threads at once. Does it "
				   "start more and more of them?",
				   what, limits->pids);
	case VERDICT_OLE:
		return job_verdict(job, v, "%s printed more than %s: is there a message in a loop?",
				   what, units_size(text, limits->output));
	case VERDICT_TLE:
		return time_verdict(job, r, what);
	default:
		return ended_verdict(job, v, what, how_ended(how, r));
	}
}

/* Limits that were touched while the program lived on. */
static void note_limits(struct job *job)
{
	const struct sbx_stats *s = &job->stats;

	if (!job->has_stats || !job->was_ready)
		return;
	if (s->oom_kills > 0 && job->verdict != VERDICT_MLE)
		job_note(job,
			 "The memory limit was met: the kernel ended %llu of the server's "
			 "processes.",
			 (unsigned long long)s->oom_kills);
	if (s->pids_refused > 0 && job->verdict != VERDICT_PLE)
		job_note(job, "The limit of %u processes and threads was met %llu times.",
			 job->challenge->limits.pids, (unsigned long long)s->pids_refused);
	if (s->disk_full && job->verdict != VERDICT_DLE)
		job_note(job, "The disk space of the submission is full.");
}

static uint32_t count_passed(const struct job *job)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < job->n_cases; i++)
		n += job->cases[i].passed;
	return n;
}

double verdict_score(double earned, double max, double challenge_points)
{
	if (max <= 0)
		return 0;
	if (challenge_points <= 0)
		return earned;
	/* Two decimals; all of it is far below 2^53. */
	return (double)(uint64_t)(earned / max * challenge_points * 100 + 0.5) / 100;
}

static void add_scores(struct job *job)
{
	const struct challenge *c = job->challenge;

	job->points = 0;
	for (uint32_t i = 0; i < job->n_cases; i++)
		job->points += job->cases[i].passed ? job->cases[i].points : 0;
	job->max_points = c->case_points;
	job->max_score = c->points > 0 ? c->points : c->case_points;
	if (job->verdict == VERDICT_IE || job->verdict == VERDICT_CANCELLED ||
	    job->verdict == VERDICT_SEC)
		return;
	job->score = verdict_score(job->points, job->max_points, c->points);
}

void verdict_decide(struct job *job)
{
	uint32_t total = job->challenge->n_cases, passed = count_passed(job);

	if (job->verdict == VERDICT_NONE && passed == total)
		job_verdict(job, VERDICT_AC,
			    total == 1 ? "The only test passed." : "All %u tests passed.", total);
	else if (job->verdict == VERDICT_NONE && passed > 0)
		job_verdict(job, VERDICT_PARTIAL, "%u of %u tests passed.", passed, total);
	else if (job->verdict == VERDICT_NONE)
		job_verdict(job, VERDICT_WA,
			    total == 1 ? "The only test failed." : "None of the %u tests passed.",
			    total);
	add_scores(job);
	note_limits(job);
}

int verdict_exit_code(const struct job *job)
{
	switch (job->verdict) {
	case VERDICT_AC:
		return 0;
	case VERDICT_PARTIAL:
	case VERDICT_WA:
	case VERDICT_CRASH:
		return 1;
	case VERDICT_NONE:
	case VERDICT_IE:
		return 4;
	case VERDICT_CANCELLED:
	case VERDICT_SUPERSEDED:
		return 130;
	case VERDICT_CE:
	case VERDICT_BOOT:
		return 3;
	default:
		return job->was_ready ? 1 : 3;
	}
}
