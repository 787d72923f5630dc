/* SPDX-License-Identifier: MIT */

/*
 * Relays: a process outside a jail carries bytes between those who connect to a listening socket
 * and one address. A socket belongs for ever to the network namespace that it was made in, so the
 * two ends are chosen by who makes them:
 *
 *   forward    the jail's init makes the listener; the relay connects from the caller's network
 *   publish    the caller makes the listener; the relay is born in the jail's network
 *   to         the jail's init makes the listener; the relay is born in the other jail's network
 *
 * The process is the same static program as init. It sheds all privileges before the first byte,
 * and ends with the caller and with each jail that it serves: it watches their inits itself, and is
 * in the list of both jails.
 */

#include "error.h"
#include "jail.h"
#include "ns.h"
#include "relay-format.h"
#include "util/util.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define DEFAULT_CONNECTIONS 16u
#define DEFAULT_BYTES (1024ull * 1024 * 1024)
#define RELAY_ID 65533u /* in the jail's range, used by nobody in it */

/* What a relay is made of; the file is the caller's until the relay runs. */
struct start {
	struct relay_config config;
	struct relay relay;
	int listener;
	struct sbx_jail *inside; /* in whose network it connects; NULL: in the caller's */
	struct sbx_jail *other;  /* the second jail that it ends with; NULL: none */
};

static void remove_file(struct relay *r)
{
	struct stat st;

	if (r->path && lstat(r->path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_dev == r->dev &&
	    st.st_ino == r->ino)
		(void)unlink(r->path);
	free(r->path);
	r->path = NULL;
}

static void start_done(struct start *s)
{
	s->listener = close_fd(s->listener);
	remove_file(&s->relay);
}

/* --------------------------------------------------------------- where it connects to */

static int add_target(struct relay_config *c, const void *address, size_t length)
{
	struct relay_target *t = &c->targets[c->n_targets];

	if (c->n_targets == RELAY_TARGETS_MAX || length > sizeof(t->address))
		return -E2BIG;
	t->size = (uint32_t)length;
	memcpy(t->address, address, length);
	c->n_targets++;
	return 0;
}

static void add_loopback(struct relay_config *c, uint16_t port)
{
	const struct sockaddr_in v4 = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
					 .sin6_port = htons(port),
					 .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	(void)add_target(c, &v4, sizeof(v4));
	(void)add_target(c, &v6, sizeof(v6));
}

static int resolve(const char *host, uint16_t host_port, int flags, struct addrinfo **ret,
		   struct sbx_error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags };
	char port[8];
	int r;

	(void)snprintf(port, sizeof(port), "%u", host_port);
	r = getaddrinfo(host, port, &hints, ret);
	return r ? error_set(err, -EHOSTUNREACH, "forward", host, "the name cannot be resolved: %s",
			     gai_strerror(r))
		 : 0;
}

static int connect_to_host(struct relay_config *c, const struct sbx_forward *f,
			   struct sbx_error *err)
{
	struct addrinfo *list, *a;
	int r = resolve(f->host, f->host_port, AI_ADDRCONFIG, &list, err);

	if (r < 0)
		return r;
	for (a = list; a && c->n_targets < RELAY_TARGETS_MAX; a = a->ai_next)
		(void)add_target(c, a->ai_addr, a->ai_addrlen);
	freeaddrinfo(list);
	return c->n_targets ? 0
			    : error_set(err, -EHOSTUNREACH, "forward", f->host,
					"the name has no address");
}

static int unix_address(const char *path, struct sockaddr_un *ret, struct sbx_error *err)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!*path || strlen(path) >= sizeof(ret->sun_path))
		return error_set(err, -ENAMETOOLONG, "forward", path,
				 "a socket path has 1 to %zu bytes", sizeof(ret->sun_path) - 1);
	copy_string(ret->sun_path, sizeof(ret->sun_path), path);
	return 0;
}

