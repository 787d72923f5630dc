/* SPDX-License-Identifier: MIT */

/* What exec says to people when a run has ended, and its exit code. */

#include "exec-report.h"
#include "pipeline/limits.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <util/util.h>

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

static void say_disk(const struct sbx_result *r, const struct exec_options *l)
{
	char used[32], buf[64];

	if (!(r->hit & SBX_HIT_DISK)) {
		fprintf(stderr, "sandbox-run: file size limit%s reached\n",
			limit(l->fsize.text, buf));
		return;
	}
	megabytes(r->stats.disk_used, used);
	fprintf(stderr,
		"sandbox-run: disk limit%s reached (%s written, no byte or no file is left)\n",
		limit(l->disk.text, buf), used);
}

static void say_output(const struct sbx_result *r, const struct exec_options *l)
{
	char out[32], err[32], buf[64];

	megabytes(r->stdout_bytes, out);
	megabytes(r->stderr_bytes, err);
	fprintf(stderr,
		"sandbox-run: output limit%s reached (%s of stdout, %s of stderr); the middle was "
		"cut\n",
		limit(l->output.text, buf), out, err);
}

static void say_unenforced(const struct sbx_result *r)
{
	const char *name;
	uint32_t bit;

	for (unsigned int i = 0; (name = limit_name(i, &bit)); i++)
		if (r->unenforced & bit)
			fprintf(stderr,
				"sandbox-run: the %s limit was not enforced: this host cannot "
				"(sandbox-run doctor)\n",
				name);
}

void exec_summary(const struct sbx_result *r, const struct exec_options *l)
{
	char buf[64];

	say_unenforced(r);
	if (r->hit & SBX_HIT_OUTPUT)
		say_output(r, l);
	switch (r->verdict) {
	case SBX_VERDICT_WALL:
		fprintf(stderr, "sandbox-run: time limit%s reached (wall clock)\n",
			limit(l->wall.text, buf));
		return;
	case SBX_VERDICT_CPU:
		fprintf(stderr, "sandbox-run: cpu time limit%s reached (%.2f s used)\n",
			limit(l->cpu_time.text, buf), (double)r->stats.cpu_ns / 1e9);
		return;
	case SBX_VERDICT_MEMORY:
		say_memory(r, limit(l->memory.text, buf));
		return;
	case SBX_VERDICT_DISK:
		say_disk(r, l);
		return;
	case SBX_VERDICT_PIDS:
		fprintf(stderr, "sandbox-run: process limit%s reached (%llu starts refused)\n",
			limit(l->pids.text, buf), (unsigned long long)r->stats.pids_refused);
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

int exec_finished(const char *command, struct exec_outputs *out, const struct exec_jail *j,
		  const struct sbx_result *r, const struct sbx_error *err)
{
	int code = r ? exec_exit_code(r) : exec_jail_complain(command, &exec_opt, err), n = 0;

	if (j->caught)
		code = 128 + j->caught;
	if (r && !exec_opt.quiet && !j->caught)
		exec_summary(r, &exec_opt);
	if (out->json)
		n = exec_json(out->json, NULL, r, err, code);
	if (n == 0 && out->status)
		n = exec_json(out->status, "finished", r, err, code);
	if (n == -EPIPE && out->status) /* who watched has gone, which changes nothing */
		n = 0;
	if (n == 0)
		return code;
	fprintf(stderr, "sandbox-run %s: the result cannot be written: %s\n", command,
		strerror(-n));
	return EXIT_SETUP;
}
