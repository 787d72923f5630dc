/* SPDX-License-Identifier: MIT */

/* See terminal.h. */

#include "terminal.h"
#include "exec-jail.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <util/util.h>

#define SLAVE_NAME_MAX 64

static int open_pair(struct terminal *t)
{
	char name[SLAVE_NAME_MAX];

	t->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->master < 0 || grantpt(t->master) < 0 || unlockpt(t->master) < 0)
		return -errno;
	if (ptsname_r(t->master, name, sizeof(name)) != 0)
		return -errno;
	t->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->slave < 0 || fcntl(t->master, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

static void copy_size(struct terminal *t)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		(void)ioctl(t->master, TIOCSWINSZ, &size);
}

static int watch_size(struct terminal *t)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	t->resized = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (t->resized < 0)
		return -errno;
	copy_size(t);
	return 0;
}

/* The program's terminal starts as the caller's was: echo, line editing, keys. */
static int make_raw(struct terminal *t)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &t->saved) < 0 || tcsetattr(t->slave, TCSANOW, &t->saved) < 0)
		return -errno;
	raw = t->saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
		return -errno;
	t->raw = true;
	return 0;
}

int terminal_open(struct terminal *t, struct sbx_error *err)
{
	int r = open_pair(t);

	if (r < 0)
		return exec_fail(err, r, "terminal", "/dev/ptmx", strerror(-r));
	r = watch_size(t);
	if (r == 0)
		r = make_raw(t);
	return r < 0 ? exec_fail(err, r, "terminal", "stdin", strerror(-r)) : 0;
}

void terminal_started(struct terminal *t)
{
	t->slave = close_fd(t->slave);
}

/* false: nothing more will come, or nobody sees it. */
static bool show(struct terminal *t)
{
	char bytes[4096];
	ssize_t n = read(t->master, bytes, sizeof(bytes));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	return n > 0 && write_full(STDOUT_FILENO, bytes, (size_t)n) == 0;
}

static int read_keys(struct terminal *t)
{
	ssize_t n = read(STDIN_FILENO, t->keys, sizeof(t->keys));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		return -EPIPE;
	t->n = (size_t)n;
	return 0;
}

static int pass_keys(struct terminal *t)
{
	ssize_t n = write(t->master, t->keys, t->n);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	t->n -= (size_t)n;
	memmove(t->keys, t->keys + n, t->n);
	return 0;
}

static void take_resize(struct terminal *t)
{
	struct signalfd_siginfo info;

	while (read(t->resized, &info, sizeof(info)) == (ssize_t)sizeof(info))
		;
	copy_size(t);
}

int terminal_poll(struct terminal *t, int wake, int signals)
{
	enum { WAKE, SIGNALS, RESIZED, MASTER, KEYS, N };
	bool output = true;

	for (;;) {
		struct pollfd fds[N] = {
			[WAKE] = { .fd = wake, .events = POLLIN },
			[SIGNALS] = { .fd = signals, .events = POLLIN },
			[RESIZED] = { .fd = t->resized, .events = POLLIN },
			[MASTER] = { .fd = output ? t->master : -1,
				     .events = (short)(POLLIN | (t->n ? POLLOUT : 0)) },
			[KEYS] = { .fd = t->n ? -1 : STDIN_FILENO, .events = POLLIN },
		};
		int r = 0;

		if (poll(fds, N, -1) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (fds[MASTER].revents & (POLLIN | POLLHUP | POLLERR))
			output = show(t);
		if (fds[RESIZED].revents)
			take_resize(t);
		if (fds[MASTER].revents & POLLOUT)
			r = pass_keys(t);
		if (fds[KEYS].revents)
			r = read_keys(t);
		if (r < 0)
			return r;
		if (fds[WAKE].revents || fds[SIGNALS].revents)
			return fds[SIGNALS].revents != 0;
	}
}

void terminal_close(struct terminal *t)
{
	struct pollfd more = { .fd = t->master, .events = POLLIN };

	t->slave = close_fd(t->slave);
	while (t->master >= 0 && poll(&more, 1, 0) > 0 && (more.revents & POLLIN) && show(t))
		;
	if (t->raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &t->saved);
	t->raw = false;
	t->master = close_fd(t->master);
	t->resized = close_fd(t->resized);
}
