/* SPDX-License-Identifier: MIT */

/* A command of the student's project that is run and waited for: a build, a migration. */

#include "pipeline/pipeline.h"

#include "util/util.h"

static int wait_command(struct job *job, struct sbx_proc *p, int log, struct sbx_result *ret)
{
	int r = job_wait(job, p, UINT64_MAX, ret);

	if (r == 0 && !job_command_succeeded(ret))
		job_take_log(job, log);
	return r;
}

int job_run_command(struct job *job, char **argv, uint64_t wall_ns, const char *what,
		    struct sbx_result *ret)
{
	_cleanup_(strv_freep) char **env = job_app_env(job);
	_cleanup_close_ int log = env ? job_memfd(job, "command-log") : -1;
	const struct challenge_limits *l = &job->challenge->limits;
	struct sbx_proc *p = NULL;
	struct sbx_exec e = {
		.size = sizeof(e),
		.flags = SBX_EXEC_STDOUT | SBX_EXEC_STDERR | SBX_EXEC_OUTPUT_KILL,
		.argv = (const char *const *)argv,
		.env = (const char *const *)env,
		.cwd = "/app",
		.stdout_fd = log,
		.stderr_fd = log,
		.stdout_limit = l->output,
		.stderr_limit = l->output,
		.wall_ns = wall_ns,
		.cpu_ns = l->cpu_time_ns,
	};
	int r;

	if (log < 0)
		return job->error.code;
	r = job_exec_student(job, &p, &e, VERDICT_CE, what);
	if (r == 0)
		r = wait_command(job, p, log, ret);
	sbx_proc_free(p);
	return r;
}
