/* SPDX-License-Identifier: MIT */

/* See keeper.h. */

#include "database/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "util/util.h"

#define STOP_TIMEOUT (20 * NSEC_PER_SEC)

static int fail(struct sbx_error *err, int code, const char *text)
{
	*err = (struct sbx_error){ .code = code };
	copy_string(err->stage, sizeof(err->stage), "database");
	copy_string(err->text, sizeof(err->text), text);
	return code;
}

/* Between fork and exec: system calls alone. What was inherited without close-on-exec is closed. */
static void become_keeper(const char *program, char **argv, int socket, int url)
{
	static char *env[] = { NULL };
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t none;

	/* Ctrl-C is for the judge; the keeper ends when he has. */
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)signal(signals[i], SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* Out of the way first: either may be a number that the other is to have. */
	socket = fcntl(socket, F_DUPFD, KEEPER_URL_FD + 1);
	url = fcntl(url, F_DUPFD, KEEPER_URL_FD + 1);
	if (socket >= 0 && url >= 0 && dup2(socket, KEEPER_SOCKET_FD) >= 0 &&
	    dup2(url, KEEPER_URL_FD) >= 0) {
		(void)syscall(SYS_close_range, KEEPER_URL_FD + 1, ~0u, 0);
		(void)execve(program, argv, env);
	}
	_exit(127);
}

/* The arguments that are numbers, as text. */
struct words {
	char ahead[16], connections[16];
	char *argv[18];
};

/* `mode` (may be NULL): "--check" and the like, ended by NULL. */
static void make_words(struct words *w, const struct keeper_options *o, const char *const *mode)
{
	const char *const pairs[][2] = {
		{ "--ahead", w->ahead },
		{ "--connections", w->connections },
		{ "--shared", o->shared },
		{ "--template", o->template },
		{ "--temp-file-limit", o->temp_file_limit },
	};
	size_t n = 0;

	(void)snprintf(w->ahead, sizeof(w->ahead), "%u", o->ahead);
	(void)snprintf(w->connections, sizeof(w->connections), "%u",
		       o->connections ? o->connections : 20);
	w->argv[n++] = (char *)"sandbox-keeper";
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (!pairs[i][1])
			continue;
		w->argv[n++] = (char *)pairs[i][0];
		w->argv[n++] = (char *)pairs[i][1];
	}
	for (; mode && *mode; mode++)
		w->argv[n++] = (char *)*mode;
	w->argv[n] = NULL;
}

static int start(struct keeper *k, const struct keeper_options *o, const char *const *mode,
		 struct sbx_error *err)
{
	_cleanup_close_ int ours = -1, theirs = -1, from = -1, to = -1;
	int pair[2], url[2];
	struct words words;
	pid_t pid;

	if (access(o->program, X_OK) < 0)
		return fail(err, -errno, "sandbox-keeper is not there: meson install");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(err, -errno, "no socket can be made");
	ours = pair[0];
	theirs = pair[1];
	if (pipe2(url, O_CLOEXEC) < 0)
		return fail(err, -errno, "no pipe can be made");
	from = url[0];
	to = url[1];
	if (write_full(to, o->url, strlen(o->url)) < 0)
		return fail(err, -EIO, "the URL cannot be passed on");
	make_words(&words, o, mode);
	pid = fork();
	if (pid < 0)
		return fail(err, -errno, "fork: no process can be made");
	if (pid == 0)
		become_keeper(o->program, words.argv, theirs, from);
	*k = (struct keeper){ .pid = pid,
			      .pidfd = (int)syscall(SYS_pidfd_open, pid, 0),
			      .fd = steal_fd(&ours) };
	return 0;
}

int keeper_start(struct keeper *k, const struct keeper_options *o, struct sbx_error *err)
{
	return start(k, o, NULL, err);
}

