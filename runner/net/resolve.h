/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * getaddrinfo(3) that can be given up: it waits for name servers for as long as it likes, half a
 * minute and more, and cannot be interrupted. It is called in a child, which is killed when the
 * time is over. What a name was found to be last is remembered: a service that was reached before
 * is reached again while its name server is away.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define RESOLVE_MAX 8 /* addresses of a name; more are left out */
#define RESOLVE_WHY 160

struct address {
	int32_t family;
	uint32_t size;
	struct sockaddr_storage to;
};

struct addresses {
	size_t n;
	struct address list[RESOLVE_MAX];
};

/*
 * `port` may be NULL. 0 and at least one address; -ETIMEDOUT or -ENOENT and `why`, a sentence's end
 * ("no name server answers").
 */
int resolve_host(const char *host, const char *port, uint64_t deadline, struct addresses *ret,
		 char why[RESOLVE_WHY]);
