/* SPDX-License-Identifier: MIT */

/*
 * The relay: accepts connections on one socket and carries their bytes to one address, in whatever
 * network namespaces the two are. See relay-format.h.
 *
 * A connection has two directions, each with one buffer that is filled when it is empty and emptied
 * before it is filled again: a slow side stops its partner, and memory is fixed. End of file in one
 * direction becomes a half close of the other side; both done, or any error, ends the connection.
 * Descriptors that are waited for in no direction are left out of poll(2), which would otherwise
 * report their hang-up again and again.
 */

#include "relay.h"
#include "../relay-format.h"
#include "init.h"

#define BUFFER_SIZE 16384u
#define ACCEPT_PAUSE_MS 100
#define IPPROTO_TCP 6
#define TCP_NODELAY 1

enum { ACCEPTED, CONNECTED };

/* Moves bytes from the side of its own index to the other one. */
struct direction {
	uint32_t start, end; /* of what the buffer holds */
	bool ended;          /* nothing more to read */
	bool closed;         /* and the other side knows */
};

struct connection {
	bool used;
	bool connecting;
	uint32_t target; /* the one that is being tried */
	int fd[2];
	struct direction direction[2];
};

static struct relay_config config;
static struct connection connections[RELAY_CONNECTIONS_MAX];
static unsigned char buffers[RELAY_CONNECTIONS_MAX][2][BUFFER_SIZE] __attribute__((aligned(4096)));
static uint64_t bytes_left;
static bool accept_paused;

static bool config_valid(void)
{
	bool has_ids = config.flags == RELAY_KEEP_IDS ||
		       (!config.flags && config.uid && config.gid);

	if (config.magic != RELAY_MAGIC || !has_ids || !config.connections ||
	    config.connections > RELAY_CONNECTIONS_MAX || !config.bytes || !config.n_targets ||
	    config.n_targets > RELAY_TARGETS_MAX)
		return false;
	for (uint32_t i = 0; i < config.n_targets; i++)
		if (config.targets[i].size < sizeof(uint16_t) ||
		    config.targets[i].size > sizeof(config.targets[i].address))
			return false;
	return true;
}

static int read_config(struct init *in)
{
	size_t done = 0;

	while (done < sizeof(config)) {
		char *to = (char *)&config + done;
		long n = sys_pread(RELAY_CONFIG_FD, to, sizeof(config) - done, (long)done);

		if (n == -ESPIPE)
			n = sys_read(RELAY_CONFIG_FD, to, sizeof(config) - done);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return -EPROTO;
		done += (size_t)n;
	}
	bytes_left = config.bytes;
	return config_valid() ? 0 : -EINVAL;
}

static int prepare_process(struct init *in)
{
	const struct sigaction by_default = { 0 };
	int r = sys_prctl(PR_SET_DUMPABLE, 0, 0);

	(void)sys_prctl(PR_SET_NAME, (unsigned long)"sandbox-relay", 0);
	for (int sig = 1; r >= 0 && sig <= SIGNAL_MAX; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)sys_sigaction(sig, &by_default);
	if (r >= 0)
		r = sys_sigprocmask(SIG_SETMASK, 0);
	if (r >= 0)
		r = sys_close_range(RELAY_CONFIG_FD, ~0u, 0);
	if (r >= 0)
		r = sys_close_range(0, 2, 0);
	return r < 0 ? r : (int)sys3(__NR_fcntl, RELAY_LISTEN_FD, F_SETFL, O_RDWR | O_NONBLOCK);
}

/* A holder's child: root of its namespace, which is the caller itself and no other id. */
static int give_up_privileges(struct init *in)
{
	bool keep_ids = config.flags & RELAY_KEEP_IDS;
	int r = groups_drop();

	if (r == -EPERM && keep_ids)
		r = 0; /* the caller's own id alone is mapped: user_namespaces(7) */
	if (r >= 0)
		r = bounding_drop();
	if (r >= 0)
		r = securebits_lock();
	if (r >= 0 && !keep_ids)
		r = ids_set(config.uid, config.gid);
	if (r >= 0)
		r = capabilities_drop();
	if (r >= 0)
		r = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
	return r < 0 ? r : relay_filter_install();
}

static void connection_end(struct connection *c)
{
	for (int side = ACCEPTED; side <= CONNECTED; side++)
		close_cleanup(&c->fd[side]);
	*c = (struct connection){ .fd = { -1, -1 } };
}

static void send_small_packets(int fd)
{
	int one = 1;

	(void)sys6(__NR_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, (long)&one, sizeof(one), 0);
}

/* Tries targets from c->target on. A refusal that comes later is handled by finish_connect(). */
static void start_connect(struct connection *c)
{
	for (; c->target < config.n_targets; c->target++) {
		const struct relay_target *t = &config.targets[c->target];
		uint16_t family = *(const uint16_t *)t->address;
		int fd = sys_socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		int r = fd < 0 ? fd : sys_connect(fd, t->address, t->size);

		if (r == 0 || r == -EINPROGRESS) {
			if (family != AF_UNIX)
				send_small_packets(fd);
			c->fd[CONNECTED] = fd;
			c->connecting = r != 0;
			return;
		}
		close_cleanup(&fd);
	}
	connection_end(c);
}

