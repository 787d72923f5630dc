/* SPDX-License-Identifier: MIT */

/*
 * Relays: a listener inside the jail, a process outside that carries bytes to one service. The
 * process is the same static program as init, sheds all privileges before the first byte, and ends
 * with the jail or with the caller.
 */

#include "error.h"
#include "jail.h"
#include "ns.h"
#include "relay-format.h"
#include "util/util.h"
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

#define DEFAULT_CONNECTIONS 16u
#define DEFAULT_BYTES (1024ull * 1024 * 1024)
#define RELAY_ID 65533u /* in the jail's range, used by nobody in it */

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

static int resolve_host(struct relay_config *c, const struct sbx_forward *f, struct sbx_error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *list,
			*a;
	char port[8];
	int r;

	(void)snprintf(port, sizeof(port), "%u", f->host_port);
	r = getaddrinfo(f->host, port, &hints, &list);
	if (r)
		return error_set(err, -EHOSTUNREACH, "forward", f->host,
				 "the name cannot be resolved: %s", gai_strerror(r));
	for (a = list; a && c->n_targets < RELAY_TARGETS_MAX; a = a->ai_next)
		(void)add_target(c, a->ai_addr, a->ai_addrlen);
	freeaddrinfo(list);
	return c->n_targets ? 0
			    : error_set(err, -EHOSTUNREACH, "forward", f->host,
					"the name has no address");
}

static int targets(struct relay_config *c, const struct sbx_forward *f, struct sbx_error *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (!f->unix_path == !f->host || !f->port || (f->host && !f->host_port))
		return error_set(err, -EINVAL, "forward", "target",
				 "a port in the jail, and either unix_path or host with host_port");
	if (f->host)
		return resolve_host(c, f, err);
	if (strlen(f->unix_path) >= sizeof(un.sun_path))
		return error_set(err, -ENAMETOOLONG, "forward", f->unix_path,
				 "longer than a socket path may be");
	copy_string(un.sun_path, sizeof(un.sun_path), f->unix_path);
	return add_target(c, &un, sizeof(un));
}

static int start_relay(struct sbx_jail *j, const struct relay_config *c, int listener,
		       struct sbx_error *err)
{
	struct spawn spawn = {
		.netns = -1, .image = j->ctx->init_memfd, .name = "sandbox-relay", .n_fds = 4
	};
	_cleanup_close_ int config = memfd_data("relay-config", c, sizeof(*c));
	_cleanup_close_ int creator = creator_pidfd();
	int r;

	if (config < 0 || creator < 0)
		return error_set(err, config < 0 ? config : creator, "forward", j->label,
				 "cannot prepare the relay");
	spawn.fds[0] = listener;
	spawn.fds[1] = j->pidfd;
	spawn.fds[2] = creator;
	spawn.fds[3] = config;
	r = spawn_begin(&spawn);
	if (r >= 0)
		r = spawn_finish(&spawn);
	if (r >= 0)
		r = spawn_await_exec(&spawn);
	if (r < 0) {
		if (spawn.pidfd >= 0)
			spawn_kill(spawn.pidfd);
		close_fd(spawn.pidfd);
		spawn_settle(&spawn);
		return error_set(err, r, "forward", j->label, "the relay cannot be started");
	}
	spawn_settle(&spawn);
	j->relays[j->n_relays++] = spawn.pidfd;
	return 0;
}

SBX_PUBLIC int sbx_jail_forward(struct sbx_jail *j, const struct sbx_forward *f,
				struct sbx_error *err)
{
	struct relay_config config = { .magic = RELAY_MAGIC,
				       .uid = j->ids.first + RELAY_ID,
				       .gid = j->ids.first + RELAY_ID };
	_cleanup_close_ int listener = -1;
	struct sbx_forward options;
	int r = options_copy(&options, sizeof(options), f);

	if (r < 0 || !f)
		return error_set(err, r < 0 ? r : -EINVAL, "forward", "size",
				 "struct sbx_forward has a size this library does not know");
	if (options.connections > RELAY_CONNECTIONS_MAX)
		return error_set(err, -EINVAL, "forward", "connections", "at most %u",
				 RELAY_CONNECTIONS_MAX);
	if (j->n_relays == JAIL_RELAYS)
		return error_set(err, -E2BIG, "forward", j->label, "a jail has at most %d relays",
				 JAIL_RELAYS);
	config.connections = options.connections ? options.connections : DEFAULT_CONNECTIONS;
	config.bytes = options.bytes ? options.bytes : DEFAULT_BYTES;
	r = targets(&config, &options, err);
	if (r < 0)
		return r;
	listener = sbx_jail_listen(j, options.port, (int)config.connections, err);
	return listener < 0 ? listener : start_relay(j, &config, listener, err);
}