int keeper_check(const struct keeper_options *o, struct sbx_check *ret, struct sbx_error *err)
{
	struct keeper k = KEEPER_NULL;
	static const char *const mode[] = { "--check", NULL };
	uint32_t n = 0;
	int r = start(&k, o, mode, err);

	if (r < 0)
		return r;
	while (n < KEEPER_CHECKS_MAX && recv(k.fd, &ret[n], sizeof(*ret), 0) == sizeof(*ret))
		n++;
	keeper_stop(&k);
	return (int)n;
}

int keeper_sweep(const struct keeper_options *o, bool dry,
		 void (*each)(const char *name, void *data), void *data, struct sbx_error *err)
{
	const char *const mode[] = { "--sweep", dry ? "--dry-run" : NULL, NULL };
	struct keeper k = KEEPER_NULL;
	struct keeper_swept one = { .end = 0 };
	int n = 0, r = start(&k, o, mode, err);

	if (r < 0)
		return r;
	while (!one.end && recv(k.fd, &one, sizeof(one), 0) == sizeof(one)) {
		one.text[sizeof(one.text) - 1] = '\0';
		if (one.end)
			break;
		each(one.text, data);
		n++;
	}
	keeper_stop(&k);
	if (!one.end)
		return fail(err, -EPIPE, "the keeper of the databases has ended");
	return one.code < 0 ? fail(err, one.code, one.text) : n;
}

bool keeper_alive(const struct keeper *k)
{
	return k->pid > 0 && k->pidfd >= 0 && !fd_is_readable(k->pidfd);
}

static void wait_end(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	uint64_t deadline = deadline_after(STOP_TIMEOUT), now;

	while ((now = now_ns()) < deadline) {
		if (poll(&p, 1, (int)((deadline - now) / NSEC_PER_MSEC) + 1) != -1 ||
		    errno != EINTR)
			return;
	}
}

void keeper_stop(struct keeper *k)
{
	k->fd = close_fd(k->fd);
	if (k->pid <= 0)
		return;
	if (k->pidfd >= 0)
		wait_end(k->pidfd);
	if (k->pidfd >= 0 && !fd_is_readable(k->pidfd))
		(void)kill(k->pid, SIGKILL); /* its leftovers are swept by the next one */
	(void)waitpid(k->pid, NULL, 0);
	close_fd(k->pidfd);
	*k = KEEPER_NULL;
}

int64_t keeper_ask(int fd, enum keeper_what what, uint64_t disk, struct sbx_error *err)
{
	struct keeper_request q = { .what = what, .disk = disk };

	if (getrandom(&q.serial, sizeof(q.serial), 0) != sizeof(q.serial) ||
	    send(fd, &q, sizeof(q), MSG_NOSIGNAL) != (ssize_t)sizeof(q))
		return fail(err, -EPIPE, "the keeper of the databases has ended");
	return q.serial;
}

/* The next message, whatever it answers. */
static int next_answer(int fd, uint64_t deadline, struct keeper_reply *ret, struct sbx_error *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now;
	int n;

	do {
		now = now_ns();
		n = poll(&p, 1, now < deadline ? (int)((deadline - now) / NSEC_PER_MSEC) + 1 : 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return fail(err, -ETIMEDOUT, "the keeper of the databases does not answer");
	if (recv(fd, ret, sizeof(*ret), 0) != (ssize_t)sizeof(*ret))
		return fail(err, -EPIPE, "the keeper of the databases has ended");
	return 0;
}

int keeper_answer(int fd, int64_t serial, uint64_t timeout_ns, struct keeper_reply *ret,
		  struct sbx_error *err)
{
	uint64_t deadline = deadline_after(MIN_OF(timeout_ns, 600 * NSEC_PER_SEC));
	struct keeper_reply a;
	int r;

	do
		r = next_answer(fd, deadline, &a, err);
	while (r == 0 && a.serial != (uint32_t)serial);
	if (r < 0)
		return r;
	a.text[sizeof(a.text) - 1] = '\0';
	if (a.code < 0)
		return fail(err, a.code, *a.text ? a.text : "the keeper has no database");
	*ret = a;
	explicit_bzero(&a, sizeof(a));
	return 0;
}
