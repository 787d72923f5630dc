/* SPDX-License-Identifier: MIT */

/*
 * The child is a copy of this process that makes no use of what it has: all descriptors but one are
 * closed, so that nobody who waits for the end of a socket waits for it; it dies with its parent.
 * Where the parent has other threads, a lock that one of them holds stays locked in the child: then
 * the child hangs, and is killed as well.
 */

#include "net/resolve.h"

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "util/util.h"

#define ANSWER_FD 3
#define KNOWN 8 /* names that are remembered: a worker asks for two or three */

struct answer {
	int32_t error; /* of getaddrinfo */
	struct addresses found;
};

static struct known {
	char host[256], port[16];
	struct addresses found;
} known[KNOWN];
static size_t known_next;

static struct known *find_known(const char *host, const char *port)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (streq(known[i].host, host) && streq(known[i].port, port))
			return &known[i];
	return NULL;
}

static void remember(const char *host, const char *port, const struct addresses *found)
{
	struct known *k = find_known(host, port);

	if (strlen(host) >= sizeof(k->host) || strlen(port) >= sizeof(k->port))
		return;
	if (!k)
		k = &known[known_next++ % KNOWN];
	copy_string(k->host, sizeof(k->host), host);
	copy_string(k->port, sizeof(k->port), port);
	k->found = *found;
}

static void look_up(const char *host, const char *port, int flags, struct answer *ret)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags };
	struct addrinfo *list = NULL;

	*ret = (struct answer){ .error = getaddrinfo(host, *port ? port : NULL, &hints, &list) };
	for (struct addrinfo *at = list; at && ret->found.n < RESOLVE_MAX; at = at->ai_next) {
		struct address *a = &ret->found.list[ret->found.n];

		if (at->ai_addrlen > sizeof(a->to))
			continue;
		a->family = at->ai_family;
		a->size = at->ai_addrlen;
		memcpy(&a->to, at->ai_addr, at->ai_addrlen);
		ret->found.n++;
	}
	if (list)
		freeaddrinfo(list);
}

/* As far as ANSWER_FD nothing else is open; standard error is, for a sanitizer. */
_Noreturn static void be_child(pid_t parent, int to, const char *host, const char *port)
{
	struct answer a;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || (to != ANSWER_FD && dup2(to, ANSWER_FD) < 0))
		_exit(1);
	(void)syscall(SYS_close_range, ANSWER_FD + 1, ~0u, 0);
	look_up(host, port, AI_ADDRCONFIG, &a);
	(void)write_full(ANSWER_FD, &a, sizeof(a));
	_exit(0);
}

/* 0; -ETIMEDOUT; -EIO the child said nothing. */
static int await(int from, uint64_t deadline, struct answer *ret)
{
	struct pollfd p = { .fd = from, .events = POLLIN };
	int n;

	do {
		uint64_t now = now_ns();

		n = poll(&p, 1, now < deadline ? (int)((deadline - now) / NSEC_PER_MSEC) + 1 : 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return -ETIMEDOUT;
	/* Smaller than a pipe: it comes as a whole. */
	if (n < 0 || read_full(from, ret, sizeof(*ret)) != sizeof(*ret))
		return -EIO;
	return ret->found.n <= RESOLVE_MAX ? 0 : -EIO;
}

static int ask_child(const char *host, const char *port, uint64_t deadline, struct answer *ret)
{
	_cleanup_close_ int from = -1, to = -1;
	pid_t parent = getpid(), pid;
	int pair[2], r;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	from = fd_above_stdio(pair[0]);
	to = fd_above_stdio(pair[1]);
	if (from < 0 || to < 0)
		return -EMFILE;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		be_child(parent, to, host, port);
	to = close_fd(to);
	r = await(from, deadline, ret);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

static int failed(const char *host, const char *port, int r, int error, struct addresses *ret,
		  char why[RESOLVE_WHY])
{
	const struct known *k = find_known(host, port);

	if (k) {
		*ret = k->found;
		return 0;
	}
	if (r == -ETIMEDOUT)
		(void)snprintf(why, RESOLVE_WHY, "no name server answers");
	else if (r < 0)
		(void)snprintf(why, RESOLVE_WHY, "it cannot be looked up: %s", strerror(-r));
	else
		(void)snprintf(why, RESOLVE_WHY, "%s", gai_strerror(error));
	return r == -ETIMEDOUT ? r : -ENOENT;
}

int resolve_host(const char *host, const char *port, uint64_t deadline, struct addresses *ret,
		 char why[RESOLVE_WHY])
{
	struct answer a;
	int r = 0;

	port = port ? port : "";
	/* An address asks nobody. */
	look_up(host, port, AI_NUMERICHOST | AI_NUMERICSERV, &a);
	if (a.found.n == 0)
		r = ask_child(host, port, deadline, &a);
	if (r < 0 || a.found.n == 0)
		return failed(host, port, r, a.error, ret, why);
	remember(host, port, &a.found);
	*ret = a.found;
	return 0;
}
