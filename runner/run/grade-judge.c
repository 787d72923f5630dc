/* SPDX-License-Identifier: MIT */

/* The work of sandbox-run grade: what the host must have, one judgement, and telling of it. */

#include <stdarg.h>

#include "pipeline/settings.h"
#include "pipeline/verdict.h"
#include "report/report.h"
#include "run/grade.h"
#include "run/run.h"
#include "store/store.h"
#include "suite/suite.h"
#include "util/error.h"
#include "util/util.h"

int grade_complain(const char *fmt, ...)
{
	va_list args;

	fputs("sandbox-run grade: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_INFRASTRUCTURE;
}

int grade_load_challenge(struct grade *g)
{
	char why[CHALLENGE_ERROR_SIZE];
	int r;

	g->challenge = challenge_free(g->challenge);
	r = challenge_load(&g->challenge, grade_opt.challenge, why);
	if (r == -ENOMEM)
		return grade_complain("out of memory");
	if (r < 0) {
		fprintf(stderr, "sandbox-run grade: %s\n", why);
		return EXIT_USAGE;
	}
	if (!grade_opt.reveal)
		g->reveal = grade_opt.watch ? REVEAL_ALL : g->challenge->reveal;
	return EXIT_OK;
}

static void log_line(void *data, int level, const char *line)
{
	(void)data;
	if (level <= SBX_LOG_WARNING || grade_opt.verbose > 1)
		fprintf(stderr, "sandbox: %s\n", line);
}

static int start_keeper(struct grade *g, struct sbx_error *err)
{
	const struct keeper_options o = { .program = g->settings.keeper,
					  .url = grade_opt.database,
					  .shared = grade_opt.database_shared,
					  .ahead = grade_opt.watch };

	return keeper_start(&g->keeper, &o, err);
}

static int open_installation(struct grade *g, struct sbx_error *err)
{
	struct sbx_ctx_options o = { .size = sizeof(o),
				     .flags = SBX_CTX_OWN_LEAF,
				     .log = log_line,
				     .allow_unenforced = grade_opt.unenforced };
	int r = settings_find(&g->settings, grade_opt.store, err);

	if (r < 0)
		return r;
	r = settings_find_runtime(&g->settings, err);
	if (r < 0)
		return r;
	if (g->challenge->postgres && grade_opt.database) {
		r = start_keeper(g, err);
		if (r < 0)
			return r;
	} else if (g->challenge->postgres && !g->settings.postgres_dir) {
		return error_format(err, -ENOENT, "postgres", "",
				    "the challenge needs Postgres, and none is installed; on "
				    "Debian: apt-get install postgresql (no cluster is needed)");
	}
	r = sbx_ctx_new(&g->ctx, &o, err);
	if (r < 0)
		return r;
	return store_open(&g->store, g->settings.store_dir, grade_opt.store_size.value, err);
}

static int write_reports(struct grade *g, const struct result *v)
{
	const char *path = "";
	int r = v ? report_files_write(&g->reports, v, &path) : -ENOMEM;

	if (r < 0)
		return grade_complain("the result could not be written: %s%s%s", path,
				      *path ? ": " : "", strerror(-r));
	return EXIT_OK;
}

static struct job new_job(const struct grade *g)
{
	struct job job = JOB_NULL;

	job.settings = &g->settings;
	job.challenge = g->challenge;
	job.submission = g->submission;
	job.reveal = g->reveal;
	job.ctx = g->ctx;
	job.store = g->store;
	job.keep_log = g->log;
	job.keeper_fd = g->keeper.fd;
	return job;
}

/* NULL: out of memory. */
static struct result *result_of(const struct job *job)
{
	struct result *v = NULL;
	char why[RESULT_WHY];

	return result_new(&v, result_tree(job), why) < 0 ? NULL : v;
}

/* A failure of ours before there was anything to judge: told to people and as a result. */
static int tell_failure(struct grade *g, const struct sbx_error *err)
{
	_cleanup_(result_freep) struct result *v = NULL;
	struct job job = new_job(g);

	fprintf(stderr, "sandbox-run grade: %s%s%s: %s\n", err->stage, *err->item ? ": " : "",
		err->item, err->text);
	job.began_ns = now_ns();
	job.error = *err;
	job_verdict(&job, VERDICT_IE,
		    "This is a failure of the sandbox, not of the submission. %s%s%s: %s",
		    err->stage, *err->item ? ": " : "", err->item, err->text);
	verdict_decide(&job);
	v = result_of(&job);
	(void)write_reports(g, v);
	job_done(&job);
	return EXIT_INFRASTRUCTURE;
}

int grade_open_installation(struct grade *g)
{
	struct sbx_error err = { 0 };

	return open_installation(g, &err) < 0 ? tell_failure(g, &err) : EXIT_OK;
}

/* Which tests JavaScript suites have is known once they are published (suite.h). */
/* It takes seconds, and happens once: nobody should wonder what is going on. */
static void tell_publishing(const struct job *job, const char *stage, bool done)
{
	(void)stage;
	(void)done;
	fprintf(stderr, "%s: publishing the test suites, once for these files ...\n",
		job->challenge->title);
}

static int publish_suites(struct grade *g, int cancel_fd)
{
	char why[CHALLENGE_ERROR_SIZE] = "";
	struct job job = new_job(g);
	int r;

	job.cancel_fd = cancel_fd;
	job.progress = grade_opt.quiet ? NULL : tell_publishing;
	r = suites_publish(&job, g->challenge, why);
	job_done(&job);
	if (r >= 0)
		return EXIT_OK;
	if (r == -EINTR)
		return EXIT_INTERRUPTED;
	if (r == -EINVAL && *why) {
		fprintf(stderr, "sandbox-run grade: %s\n", why);
		return EXIT_USAGE;
	}
	return tell_failure(g, &job.error);
}

int grade_judge(struct grade *g, int cancel_fd, struct result **ret_result)
{
	_cleanup_(result_freep) struct result *v = NULL;
	struct report report = {
		.out = stderr,
		.color = color_wanted(grade_opt.color, STDERR_FILENO),
		.live = isatty(STDERR_FILENO),
		.quiet = grade_opt.quiet,
		.verbose = grade_opt.verbose,
	};
	struct job job = new_job(g);
	int code = publish_suites(g, cancel_fd);

	if (code != EXIT_OK)
		return code;
	job.cancel_fd = cancel_fd;
	job.progress = report_progress;
	job.progress_data = &report;
	report_begin(&report, &job);
	(void)pipeline_run(&job);
	code = verdict_exit_code(&job);
	v = result_of(&job);
	if (v)
		report_end(&report, &job, v);
	if (write_reports(g, v) != EXIT_OK)
		code = EXIT_INFRASTRUCTURE;
	job_done(&job);
	if (ret_result)
		*ret_result = steal_ptr(v);
	return code;
}
