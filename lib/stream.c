/* SPDX-License-Identifier: MIT */

/* Copying a program's output without letting it grow: see struct stream in proc.h. */

#include "proc.h"
#include "util/util.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#define RING_MAX (256u * 1024)

int stream_init(struct stream *s, int dest, uint64_t limit, int *ret_write_end)
{
	int ends[2];

	s->limit = limit;
	s->ring_size = (size_t)MIN_OF(limit / 4, (uint64_t)RING_MAX);
	s->head = limit - s->ring_size;
	s->ring = malloc(s->ring_size ? s->ring_size : 1);
	if (!s->ring)
		return -ENOMEM;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	s->pipe = ends[0];
	*ret_write_end = ends[1];
	(void)fcntl(s->pipe, F_SETFL, O_NONBLOCK);
	s->dest = fcntl(dest, F_DUPFD_CLOEXEC, 3);
	if (s->dest < 0) {
		*ret_write_end = close_fd(*ret_write_end);
		return -errno;
	}
	return 0;
}

/*
 * Without a SIGPIPE: that signal would be the caller's, for a reader that the caller may not even
 * know. -EPIPE and other errors say that nobody will ever read on.
 */
static ssize_t write_quietly(int fd, const char *bytes, size_t n)
{
	const struct timespec now = { 0 };
	sigset_t pipe_signal, old;
	ssize_t r;

	(void)sigemptyset(&pipe_signal);
	(void)sigaddset(&pipe_signal, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe_signal, &old);
	r = write(fd, bytes, n) < 0 ? -errno : (ssize_t)n;
	if (r == -EPIPE && !sigismember(&old, SIGPIPE))
		(void)sigtimedwait(&pipe_signal, NULL, &now);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

/* At most PIPE_BUF bytes at a time: that much a pipe takes without blocking once poll(2) says so. */
static void write_all(struct stream *s, const char *bytes, size_t n)
{
	struct pollfd p = { .fd = s->dest, .events = POLLOUT };
	ssize_t r;

	while (n && !s->broken) {
		r = write_quietly(s->dest, bytes, MIN_OF(n, (size_t)PIPE_BUF));
		if (r > 0) {
			bytes += r;
			n -= (size_t)r;
		} else if (r == -EAGAIN) {
			s->broken = poll(&p, 1, 10000) <= 0;
		} else if (r != -EINTR) {
			s->broken = true;
		}
	}
}

bool stream_stalled(const struct stream *s)
{
	struct pollfd p = { .fd = s->dest, .events = POLLOUT };

	return s->dest >= 0 && s->total < s->head && poll(&p, 1, 0) == 0;
}

static void ring_put(struct stream *s, const char *bytes, size_t n)
{
	size_t part;

	if (!s->ring_size)
		return;
	if (n > s->ring_size) {
		bytes += n - s->ring_size;
		s->ring_at += n - s->ring_size;
		n = s->ring_size;
	}
	while (n) {
		part = MIN_OF(n, s->ring_size - s->ring_at % s->ring_size);
		memcpy(s->ring + s->ring_at % s->ring_size, bytes, part);
		s->ring_at += part;
		bytes += part;
		n -= part;
	}
}

int stream_move(struct stream *s)
{
	char buf[PIPE_BUF];
	size_t direct;
	ssize_t n;
	int rounds;

	for (rounds = 0; s->pipe >= 0 && rounds < 64 && !stream_stalled(s); rounds++) {
		n = read(s->pipe, buf, sizeof(buf));
		if (n < 0)
			break;
		if (!n) {
			s->pipe = close_fd(s->pipe);
			break;
		}
		direct = s->total < s->head ? (size_t)MIN_OF((uint64_t)n, s->head - s->total) : 0;
		s->total += (uint64_t)n;
		write_all(s, buf, direct);
		if (s->broken) { /* the program learns it as it would without us */
			s->pipe = close_fd(s->pipe);
			break;
		}
		ring_put(s, buf + direct, (size_t)n - direct);
	}
	return s->total > s->limit;
}

/* What is still in the pipe when the program has ended; a stalled reader gets 10 s for it. */
static bool has_more(const struct stream *s)
{
	struct pollfd source = { .fd = s->pipe, .events = POLLIN };
	struct pollfd dest = { .fd = s->dest, .events = POLLOUT };

	if (s->pipe < 0 || poll(&source, 1, 0) <= 0 || !(source.revents & POLLIN))
		return false;
	return s->total >= s->head || poll(&dest, 1, 10000) > 0;
}

void stream_finish(struct stream *s)
{
	size_t kept, at;
	char mark[96];
	uint64_t cut;

	if (s->dest < 0)
		return;
	while (s->pipe >= 0 && stream_move(s) >= 0 && has_more(s))
		;
	s->pipe = close_fd(s->pipe);
	kept = MIN_OF(s->ring_at, s->ring_size);
	cut = s->total > s->limit ? s->total - s->head - kept : 0;
	if (cut) {
		int n = snprintf(mark, sizeof(mark), "\n[... %llu bytes of output cut ...]\n",
				 (unsigned long long)cut);
		write_all(s, mark, (size_t)n);
	}
	at = s->ring_at - kept;
	while (kept) {
		size_t part = MIN_OF(kept, s->ring_size - at % s->ring_size);

		write_all(s, s->ring + at % s->ring_size, part);
		at += part;
		kept -= part;
	}
	s->dest = close_fd(s->dest);
}

void stream_done(struct stream *s)
{
	s->pipe = close_fd(s->pipe);
	s->dest = close_fd(s->dest);
	free(s->ring);
	s->ring = NULL;
}