static int connect_to_unix(struct relay_config *c, const char *path, struct sbx_error *err)
{
	struct sockaddr_un un;
	int r = unix_address(path, &un, err);

	return r < 0 ? r : add_target(c, &un, sizeof(un));
}

/* -------------------------------------------------------------------- where it listens */

static int listen_at(const struct addrinfo *a, int backlog, uint16_t *ret_port)
{
	_cleanup_close_ int fd = fd_above_stdio(
		socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} bound;
	socklen_t size = sizeof(bound);
	int one = 1;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, backlog) < 0 ||
	    getsockname(fd, &bound.any, &size) < 0)
		return -errno;
	*ret_port = ntohs(bound.any.sa_family == AF_INET ? bound.v4.sin_port : bound.v6.sin6_port);
	return steal_fd(&fd);
}

/* Returns the port. */
static int listen_outside(struct start *s, const struct sbx_forward *f, struct sbx_error *err)
{
	const char *host = f->host ? f->host : "127.0.0.1";
	struct addrinfo *list, *a;
	uint16_t port = 0;
	int r = resolve(host, f->host_port, 0, &list, err);
	char item[80];

	if (r < 0)
		return r;
	r = -EADDRNOTAVAIL;
	for (a = list; a && s->listener < 0; a = a->ai_next)
		r = s->listener = listen_at(a, (int)s->config.connections, &port);
	freeaddrinfo(list);
	(void)snprintf(item, sizeof(item), "%.60s:%u", host, f->host_port);
	return r < 0 ? error_set(err, r, "forward", item, "cannot be listened on") : port;
}

/* A socket file of this user that nobody listens on: a caller that was killed left it. */
static bool is_stale(const struct sockaddr_un *un)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	return lstat(un->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == geteuid() &&
	       connect(fd, (const struct sockaddr *)un, sizeof(*un)) < 0 && errno == ECONNREFUSED;
}

