/* SPDX-License-Identifier: MIT */

/*
 * EXEC, in the parent: check the request, fork, answer on the status socket, remember the process.
 * The child goes on in child_run() (exec.c).
 */

#include "exec.h"

static struct process *free_slot(struct init *in)
{
	for (uint32_t i = 0; i < PROCESSES_MAX; i++)
		if (in->processes[i].pid == 0)
			return &in->processes[i];
	return NULL;
}

static bool targets_valid(const struct exec_request *q)
{
	for (uint32_t i = 0; i < q->n_fds; i++) {
		if (q->target[i] < 0 || q->target[i] > TARGET_MAX)
			return false;
		for (uint32_t j = 0; j < i; j++)
			if (q->target[i] == q->target[j])
				return false;
	}
	return true;
}

static bool request_valid(const struct message *m)
{
	const struct exec_request *q = (const struct exec_request *)m->bytes;

	return m->size >= sizeof(*q) && q->n_fds <= FDS_MAX && m->n_fds == q->n_fds + 2 &&
	       !(q->flags & ~EXEC_TRACED) && q->strings_size <= STRINGS_MAX &&
	       q->strings_size == m->size - sizeof(*q) && q->argc >= 1 && q->argc <= VECTOR_MAX &&
	       q->envc <= VECTOR_MAX && targets_valid(q);
}

static int fork_program(struct init *in, int *ret_pidfd)
{
	struct clone_args args = { .flags = CLONE_PIDFD, .exit_signal = SIGCHLD };
	int pid;

	*ret_pidfd = -1;
	args.pidfd = (uint64_t)(uintptr_t)ret_pidfd;
	pid = sys_clone3(&args);
	if (pid == 0)
		child_run(in);
	return pid;
}

/* A negative value: the request is not one, and there is nobody but the control socket to tell. */
int program_start(struct init *in)
{
	_cleanup_close_ int status = message_steal_fd(&in->message, STATUS_FD_INDEX);
	_cleanup_close_ int pidfd = -1;
	struct process *slot = free_slot(in);
	struct started started = { .type = MSG_STARTED };
	int pid;

	in->step = STEP_FORK;
	in->index = -1;
	if (status < 0)
		return -EPROTO;
	pid = !request_valid(&in->message) ? -EPROTO : !slot ? -EAGAIN : fork_program(in, &pidfd);
	if (pid < 0) {
		failed_send(status, in, pid);
		return 0;
	}
	started.pid = pid;
	(void)message_send(status, &started, sizeof(started), &pidfd, 1);
	slot->pid = pid;
	slot->status = steal_fd(&status);
	return 0;
}
