/* SPDX-License-Identifier: MIT */

/*
 * sandbox-inside-relay: between an application and its database on a cluster that others use, too.
 * It runs in a jail of its own, of which the only way out is a forward to that cluster; it holds no
 * credential but the password of the one role that was made for this submission. It accepts on
 * fd 3, a socket that listens in the application's network, and for each connection logs in to the
 * cluster as that role, in that database, whatever the application asked for (startup.c, login.c).
 * From then on it copies bytes.
 *
 * Connections and bytes are capped; memory is fixed. When the cluster cannot be reached, or does
 * not want to know the role, nothing that the application does can be judged: the relay ends, and
 * its exit code says why (enum relay_end).
 *
 * Everything it does is one loop over poll(2); nothing blocks but what is waited for there.
 */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "inside/relay/relay.h"
#include "util/util.h"

#define LISTEN_FD 3
#define CONNECTIONS_MAX 60u
#define SPARE 4u /* for who is refused, or only cancels */

static struct connection connections[CONNECTIONS_MAX + SPARE];
static struct identity identity = { .tls = true };
static uint32_t n_sessions, n_connections; /* at once */
static uint16_t port = 5432;
static uint64_t bytes_left = 4ull << 30;

int send_small(int fd, const void *bytes, size_t size)
{
	return send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size ? 0 : -EPIPE;
}

static void connection_end(struct connection *c)
{
	c->tls = tls_free(c->tls);
	close_fd(c->fd[CLIENT]);
	close_fd(c->fd[SERVER]);
	c->fd[CLIENT] = c->fd[SERVER] = -1;
	c->state = FREE;
}