static int bind_unix(int fd, const struct sockaddr_un *un)
{
	const struct sockaddr *address = (const struct sockaddr *)un;

	if (bind(fd, address, sizeof(*un)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (!is_stale(un))
		return -EADDRINUSE;
	(void)unlink(un->sun_path);
	return bind(fd, address, sizeof(*un)) < 0 ? -errno : 0;
}

/* The mode is set before there is a file: only the caller's user may connect, at no time others. */
static int listen_unix(struct start *s, const char *path, struct sbx_error *err)
{
	_cleanup_close_ int fd = fd_above_stdio(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	struct sockaddr_un un;
	struct stat st;
	int r = unix_address(path, &un, err);

	if (r < 0)
		return r;
	if (fd < 0 || fchmod(fd, 0600) < 0)
		return error_set(err, -errno, "forward", path, "no socket can be made");
	r = bind_unix(fd, &un);
	if (r < 0)
		return error_set(err, r, "forward", path,
				 "the socket cannot be made; what is there must be removed first");
	if (lstat(path, &st) < 0 || !(s->relay.path = realpath(path, NULL)))
		return error_set(err, -errno, "forward", path, "the socket has gone again");
	s->relay.dev = st.st_dev;
	s->relay.ino = st.st_ino;
	if (listen(fd, (int)s->config.connections) < 0)
		return error_set(err, -errno, "forward", path, "cannot be listened on");
	s->listener = steal_fd(&fd);
	return 0;
}

/* ---------------------------------------------------------------------------- starting */

/* An id that owns nothing; without privileges there is no other id than the caller's own. */
static void choose_ids(const struct sbx_jail *j, struct relay_config *c)
{
	if (ctx_holder(j->ctx))
		c->flags = RELAY_KEEP_IDS;
	else
		c->uid = c->gid = j->ids.first + RELAY_ID;
}

/* What is readable once one of the two has ended. */
static int watch_both(const struct sbx_jail *a, const struct sbx_jail *b)
{
	struct epoll_event e = { .events = EPOLLIN };
	_cleanup_close_ int fd = fd_above_stdio(epoll_create1(EPOLL_CLOEXEC));

	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, a->pidfd, &e) < 0 ||
	    epoll_ctl(fd, EPOLL_CTL_ADD, b->pidfd, &e) < 0)
		return -errno;
	return steal_fd(&fd);
}

static int spawn_relay(struct spawn *s)
{
	int r = spawn_begin(s);

	if (r >= 0)
		r = spawn_finish(s);
	if (r >= 0)
		r = spawn_await_exec(s);
	if (r < 0) {
		if (s->pidfd >= 0)
			spawn_kill(s->pidfd);
		s->pidfd = close_fd(s->pidfd);
	}
	spawn_settle(s);
	return r;
}

static int start_relay(struct sbx_jail *j, struct start *s, int netns, struct sbx_error *err)
{
	struct spawn spawn = { .netns = netns,
			       .image = j->ctx->init_memfd,
			       .name = "sandbox-relay",
			       .holder = ctx_holder(j->ctx),
			       .n_fds = 4 };
	_cleanup_close_ int config = memfd_data("relay-config", &s->config, sizeof(s->config));
	_cleanup_close_ int creator = creator_pidfd();
	_cleanup_close_ int both = s->other ? watch_both(j, s->other) : -1;
	int r;

	if (config < 0 || creator < 0 || (s->other && both < 0))
		return error_set(err, MIN_OF(config, MIN_OF(creator, both)), "forward", j->label,
				 "cannot prepare the relay");
	spawn.fds[0] = s->listener;
	spawn.fds[1] = s->other ? both : j->pidfd;
	spawn.fds[2] = creator;
	spawn.fds[3] = config;
	r = spawn_relay(&spawn);
	s->relay.pidfd = spawn.pidfd;
	return r < 0 ? error_set(err, r, "forward", j->label, "the relay cannot be started") : 0;
}

static int ended(const struct sbx_jail *j, struct sbx_error *err)
{
	return error_set(err, -ECHILD, "control", j->label, "the jail has ended");
}

/* Its network is opened by number first: then it must still have been its own. */
static int start_inside(struct sbx_jail *j, struct start *s, struct sbx_error *err)
{
	struct beside b = BESIDE_NONE;
	int r;

	if (!s->inside)
		return start_relay(j, s, -1, err);
	r = beside_open(&b, s->inside);
	if (r < 0 || fd_is_readable(s->inside->pidfd))
		r = ended(s->inside, err);
	else
		r = start_relay(j, s, b.netns, err);
	beside_close(&b);
	return r;
}

/* -------------------------------------------------------------------- a jail's relays */

static void end_relay(struct relay *r)
{
	spawn_kill(r->pidfd);
	r->pidfd = close_fd(r->pidfd);
	remove_file(r);
}

void relays_end(struct sbx_jail *j)
{
	while (j->n_relays > 0)
		end_relay(&j->relays[--j->n_relays]);
}

/* Those that have carried all they may, or whose other jail has ended, make room. */
static int room_for_relay(struct sbx_jail *j, struct sbx_error *err)
{
	int i;

	for (i = j->n_relays - 1; i >= 0; i--) {
		if (!fd_is_readable(j->relays[i].pidfd))
			continue;
		end_relay(&j->relays[i]);
		j->relays[i] = j->relays[--j->n_relays];
	}
	return j->n_relays < JAIL_RELAYS ? 0
					 : error_set(err, -E2BIG, "forward", j->label,
						     "a jail has at most %d relays", JAIL_RELAYS);
}

static int list_relay(struct sbx_jail *j, struct start *s, struct sbx_error *err)
{
	struct relay again = { .pidfd = -1 };

	if (s->other) {
		again.pidfd = fcntl(s->relay.pidfd, F_DUPFD_CLOEXEC, 3);
		if (again.pidfd < 0) {
			int r = -errno;

			end_relay(&s->relay);
			return error_set(err, r, "forward", j->label, "no descriptor is left");
		}
		s->other->relays[s->other->n_relays++] = again;
	}
	j->relays[j->n_relays++] = s->relay;
	s->relay.path = NULL;
	return 0;
}

/* ------------------------------------------------------------------------------ public */

static int check_forward(const struct sbx_jail *j, const struct sbx_forward *f,
			 struct sbx_error *err)
{
	int targets = !!f->unix_path + !!f->host + !!f->to;
	bool publish = f->flags & SBX_FORWARD_PUBLISH;

	if (f->flags & ~SBX_FORWARD_PUBLISH)
		return error_set(err, -EINVAL, "forward", "flags", "unknown to this library");
	if (!f->port)
		return error_set(err, -EINVAL, "forward", "port", "a port in the jail is needed");
	if (publish && (targets > 1 || f->to || (f->unix_path && f->host_port)))
		return error_set(err, -EINVAL, "forward", "target",
				 "publish listens on unix_path, or on host and host_port");
	if (!publish && (targets != 1 || (!f->unix_path && !f->host_port) || f->to == j))
		return error_set(err, -EINVAL, "forward", "target",
				 "unix_path, host with host_port, or another jail with host_port");
	if (f->connections > RELAY_CONNECTIONS_MAX)
		return error_set(err, -EINVAL, "forward", "connections", "at most %u",
				 RELAY_CONNECTIONS_MAX);
	return 0;
}

/* Returns the port that is published, or 0. */
static int publish(struct sbx_jail *j, struct start *s, const struct sbx_forward *f,
		   struct sbx_error *err)
{
	add_loopback(&s->config, f->port);
	s->inside = j;
	return f->unix_path ? listen_unix(s, f->unix_path, err) : listen_outside(s, f, err);
}

static int forward(struct sbx_jail *j, struct start *s, const struct sbx_forward *f,
		   struct sbx_error *err)
{
	int r = 0;

	if (f->to) {
		add_loopback(&s->config, f->host_port);
		s->inside = s->other = f->to;
	} else if (f->host) {
		r = connect_to_host(&s->config, f, err);
	} else {
		r = connect_to_unix(&s->config, f->unix_path, err);
	}
	if (r >= 0)
		r = s->listener = sbx_jail_listen(j, f->port, (int)s->config.connections, err);
	return r < 0 ? r : 0;
}

SBX_PUBLIC int sbx_jail_forward(struct sbx_jail *j, const struct sbx_forward *f,
				struct sbx_error *err)
{
	_cleanup_(start_done) struct start s = { .config.magic = RELAY_MAGIC,
						 .relay.pidfd = -1,
						 .listener = -1 };
	struct sbx_forward o;
	int port, r = options_copy(&o, sizeof(o), f);

	if (r < 0 || !f)
		return error_set(err, r < 0 ? r : -EINVAL, "forward", "size",
				 "struct sbx_forward has a size this library does not know");
	r = check_forward(j, &o, err);
	if (r >= 0 && (j->dead || (o.to && o.to->dead)))
		r = ended(j->dead ? j : o.to, err);
	if (r >= 0)
		r = room_for_relay(j, err);
	if (r >= 0 && o.to)
		r = room_for_relay(o.to, err);
	if (r < 0)
		return r;
	s.config.connections = o.connections ? o.connections : DEFAULT_CONNECTIONS;
	s.config.bytes = o.bytes ? o.bytes : DEFAULT_BYTES;
	choose_ids(j, &s.config);
	port = o.flags & SBX_FORWARD_PUBLISH ? publish(j, &s, &o, err) : forward(j, &s, &o, err);
	if (port < 0)
		return port;
	r = start_inside(j, &s, err);
	if (r >= 0)
		r = list_relay(j, &s, err);
	return r < 0 ? r : port;
}
