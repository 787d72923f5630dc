/* SPDX-License-Identifier: MIT */

/*
 * Messages with descriptors. Whatever was cut by the kernel (bytes or descriptors) is refused as a
 * whole. Sending never waits: a library that does not read loses the message, not the jail.
 */

#include "init.h"

#define CONTROL_SIZE (sizeof(struct cmsghdr) + 256 * sizeof(int))

union control {
	struct cmsghdr header;
	unsigned char bytes[CONTROL_SIZE];
};

/* The kernel puts all descriptors of a message in one SCM_RIGHTS record; there is no other kind. */
static void take_fds(struct message *m, const union control *c, size_t size)
{
	size_t n;

	if (size < sizeof(c->header) || c->header.size < sizeof(c->header) ||
	    c->header.size > size || c->header.level != SOL_SOCKET || c->header.type != SCM_RIGHTS)
		return;
	n = (c->header.size - sizeof(c->header)) / sizeof(int);
	if (n > ARRAY_SIZE(m->fds))
		n = ARRAY_SIZE(m->fds);
	memcpy(m->fds, c->bytes + sizeof(c->header), n * sizeof(int));
	m->n_fds = (uint32_t)n;
}

int message_receive(int socket, struct message *m)
{
	union control control;
	struct iovec iov = { .base = m->bytes, .size = MESSAGE_MAX };
	struct msghdr h = {
		.iov = &iov, .n_iov = 1, .control = &control, .control_size = sizeof(control)
	};
	long n;

	m->n_fds = 0;
	m->size = 0;
	m->type = 0;
	do
		n = sys_recvmsg(socket, &h, MSG_CMSG_CLOEXEC);
	while (n == -EINTR);
	if (n <= 0)
		return (int)n;
	m->size = (size_t)n;
	take_fds(m, &control, h.control_size);
	if (m->size >= sizeof(m->type))
		memcpy(&m->type, m->bytes, sizeof(m->type));
	if ((h.flags & (MSG_TRUNC | MSG_CTRUNC)) || !m->type) {
		message_done(m);
		return -EMSGSIZE;
	}
	return 1;
}

void message_done(struct message *m)
{
	for (uint32_t i = 0; i < m->n_fds; i++)
		close_cleanup(&m->fds[i]);
	m->n_fds = 0;
	/* A large message would stay resident for the life of the jail. */
	if (m->size > 8192)
		(void)sys_madvise(m->bytes, MESSAGE_MAX, MADV_DONTNEED);
	m->size = 0;
}

int message_steal_fd(struct message *m, uint32_t i)
{
	return i < m->n_fds ? steal_fd(&m->fds[i]) : -1;
}

int message_send(int socket, const void *bytes, size_t size, const int *fds, uint32_t n_fds)
{
	struct iovec iov = { .base = (void *)(uintptr_t)bytes, .size = size };
	struct msghdr h = { .iov = &iov, .n_iov = 1 };
	union {
		struct cmsghdr header;
		unsigned char bytes[sizeof(struct cmsghdr) + QUOTAS_MAX * sizeof(int)];
	} control;
	long n;

	if (n_fds > QUOTAS_MAX)
		return -EINVAL;
	if (n_fds > 0) {
		control.header.size = sizeof(control.header) + n_fds * sizeof(int);
		control.header.level = SOL_SOCKET;
		control.header.type = SCM_RIGHTS;
		memcpy(control.bytes + sizeof(control.header), fds, n_fds * sizeof(int));
		h.control = &control;
		h.control_size = sizeof(control.header) + ((n_fds * sizeof(int) + 7) & ~7ul);
	}
	n = sys_sendmsg(socket, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? (int)n : 0;
}

void failed_send(int socket, const struct init *in, int error)
{
	struct failed f = {
		.type = MSG_FAILED, .step = in->step, .error = error, .index = in->index
	};

	(void)message_send(socket, &f, sizeof(f), NULL, 0);
}

/* A forked copy of the creator may hold the control socket open: its death counts by itself. */
bool creator_is_alive_until_request(void)
{
	struct pollfd fds[] = {
		{ .fd = CONTROL_FD, .events = POLLIN },
		{ .fd = CREATOR_FD, .events = POLLIN },
	};
	int n;

	do
		n = sys_poll(fds, ARRAY_SIZE(fds), -1);
	while (n == -EINTR);
	return n > 0 && !fds[1].revents && (fds[0].revents & POLLIN);
}
