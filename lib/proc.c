/* SPDX-License-Identifier: MIT */

/*
 * Attending a process: everything that can happen to it is one descriptor in one epoll set, so that
 * a caller can wait here or put the set's own descriptor into a loop of its own.
 */

#include "proc.h"
#include "error.h"
#include "util/util.h"
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#define USAGE_TIMEOUT_MS 100

int proc_close(struct sbx_proc *p, int fd)
{
	if (fd >= 0 && p->epoll >= 0)
		(void)epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL);
	return close_fd(fd);
}

void proc_stop_timers(struct sbx_proc *p)
{
	p->wall_timer = proc_close(p, p->wall_timer);
	p->cpu_timer = proc_close(p, p->cpu_timer);
}

static bool is_over(const struct stream *s)
{
	return s->limit && s->total > s->limit;
}

/* Whether its last output or its end was seen first is chance, and decides nothing. */
static void finish(struct sbx_proc *p)
{
	p->ended = true;
	p->ended_ns = now_ns();
	p->cpu_used = cgroup_cpu_ns(&p->jail->cgroup) - p->cpu_at_start;
	stream_finish(&p->streams[0]);
	stream_finish(&p->streams[1]);
	if (p->output_kill && !p->exceeded &&
	    (is_over(&p->streams[0]) || is_over(&p->streams[1]))) {
		p->exceeded = SBX_HIT_OUTPUT;
		(void)sbx_jail_kill(p->jail, NULL);
	}
	p->status = proc_close(p, p->status);
	if (p->listener < 0)
		proc_stop_timers(p);
}

/* EXITED, or end of file when init died first; false: neither has come. */
static bool receive_end(struct sbx_proc *p, int timeout_ms)
{
	struct exited m;
	int n;

	if (p->reported)
		return true;
	n = control_receive(p->status, &m, sizeof(m), NULL, 0, NULL, timeout_ms);
	if (n == -ETIMEDOUT)
		return false;
	if (n == (int)sizeof(m) && m.type == MSG_EXITED)
		p->exited = m;
	else
		p->lost = true;
	p->reported = true;
	return true;
}

static void read_status(struct sbx_proc *p)
{
	if (receive_end(p, 0))
		finish(p);
}

/*
 * A limit was met: the jail ends as a whole, because a part of it could have escaped its parent.
 * The process is killed by itself first, so that init can say what it has used; if that takes too
 * long, what the control groups know has to do. A process that had ended before, and is traced on
 * for its children, did not meet the limit.
 */
static void exceed(struct sbx_proc *p, uint32_t hit)
{
	if (p->exceeded)
		return;
	if (!p->ended) {
		p->exceeded = hit;
		(void)syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
		(void)receive_end(p, USAGE_TIMEOUT_MS);
	}
	(void)sbx_jail_kill(p->jail, NULL);
}

/* Cpu time grows by at most the number of processors: the next look need not come sooner. */
static void check_cpu(struct sbx_proc *p)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t total = cgroup_cpu_ns(&p->jail->cgroup), next, expirations;
	uint64_t used = total > p->cpu_at_start ? total - p->cpu_at_start : 0; /* unreadable: 0 */
	struct itimerspec t = { 0 };

	(void)!read(p->cpu_timer, &expirations, sizeof(expirations));
	if (used >= p->cpu_limit) {
		exceed(p, SBX_HIT_CPU);
		return;
	}
	next = (p->cpu_limit - used) / (uint64_t)(processors > 0 ? processors : 1);
	next = MIN_OF(MAX_OF(next, 2 * NSEC_PER_MSEC), NSEC_PER_SEC);
	t.it_value.tv_sec = (time_t)(next / NSEC_PER_SEC);
	t.it_value.tv_nsec = (long)(next % NSEC_PER_SEC);
	(void)timerfd_settime(p->cpu_timer, 0, &t, NULL);
}

static void set_events(struct sbx_proc *p, int op, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	(void)epoll_ctl(p->epoll, op, fd, &e);
}

/*
 * While its reader does not keep up, a stream waits for the reader instead of the program: no write
 * blocks, so the limits are kept meanwhile. (A regular file never stalls.)
 */
static void move_output(struct sbx_proc *p, int fd)
{
	struct stream *s;
	int i;

	for (i = 0; i < 2; i++) {
		s = &p->streams[i];
		if (fd < 0 || (s->pipe != fd && s->dest != fd))
			continue;
		if (s->dest == fd) {
			set_events(p, EPOLL_CTL_DEL, s->dest, 0);
			set_events(p, EPOLL_CTL_MOD, s->pipe, EPOLLIN);
		}
		if (stream_move(s) && p->output_kill)
			exceed(p, SBX_HIT_OUTPUT);
		if (s->pipe >= 0 && stream_stalled(s)) {
			set_events(p, EPOLL_CTL_MOD, s->pipe, 0);
			set_events(p, EPOLL_CTL_ADD, s->dest, EPOLLOUT);
		}
	}
}

