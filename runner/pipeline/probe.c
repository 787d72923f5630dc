/* SPDX-License-Identifier: MIT */

/*
 * Does it speak HTTP? The one place where bytes of a server reach the process that judges, so it
 * looks at the status line and nothing else: nine bytes of fixed form and three digits, in a buffer
 * of fixed size, with a deadline. The request is byte for byte what the tests will send, so that a
 * server cannot answer the probe in one way and the tests in another.
 */

#include "pipeline/probe.h"

#include <poll.h>
#include <sys/socket.h>

#include "hurl/hurl.h"
#include "util/util.h"

#define CONNECT_TIMEOUT (500 * NSEC_PER_MSEC)
#define DRAIN_BYTES (64u << 10)

int probe_status(const char *bytes, size_t n)
{
	static const char form[] = "HTTP/1.";
	size_t prefix = MIN_OF(n, strlen(form));

	if (memcmp(bytes, form, prefix) != 0)
		return -EPROTO;
	if (n < 13)
		return 0;
	if ((bytes[7] != '0' && bytes[7] != '1') || bytes[8] != ' ')
		return -EPROTO;
	for (size_t i = 9; i < 12; i++) {
		if (bytes[i] < '0' || bytes[i] > '9')
			return -EPROTO;
	}
	if (bytes[9] < '1' || bytes[9] > '5' ||
	    (bytes[12] != ' ' && bytes[12] != '\r' && bytes[12] != '\n'))
		return -EPROTO;
	return (bytes[9] - '0') * 100 + (bytes[10] - '0') * 10 + (bytes[11] - '0');
}

static int send_request(struct job *job, int fd, const char *path)
{
	char request[512];
	int n = snprintf(
		request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: localhost:%u\r\nUser-Agent: %s\r\nAccept: */*\r\n\r\n",
		path, job->challenge->port, HURL_USER_AGENT);

	if (n >= (int)sizeof(request))
		return -EMSGSIZE;
	return send(fd, request, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) == n ? 0 : -ECONNRESET;
}

/* What is unread at close(2) would reset the connection under a server that still writes. */
static void drain(int fd)
{
	char buf[4096];
	size_t total = 0;
	ssize_t n;

	(void)shutdown(fd, SHUT_WR);
	while (total < DRAIN_BYTES && (n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		total += (size_t)n;
}

static int receive_status(struct job *job, int fd, uint64_t deadline)
{
	char line[PROBE_LINE];
	size_t have = 0;

	for (;;) {
		uint64_t now = now_ns();
		ssize_t n;
		int r;

		if (now >= deadline)
			return -ETIMEDOUT;
		r = job_attend(job, NULL, fd, POLLIN, deadline - now);
		if (r < 0)
			return r == -EINTR ? r : -EIO;
		if (job->server_ended)
			return -ECHILD;
		if (r == 0)
			continue;
		n = recv(fd, line + have, sizeof(line) - have, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ECONNRESET;
		have += (size_t)n;
		r = probe_status(line, have);
		if (r != 0)
			return r;
		if (have == sizeof(line))
			return -EPROTO;
	}
}

int probe_http(struct job *job, uint16_t port, const char *path, uint64_t timeout_ns)
{
	uint64_t deadline = deadline_after(timeout_ns);
	_cleanup_close_ int fd = -1;
	int r;

	fd = sbx_jail_connect(job->app, port, MIN_OF(timeout_ns, CONNECT_TIMEOUT), NULL);
	if (fd < 0)
		return fd;
	r = send_request(job, fd, path);
	if (r == 0)
		r = receive_status(job, fd, deadline);
	if (r > 0)
		drain(fd);
	return r;
}
