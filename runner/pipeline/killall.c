/* SPDX-License-Identifier: MIT */

/* Ends all that the jailed user runs in a jail; the jail itself stays. */

#include "pipeline/pipeline.h"

#include "util/util.h"

int job_kill_all(struct job *job, struct sbx_jail *jail, uint64_t wall_ns, struct sbx_result *ret)
{
	static const char *const argv[] = { "sandbox-inside", "killall", NULL };
	static const char *const env[] = { NULL };
	struct sbx_exec e = {
		.size = sizeof(e), .path = INSIDE_PATH, .argv = argv, .env = env, .wall_ns = wall_ns
	};
	struct sbx_proc *proc = NULL;
	int r = sbx_jail_exec(jail, &proc, &e, &job->error);

	if (r < 0)
		return streq(job->error.stage, "fork") ? 1 : r;
	r = job_wait(job, proc, UINT64_MAX, ret);
	sbx_proc_free(proc);
	return r;
}
