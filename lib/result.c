/* SPDX-License-Identifier: MIT */

/*
 * How a process ended, from evidence: what we killed it for, the counters of its groups, its wait
 * status, the fill of its file systems. A signal alone proves nothing but itself.
 */

#include "proc.h"
#include "util/util.h"
#include <signal.h>
#include <sys/wait.h>

static uint32_t hits(const struct sbx_proc *p, const struct sbx_stats *s, int sig)
{
	uint32_t hit = p->exceeded;

	if (s->oom_kills > p->oom_at_start)
		hit |= SBX_HIT_MEMORY;
	if (s->disk_full)
		hit |= SBX_HIT_DISK;
	if (s->pids_refused > p->pids_refused_at_start)
		hit |= SBX_HIT_PIDS;
	if (p->streams[0].limit && p->streams[0].total > p->streams[0].limit)
		hit |= SBX_HIT_OUTPUT;
	if (p->streams[1].limit && p->streams[1].total > p->streams[1].limit)
		hit |= SBX_HIT_OUTPUT;
	if (sig == SIGSYS)
		hit |= SBX_HIT_SECURITY;
	if (sig == SIGXFSZ)
		hit |= SBX_HIT_FSIZE;
	/* The timer looks now and then: who ends by itself in between may be over, too. */
	if (sig == SIGXCPU || (p->ended && p->cpu_used > p->cpu_limit))
		hit |= SBX_HIT_CPU;
	return hit;
}

/* The limit that ended an unsuccessful run, in the order in which one limit hides another. */
static int verdict_of(const struct sbx_proc *p, const struct sbx_result *r)
{
	bool success = r->exit_code == 0;

	if (r->hit & SBX_HIT_SECURITY)
		return SBX_VERDICT_SECURITY;
	if (p->exceeded & SBX_HIT_OUTPUT)
		return SBX_VERDICT_OUTPUT;
	if (!success && (r->hit & SBX_HIT_MEMORY))
		/* Pages of a full tmpfs are memory too: then it was the disk. */
		return r->hit & SBX_HIT_DISK ? SBX_VERDICT_DISK : SBX_VERDICT_MEMORY;
	if (p->exceeded & SBX_HIT_WALL)
		return SBX_VERDICT_WALL;
	if (r->hit & SBX_HIT_CPU)
		return SBX_VERDICT_CPU;
	if (p->killed || (p->jail->killed && (p->lost || r->term_signal == SIGKILL)))
		return SBX_VERDICT_KILLED;
	if (!success && (r->hit & (SBX_HIT_DISK | SBX_HIT_FSIZE)))
		return SBX_VERDICT_DISK;
	if (!success && (r->hit & SBX_HIT_PIDS))
		return SBX_VERDICT_PIDS;
	if (p->lost)
		return SBX_VERDICT_LOST;
	return r->term_signal ? SBX_VERDICT_SIGNALED : SBX_VERDICT_EXITED;
}

/* A jail without a limit of its own may have that of its group, which is on the sum. */
static void enforced_by_groups(const struct sbx_jail *j, struct sbx_result *r)
{
	const struct cgroup *own = &j->cgroup, *group = j->group ? &j->group->cgroup : own;

	r->memory_by = own->memory_by ? own->memory_by : group->memory_by;
	r->swap_by = own->swap_by ? own->swap_by : group->swap_by;
	r->pids_by = own->pids_by ? own->pids_by : group->pids_by;
	r->cpu_by = own->cpu_by ? own->cpu_by : group->cpu_by;
	r->unenforced = own->unenforced | group->unenforced;
}

static void enforced(const struct sbx_proc *p, struct sbx_result *r)
{
	bool timed = p->cpu_limit != UINT64_MAX, counted = cgroup_counts_cpu(&p->jail->cgroup);

	enforced_by_groups(p->jail, r);
	r->cpu_time_by = timed && counted ? SBX_BY_TIMER : SBX_BY_NONE;
	r->unenforced &= ~SBX_LIMIT_CPU_TIME; /* of the plan; this process may have another */
	r->unenforced |= timed && !counted ? SBX_LIMIT_CPU_TIME : 0;
	r->wall_by = p->wall_limited ? SBX_BY_TIMER : SBX_BY_NONE;
	r->disk_by = p->jail->n_quotas ? SBX_BY_TMPFS : SBX_BY_NONE;
	r->output_by = p->streams[0].limit || p->streams[1].limit ? SBX_BY_PIPE : SBX_BY_NONE;
}

void proc_result(struct sbx_proc *p, struct sbx_result *ret)
{
	struct sbx_result r = { .size = sizeof(r),
				.exit_code = -1,
				.stats = { .size = sizeof(r.stats) } };
	uint32_t size = ret->size;
	int status = p->exited.wait_status;

	(void)sbx_jail_stats(p->jail, &r.stats, NULL);
	if (p->lost)
		r.term_signal = SIGKILL;
	else if (WIFEXITED(status))
		r.exit_code = WEXITSTATUS(status);
	else if (WIFSIGNALED(status))
		r.term_signal = WTERMSIG(status);
	r.wall_ns = p->ended_ns - p->began_ns;
	r.user_ns = p->exited.user_us * 1000;
	r.system_ns = p->exited.system_us * 1000;
	r.max_rss = p->exited.max_rss_kb * 1024;
	r.switches_voluntary = p->exited.switches_voluntary;
	r.switches_forced = p->exited.switches_forced;
	r.cpu_ns = p->ended ? p->cpu_used : 0;
	r.stdout_bytes = p->streams[0].total;
	r.stderr_bytes = p->streams[1].total;
	r.hit = hits(p, &r.stats, r.term_signal);
	r.verdict = verdict_of(p, &r);
	enforced(p, &r);
	memset(ret, 0, size);
	memcpy(ret, &r, MIN_OF((size_t)size, sizeof(r)));
	ret->size = size;
}
