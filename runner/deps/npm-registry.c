/* SPDX-License-Identifier: MIT */
#include "deps/npm-registry.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "util/error.h"
#include "util/util.h"

#define CONFIG_MAX 16384
#define CONFIG_TIMEOUT_MS 60000
#define CONNECT_TIMEOUT_MS 5000

extern char **environ;

struct url {
	bool tls;
	char host[256];
	uint16_t port;
	const char *rest; /* from the path on */
};

#define registry_error(err, code, item, ...)                                                       \
	error_format(err, code, "registry", item, __VA_ARGS__)

/* ------------------------------------------------------------------------------ URLs */

static int parse_port(const char *s, size_t n, uint16_t *ret)
{
	unsigned long port = 0;

	if (n == 0 || n > 5)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)s[i]))
			return -EINVAL;
		port = port * 10 + (unsigned long)(s[i] - '0');
	}
	if (port == 0 || port > 65535)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

/* Only names and IPv4 addresses: the host becomes a word of a hosts file. */
static bool host_ok(const char *host)
{
	size_t n =
		strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

	return n > 0 && host[n] == '\0';
}

static int parse_url(const char *s, struct url *ret)
{
	struct url u = { .tls = starts_with(s, "https://") };
	const char *host = s + (u.tls ? 8 : 7);
	size_t all, n;

	if (!u.tls && !starts_with(s, "http://"))
		return -EINVAL;
	all = strcspn(host, "/?#");
	u.rest = host + all;
	if (memchr(host, '@', all))
		return -EACCES;
	n = strcspn(host, ":/?#");
	if (n == 0 || n >= sizeof(u.host))
		return -EINVAL;
	memcpy(u.host, host, n);
	u.port = u.tls ? 443 : 80;
	if (!host_ok(u.host) || (n < all && parse_port(host + n + 1, all - n - 1, &u.port) < 0))
		return -EINVAL;
	*ret = u;
	return 0;
}

static int check_url(const char *what, const char *s, struct url *ret, struct sbx_error *err)
{
	int r = parse_url(s, ret);

	if (r == -EACCES)
		return registry_error(err, r, what,
				      "the URL holds a password, which may not enter a jail: "
				      "use a registry or a local proxy that needs none");
	if (r < 0)
		return registry_error(err, r, s,
				      "%s is not http(s)://name[:port]/...: set it with npm "
				      "config set %s URL",
				      what, what);
	return 0;
}

static bool is_address(const char *host)
{
	return host[strspn(host, "0123456789.")] == '\0';
}

/* ----------------------------------------------------------------------- npm's settings */

/* Finds "KEY=value" and copies the value; "" for null and undefined. */
static int config_value(const char *config, const char *key, char *ret, size_t size)
{
	size_t n = strlen(key);

	for (const char *line = config; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t length = strcspn(line, "\n");

		if (length <= n || strncmp(line, key, n) != 0 || line[n] != '=')
			continue;
		line += n + 1;
		length -= n + 1;
		if (length >= size)
			return -ENAMETOOLONG;
		memcpy(ret, line, length);
		ret[length] = '\0';
		if (streq(ret, "null") || streq(ret, "undefined"))
			ret[0] = '\0';
		return 0;
	}
	ret[0] = '\0';
	return 0;
}

/* Is `host`, or a domain that it is in, listed? */
static bool no_proxy_for(const char *list, const char *host)
{
	size_t host_size = strlen(host);

	while (*list) {
		size_t n = strcspn(list, ", ");
		const char *suffix = *list == '.' ? list + 1 : list;
		size_t size = n - (size_t)(suffix - list);

		if (size == 1 && *suffix == '*')
			return true;
		if (size > 0 && size <= host_size &&
		    strncasecmp(host + host_size - size, suffix, size) == 0 &&
		    (size == host_size || host[host_size - size - 1] == '.'))
			return true;
		list += n;
		list += strspn(list, ", ");
	}
	return false;
}

/* The relay leads to the proxy, which is given the registry's name: no resolver is needed. */
static int route_proxy(struct npm_registry *r, const char *proxy, struct sbx_error *err)
{
	struct url u;
	int e = check_url("https-proxy", proxy, &u, err);

	if (e < 0)
		return e;
	if (u.tls)
		return registry_error(err, -EINVAL, proxy,
				      "a proxy that is itself spoken to by TLS is not "
				      "supported: use an http:// proxy");
	r->to_host = strdup(u.host);
	r->to_port = r->port = u.port;
	if (!r->to_host || asprintf(&r->proxy, "http://127.0.0.1:%u", u.port) < 0)
		return -ENOMEM;
	return 0;
}

