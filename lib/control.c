/* SPDX-License-Identifier: MIT */

/* See control.h. */

#include "control.h"
#include "util/util.h"
#include <poll.h>
#include <sys/socket.h>

#define CMSG_FDS 250

int control_pair(int ret[2])
{
	int size = (int)MESSAGE_MAX, i;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
		return -errno;
	for (i = 0; i < 2; i++)
		ret[i] = fd_above_stdio(ret[i]);
	if (ret[0] < 0 || ret[1] < 0) {
		close_fd(ret[0]);
		close_fd(ret[1]);
		return -EMFILE;
	}
	for (i = 0; i < 2; i++)
		(void)setsockopt(ret[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

int control_send(int fd, const struct iovec *parts, int n_parts, const int *fds, int n_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(CMSG_FDS * sizeof(int))];
	} space;
	struct msghdr m = { .msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)n_parts };
	struct cmsghdr *c;
	size_t size = 0;
	ssize_t n;

	if (n_fds > CMSG_FDS)
		return -E2BIG;
	for (int i = 0; i < n_parts; i++)
		size += parts[i].iov_len;
	if (size > MESSAGE_MAX) /* init would end at a message that was cut */
		return -EMSGSIZE;
	if (n_fds) {
		m.msg_control = space.bytes;
		m.msg_controllen = CMSG_SPACE((size_t)n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)n_fds * sizeof(int));
	}
	do
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static int wait_readable(int fd, int timeout_ms)
{
	uint64_t deadline = timeout_ms < 0 ? UINT64_MAX
					   : deadline_after((uint64_t)timeout_ms * NSEC_PER_MSEC);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now;
	int r;

	for (;;) {
		r = poll(&p, 1, timeout_ms);
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
		now = now_ns();
		if (now >= deadline)
			return -ETIMEDOUT;
		if (timeout_ms > 0)
			timeout_ms = (int)((deadline - now) / NSEC_PER_MSEC) + 1;
	}
}

/* Takes the descriptors of `m` into `fds`; what does not fit is closed and counted all the same. */
static int take_fds(struct msghdr *m, int *fds, int max_fds)
{
	struct cmsghdr *c;
	int count = 0, fd;
	size_t i, n;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++, count++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			fd = fd_above_stdio(fd);
			if (count < max_fds)
				fds[count] = fd;
			else
				close_fd(fd);
		}
	}
	return count;
}

int control_receive(int fd, void *buf, size_t size, int *fds, int max_fds, int *ret_fds,
		    int timeout_ms)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(64 * sizeof(int))];
	} space;
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = space.bytes,
			    .msg_controllen = sizeof(space) };
	int i, count, r = wait_readable(fd, timeout_ms);
	ssize_t n;

	if (r < 0)
		return r;
	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	count = take_fds(&m, fds, max_fds);
	if (count > max_fds || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		for (i = 0; i < MIN_OF(count, max_fds); i++)
			close_fd(fds[i]);
		return -EPROTO;
	}
	if (ret_fds)
		*ret_fds = count;
	return (int)n;
}
