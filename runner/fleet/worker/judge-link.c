/* SPDX-License-Identifier: MIT */

/* See judge-link.h. */

#include "fleet/worker/judge-link.h"

#include <sys/socket.h>

#include "util/util.h"

int judge_send(int socket, const struct judge_packet *p, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec io = { .iov_base = (void *)p, .iov_len = sizeof(*p) };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(int));
	}
	do
		n = sendmsg(socket, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	return errno == ECONNRESET || errno == ENOTCONN ? -EPIPE : -errno;
}

/* The descriptors that came along: all are taken, so that none stays; the first is kept. */
static int take_fd(struct msghdr *m)
{
	int ret = -1, fd;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (ret < 0)
				ret = fd;
			else
				close_fd(fd);
		}
	}
	return ret;
}

#define END(text) ((text)[sizeof(text) - 1] = '\0')

static int end_texts(struct judge_packet *p)
{
	switch (p->kind) {
	case JUDGE_SETUP:
		END(p->setup.store);
		END(p->setup.policies);
		END(p->setup.challenge);
		END(p->setup.worker);
		END(p->setup.slot);
		return 0;
	case JUDGE_RUN:
		END(p->order.id);
		END(p->order.student);
		END(p->order.traceparent);
		END(p->order.challenge);
		return 0;
	case JUDGE_STAGE:
		END(p->stage.name);
		END(p->stage.note);
		return 0;
	case JUDGE_RESULT:
		END(p->verdict.verdict);
		END(p->verdict.tests_sha256);
		END(p->verdict.step);
		END(p->verdict.reason);
		END(p->verdict.why);
		return 0;
	case JUDGE_FAILED:
		END(p->why);
		return 0;
	case JUDGE_CANCEL:
	case JUDGE_READY:
		return 0;
	default:
		return -EBADMSG;
	}
}

int judge_receive(int socket, struct judge_packet *ret, int *ret_fd)
{
	union {
		char space[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec io = { .iov_base = ret, .iov_len = sizeof(*ret) };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	_cleanup_close_ int fd = -1;
	ssize_t n;

	*ret_fd = -1;
	do
		n = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (n == 0)
		return -EPIPE;
	fd = take_fd(&m);
	if ((size_t)n != sizeof(*ret) || (m.msg_flags & MSG_TRUNC) || end_texts(ret) < 0)
		return -EBADMSG;
	*ret_fd = steal_fd(&fd);
	return 1;
}
