/* SPDX-License-Identifier: MIT */

/* See exec-stdio.h. */

#include "exec-stdio.h"
#include "exec-jail.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <util/util.h>

/* More than anybody watches scroll by: the pipe matters, not the limit. */
#define TERMINAL_OUTPUT (1ull << 40)

static const char *const names[] = { "stdin", "stdout", "stderr" };

static int refuse(struct sbx_error *err, int code, const char *name, const char *why)
{
	return exec_fail(err, code, "stdio", name, why);
}

int stdio_check(int fd, const char *name, struct sbx_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return refuse(err, -errno, name,
			      errno == EBADF ? "is not open" : "cannot be looked at");
	if (S_ISDIR(st.st_mode))
		return refuse(err, -EISDIR, name,
			      "is a directory of the host, which the jail must not have; use --ro "
			      "or --rw");
	if (S_ISBLK(st.st_mode))
		return refuse(err, -ENOTBLK, name,
			      "is a disk of the host, which the jail must not have");
	return 0;
}

static int feed_init(struct stdio *s, struct sbx_error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return refuse(err, -errno, names[0],
			      "no pipe can be made for the terminal's input");
	s->fd[0] = ends[0];
	s->owned[0] = true;
	s->feed.sink = ends[1];
	s->feed.source = STDIN_FILENO;
	if (fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0)
		return refuse(err, -errno, names[0],
			      "the pipe for the terminal's input cannot be set up");
	return 0;
}

static int open_file(struct stdio *s, int i, const char *path, int flags, struct sbx_error *err)
{
	if (!path)
		return 0;
	s->fd[i] = open(path, flags | O_CLOEXEC | O_NOCTTY, 0666);
	if (s->fd[i] < 0) {
		s->fd[i] = i;
		return exec_fail(err, -errno, "stdio", path, strerror(errno));
	}
	s->owned[i] = true;
	return 0;
}

static int open_files(struct stdio *s, const struct exec_options *o, struct sbx_error *err)
{
	int write = O_WRONLY | O_CREAT | (o->append ? O_APPEND : O_TRUNC);
	bool one = o->stdout_path && o->stderr_path && streq(o->stdout_path, o->stderr_path);
	int r = open_file(s, 0, o->stdin_path, O_RDONLY, err);

	if (r == 0)
		r = open_file(s, 1, o->stdout_path, write, err);
	if (r == 0 && one)
		s->fd[2] = s->fd[1]; /* one position in it, as with 2>&1 */
	else if (r == 0)
		r = open_file(s, 2, o->stderr_path, write, err);
	if (r == 0 && o->stdin_path && isatty(s->fd[0]))
		r = refuse(err, -ENOTTY, names[0],
			   "is a terminal, which the jail must not have; leave --stdin out");
	return r;
}

/*
 * After 2>&1: the library then makes one pipe for both, which keeps the order of what is written.
 */
static bool is_one_file(int a, int b)
{
	pid_t self = getpid();

	return syscall(SYS_kcmp, self, self, KCMP_FILE, a, b) == 0;
}

int stdio_init(struct stdio *s, const struct exec_options *o, struct sbx_error *err)
{
	int r = open_files(s, o, err);

	if (!s->owned[1] && !s->owned[2] && is_one_file(s->fd[1], s->fd[2]))
		s->fd[2] = s->fd[1];
	s->output = o->output.value;
	for (int i = 0; i <= 2 && r == 0; i++)
		r = stdio_check(s->fd[i], names[i], err);
	if (r < 0)
		return r;
	return isatty(s->fd[0]) == 1 ? feed_init(s, err) : 0;
}

/* Our copies of what the program has now: without them it sees the end, and we its death. */
void stdio_started(struct stdio *s)
{
	if (s->owned[0])
		s->fd[0] = close_fd(s->fd[0]);
	s->owned[0] = false;
}

static void feed_end(struct feed *f)
{
	f->sink = close_fd(f->sink);
	f->source = -1;
	f->n = 0;
}

void stdio_done(struct stdio *s)
{
	for (int i = 0; i <= 2; i++)
		if (s->owned[i])
			s->fd[i] = close_fd(s->fd[i]);
	memset(s->owned, 0, sizeof(s->owned));
	feed_end(&s->feed);
}

static uint64_t output_limit(const struct stdio *s, int fd)
{
	return s->output ? s->output : isatty(fd) == 1 ? TERMINAL_OUTPUT : 0;
}

void stdio_apply(const struct stdio *s, struct sbx_exec *e)
{
	e->flags |= SBX_EXEC_STDIN | SBX_EXEC_STDOUT | SBX_EXEC_STDERR;
	e->stdin_fd = s->fd[0];
	e->stdout_fd = s->fd[1];
	e->stderr_fd = s->fd[2];
	e->stdout_limit = output_limit(s, s->fd[1]);
	e->stderr_limit = output_limit(s, s->fd[2]);
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