static void finish_connect(struct connection *c)
{
	int error = 0;
	uint32_t size = sizeof(error);
	int r = sys_getsockopt(c->fd[CONNECTED], SOL_SOCKET, SO_ERROR, &error, &size);

	if (r >= 0 && error == 0) {
		c->connecting = false;
		return;
	}
	close_cleanup(&c->fd[CONNECTED]);
	c->fd[CONNECTED] = -1;
	c->target++;
	start_connect(c);
}

static void accept_one(void)
{
	struct connection *c = NULL;
	int fd;

	for (uint32_t i = 0; i < config.connections && !c; i++)
		if (!connections[i].used)
			c = &connections[i];
	if (!c)
		return;
	fd = sys_accept4(RELAY_LISTEN_FD, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		/* Out of descriptors or memory: the socket stays readable, so wait a little. */
		accept_paused = fd != -EAGAIN && fd != -EINTR && fd != -ECONNABORTED;
		return;
	}
	send_small_packets(fd);
	*c = (struct connection){ .used = true, .fd = { fd, -1 } };
	start_connect(c);
}

/* Negative: the connection is broken. */
static int fill(struct connection *c, int from, unsigned char *buffer)
{
	struct direction *d = &c->direction[from];
	size_t room = bytes_left < BUFFER_SIZE ? bytes_left : BUFFER_SIZE;
	long n = sys_recv(c->fd[from], buffer, room, MSG_DONTWAIT);

	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0)
		return (int)n;
	bytes_left -= (uint64_t)n;
	d->start = 0;
	d->end = (uint32_t)n;
	d->ended = n == 0;
	return 0;
}

static int drain(struct connection *c, int from, const unsigned char *buffer)
{
	struct direction *d = &c->direction[from];
	long n;

	if (d->start < d->end) {
		n = sys_send(c->fd[!from], buffer + d->start, d->end - d->start,
			     MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return n == -EAGAIN || n == -EINTR ? 0 : (int)n;
		d->start += (uint32_t)n;
	}
	if (d->start == d->end && d->ended && !d->closed) {
		d->closed = true;
		(void)sys_shutdown(c->fd[!from], SHUT_WR);
	}
	return 0;
}

static bool wants_input(const struct connection *c, int side)
{
	const struct direction *d = &c->direction[side];

	return !c->connecting && !d->ended && d->start == d->end;
}

static bool wants_output(const struct connection *c, int side)
{
	const struct direction *d = &c->direction[!side];

	return (c->connecting && side == CONNECTED) || (!c->connecting && d->start < d->end);
}

static void serve(struct connection *c, const struct pollfd *fds)
{
	unsigned char(*buffer)[BUFFER_SIZE] = buffers[c - connections];
	int r = 0;

	if (c->connecting) {
		if (fds[CONNECTED].revents)
			finish_connect(c);
		return;
	}
	for (int side = ACCEPTED; side <= CONNECTED && r >= 0; side++) {
		if (fds[side].revents && wants_input(c, side))
			r = fill(c, side, buffer[side]);
		/* At once, without a turn through poll(2): mostly the other side has room. */
		if (r >= 0)
			r = drain(c, side, buffer[side]);
	}
	if (r < 0 || (c->direction[ACCEPTED].closed && c->direction[CONNECTED].closed))
		connection_end(c);
}

static void prepare_poll(struct pollfd *fds, uint32_t *ret_used)
{
	*ret_used = 0;
	for (uint32_t i = 0; i < config.connections; i++) {
		const struct connection *c = &connections[i];

		*ret_used += c->used;
		for (int side = ACCEPTED; side <= CONNECTED; side++) {
			struct pollfd *p = &fds[2 * i + (uint32_t)side];

			*p = (struct pollfd){ .fd = -1 };
			if (!c->used)
				continue;
			p->events = (short)((wants_input(c, side) ? POLLIN : 0) |
					    (wants_output(c, side) ? POLLOUT : 0));
			if (p->events)
				p->fd = c->fd[side];
		}
	}
}

static int relay_loop(struct init *in)
{
	static struct pollfd fds[3 + 2 * RELAY_CONNECTIONS_MAX];
	uint32_t used;

	while (bytes_left > 0) {
		int n;

		prepare_poll(fds + 3, &used);
		fds[0] = (struct pollfd){ .fd = RELAY_INIT_FD, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = RELAY_CREATOR_FD, .events = POLLIN };
		fds[2] = (struct pollfd){ .fd = RELAY_LISTEN_FD, .events = POLLIN };
		if (used == config.connections || accept_paused)
			fds[2].fd = -1;
		n = sys_poll(fds, 3 + 2 * config.connections, accept_paused ? ACCEPT_PAUSE_MS : -1);
		accept_paused = false;
		if (n == -EINTR)
			continue;
		if (n < 0 || fds[0].revents || fds[1].revents)
			break;
		for (uint32_t i = 0; i < config.connections; i++)
			if (connections[i].used)
				serve(&connections[i], fds + 3 + 2 * i);
		if (fds[2].revents)
			accept_one();
	}
	/* Before the connections, which exit_group(2) would close first: who sees one end may rely
	 * on it that nobody listens any more. */
	return sys_close(RELAY_LISTEN_FD);
}

_Noreturn void relay_main(void)
{
	static int (*const steps[])(struct init *) = { read_config, prepare_process,
						       give_up_privileges, relay_loop };

	for (uint32_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (steps[i](NULL) < 0)
			sys_exit((int)i + 1);
	sys_exit(0);
}
