/* SPDX-License-Identifier: MIT */

/*
 * See child.h. All that needs memory is made before fork(2): the supervisor has a thread (its
 * endpoints for operators), so the child may only make system calls until it is executed.
 */

#include "fleet/worker/child.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "util/util.h"

#define FIRST 3
#define HIGH 100 /* above all that is given to a child */

const char *const child_variables[] = {
	"PATH",
	"HOME",
	"LANG",
	"LC_*",
	"TZ",
	"XDG_*",
	"TMPDIR",
	"npm_config_*",
	"NPM_CONFIG_*",
	"NODE_EXTRA_CA_CERTS",
	"http_proxy",
	"https_proxy",
	"HTTP_PROXY",
	"HTTPS_PROXY",
	"no_proxy",
	"NO_PROXY",
	"SSL_CERT_*",
	"SANDBOX_STORE",
	"SANDBOX_POSTGRES_DIR",
	"SANDBOX_POLICY_DIR",
	"JOURNAL_STREAM",
	NULL,
};

static bool is_wanted(const char *variable, const char *const *names)
{
	size_t n = strcspn(variable, "=");

	for (; *names; names++) {
		size_t len = strlen(*names);

		if ((*names)[len - 1] == '*' ? strncmp(variable, *names, len - 1) == 0
					     : n == len && strncmp(variable, *names, n) == 0)
			return true;
	}
	return false;
}

/* Borrows the strings. */
static char **environment(const char *const *names)
{
	size_t n = 0, kept = 0;
	char **ret;

	while (environ && environ[n])
		n++;
	ret = calloc(n + 1, sizeof(*ret));
	for (size_t i = 0; ret && i < n; i++) {
		if (is_wanted(environ[i], names))
			ret[kept++] = environ[i];
	}
	return ret;
}

/*
 * First out of the way of each other, then to their places; the copies have no CLOEXEC. All others
 * are closed, whatever they are: libcurl makes some without CLOEXEC, and who started us may have
 * left some.
 */
static bool place_fds(int fds[CHILD_FDS])
{
	int n = 0;

	for (int i = 0; i < CHILD_FDS && fds[i] >= 0; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, HIGH);
		if (fds[i] < 0)
			return false;
	}
	for (int i = 0; i < CHILD_FDS && fds[i] >= 0; i++) {
		if (dup2(fds[i], FIRST + i) < 0)
			return false;
		n = i + 1;
	}
	return close_range((unsigned int)(FIRST + n), ~0u, CLOSE_RANGE_CLOEXEC) == 0;
}

__attribute__((noreturn)) static void become(const struct child_options *o, char **env,
					     int fds[CHILD_FDS])
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Ctrl-C is for the supervisor, who passes on what it means. */
	(void)setpgid(0, 0);
	if (null >= 0 && dup2(null, 0) == 0 && place_fds(fds))
		(void)execve("/proc/self/exe", (char *const *)o->argv, env);
	_exit(127);
}

int child_start(const struct child_options *o, pid_t *ret_pid, int *ret_pidfd)
{
	_cleanup_free_ char **env = environment(o->variables);
	int fds[CHILD_FDS], pidfd;
	pid_t pid;

	if (!env)
		return -ENOMEM;
	memcpy(fds, o->fds, sizeof(fds));
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		become(o, env, fds);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		int r = -errno;

		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return r;
	}
	*ret_pid = pid;
	*ret_pidfd = pidfd;
	return 0;
}

int child_reap(pid_t pid, int pidfd)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	close_fd(pidfd);
	return status;
}

const char *child_status(int status, char ret[CHILD_STATUS_TEXT])
{
	if (WIFSIGNALED(status))
		(void)snprintf(ret, CHILD_STATUS_TEXT, "signal %d (%s)", WTERMSIG(status),
			       strsignal(WTERMSIG(status)));
	else
		(void)snprintf(ret, CHILD_STATUS_TEXT, "exit code %d", WEXITSTATUS(status));
	return ret;
}

int child_sockets(int ret[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0 ? -errno : 0;
}
