/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the library tells a relay. The relay is the init image under the name "sandbox-relay",
 * started in the host's namespaces (and the host's root), but for a network namespace that it may
 * have been given, with these descriptors and no others. It gives up its privileges first thing,
 * connects to `targets` for each connection that it accepts, and ends when a jail or the creator
 * ends, or when `bytes` have passed.
 *
 * Shared with the static image, which has no libc.
 */

#include <stdint.h>

#define RELAY_LISTEN_FD 3  /* a listening TCP or unix socket, of any network namespace */
#define RELAY_INIT_FD 4    /* pidfd of the jail's init, or an epoll set of two jails' */
#define RELAY_CREATOR_FD 5 /* pidfd of the process that made the jail */
#define RELAY_CONFIG_FD 6  /* struct relay_config, in a memfd (read from 0) or a pipe */

#define RELAY_MAGIC 0x31524253u /* "SBR1" */
#define RELAY_TARGETS_MAX 8u
#define RELAY_CONNECTIONS_MAX 64u

/* Run as who started it: there is no other id. Capabilities are dropped all the same. */
#define RELAY_KEEP_IDS 1u

/* A struct sockaddr of the family AF_UNIX, AF_INET or AF_INET6. */
struct relay_target {
	uint32_t size;
	uint8_t address[128] __attribute__((aligned(8)));
};

struct relay_config {
	uint32_t magic;
	uint32_t uid; /* to run as, on the host: not 0, except with RELAY_KEEP_IDS */
	uint32_t gid;
	uint32_t connections; /* at once; 1 to RELAY_CONNECTIONS_MAX */
	uint64_t bytes;       /* in both directions together; not 0 */
	uint32_t n_targets;   /* tried in order for each connection */
	uint32_t flags;       /* RELAY_* */
	struct relay_target targets[RELAY_TARGETS_MAX];
};
