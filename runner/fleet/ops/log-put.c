/* SPDX-License-Identifier: MIT */

/*
 * A worker must not wait for who reads its log: its leases would run out. Where there is no room
 * for a line (a pipe to a pager, a journal that hangs) it waits for a moment once, and loses lines
 * from then on, until there is room again.
 */

#include "fleet/ops/log-put.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "util/util.h"

#define PATIENCE NSEC_PER_SEC

static atomic_bool stuck;
static atomic_uint lost;

static bool has_room(int fd, uint64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	uint64_t now = now_ns();
	int ms = now < deadline ? (int)((deadline - now) / NSEC_PER_MSEC + 1) : 0;
	int n = poll(&p, 1, ms);

	return n > 0 || (n < 0 && errno == EINTR);
}

/* Descriptors are shared with others, so that none is made non-blocking. */
static ssize_t put_some(int fd, const char *line, size_t n)
{
	struct iovec io = { .iov_base = (void *)(uintptr_t)line, .iov_len = n };
	struct stat st;
	ssize_t r;

	if (fstat(fd, &st) < 0 || S_ISREG(st.st_mode))
		return write(fd, line, n);
	if (S_ISSOCK(st.st_mode))
		return send(fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!has_room(fd, 0)) {
		errno = EAGAIN;
		return -1;
	}
	/* Another process may take that room first. */
	r = pwritev2(fd, &io, 1, -1, RWF_NOWAIT);
	return r < 0 && errno == EOPNOTSUPP ? write(fd, line, n) : r;
}

unsigned int log_put(int fd, const char *line, size_t n)
{
	uint64_t deadline = atomic_load(&stuck) ? 0 : deadline_after(PATIENCE);

	while (n > 0) {
		ssize_t r = put_some(fd, line, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && errno == EAGAIN && now_ns() < deadline && has_room(fd, deadline))
			continue;
		if (r < 0 && errno == EAGAIN) {
			atomic_store(&stuck, true);
			atomic_fetch_add(&lost, 1);
		}
		if (r < 0)
			return 0;
		line += r;
		n -= (size_t)r;
	}
	atomic_store(&stuck, false);
	return atomic_exchange(&lost, 0);
}
