/* SPDX-License-Identifier: MIT */

/* What exec says to machines. The objects' members are documented in sandbox-run(1). */

#include "exec-report.h"
#include "pipeline/limits.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <util/process.h>
#include <util/util.h>

static const char *const verdicts[] = {
	[SBX_VERDICT_EXITED] = "exited", [SBX_VERDICT_SIGNALED] = "signaled",
	[SBX_VERDICT_KILLED] = "killed", [SBX_VERDICT_WALL] = "wall",
	[SBX_VERDICT_CPU] = "cpu",       [SBX_VERDICT_MEMORY] = "memory",
	[SBX_VERDICT_DISK] = "disk",     [SBX_VERDICT_PIDS] = "pids",
	[SBX_VERDICT_OUTPUT] = "output", [SBX_VERDICT_SECURITY] = "security",
	[SBX_VERDICT_LOST] = "lost",
};

static const struct {
	uint32_t bit;
	const char *name;
} hits[] = {
	{ SBX_HIT_WALL, "wall" },   { SBX_HIT_CPU, "cpu" },           { SBX_HIT_MEMORY, "memory" },
	{ SBX_HIT_DISK, "disk" },   { SBX_HIT_PIDS, "pids" },         { SBX_HIT_OUTPUT, "output" },
	{ SBX_HIT_FSIZE, "fsize" }, { SBX_HIT_SECURITY, "security" },
};

static const char *const enforcers[] = {
	[SBX_BY_NONE] = "none",     [SBX_BY_CGROUP2] = "cgroup2", [SBX_BY_CGROUP1] = "cgroup1",
	[SBX_BY_RLIMIT] = "rlimit", [SBX_BY_TMPFS] = "tmpfs",     [SBX_BY_TIMER] = "timer",
	[SBX_BY_PIPE] = "pipe",     [SBX_BY_NO_SWAP] = "no-swap",
};

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

static void add_unenforced(cJSON *o, const struct sbx_result *r)
{
	cJSON *list = cJSON_AddArrayToObject(o, "unenforced");
	const char *name;
	uint32_t bit;

	for (unsigned int i = 0; (name = limit_name(i, &bit)); i++)
		if (r->unenforced & bit)
			(void)cJSON_AddItemToArray(list, cJSON_CreateString(name));
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
	add_unenforced(o, r);
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

int exec_write_object(FILE *to, cJSON *o)
{
	char *text = cJSON_PrintUnformatted(o);
	int n;

	cJSON_Delete(o);
	if (!text)
		return -ENOMEM;
	errno = EIO;
	n = fprintf(to, "%s\n", text);
	free(text);
	return n < 0 || fflush(to) != 0 ? -errno : 0;
}

int exec_json(FILE *to, const char *event, const struct sbx_result *r, const struct sbx_error *err,
	      int exit_code)
{
	cJSON *o = cJSON_CreateObject();

	if (event)
		(void)cJSON_AddStringToObject(o, "event", event);
	(void)cJSON_AddStringToObject(o, "schema", "sandbox-exec/1");
	(void)cJSON_AddNumberToObject(o, "status", exit_code);
	if (r)
		add_result(o, r);
	else
		add_error(o, err);
	return exec_write_object(to, o);
}

/* ----------------------------------------------------------------- outputs */

int exec_outputs_open(struct exec_outputs *out, const struct exec_options *o, struct sbx_error *err)
{
	int fd;

	if (o->json.given && (!o->json.value || streq(o->json.value, "-")))
		out->json = stdout;
	else if (o->json.given)
		out->json = fopen(o->json.value, "we");
	if (o->json.given && !out->json)
		return exec_fail(err, -errno, "json", o->json.value, strerror(errno));
	if (!o->status_fd.text)
		return 0;
	fd = fcntl((int)o->status_fd.value, F_DUPFD_CLOEXEC, 3);
	out->status = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out->status) {
		fd = -errno;
		return exec_fail(err, fd, "--status-fd", o->status_fd.text,
				 fd == -EBADF ? "is not open" : strerror(-fd));
	}
	return 0;
}

void exec_outputs_done(struct exec_outputs *out)
{
	if (out->json && out->json != stdout)
		(void)fclose(out->json);
	if (out->status)
		(void)fclose(out->status);
	out->json = out->status = NULL;
}

static void add_published(cJSON *o, const struct exec_jail *j)
{
	cJSON *list = cJSON_AddArrayToObject(o, "published"), *item;

	for (uint32_t i = 0; i < j->n_published; i++) {
		const struct exec_port *p = &j->published[i];

		item = cJSON_CreateObject();
		(void)cJSON_AddNumberToObject(item, "port", p->port);
		if (p->unix_path[0]) {
			(void)cJSON_AddStringToObject(item, "path", p->unix_path);
		} else {
			(void)cJSON_AddStringToObject(item, "host",
						      p->host[0] ? p->host : "127.0.0.1");
			(void)cJSON_AddNumberToObject(item, "host_port", p->host_port);
		}
		(void)cJSON_AddItemToArray(list, item);
	}
}

void exec_started(struct exec_outputs *out, const struct exec_jail *j, const struct sbx_proc *p)
{
	cJSON *o;

	if (!out->status)
		return;
	o = cJSON_CreateObject();
	(void)cJSON_AddStringToObject(o, "event", "started");
	(void)cJSON_AddStringToObject(o, "schema", "sandbox-exec/1");
	/* 0: it is gone */
	(void)cJSON_AddNumberToObject(o, "pid", MAX_OF(pidfd_pid(sbx_proc_pidfd(p)), 0));
	add_published(o, j);
	(void)exec_write_object(out->status, o);
}
