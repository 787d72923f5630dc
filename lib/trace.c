/* SPDX-License-Identifier: MIT */

/*
 * Following the system calls of a process and its children (seccomp_unotify(2)): each waits in the
 * kernel until it is received and answered here, always with "go on". Nothing is decided by what is
 * read, so that a program which changes its arguments meanwhile changes nothing but the report.
 * What the plan's filter would have done is found by running it.
 *
 * Invariant: a call is never left unanswered because nobody asked for it: dispatching lets calls go
 * on unseen, and freeing the process ends those who could still make any.
 */

#include "error.h"
#include "proc.h"
#include "seccomp-filter.h"
#include "util/util.h"
#include <poll.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

/* Of calls that nobody asks for, in one turn: limits and output come first. */
#define SERVED_PER_TURN 64

/* Since 6.6; the headers of older distributions lack them. */
#define NOTIF_SET_FLAGS _IOW('!', 4, uint64_t)
#define NOTIF_SYNC_WAKE_UP 1ul

/* A newer kernel may write more than its header of today says. */
union notification {
	struct seccomp_notif n;
	char room[512];
};

static int32_t action_of(uint32_t ret)
{
	switch (ret & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		return SBX_SYSCALL_ALLOW;
	case SECCOMP_RET_ERRNO:
		return (ret & SECCOMP_RET_DATA) == ENOSYS ? SBX_SYSCALL_ENOSYS : SBX_SYSCALL_EPERM;
	default:
		return SBX_SYSCALL_KILL;
	}
}

