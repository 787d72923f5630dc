/* SPDX-License-Identifier: MIT */

/*
 * Copying a program's output without letting it grow: see struct stream in proc.h. No write
 * blocks, whatever the destination is: poll(2) is asked before each one, of at most PIPE_BUF bytes,
 * which a pipe then takes as a whole. What is left over waits until the destination can be written
 * to again.
 */

#include "proc.h"
#include "util/util.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define RING_MAX (256u * 1024)
#define FINISH_NS (10 * NSEC_PER_SEC) /* for a reader that stalls when the program has ended */

/*
 * What is closed is taken out of the caller's epoll set by name: a process that he has forked may
 * have it, too, and the set would tell of its end for as long as that one lives.
 */
static void close_pipe(struct stream *s)
{
	if (s->pipe >= 0 && s->epoll >= 0)
		(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->pipe, NULL);
	s->pipe = close_fd(s->pipe);
}

int stream_init(struct stream *s, int dest, uint64_t limit, int *ret_write_end)
{
	struct stat st;
	int ends[2];

	s->limit = limit;
	s->ring_size = (size_t)MIN_OF(limit / 4, (uint64_t)RING_MAX);
	s->head = limit - s->ring_size;
	s->ring = malloc(s->ring_size + PIPE_BUF);
	if (!s->ring)
		return -ENOMEM;
	s->pending = s->ring + s->ring_size;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	s->pipe = fd_above_stdio(ends[0]);
	*ret_write_end = ends[1];
	(void)fcntl(s->pipe, F_SETFL, O_NONBLOCK);
	s->dest = fcntl(dest, F_DUPFD_CLOEXEC, 3);
	if (s->pipe < 0 || s->dest < 0 || fstat(s->dest, &st) < 0) {
		*ret_write_end = close_fd(*ret_write_end);
		return -errno;
	}
	s->is_socket = S_ISSOCK(st.st_mode);
	return 0;
}

/*
 * Without a SIGPIPE: that signal would be the caller's, for a reader that the caller may not even
 * know. -EPIPE and other errors say that nobody will ever read on.
 */
static ssize_t write_quietly(const struct stream *s, const char *bytes, size_t n)
{
	const struct timespec now = { 0 };
	sigset_t pipe_signal, old;
	ssize_t r;

	if (s->is_socket) {
		r = send(s->dest, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		return r < 0 ? -errno : r;
	}
	(void)sigemptyset(&pipe_signal);
	(void)sigaddset(&pipe_signal, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe_signal, &old);
	r = write(s->dest, bytes, n) < 0 ? -errno : (ssize_t)n;
	if (r == -EPIPE && !sigismember(&old, SIGPIPE))
		(void)sigtimedwait(&pipe_signal, NULL, &now);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

static bool is_writable(const struct stream *s, int timeout_ms)
{
	struct pollfd p = { .fd = s->dest, .events = POLLOUT };

	return poll(&p, 1, timeout_ms) > 0;
}

/* As much of what is pending as the destination takes now. */
static void flush(struct stream *s)
{
	ssize_t r;

	while (s->pending_at < s->pending_end && !s->broken && is_writable(s, 0)) {
		r = write_quietly(s, s->pending + s->pending_at, s->pending_end - s->pending_at);
		if (r >= 0)
			s->pending_at += (size_t)r;
		else if (r == -EAGAIN)
			return;
		else
			s->broken = r != -EINTR;
	}
}

bool stream_stalled(const struct stream *s)
{
	if (s->dest < 0 || s->broken)
		return false;
	return s->pending_at < s->pending_end || (s->total < s->head && !is_writable(s, 0));
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

/* One read of at most `most` bytes, while nothing is pending; false: there is nothing more now. */
static bool move_once(struct stream *s, size_t most)
{
	ssize_t n = read(s->pipe, s->pending, MIN_OF(most, (size_t)PIPE_BUF));
	size_t direct;

	if (n <= 0) {
		if (n == 0)
			close_pipe(s);
		return n < 0 && errno == EINTR;
	}
	direct = s->total < s->head ? (size_t)MIN_OF((uint64_t)n, s->head - s->total) : 0;
	s->total += (uint64_t)n;
	ring_put(s, s->pending + direct, (size_t)n - direct);
	s->pending_at = 0;
	s->pending_end = direct;
	flush(s);
	return true;
}

int stream_move(struct stream *s)
{
	int rounds;

	for (rounds = 0; s->pipe >= 0 && rounds < 64; rounds++) {
		flush(s);
		if (s->broken) /* the program learns it as it would without us */
			close_pipe(s);
		else if (stream_stalled(s) || !move_once(s, PIPE_BUF))
			break;
	}
	return s->total > s->limit;
}

/* Waits for the reader, until `deadline`; who has not read by then will not. */
static void flush_by(struct stream *s, uint64_t deadline)
{
	uint64_t now;

	flush(s);
	while (s->pending_at < s->pending_end && !s->broken) {
		now = now_ns();
		if (now >= deadline)
			s->broken = true;
		else if (is_writable(s, (int)((deadline - now) / NSEC_PER_MSEC) + 1))
			flush(s);
	}
}

static void write_by(struct stream *s, const char *bytes, size_t n, uint64_t deadline)
{
	size_t part;

	for (; n && !s->broken; bytes += part, n -= part) {
		part = MIN_OF(n, (size_t)PIPE_BUF);
		memcpy(s->pending, bytes, part);
		s->pending_at = 0;
		s->pending_end = part;
		flush_by(s, deadline);
	}
}

/* What the program left in the pipe, and no more: what it left running may write for ever. */
static void drain_by(struct stream *s, uint64_t deadline)
{
	uint64_t end;
	int left = 0;

	flush_by(s, deadline);
	if (s->pipe < 0 || ioctl(s->pipe, FIONREAD, &left) < 0)
		return;
	end = s->total + (uint64_t)left;
	while (s->pipe >= 0 && s->total < end && move_once(s, (size_t)(end - s->total)))
		flush_by(s, deadline);
}

static void write_ring_by(struct stream *s, uint64_t deadline)
{
	size_t kept = MIN_OF(s->ring_at, s->ring_size), at = s->ring_at - kept, part;

	for (; kept; at += part, kept -= part) {
		part = MIN_OF(kept, s->ring_size - at % s->ring_size);
		write_by(s, s->ring + at % s->ring_size, part, deadline);
	}
}

void stream_finish(struct stream *s)
{
	uint64_t deadline = deadline_after(FINISH_NS), cut;
	char mark[96];
	int n;

	if (s->dest < 0)
		return;
	drain_by(s, deadline);
	close_pipe(s);
	if (s->total > s->limit) {
		cut = s->total - s->head - MIN_OF(s->ring_at, s->ring_size);
		n = snprintf(mark, sizeof(mark), "\n[... %llu bytes of output cut ...]\n",
			     (unsigned long long)cut);
		if (cut)
			write_by(s, mark, (size_t)n, deadline);
	}
	write_ring_by(s, deadline);
	s->dest = close_fd(s->dest);
}

void stream_done(struct stream *s)
{
	close_pipe(s);
	s->dest = close_fd(s->dest);
	free(s->ring);
	s->ring = NULL;
}