static void attend(struct sbx_proc *p, int fd, bool serve)
{
	if (fd == p->listener)
		serve ? trace_serve(p) : (void)0;
	else if (fd == p->status)
		read_status(p);
	else if (fd == p->wall_timer)
		exceed(p, SBX_HIT_WALL);
	else if (fd == p->cpu_timer)
		check_cpu(p);
	else
		move_output(p, fd);
}

int proc_attend(struct sbx_proc *p, bool serve, struct sbx_error *err)
{
	struct epoll_event events[8];
	bool ended = p->ended;
	int i, n;

	n = epoll_wait(p->epoll, events, ARRAY_SIZE(events), 0);
	if (n < 0 && errno != EINTR)
		return error_set(err, -errno, "wait", "epoll", "the process cannot be attended");
	/* Once it ends the rest of the events may be of descriptors that are closed now. */
	for (i = 0; i < n && p->ended == ended; i++)
		attend(p, events[i].data.fd, serve);
	/* Killed by us: init is reaped, so the status socket is at its end already. */
	if (p->exceeded && !p->ended)
		read_status(p);
	return p->ended;
}

SBX_PUBLIC int sbx_proc_dispatch(struct sbx_proc *p, struct sbx_error *err)
{
	p->n_early = 0;
	return p->ended ? 1 : proc_attend(p, true, err);
}

int proc_poll(struct pollfd *fds, nfds_t n, uint64_t deadline)
{
	uint64_t now = now_ns();
	int r, ms = 0;

	if (now < deadline)
		ms = deadline - now > 3600 * NSEC_PER_SEC
			     ? 3600000
			     : (int)((deadline - now) / NSEC_PER_MSEC) + 1;
	r = poll(fds, n, ms);
	if (r < 0 && errno != EINTR)
		return -errno;
	return r > 0 || now < deadline;
}

SBX_PUBLIC int sbx_proc_wait(struct sbx_proc *p, uint64_t timeout_ns, struct sbx_result *ret,
			     struct sbx_error *err)
{
	uint64_t deadline = deadline_after(timeout_ns);
	struct pollfd fd = { .fd = p->epoll, .events = POLLIN };
	int r;

	while (!(r = sbx_proc_dispatch(p, err))) {
		if (now_ns() >= deadline)
			return error_set(err, -ETIMEDOUT, "wait", NULL, "the process still runs");
		r = proc_poll(&fd, 1, deadline);
		if (r < 0)
			return error_set(err, r, "wait", "poll",
					 "the process cannot be waited for");
	}
	if (r < 0)
		return r;
	if (ret) {
		if (ret->size < 8)
			return error_set(err, -EINVAL, "wait", "size",
					 "struct sbx_result needs its size set");
		proc_result(p, ret);
	}
	return 0;
}

SBX_PUBLIC int sbx_proc_pidfd(const struct sbx_proc *p)
{
	return p->pidfd;
}

SBX_PUBLIC int sbx_proc_pollfd(const struct sbx_proc *p)
{
	return p->epoll;
}

SBX_PUBLIC int sbx_proc_kill(struct sbx_proc *p, int sig, struct sbx_error *err)
{
	if (p->ended)
		return 0;
	if (syscall(SYS_pidfd_send_signal, p->pidfd, sig, NULL, 0) < 0 && errno != ESRCH)
		return error_set(err, -errno, "kill", NULL, "signal %d cannot be sent", sig);
	if (sig == SIGKILL || sig == SIGTERM)
		p->killed = true;
	return 0;
}

SBX_PUBLIC struct sbx_proc *sbx_proc_free(struct sbx_proc *p)
{
	if (!p)
		return NULL;
	if (!p->ended && p->pidfd >= 0)
		(void)sbx_proc_kill(p, SIGKILL, NULL);
	/*
	 * Without a listener every call of its children would fail: they would spin, not end.
	 * Whether one that was killed just now had any cannot be known yet.
	 */
	if (p->traced && (!p->ended || !trace_is_over(p)))
		(void)sbx_jail_kill(p->jail, NULL);
	stream_done(&p->streams[0]);
	stream_done(&p->streams[1]);
	proc_stop_timers(p);
	close_fd(p->status);
	close_fd(p->pidfd);
	close_fd(p->listener);
	close_fd(p->epoll);
	free(p);
	return NULL;
}

SBX_PUBLIC int sbx_run(struct sbx_ctx *ctx, struct sbx_plan *plan, const struct sbx_exec *e,
		       struct sbx_result *ret, struct sbx_error *err)
{
	struct sbx_jail *j = NULL;
	struct sbx_proc *p = NULL;
	int r = sbx_jail_new(ctx, plan, &j, NULL, err);

	if (r >= 0)
		r = sbx_jail_exec(j, &p, e, err);
	if (r >= 0)
		r = sbx_proc_wait(p, UINT64_MAX, ret, err);
	sbx_proc_free(p);
	sbx_jail_free(j);
	return r;
}
