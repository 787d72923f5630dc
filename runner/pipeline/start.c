/* SPDX-License-Identifier: MIT */

/*
 * The student's server is executed; it lives until the job is unwound. Then the tester is made,
 * unless it was while the database started, in the time that the server needs to boot anyway.
 */

#include "pipeline/pipeline.h"

#include "util/util.h"

static void undo_log(void *data)
{
	struct job *job = data;

	job->server_log = close_fd(job->server_log);
}

static void undo_server(void *data)
{
	struct job *job = data;

	job->server = sbx_proc_free(job->server);
}

static int exec_server(struct job *job, char **argv)
{
	_cleanup_(strv_freep) char **env = job_app_env(job);
	const struct challenge_limits *l = &job->challenge->limits;
	struct sbx_exec e = {
		.size = sizeof(e),
		.flags = SBX_EXEC_STDOUT | SBX_EXEC_STDERR | SBX_EXEC_OUTPUT_KILL,
		.argv = (const char *const *)argv,
		.env = (const char *const *)env,
		.cwd = "/app",
		.stdout_fd = job->server_log,
		.stderr_fd = job->server_log,
		.stdout_limit = l->output,
		.stderr_limit = l->output,
		.wall_ns = UINT64_MAX,
		.cpu_ns = l->cpu_time_ns,
	};
	int r;

	if (!env)
		return job->error.code;
	r = job_exec_student(job, &job->server, &e, VERDICT_BOOT, "The server");
	return r != 0 ? r : job_push_undo(job, undo_server, job);
}

/* "node src/server.js", as far as it fits. */
static void note_command(struct job *job, char **argv)
{
	char text[80] = "";

	for (char **v = argv; *v; v++) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, "%s%s", n ? " " : "", *v);
	}
	job_stage_note(job, "%s", text);
}

int stage_start(struct job *job)
{
	const struct challenge_command *c = &job->challenge->start;
	char **argv = c->kind == COMMAND_ARGV ? c->argv : job->facts.start;
	int r;

	if (!argv)
		return job_verdict(
			job, VERDICT_BOOT,
			"There is nothing to start: package.json has no \"start\" "
			"script and no \"main\", and there is no server.js, index.js or app.js.");
	job->server_log = job_memfd(job, "server-log");
	if (job->server_log < 0)
		return job->server_log;
	r = job_push_undo(job, undo_log, job);
	if (r == 0)
		r = exec_server(job, argv);
	if (r != 0)
		return r;
	note_command(job, argv);
	return job->tester ? 0 : tester_launch(job);
}
