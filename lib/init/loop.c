/* SPDX-License-Identifier: MIT */

/*
 * The life of a parked jail: requests, deaths of programs, and the end. The end needs no work: when
 * PID 1 exits, the kernel kills all that is left, and the mounts go with the last of it.
 */

#include "init.h"

#define REAPED_PER_TURN 64

int park(struct init *in)
{
	struct parked p = { .type = MSG_PARKED,
			    .n_fds = in->n_quotas,
			    .landlock_abi = in->landlock_abi };
	int fds[QUOTAS_MAX];
	int r;

	for (uint32_t i = 0; i < in->n_quotas; i++) {
		fds[i] = in->quotas[i].fd;
		p.mounts[i] = in->quotas[i].mount;
	}
	r = message_send(CONTROL_FD, &p, sizeof(p), fds, in->n_quotas);
	for (uint32_t i = 0; i < in->n_quotas; i++)
		(void)sys_close(in->quotas[i].fd);
	in->n_quotas = 0;
	in->start = NULL;
	message_done(&in->message);
	return r;
}

static uint64_t microseconds(long seconds, long us)
{
	return (uint64_t)seconds * 1000000u + (uint64_t)us;
}

static void report_exit(struct process *p, int wait_status, const struct rusage *u)
{
	struct exited e = {
		.type = MSG_EXITED,
		.wait_status = wait_status,
		.user_us = microseconds(u->ru_utime.tv_sec, u->ru_utime.tv_usec),
		.system_us = microseconds(u->ru_stime.tv_sec, u->ru_stime.tv_usec),
		.max_rss_kb = (uint64_t)u->ru_maxrss,
		.switches_voluntary = (uint64_t)u->ru_nvcsw,
		.switches_forced = (uint64_t)u->ru_nivcsw,
	};

	(void)message_send(p->status, &e, sizeof(e), NULL, 0);
	(void)sys_close(p->status);
	*p = (struct process){ 0 };
}

/*
 * Programs are reported; orphans that were inherited are only reaped. Bounded, so that a program
 * that makes orphans without end cannot keep us from the control socket. Returns whether there may
 * be more.
 */
static bool reap(struct init *in)
{
	struct rusage usage;
	int wait_status;
	char info[128];

	(void)sys_read(in->signals, info, sizeof(info));
	for (int n = 0; n < REAPED_PER_TURN; n++) {
		int pid = sys_wait4(-1, &wait_status, WNOHANG | __WALL, &usage);

		if (pid <= 0)
			return false;
		for (uint32_t i = 0; i < PROCESSES_MAX; i++)
			if (in->processes[i].pid == pid)
				report_exit(&in->processes[i], wait_status, &usage);
	}
	return true;
}

_Noreturn void loop_run(struct init *in)
{
	struct pollfd fds[] = {
		{ .fd = CONTROL_FD, .events = POLLIN },
		{ .fd = CREATOR_FD, .events = POLLIN },
		{ .fd = in->signals, .events = POLLIN },
	};

	bool more = false;

	for (;;) {
		int n = sys_poll(fds, ARRAY_SIZE(fds), more ? 0 : -1);

		if (n == -EINTR)
			continue;
		if (n < 0 || fds[1].revents || (fds[0].revents & ~POLLIN))
			sys_exit(0);
		if (more || fds[2].revents)
			more = reap(in);
		if (fds[0].revents && request_serve(in) == 0)
			sys_exit(0);
	}
}
