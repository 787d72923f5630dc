/* SPDX-License-Identifier: MIT */

/*
 * The socket is made here and not by hiredis, which gives it to every program that is executed
 * meanwhile. A name may have several addresses: they are tried in turn, within one deadline, half
 * of which is for finding them.
 */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fleet/queue/redis.h"
#include "net/resolve.h"
#include "util/util.h"

static int wait_connected(int fd, uint64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int failed = 0, n;
	socklen_t size = sizeof(failed);

	do {
		uint64_t now = now_ns();
		uint64_t left = now < deadline ? (deadline - now) / NSEC_PER_MSEC + 1 : 0;

		n = poll(&p, 1, (int)MIN_OF(left, (uint64_t)600000));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) < 0)
		return -errno;
	return -failed;
}

/* hiredis wants it to block. */
static int try_one(int family, const struct sockaddr *to, socklen_t size, uint64_t deadline)
{
	_cleanup_close_ int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, r;

	fd = fd_above_stdio(fd);
	if (fd < 0)
		return -errno;
	if (connect(fd, to, size) < 0) {
		if (errno != EINPROGRESS && errno != EINTR)
			return -errno;
		r = wait_connected(fd, deadline);
		if (r < 0)
			return r;
	}
	if (family != AF_UNIX) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	}
	if (fcntl(fd, F_SETFL, 0) < 0)
		return -errno;
	return steal_fd(&fd);
}

static int try_unix(const char *path, uint64_t deadline)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	copy_string(to.sun_path, sizeof(to.sun_path), path);
	return try_one(AF_UNIX, (const struct sockaddr *)&to, sizeof(to), deadline);
}

int redis_connect(const struct redis_url *u, uint64_t timeout_ns, struct sbx_error *err)
{
	uint64_t deadline = deadline_after(timeout_ns);
	struct addresses found;
	char why[RESOLVE_WHY];
	int r;

	if (!u->host) {
		r = try_unix(u->path, deadline);
		return r >= 0 ? r
			      : redis_error(err, -EAGAIN, "",
					    "cannot connect to Redis at %s: %s; is it running, and "
					    "may this user reach its socket?",
					    u->path, strerror(-r));
	}
	r = resolve_host(u->host, u->port, deadline_after(timeout_ns / 2), &found, why);
	if (r < 0)
		return redis_error(err, -EAGAIN, "",
				   "cannot find the host of Redis, %s: %s (is redis.url right?)",
				   u->host, why);
	for (size_t i = 0; i < found.n; i++) {
		const struct address *a = &found.list[i];

		r = try_one(a->family, (const struct sockaddr *)&a->to, a->size, deadline);
		if (r >= 0)
			break;
	}
	return r >= 0 ? r
		      : redis_error(err, -EAGAIN, "",
				    "cannot connect to Redis at %s:%s: %s (is it running? is "
				    "redis.url right?)",
				    u->host, u->port, strerror(-r));
}