/* Bytes, 0 at the end, or -errno. */
static ssize_t from_side(struct connection *c, int side, void *to, size_t size)
{
	ssize_t n;

	if (side == CLIENT && c->tls)
		return tls_read(c->tls, to, size, &c->tls_wants_output);
	n = recv(c->fd[side], to, size, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

static ssize_t to_side(struct connection *c, int side, const void *from, size_t size)
{
	ssize_t n;

	if (side == CLIENT && c->tls)
		return tls_write(c->tls, from, size);
	n = send(c->fd[side], from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

void connection_refuse(struct connection *c, const char *code, const char *text)
{
	char body[300];
	unsigned char head[5] = { 'E' };
	int n = snprintf(body, sizeof(body), "SFATAL%cVFATAL%cC%s%cM%s%c", 0, 0, code, 0, text, 0);

	put32(head + 1, (uint32_t)n + 5);
	(void)to_side(c, CLIENT, head, sizeof(head));
	(void)to_side(c, CLIENT, body, (size_t)n + 1);
	connection_end(c);
}

static void connection_begin(struct connection *c, int fd)
{
	c->state = STARTUP;
	c->fd[CLIENT] = fd;
	c->fd[SERVER] = -1;
	for (int side = CLIENT; side <= SERVER; side++) {
		struct buffer *b = &c->from[side];

		b->start = b->pass = b->end = 0;
		b->ended = b->closed = false;
	}
	c->negotiations = 0;
	c->wants_tls = c->tls_wants_output = false;
	c->cancels = false;
	c->n_key = 0;
}

static void no_delay(int fd)
{
	int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void accept_one(void)
{
	int fd = accept4(LISTEN_FD, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection *c = NULL;

	if (fd < 0)
		return;
	no_delay(fd);
	for (uint32_t i = 0; i < n_connections && !c; i++)
		if (connections[i].state == FREE)
			c = &connections[i];
	if (!c) {
		close_fd(fd);
		return;
	}
	connection_begin(c, fd);
	if (bytes_left == 0)
		connection_refuse(c, "53400",
				  "this application has moved all the bytes to and "
				  "from its database that it may");
}

static int connect_server(struct connection *c)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	c->fd[SERVER] = fd;
	if (fd < 0)
		return -RELAY_OURS;
	no_delay(fd);
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		return -RELAY_UNREACHABLE;
	c->state = CONNECTING;
	return 0;
}

static int finish_connect(struct connection *c)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(c->fd[SERVER], SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error)
		return -RELAY_UNREACHABLE;
	c->state = c->cancels ? COPY : LOGIN;
	return 0;
}

/* Makes room at the end; how much there is. */
static size_t make_room(struct buffer *b)
{
	if (b->start > 0) {
		memmove(b->data, b->data + b->start, b->end - b->start);
		b->pass -= b->start;
		b->end -= b->start;
		b->start = 0;
	}
	return MIN_OF(BUFFER_SIZE - b->end, bytes_left);
}

static int fill(struct connection *c, int side)
{
	struct buffer *b = &c->from[side];
	ssize_t n;

	if (make_room(b) == 0)
		return 0;
	n = from_side(c, side, b->data + b->end, make_room(b));
	if (n < 0)
		return n == -EAGAIN || n == -EINTR ? 0 : (int)n;
	b->end += (uint32_t)n;
	b->ended = n == 0;
	bytes_left -= (uint64_t)n;
	if (c->state == COPY)
		b->pass = b->end;
	return 0;
}

static int drain(struct connection *c, int side)
{
	struct buffer *b = &c->from[side];

	if (b->start < b->pass) {
		ssize_t n = to_side(c, !side, b->data + b->start, b->pass - b->start);

		if (n < 0)
			return n == -EAGAIN || n == -EINTR ? 0 : (int)n;
		b->start += (uint32_t)n;
	}
	if (b->start == b->end && b->ended && !b->closed) {
		b->closed = true;
		if (side == SERVER && c->tls)
			tls_close(c->tls);
		(void)shutdown(c->fd[!side], SHUT_WR);
	}
	return 0;
}

static bool wants_input(const struct connection *c, int side)
{
	const struct buffer *b = &c->from[side];

	switch (c->state) {
	case STARTUP:
		return side == CLIENT && !b->ended && b->end < BUFFER_SIZE;
	case LOGIN:
		return side == SERVER && !b->ended && b->end - b->start < BUFFER_SIZE;
	case COPY:
		return !b->ended && b->start == b->end;
	default:
		return false;
	}
}

/* What TLS has read already: poll(2) does not know of it. */
static bool has_more(const struct connection *c, int side)
{
	return side == CLIENT && c->tls && tls_pending(c->tls);
}

static bool wants_output(const struct connection *c, int side)
{
	const struct buffer *b = &c->from[!side];

	if (c->state == CONNECTING)
		return side == SERVER;
	if (side == CLIENT && c->tls_wants_output)
		return true;
	return c->state >= LOGIN && b->start < b->pass;
}

static uint32_t sessions(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < n_connections; i++)
		n += connections[i].state > STARTUP && !connections[i].cancels;
	return n;
}

static int serve_startup(struct connection *c)
{
	const char *refusal;
	int r = startup_step(c, &identity, connections, n_connections, &refusal);

	if (r > 0 && !c->cancels && sessions() >= n_sessions)
		connection_refuse(c, "53300", "too many connections of this application");
	else if (r > 0)
		return connect_server(c);
	else if (r < 0 && refusal)
		connection_refuse(c, "08P01", refusal);
	else if (r < 0)
		connection_end(c);
	else if (c->wants_tls && !c->tls && !(c->tls = tls_new(c->fd[CLIENT])))
		connection_end(c);
	return 0;
}

static int serve_login(struct connection *c)
{
	struct buffer *b = &c->from[SERVER];
	int r = login_step(c, &identity);

	/* Without a word, or in the middle of one: nothing that the client has caused. */
	if (r == 0 && c->state == LOGIN && b->ended)
		r = -RELAY_UNREACHABLE;
	return r;
}

/* A message that waited until those before it had gone out. */
static bool login_waits(const struct connection *c)
{
	const struct buffer *b = &c->from[SERVER];

	return c->state == LOGIN && b->start == b->pass && b->end - b->pass >= 5 &&
	       b->end - b->pass > get32(b->data + b->pass + 1);
}

static bool is_over(const struct connection *c)
{
	const struct buffer *b = c->from;

	if (c->state == CLOSING)
		return b[SERVER].start == b[SERVER].pass;
	return b[CLIENT].closed && b[SERVER].closed;
}

/* Of one connection; <0 the relay ends. */
static int serve(struct connection *c, const struct pollfd *fds)
{
	int r = 0, broken = 0;

	if (c->state == CONNECTING && fds[SERVER].revents)
		return finish_connect(c);
	for (int side = CLIENT; side <= SERVER && !broken; side++)
		if ((fds[side].revents || has_more(c, side)) && wants_input(c, side))
			broken = fill(c, side);
	if (c->state == STARTUP)
		return broken ? (connection_end(c), 0) : serve_startup(c);
	do {
		if (c->state == LOGIN)
			r = broken ? -RELAY_UNREACHABLE : serve_login(c);
		/* At once, without a turn through poll(2): mostly the other side has room. */
		for (int side = CLIENT; side <= SERVER && !broken && !r && c->state >= LOGIN;
		     side++)
			broken = drain(c, side);
	} while (r == 0 && !broken && login_waits(c));
	if (r == 0 && c->state >= LOGIN && (broken || is_over(c)))
		connection_end(c);
	return r;
}

/* Whether there is something to do without waiting. */
static bool prepare_poll(struct pollfd *fds)
{
	bool ret = false;

	for (uint32_t i = 0; i < n_connections; i++) {
		const struct connection *c = &connections[i];

		ret |= has_more(c, CLIENT) && wants_input(c, CLIENT);
		for (int side = CLIENT; side <= SERVER; side++) {
			struct pollfd *p = &fds[2 * i + (uint32_t)side];

			*p = (struct pollfd){ .fd = -1 };
			if (c->state == FREE)
				continue;
			p->events = (short)((wants_input(c, side) ? POLLIN : 0) |
					    (wants_output(c, side) ? POLLOUT : 0));
			if (p->events)
				p->fd = c->fd[side];
		}
	}
	return ret;
}

static void end_all(void)
{
	for (uint32_t i = 0; i < n_connections; i++)
		if (connections[i].state != FREE)
			connection_end(&connections[i]);
}

static int loop(void)
{
	static struct pollfd fds[1 + 2 * (CONNECTIONS_MAX + SPARE)];

	for (;;) {
		bool more = prepare_poll(fds + 1);
		int r = 0;

		fds[0] = (struct pollfd){ .fd = LISTEN_FD, .events = POLLIN };
		if (poll(fds, 1 + 2 * n_connections, more ? 0 : -1) < 0 && errno != EINTR)
			return RELAY_OURS;
		for (uint32_t i = 0; i < n_connections && r == 0; i++)
			if (connections[i].state != FREE)
				r = serve(&connections[i], fds + 1 + 2 * i);
		if (r < 0)
			return -r;
		if (bytes_left == 0)
			end_all();
		if (fds[0].revents & POLLIN)
			accept_one();
	}
}

/* ------------------------------------------------------------------------- command line */

static int take_name(char *ret, size_t size, const char *variable)
{
	const char *value = getenv(variable);

	if (!value || !*value || strlen(value) >= size)
		return -EINVAL;
	copy_string(ret, size, value);
	return 0;
}

static int take_number(const char *text, uint64_t max, uint64_t *ret)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || v == 0 || v > max)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int parse(int argc, char **argv)
{
	uint64_t p, n;

	if (argc != 4 || take_number(argv[1], UINT16_MAX, &p) < 0 ||
	    take_number(argv[2], CONNECTIONS_MAX, &n) < 0 ||
	    take_number(argv[3], UINT64_MAX, &bytes_left) < 0)
		return -EINVAL;
	port = (uint16_t)p;
	n_sessions = (uint32_t)n;
	n_connections = n_sessions + SPARE;
	if (take_name(identity.user, sizeof(identity.user), "PGUSER") < 0 ||
	    take_name(identity.database, sizeof(identity.database), "PGDATABASE") < 0 ||
	    take_name(identity.password, sizeof(identity.password), "PGPASSWORD") < 0)
		return -EINVAL;
	return 0;
}

int main(int argc, char **argv)
{
	if (parse(argc, argv) < 0) {
		(void)fprintf(stderr, "usage: sandbox-inside-relay PORT CONNECTIONS BYTES, with "
				      "PGUSER, PGPASSWORD and PGDATABASE; accepts on fd 3\n");
		return RELAY_USAGE;
	}
	/* OpenSSL writes without MSG_NOSIGNAL to clients that may have gone. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || fcntl(LISTEN_FD, F_SETFL, O_NONBLOCK) < 0)
		return RELAY_OURS;
	return loop();
}
