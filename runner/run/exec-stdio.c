/* SPDX-License-Identifier: MIT */

/* See exec-stdio.h. */

#include "exec-stdio.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <util/util.h>

/* More than anybody watches scroll by: the pipe matters, not the limit. */
#define TERMINAL_OUTPUT (1ull << 40)

static int refuse(struct sbx_error *err, int code, int fd, const char *why)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };

	memset(err, 0, sizeof(*err));
	err->code = code;
	copy_string(err->stage, sizeof(err->stage), "stdio");
	copy_string(err->item, sizeof(err->item), names[fd]);
	copy_string(err->text, sizeof(err->text), why);
	return code;
}

static int check(int fd, struct sbx_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return refuse(err, -errno, fd, "cannot be looked at");
	if (S_ISDIR(st.st_mode))
		return refuse(err, -EISDIR, fd,
			      "is a directory of the host, which the jail must not have; use --ro "
			      "or --rw");
	if (S_ISBLK(st.st_mode))
		return refuse(err, -ENOTBLK, fd,
			      "is a disk of the host, which the jail must not have");
	return 0;
}

static int feed_init(struct stdio *s, struct sbx_error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return refuse(err, -errno, 0, "no pipe can be made for the terminal's input");
	s->stdin_fd = ends[0];
	s->owned = true;
	s->feed.sink = ends[1];
	s->feed.source = STDIN_FILENO;
	if (fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0)
		return refuse(err, -errno, 0, "the pipe for the terminal's input cannot be set up");
	return 0;
}

int stdio_init(struct stdio *s, uint64_t output, struct sbx_error *err)
{
	int r = 0;

	memset(s, 0, sizeof(*s));
	s->stdin_fd = STDIN_FILENO;
	s->output = output;
	s->feed.source = s->feed.sink = -1;
	for (int fd = 0; fd <= 2 && r == 0; fd++)
		r = check(fd, err);
	if (r < 0)
		return r;
	s->stdout_terminal = isatty(STDOUT_FILENO) == 1;
	s->stderr_terminal = isatty(STDERR_FILENO) == 1;
	return isatty(STDIN_FILENO) == 1 ? feed_init(s, err) : 0;
}

void stdio_started(struct stdio *s)
{
	if (s->owned)
		s->stdin_fd = close_fd(s->stdin_fd);
	s->owned = false;
}

static void feed_end(struct feed *f)
{
	f->sink = close_fd(f->sink);
	f->source = -1;
	f->n = 0;
}

void stdio_done(struct stdio *s)
{
	stdio_started(s);
	feed_end(&s->feed);
}

void stdio_apply(const struct stdio *s, struct sbx_exec *e)
{
	e->flags |= SBX_EXEC_STDIN | SBX_EXEC_STDOUT | SBX_EXEC_STDERR;
	e->stdin_fd = s->stdin_fd;
	e->stdout_fd = STDOUT_FILENO;
	e->stderr_fd = STDERR_FILENO;
	e->stdout_limit = s->output ? s->output : s->stdout_terminal ? TERMINAL_OUTPUT : 0;
	e->stderr_limit = s->output ? s->output : s->stderr_terminal ? TERMINAL_OUTPUT : 0;
}

bool feed_wants(const struct feed *f, int *ret_fd, short *ret_events, bool *ret_wait)
{
	*ret_wait = false;
	if (f->source < 0)
		return false;
	if (f->n > 0) {
		*ret_fd = f->sink;
		*ret_events = POLLOUT;
		return true;
	}
	/* Reading it in the background would stop us (SIGTTIN), and with us the limits. */
	if (tcgetpgrp(f->source) != getpgrp()) {
		*ret_wait = true;
		return false;
	}
	*ret_fd = f->source;
	*ret_events = POLLIN;
	return true;
}

void feed_move(struct feed *f)
{
	ssize_t n;

	if (f->source < 0)
		return;
	if (f->n == 0) {
		n = read(f->source, f->bytes, sizeof(f->bytes));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			return;
		if (n <= 0) { /* Ctrl-D, or the terminal has gone */
			feed_end(f);
			return;
		}
		f->n = (size_t)n;
	}
	n = write(f->sink, f->bytes, f->n);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		feed_end(f); /* nobody reads it any more */
		return;
	}
	if (n > 0) {
		f->n -= (size_t)n;
		memmove(f->bytes, f->bytes + n, f->n);
	}
}