SBX_PUBLIC int sbx_plan_syscall(const struct sbx_plan *plan, uint32_t arch, int32_t nr,
				const uint64_t args[6], int32_t *ret_by_args, int32_t *ret_error)
{
	const struct plan_header *h = plan->blob;
	const void *filter = (const char *)h + h->filter_off;
	struct seccomp_data data = { .nr = nr, .arch = arch };
	uint32_t action;
	bool by_args;

	if (args)
		memcpy(data.args, args, sizeof(data.args));
	action = seccomp_simulate(filter, h->n_filter, &data, &by_args);
	if (ret_by_args)
		*ret_by_args = by_args;
	if (ret_error)
		*ret_error = (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO
				     ? (int32_t)(action & SECCOMP_RET_DATA)
				     : 0;
	return action_of(action);
}

static void describe(const struct sbx_proc *p, const struct seccomp_notif *n,
		     struct sbx_syscall *ret)
{
	_cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(n->data.arch,
								     (uint32_t)n->data.nr);

	*ret = (struct sbx_syscall){
		.size = sizeof(*ret), .nr = n->data.nr, .pid = (int32_t)n->pid, .arch = n->data.arch
	};
	for (size_t i = 0; i < ARRAY_SIZE(ret->args); i++)
		ret->args[i] = n->data.args[i];
	ret->action = sbx_plan_syscall(p->jail->plan, ret->arch, ret->nr, ret->args, NULL, NULL);
	if (name)
		copy_string(ret->name, sizeof(ret->name), name);
	else
		(void)snprintf(ret->name, sizeof(ret->name), "#%d", n->data.nr);
}

bool trace_is_over(struct sbx_proc *p)
{
	struct pollfd fd = { .fd = p->listener, .events = POLLIN };

	if (p->listener < 0 || poll(&fd, 1, 0) <= 0 || fd.revents & POLLIN)
		return p->listener < 0;
	p->listener = proc_close(p, p->listener);
	if (p->ended)
		proc_stop_timers(p);
	return true;
}

/*
 * 1: there was a call. It is ours alone to receive, so this does not wait; but its process may have
 * been killed since poll(2) saw it (-ENOENT).
 */
static int receive(struct sbx_proc *p, union notification *ret)
{
	struct pollfd fd = { .fd = p->listener, .events = POLLIN };

	if (trace_is_over(p) || poll(&fd, 1, 0) <= 0 || !(fd.revents & POLLIN))
		return 0;
	memset(ret, 0, sizeof(*ret));
	return ioctl(p->listener, SECCOMP_IOCTL_NOTIF_RECV, ret) == 0;
}

static void let_go(const struct sbx_proc *p, const union notification *q)
{
	struct seccomp_notif_resp answer = { .id = q->n.id,
					     .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	(void)ioctl(p->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

void trace_serve(struct sbx_proc *p)
{
	union notification q;

	for (int i = 0; i < SERVED_PER_TURN && receive(p, &q); i++)
		let_go(p, &q);
}

/* ------------------------------------------------------------------- until it executes */

/*
 * Calls of init's child are not the program's, except the execve(2) that works, the last before the
 * end of file. What is received after that is the program's first own call.
 */
static void serve_early(struct sbx_proc *p, int channel)
{
	union notification q;

	if (!receive(p, &q))
		return;
	if (fd_is_readable(channel)) {
		if (p->n_early < (int)ARRAY_SIZE(p->early))
			describe(p, &q.n, &p->early[p->n_early++]);
	} else if (q.n.data.nr == SYS_execve) {
		describe(p, &q.n, &p->early[0]);
		p->n_early = 1;
	}
	let_go(p, &q);
}

/* The listener, the failure, or the end of file; 1: it was the listener. */
static ssize_t receive_message(struct sbx_proc *p, int channel, struct exec_failure *ret)
{
	union {
		struct traced traced;
		struct exec_failure failure;
	} m;
	_cleanup_close_ int fd = -1;
	int got = 0, n = control_receive(channel, &m, sizeof(m), &fd, 1, &got, 0);

	if (n == (int)sizeof(m.traced) && m.traced.type == MSG_TRACED && got && p->listener < 0) {
		p->listener = steal_fd(&fd);
		/* Faster on one processor, where the kernel has it; nothing depends on it. */
		(void)ioctl(p->listener, NOTIF_SET_FLAGS, NOTIF_SYNC_WAKE_UP);
		return 1;
	}
	if (n == (int)sizeof(m.failure))
		*ret = m.failure;
	p->traced = n == 0 && p->listener >= 0;
	return n == 0 && !p->traced ? -EPROTO : n;
}

ssize_t trace_await_exec(struct sbx_proc *p, int channel, uint64_t deadline,
			 struct exec_failure *ret)
{
	struct pollfd fds[2] = { { .fd = channel, .events = POLLIN } };
	ssize_t n;
	int r;

	for (;;) {
		fds[0].revents = fds[1].revents = 0;
		fds[1] = (struct pollfd){ .fd = p->listener, .events = POLLIN };
		r = proc_poll(fds, 2, deadline);
		if (r <= 0)
			return r < 0 ? r : -ETIMEDOUT;
		if (fds[0].revents) {
			n = receive_message(p, channel, ret);
			if (n != 1)
				return n;
		} else if (fds[1].revents) {
			serve_early(p, channel);
		}
	}
}

/* ------------------------------------------------------------------------------ public */

static bool take_early(struct sbx_proc *p, struct sbx_syscall *ret)
{
	if (!p->n_early)
		return false;
	*ret = p->early[0];
	p->early[0] = p->early[1];
	p->n_early--;
	return true;
}

static bool take(struct sbx_proc *p, struct sbx_syscall *ret)
{
	union notification q;

	if (take_early(p, ret))
		return true;
	if (!receive(p, &q))
		return false;
	let_go(p, &q);
	describe(p, &q.n, ret);
	return true;
}

SBX_PUBLIC int sbx_proc_next_syscall(struct sbx_proc *p, uint64_t timeout_ns,
				     struct sbx_syscall *ret, struct sbx_error *err)
{
	uint64_t deadline = deadline_after(timeout_ns);
	struct pollfd fd = { .fd = p->epoll, .events = POLLIN };
	uint32_t size = ret->size;
	struct sbx_syscall call;
	int r;

	if (size < 8)
		return error_set(err, -EINVAL, "trace", "size",
				 "struct sbx_syscall needs its size set");
	if (!p->traced)
		return error_set(err, -EINVAL, "trace", NULL,
				 "the process was not started with SBX_EXEC_TRACE");
	for (;;) {
		r = proc_attend(p, false, err);
		if (r < 0)
			return r;
		if (take(p, &call))
			break;
		if (p->listener < 0)
			return 0;
		if (now_ns() >= deadline)
			return error_set(err, -ETIMEDOUT, "trace", NULL, "no system call was made");
		r = proc_poll(&fd, 1, deadline);
		if (r < 0)
			return error_set(err, r, "trace", "poll", "cannot be waited for");
	}
	memset(ret, 0, size);
	memcpy(ret, &call, MIN_OF((size_t)size, sizeof(call)));
	ret->size = size;
	return 1;
}
