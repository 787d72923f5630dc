/* SPDX-License-Identifier: MIT */
#include "fleet/ops/http-listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "util/error.h"
#include "util/util.h"

#define BACKLOG 128

#define fail(err, code, item, ...) error_format(err, code, "listen", item, __VA_ARGS__)

static int bind_unix(const struct sockaddr_un *a)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* Never more than this, and as much of it as the umask had taken away. */
	if (fd < 0 || fchmod(fd, 0660) < 0 ||
	    bind(fd, (const struct sockaddr *)a, sizeof(*a)) < 0 || chmod(a->sun_path, 0660) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return -errno;
	return steal_fd(&fd);
}

/* A socket file that nobody listens on is what a killed runner left. */
static bool is_abandoned(const struct sockaddr_un *a)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	return lstat(a->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) && fd >= 0 &&
	       connect(fd, (const struct sockaddr *)a, sizeof(*a)) < 0 && errno == ECONNREFUSED;
}

static int listen_unix(const char *path, char **ret_path, struct sbx_error *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_cleanup_free_ char *copy = NULL;
	int fd;

	if (*path != '/' || strlen(path) >= sizeof(a.sun_path))
		return fail(err, -EINVAL, path,
			    "a unix socket is unix:/PATH, an absolute path of at most %zu bytes",
			    sizeof(a.sun_path) - 1);
	copy_string(a.sun_path, sizeof(a.sun_path), path);
	copy = strdup(path);
	if (!copy)
		return fail(err, -ENOMEM, path, "out of memory");
	fd = bind_unix(&a);
	if (fd == -EADDRINUSE && is_abandoned(&a) && unlink(path) == 0)
		fd = bind_unix(&a);
	if (fd < 0)
		return fail(err, fd, path, "cannot listen there: %s", strerror(-fd));
	*ret_path = steal_ptr(copy);
	return fd;
}

static bool is_loopback(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr) >>
			       24 ==
		       127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

static int listen_address(const char *listen_on, const struct addrinfo *a, bool anywhere,
			  struct sbx_error *err)
{
	_cleanup_close_ int fd = -1;
	int one = 1;

	if (!anywhere && !is_loopback(a->ai_addr))
		return fail(err, -EPERM, listen_on,
			    "this address is not loopback, and what is shown there has no login; "
			    "set listen_anywhere if its network is trusted");
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		return fail(err, -errno, listen_on, "cannot listen there: %s", strerror(errno));
	return steal_fd(&fd);
}

/* "127.0.0.1:9464", "[::1]:9464": the address without its brackets, and the port. */
static int split(const char *listen_on, char ret_host[static 64], char ret_port[static 8])
{
	const char *colon = strrchr(listen_on, ':'), *from = listen_on, *end = colon;

	if (!colon || strlen(colon + 1) > 5 || colon[1] == '\0' ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return -EINVAL;
	if (*from == '[') {
		if (colon == from || colon[-1] != ']')
			return -EINVAL;
		from++;
		end--;
	}
	if (end <= from || end - from >= 64 || strtoul(colon + 1, NULL, 10) > 65535)
		return -EINVAL;
	memcpy(ret_host, from, (size_t)(end - from));
	ret_host[end - from] = '\0';
	copy_string(ret_port, 8, colon + 1);
	return 0;
}

int ops_listen(const char *listen_on, bool anywhere, char **ret_path, struct sbx_error *err)
{
	struct addrinfo *a, hints = { .ai_socktype = SOCK_STREAM,
				      .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	char host[64], port[8];
	int fd;

	if (starts_with(listen_on, "unix:"))
		return listen_unix(listen_on + 5, ret_path, err);
	if (split(listen_on, host, port) < 0 || getaddrinfo(host, port, &hints, &a) != 0)
		return fail(err, -EINVAL, listen_on,
			    "this is no address to listen on: it is ADDRESS:PORT (127.0.0.1:9464, "
			    "[::1]:9464) or unix:/PATH");
	fd = listen_address(listen_on, a, anywhere, err);
	freeaddrinfo(a);
	if (fd >= 0)
		*ret_path = NULL;
	return fd;
}
