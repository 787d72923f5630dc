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

int stage_build(struct job *job)
{
	char **argv = build_argv(job);
	struct sbx_result result;
	int r;

	if (!argv)
		return 0;
	job_note_command(job, "build", argv,
			 job->challenge->build.kind == COMMAND_ARGV ? "challenge.json"
								    : job->facts.build_from);
	r = job_run_command(job, argv, job->challenge->limits.build_ns, "The build", &result);
	if (r != 0 || job_command_succeeded(&result))
		return r;
	return job_verdict_from(job, &result, VERDICT_CE, "The build");
}