static int route_direct(struct npm_registry *r, const struct url *u, struct sbx_error *err)
{
	bool address = is_address(u->host);

	if (address && u->tls && !starts_with(u->host, "127."))
		return registry_error(err, -EINVAL, u->host,
				      "an https registry must be given by name, not "
				      "by address, so that the jail can check its certificate");
	r->to_host = strdup(u->host);
	r->to_port = r->port = u->port;
	if (!r->to_host)
		return -ENOMEM;
	if (!address || starts_with(u->host, "127."))
		return 0;
	free(r->url);
	return asprintf(&r->url, "http://127.0.0.1:%u%s", u->port, u->rest) < 0 ? -ENOMEM : 0;
}

static int fill_hosts(struct npm_registry *r, const struct url *u)
{
	bool named = !r->proxy && !is_address(u->host) && !streq(u->host, "localhost");
	int n = asprintf(&r->hosts, "127.0.0.1 localhost\n::1 localhost\n%s%s%s",
			 named ? "127.0.0.1 " : "", named ? u->host : "", named ? "\n" : "");

	return n < 0 ? -ENOMEM : 0;
}

static int fill_cafile(struct npm_registry *r, const char *cafile, const char *fallback)
{
	const char *file = *cafile ? cafile : fallback;

	if (!file || !*file || r->insecure)
		return 0;
	r->cafile = realpath(file, NULL);
	return r->cafile || !*cafile ? 0 : -errno;
}

int npm_registry_parse(struct npm_registry *ret, const char *config, const char *ca_fallback,
		       struct sbx_error *err)
{
	char url[1024], https[1024], http[1024], without[2048], cafile[1024], strict[16];
	_cleanup_(npm_registry_done) struct npm_registry r = {};
	const char *proxy;
	struct url u;
	int e;

	if (config_value(config, "registry", url, sizeof(url)) < 0 ||
	    config_value(config, "https-proxy", https, sizeof(https)) < 0 ||
	    config_value(config, "proxy", http, sizeof(http)) < 0 ||
	    config_value(config, "noproxy", without, sizeof(without)) < 0 ||
	    config_value(config, "cafile", cafile, sizeof(cafile)) < 0 ||
	    config_value(config, "strict-ssl", strict, sizeof(strict)) < 0)
		return registry_error(err, -ENAMETOOLONG, "npm config",
				      "a value is longer than 1 KiB");
	e = check_url("registry", url, &u, err);
	if (e < 0)
		return e;
	r.url = strdup(url);
	if (!r.url)
		return -ENOMEM;
	proxy = u.tls && *https ? https : http;
	if (*proxy && !no_proxy_for(without, u.host))
		e = route_proxy(&r, proxy, err);
	else
		e = route_direct(&r, &u, err);
	if (e < 0)
		return e;
	r.insecure = streq(strict, "false");
	e = fill_cafile(&r, cafile, ca_fallback);
	if (e < 0)
		return registry_error(err, e, cafile,
				      "the cafile of npm's configuration cannot be read: %s",
				      strerror(-e));
	e = fill_hosts(&r, &u);
	if (e < 0)
		return e;
	*ret = r;
	r = (struct npm_registry){};
	return 0;
}

void npm_registry_done(struct npm_registry *r)
{
	free(r->url);
	free(r->proxy);
	free(r->cafile);
	free(r->hosts);
	free(r->to_host);
	*r = (struct npm_registry){};
}

/* -------------------------------------------------------------------------- asking npm */

#define NPM_QUESTION \
	"config", "get", "registry", "proxy", "https-proxy", "noproxy", "cafile", "strict-ssl"

static int spawn_npm(pid_t *ret, const char *program, char *const argv[], int out, int err)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r != 0)
		return -r;
	r = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, out, 1);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, err, 2);
	/* Not the caller's directory: it may hold somebody's .npmrc. */
	r = r ? r : posix_spawn_file_actions_addchdir_np(&actions, "/");
	r = r ? r : posix_spawnp(ret, program, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int spawn_some_npm(pid_t *ret, const char *node_dir, int out, int err)
{
	_cleanup_free_ char *node = NULL, *cli = NULL;
	char *const own[] = { (char *)"npm", NPM_QUESTION, NULL };
	int r = spawn_npm(ret, "npm", own, out, err);

	if (r != -ENOENT)
		return r;
	if (asprintf(&node, "%s/bin/node", node_dir) < 0 ||
	    asprintf(&cli, "%s/lib/node_modules/npm/bin/npm-cli.js", node_dir) < 0)
		return -ENOMEM;
	return spawn_npm(ret, node, (char *const[]){ node, cli, NPM_QUESTION, NULL }, out, err);
}

/* Exit code of the child, or <0. It is gone afterwards in every case. */
static int wait_npm(pid_t pid, int cancel_fd)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd set[] = { { .fd = pidfd, .events = POLLIN },
				{ .fd = cancel_fd, .events = POLLIN } };
	uint64_t deadline = deadline_after(CONFIG_TIMEOUT_MS * NSEC_PER_MSEC);
	int status, n;

	do {
		n = poll(set, 2, CONFIG_TIMEOUT_MS);
	} while (n < 0 && errno == EINTR && now_ns() < deadline);
	if (n <= 0 || !set[0].revents)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (n > 0 && set[0].revents)
		return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	return n > 0 ? -EINTR : -ETIMEDOUT;
}

