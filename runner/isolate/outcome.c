/* SPDX-License-Identifier: MIT */

/*
 * How a run is told, in isolate's words and order: a program that was stopped has its status first
 * and its numbers last, one that ended by itself the other way round.
 */

#include "run.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <util/util.h>

static uint64_t milliseconds(uint64_t ns)
{
	return ns / NSEC_PER_MSEC;
}

/*
 * With --cg of all processes of the run; otherwise of the program and those of its children that it
 * waited for, as wait4(2) counts. Each stands in for the other where it is not known: a host
 * without cpu accounting, a program that went down with its whole jail.
 */
static uint64_t cpu_ms(const struct outcome *u, const struct options *o)
{
	const struct sbx_result *s = &u->result;
	uint64_t group = s->stats.cpu_ns > u->cpu_before ? s->stats.cpu_ns - u->cpu_before : 0;
	uint64_t waited = s->user_ns + s->system_ns;

	if (o->box.cg && !o->no_cg_timing)
		return milliseconds(group ? group : waited);
	return milliseconds(waited ? waited : group);
}

/* Not a line of isolate's; nobody may take a run without its limits for one with them. */
static void unenforced(const struct sbx_result *s, struct report *r)
{
	char limits[64];

	if (!s->unenforced)
		return;
	config_limits(s->unenforced, limits);
	report_meta(r, "unenforced:%s\n", limits);
	if (!r->silent)
		fprintf(stderr, "Not enforced on this host: %s\n", limits);
}

static void numbers(const struct outcome *u, const struct options *o, struct report *r)
{
	const struct sbx_result *s = &u->result;
	uint64_t cpu = cpu_ms(u, o), wall = milliseconds(s->wall_ns);

	report_meta(r, "time:%llu.%03llu\n", (unsigned long long)cpu / 1000,
		    (unsigned long long)cpu % 1000);
	report_meta(r, "time-wall:%llu.%03llu\n", (unsigned long long)wall / 1000,
		    (unsigned long long)wall % 1000);
	report_meta(r, "max-rss:%llu\n",
		    (unsigned long long)(s->max_rss ? s->max_rss : s->stats.memory_peak) >> 10);
	if (s->max_rss) { /* wait4(2) told: not where the whole jail went down at once */
		report_meta(r, "csw-voluntary:%llu\n", (unsigned long long)s->switches_voluntary);
		report_meta(r, "csw-forced:%llu\n", (unsigned long long)s->switches_forced);
	}
	unenforced(s, r);
	if (!o->box.cg)
		return;
	if (s->stats.memory_peak)
		report_meta(r, "cg-mem:%llu\n", (unsigned long long)s->stats.memory_peak >> 10);
	if (s->hit & SBX_HIT_MEMORY)
		report_meta(r, "cg-oom-killed:1\n");
}

__attribute__((format(printf, 4, 5))) static int failed(const struct options *o, struct report *r,
							const char *status, const char *fmt, ...)
{
	char message[128];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	report_meta(r, "status:%s\nmessage:%s\n", status, message);
	if (!o->silent)
		fprintf(stderr, "%s\n", message);
	return EXIT_PROGRAM_FAILED;
}

static int stopped(const struct outcome *u, const struct options *o, struct report *r)
{
	int code;

	if (u->interrupted) {
		report_meta(r, "exitsig:%d\n", u->interrupted);
		code = failed(o, r, "SG", "Interrupted");
	} else if (u->result.verdict == SBX_VERDICT_WALL) {
		code = failed(o, r, "TO", "Time limit exceeded (wall clock)");
	} else {
		code = failed(o, r, "TO", "Time limit exceeded");
	}
	report_meta(r, "killed:1\n");
	numbers(u, o, r);
	return code;
}

/* In whole milliseconds, which is what the numbers above say. */
static bool beyond(uint64_t ms, uint64_t limit_ns)
{
	return limit_ns && ms > milliseconds(limit_ns);
}

int outcome_report(const struct outcome *u, const struct options *o, struct report *r)
{
	const struct sbx_result *s = &u->result;
	uint64_t cpu = cpu_ms(u, o), wall = milliseconds(s->wall_ns);

	if (s->verdict == SBX_VERDICT_LOST && !u->interrupted) {
		numbers(u, o, r);
		return report_fail(r, "The sandbox's own process ended without a word");
	}
	if (u->interrupted || s->verdict == SBX_VERDICT_WALL || s->verdict == SBX_VERDICT_CPU)
		return stopped(u, o, r);
	numbers(u, o, r);
	if (beyond(cpu, o->time_ns))
		return failed(o, r, "TO", "Time limit exceeded");
	if (beyond(wall, o->wall_ns))
		return failed(o, r, "TO", "Time limit exceeded (wall clock)");
	if (s->exit_code < 0) {
		report_meta(r, "exitsig:%d\n", s->term_signal);
		return failed(o, r, "SG", "Caught fatal signal %d", s->term_signal);
	}
	report_meta(r, "exitcode:%d\n", s->exit_code);
	if (s->exit_code)
		return failed(o, r, "RE", "Exited with error status %d", s->exit_code);
	if (!o->silent)
		fprintf(stderr, "OK (%llu.%03llu sec real, %llu.%03llu sec wall)\n",
			(unsigned long long)cpu / 1000, (unsigned long long)cpu % 1000,
			(unsigned long long)wall / 1000, (unsigned long long)wall % 1000);
	return EXIT_OK;
}
