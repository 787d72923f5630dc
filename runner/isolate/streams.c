/* SPDX-License-Identifier: MIT */

/* See streams.h. */

#include "streams.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <util/util.h>

#define TERMINAL_OUTPUT (1ull << 40) /* more than anybody watches scroll by */

static int check(int fd, struct report *r)
{
	static const char *const names[] = { "input", "output", "error output" };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return report_fail(r, "Cannot use the standard %s: %s", names[fd], strerror(errno));
	if (S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
		return report_fail(
			r,
			"Cannot pass the standard %s: it is a %s of the host; --dir shows "
			"directories",
			names[fd], S_ISDIR(st.st_mode) ? "directory" : "disk");
	return 0;
}

int streams_init(struct streams *s, struct report *r)
{
	int ends[2];

	memset(s, 0, sizeof(*s));
	s->in = STDIN_FILENO;
	s->sink = -1;
	for (int fd = 0; fd <= 2; fd++) {
		if (check(fd, r) < 0)
			return -1;
		s->terminal[fd] = isatty(fd) == 1;
	}
	if (!s->terminal[0])
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return report_fail(r, "Cannot make a pipe: %s", strerror(errno));
	s->in = ends[0];
	s->sink = ends[1];
	return fcntl(s->sink, F_SETFL, O_NONBLOCK) < 0 ? -1 : 0;
}

void streams_started(struct streams *s)
{
	if (s->terminal[0])
		s->in = close_fd(s->in);
}

void streams_done(struct streams *s)
{
	streams_started(s);
	s->sink = close_fd(s->sink);
}

void streams_apply(const struct streams *s, struct sbx_exec *e)
{
	e->flags |= SBX_EXEC_STDIN | SBX_EXEC_STDOUT | SBX_EXEC_STDERR;
	e->stdin_fd = s->in;
	e->stdout_fd = STDOUT_FILENO;
	e->stderr_fd = STDERR_FILENO;
	e->stdout_limit = s->terminal[1] ? TERMINAL_OUTPUT : UINT64_MAX;
	e->stderr_limit = s->terminal[2] ? TERMINAL_OUTPUT : UINT64_MAX;
}

bool streams_wants(const struct streams *s, int *ret_fd, short *ret_events, bool *ret_later)
{
	*ret_later = false;
	if (s->sink < 0)
		return false;
	*ret_fd = s->n ? s->sink : STDIN_FILENO;
	*ret_events = s->n ? POLLOUT : POLLIN;
	*ret_later = !s->n && tcgetpgrp(STDIN_FILENO) != getpgrp();
	return !*ret_later;
}

void streams_move(struct streams *s)
{
	bool reading = s->n == 0;
	ssize_t n = reading ? read(STDIN_FILENO, s->bytes, sizeof(s->bytes))
			    : write(s->sink, s->bytes, s->n);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) { /* Ctrl-D, the terminal has gone, or nobody reads the pipe any more */
		s->sink = close_fd(s->sink);
		s->n = 0;
		return;
	}
	if (reading) {
		s->n = (size_t)n;
		return;
	}
	s->n -= (size_t)n;
	memmove(s->bytes, s->bytes + n, s->n);
}