static int read_whole(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

static int ask_npm(char config[CONFIG_MAX], const char *node_dir, int cancel_fd,
		   struct sbx_error *err)
{
	_cleanup_close_ int out = memfd_create("npm-config", MFD_CLOEXEC);
	_cleanup_close_ int messages = memfd_create("npm-messages", MFD_CLOEXEC);
	pid_t pid;
	int r;

	if (out < 0 || messages < 0)
		return registry_error(err, -errno, "memfd", "%s", strerror(errno));
	r = spawn_some_npm(&pid, node_dir, out, messages);
	if (r == 0)
		r = wait_npm(pid, cancel_fd);
	if (r < 0)
		return registry_error(err, r, "npm config get",
				      "could not ask npm for its registry: %s",
				      r == -EINTR	? "cancelled"
				      : r == -ETIMEDOUT ? "it took longer than a minute"
							: strerror(-r));
	if (r > 0) {
		const char *line = config;

		if (read_whole(messages, config, CONFIG_MAX) < 0 ||
		    !(line = strstr(config, "npm error")))
			line = "no message";
		return registry_error(err, -EINVAL, "npm config get",
				      "npm cannot say what its registry is: "
				      "%.*s",
				      (int)strcspn(line, "\n"), line);
	}
	return read_whole(out, config, CONFIG_MAX);
}

/* ------------------------------------------------------------------------- is it there */

/* 0: connected; -EINTR: cancelled; other: why not. */
static int try_address(const struct addrinfo *a, int cancel_fd)
{
	_cleanup_close_ int fd =
		socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd set[] = { { .fd = fd, .events = POLLOUT },
				{ .fd = cancel_fd, .events = POLLIN } };
	socklen_t size = sizeof(int);
	int n, error = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS)
		return -errno;
	n = poll(set, 2, CONNECT_TIMEOUT_MS);
	if (n <= 0)
		return n == 0 ? -ETIMEDOUT : -errno;
	if (set[1].revents)
		return -EINTR;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return -error;
}

/* npm would try for eleven seconds and then end without a word of why. */
static int check_answers(const struct npm_registry *r, int cancel_fd, struct sbx_error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list;
	int result = -EHOSTUNREACH, e;
	char port[8];

	(void)snprintf(port, sizeof(port), "%u", r->to_port);
	e = getaddrinfo(r->to_host, port, &hints, &list);
	if (e)
		return registry_error(err, -EHOSTUNREACH, r->to_host,
				      "the registry's name cannot be resolved: %s; see npm config "
				      "get registry",
				      gai_strerror(e));
	for (const struct addrinfo *a = list; a && result != 0 && result != -EINTR; a = a->ai_next)
		result = try_address(a, cancel_fd);
	freeaddrinfo(list);
	if (result < 0 && result != -EINTR)
		return registry_error(
			err, result, r->to_host,
			"the %s does not answer at port %u: %s; see npm config get %s",
			r->proxy ? "proxy" : "registry", r->to_port, strerror(-result),
			r->proxy ? "https-proxy" : "registry");
	return result;
}

/*
 * A distribution's npm trusts what its system trusts, the certificate of a company's proxy
 * included; the runtime in jails has a list of its own.
 */
static const char *trusted_certificates(void)
{
	static const char *const bundles[] = {
		"/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
		"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora */
	};
	const char *extra = getenv("NODE_EXTRA_CA_CERTS");

	if (extra && *extra)
		return extra;
	for (size_t i = 0; i < ARRAY_SIZE(bundles); i++)
		if (access(bundles[i], R_OK) == 0)
			return bundles[i];
	return NULL;
}

int npm_registry_find(struct npm_registry *ret, const char *node_dir, int cancel_fd,
		      struct sbx_error *err)
{
	_cleanup_free_ char *config = malloc(CONFIG_MAX);
	int r;

	if (!config)
		return -ENOMEM;
	r = ask_npm(config, node_dir, cancel_fd, err);
	if (r < 0)
		return r;
	r = npm_registry_parse(ret, config, trusted_certificates(), err);
	return r < 0 ? r : check_answers(ret, cancel_fd, err);
}
