/* SPDX-License-Identifier: MIT */

/* See exec-report.h. The object's members are documented in sandbox-run(1). */

#include "exec-report.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <util/util.h>

#define EXIT_LIMIT 124
#define EXIT_SETUP 125

static const char *const verdicts[] = {
	[SBX_VERDICT_EXITED] = "exited", [SBX_VERDICT_SIGNALED] = "signaled",
	[SBX_VERDICT_KILLED] = "killed", [SBX_VERDICT_WALL] = "wall",
	[SBX_VERDICT_CPU] = "cpu",	 [SBX_VERDICT_MEMORY] = "memory",
	[SBX_VERDICT_DISK] = "disk",	 [SBX_VERDICT_PIDS] = "pids",
	[SBX_VERDICT_OUTPUT] = "output", [SBX_VERDICT_SECURITY] = "security",
	[SBX_VERDICT_LOST] = "lost",
};

static const struct {
	uint32_t bit;
	const char *name;
} hits[] = {
	{ SBX_HIT_WALL, "wall" },   { SBX_HIT_CPU, "cpu" },	      { SBX_HIT_MEMORY, "memory" },
	{ SBX_HIT_DISK, "disk" },   { SBX_HIT_PIDS, "pids" },	      { SBX_HIT_OUTPUT, "output" },
	{ SBX_HIT_FSIZE, "fsize" }, { SBX_HIT_SECURITY, "security" },
};

static const char *const enforcers[] = {
	[SBX_BY_NONE] = "none",	    [SBX_BY_CGROUP2] = "cgroup2", [SBX_BY_CGROUP1] = "cgroup1",
	[SBX_BY_RLIMIT] = "rlimit", [SBX_BY_TMPFS] = "tmpfs",	  [SBX_BY_TIMER] = "timer",
	[SBX_BY_PIPE] = "pipe",	    [SBX_BY_NO_SWAP] = "no-swap",
};

int exec_exit_code(const struct sbx_result *r)
{
	if (r->verdict == SBX_VERDICT_WALL || r->verdict == SBX_VERDICT_CPU)
		return EXIT_LIMIT;
	if (r->verdict == SBX_VERDICT_LOST)
		return EXIT_SETUP;
	if (r->exit_code >= 0)
		return r->exit_code;
	return 128 + (r->term_signal > 0 ? r->term_signal : SIGKILL);
}

/* ---------------------------------------------------------------- for people */

/* " 64M", or " of the policy" where the command line set none. */
static const char *limit(const char *text, char buf[64])
{
	(void)snprintf(buf, 64, text ? " %.40s" : "%s of the policy", text ? text : "");
	return buf;
}

static void megabytes(uint64_t bytes, char buf[32])
{
	if (bytes < 1 << 20)
		(void)snprintf(buf, 32, "%.1fK", (double)bytes / (1 << 10));
	else
		(void)snprintf(buf, 32, "%.1fM", (double)bytes / (1 << 20));
}

static void say_memory(const struct sbx_result *r, const char *limit_text)
{
	char peak[32];

	megabytes(r->stats.memory_peak, peak);
	fprintf(stderr, "sandbox-run: memory limit%s reached (peak %s, killed by the kernel)\n",
		limit_text, peak);
}

static void say_disk(const struct sbx_result *r, const struct exec_limits *l)
{
	char used[32], buf[64];

	if (!(r->hit & SBX_HIT_DISK)) {
		fprintf(stderr, "sandbox-run: file size limit%s reached\n", limit(l->fsize, buf));
		return;
	}
	megabytes(r->stats.disk_used, used);
	fprintf(stderr,
		"sandbox-run: disk limit%s reached (%s written, no byte or no file is left)\n",
		limit(l->disk, buf), used);
}

static void say_output(const struct sbx_result *r, const struct exec_limits *l)
{
	char out[32], err[32], buf[64];

	megabytes(r->stdout_bytes, out);
	megabytes(r->stderr_bytes, err);
	fprintf(stderr,
		"sandbox-run: output limit%s reached (%s of stdout, %s of stderr); the middle was "
		"cut\n",
		limit(l->output, buf), out, err);
}

void exec_summary(const struct sbx_result *r, const struct exec_limits *l)
{
	char buf[64];

	if (r->hit & SBX_HIT_OUTPUT)
		say_output(r, l);
	switch (r->verdict) {
	case SBX_VERDICT_WALL:
		fprintf(stderr, "sandbox-run: time limit%s reached (wall clock)\n",
			limit(l->wall, buf));
		return;
	case SBX_VERDICT_CPU:
		fprintf(stderr, "sandbox-run: cpu time limit%s reached (%.2f s used)\n",
			limit(l->cpu_time, buf), (double)r->stats.cpu_ns / 1e9);
		return;
	case SBX_VERDICT_MEMORY:
		say_memory(r, limit(l->memory, buf));
		return;
	case SBX_VERDICT_DISK:
		say_disk(r, l);
		return;
	case SBX_VERDICT_PIDS:
		fprintf(stderr, "sandbox-run: process limit%s reached (%llu starts refused)\n",
			limit(l->pids, buf), (unsigned long long)r->stats.pids_refused);
		return;
	case SBX_VERDICT_SECURITY:
		fputs("sandbox-run: killed for a system call of another architecture (i386 or "
		      "x32)\n",
		      stderr);
		return;
	case SBX_VERDICT_LOST:
		fputs("sandbox-run: the jail's init ended without a word; this is a failure of the "
		      "sandbox\n",
		      stderr);
		return;
	case SBX_VERDICT_SIGNALED:
		if (r->term_signal == SIGPIPE) /* `| head`: the reader had enough */
			return;
		fprintf(stderr, "sandbox-run: the command was ended by signal %d (%s)\n",
			r->term_signal, strsignal(r->term_signal));
		return;
	default:
		return;
	}
}

