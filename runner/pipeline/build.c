/* SPDX-License-Identifier: MIT */

/* The build step: one command of the student's project, in the app's jail, before the server. */

#include "pipeline/pipeline.h"

#include "util/util.h"

/* NULL: nothing is to be built, and the stage's note says why. */
static char **build_argv(struct job *job)
{
	const struct challenge_command *c = &job->challenge->build;
	const struct facts *f = &job->facts;

	if (c->kind == COMMAND_ARGV)
		return c->argv;
	if (c->kind == COMMAND_NONE || !f->build) {
		job_stage_note(job, "nothing to build");
		return NULL;
	}
	/* That it is not needed was found out about the detected start command. */
	if (f->build_skipped && job->challenge->start.kind != COMMAND_ARGV) {
		job_stage_note(job, "skipped: %s", f->build_skipped);
		job_detected(job, "build", "skipped (%s): %s",
			     f->build_from ? f->build_from : "build", f->build_skipped);
		return NULL;
	}
	return f->build;
}

static int wait_build(struct job *job, struct sbx_proc *p, int log)
{
	struct sbx_result result;
	int r = job_wait(job, p, UINT64_MAX, &result);

	if (r < 0)
		return r;
	if (result.verdict == SBX_VERDICT_EXITED && result.exit_code == 0)
		return 0;
	job_take_log(job, log);
	return job_verdict_from(job, &result, VERDICT_CE, "The build");
}

int stage_build(struct job *job)
{
	_cleanup_(strv_freep) char **env = NULL;
	_cleanup_close_ int log = -1;
	char **argv = build_argv(job);
	const struct challenge_limits *l = &job->challenge->limits;
	struct sbx_proc *p = NULL;
	struct sbx_exec e = {
		.size = sizeof(e),
		.flags = SBX_EXEC_STDOUT | SBX_EXEC_STDERR | SBX_EXEC_OUTPUT_KILL,
		.cwd = "/app",
		.stdout_limit = l->output,
		.stderr_limit = l->output,
		.wall_ns = l->build_ns,
		.cpu_ns = l->cpu_time_ns,
	};
	int r;

	if (!argv)
		return 0;
	job_note_command(job, "build", argv,
			 job->challenge->build.kind == COMMAND_ARGV ? "challenge.json"
								    : job->facts.build_from);
	env = job_app_env(job);
	log = env ? job_memfd(job, "build-log") : -1;
	if (log < 0)
		return job->error.code;
	e.argv = (const char *const *)argv;
	e.env = (const char *const *)env;
	e.stdout_fd = log;
	e.stderr_fd = log;
	r = job_exec_student(job, &p, &e, VERDICT_CE, "The build");
	if (r == 0)
		r = wait_build(job, p, log);
	sbx_proc_free(p);
	return r;
}