/* -------------------------------------------------------------- for machines */

static void add_ms(cJSON *o, const char *name, uint64_t ns)
{
	/* Microseconds are enough, and keep the numbers short. */
	(void)cJSON_AddNumberToObject(o, name, (double)(ns / 1000) / 1000.0);
}

static void add_by(cJSON *o, const char *name, int32_t by)
{
	bool known = by >= 0 && (size_t)by < ARRAY_SIZE(enforcers);

	(void)cJSON_AddStringToObject(o, name, known ? enforcers[by] : "unknown");
}

static void add_enforced(cJSON *o, const struct sbx_result *r)
{
	cJSON *e = cJSON_AddObjectToObject(o, "enforced");

	add_by(e, "memory", r->memory_by);
	add_by(e, "swap", r->swap_by);
	add_by(e, "pids", r->pids_by);
	add_by(e, "cpu", r->cpu_by);
	add_by(e, "cpu_time", r->cpu_time_by);
	add_by(e, "wall", r->wall_by);
	add_by(e, "disk", r->disk_by);
	add_by(e, "output", r->output_by);
}

static void add_usage(cJSON *o, const struct sbx_result *r)
{
	const struct sbx_stats *s = &r->stats;
	cJSON *disk, *pids, *output;

	add_ms(o, "wall_ms", r->wall_ns);
	add_ms(o, "cpu_ms", s->cpu_ns);
	add_ms(o, "user_ms", r->user_ns);
	add_ms(o, "system_ms", r->system_ns);
	(void)cJSON_AddNumberToObject(o, "memory_peak", (double)s->memory_peak);
	(void)cJSON_AddNumberToObject(o, "max_rss", (double)r->max_rss);
	(void)cJSON_AddNumberToObject(o, "oom_kills", (double)s->oom_kills);
	disk = cJSON_AddObjectToObject(o, "disk");
	(void)cJSON_AddNumberToObject(disk, "used", (double)s->disk_used);
	(void)cJSON_AddNumberToObject(disk, "total", (double)s->disk_total);
	pids = cJSON_AddObjectToObject(o, "pids");
	(void)cJSON_AddNumberToObject(pids, "peak", (double)s->pids_peak);
	(void)cJSON_AddNumberToObject(pids, "refused", (double)s->pids_refused);
	output = cJSON_AddObjectToObject(o, "output");
	(void)cJSON_AddNumberToObject(output, "stdout", (double)r->stdout_bytes);
	(void)cJSON_AddNumberToObject(output, "stderr", (double)r->stderr_bytes);
}

static void add_result(cJSON *o, const struct sbx_result *r)
{
	bool known = r->verdict >= 0 && (size_t)r->verdict < ARRAY_SIZE(verdicts);
	cJSON *hit;

	(void)cJSON_AddStringToObject(o, "verdict", known ? verdicts[r->verdict] : "unknown");
	if (r->exit_code >= 0)
		(void)cJSON_AddNumberToObject(o, "exit_code", r->exit_code);
	else
		(void)cJSON_AddNullToObject(o, "exit_code");
	if (r->term_signal > 0)
		(void)cJSON_AddNumberToObject(o, "signal", r->term_signal);
	else
		(void)cJSON_AddNullToObject(o, "signal");
	hit = cJSON_AddArrayToObject(o, "hit");
	for (size_t i = 0; i < ARRAY_SIZE(hits); i++)
		if (r->hit & hits[i].bit)
			(void)cJSON_AddItemToArray(hit, cJSON_CreateString(hits[i].name));
	add_usage(o, r);
	add_enforced(o, r);
	(void)cJSON_AddNullToObject(o, "error");
}

static void add_error(cJSON *o, const struct sbx_error *err)
{
	cJSON *e;

	(void)cJSON_AddStringToObject(o, "verdict", "error");
	(void)cJSON_AddNullToObject(o, "exit_code");
	(void)cJSON_AddNullToObject(o, "signal");
	(void)cJSON_AddArrayToObject(o, "hit");
	e = cJSON_AddObjectToObject(o, "error");
	(void)cJSON_AddNumberToObject(e, "errno", -err->code);
	(void)cJSON_AddStringToObject(e, "stage", err->stage);
	(void)cJSON_AddStringToObject(e, "item", err->item);
	(void)cJSON_AddStringToObject(e, "text", err->text);
}

int exec_json(FILE *to, const struct sbx_result *r, const struct sbx_error *err, int exit_code)
{
	cJSON *o = cJSON_CreateObject();
	char *text;
	int n;

	(void)cJSON_AddStringToObject(o, "schema", "sandbox-exec/1");
	(void)cJSON_AddNumberToObject(o, "status", exit_code);
	if (r)
		add_result(o, r);
	else
		add_error(o, err);
	text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	if (!text)
		return -ENOMEM;
	n = fprintf(to, "%s\n", text);
	free(text);
	return n < 0 || fflush(to) != 0 ? -EIO : 0;
}
