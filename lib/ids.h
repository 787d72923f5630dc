/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Ids for jails. Range N is `size` ids long from base + N * size, and is one jail's alone while the
 * lease is held, across processes: a lock (flock(2)) on ids/N in the runtime directory, which the
 * kernel releases when its owner dies.
 *
 * Root's ranges are 65,536 ids of the host. An ordinary user's come out of the subordinate ids that
 * the administrator gave the user in /etc/subuid and /etc/subgid, 1,024 for each jail.
 */

#include "holder-format.h"
#include <sandbox/sandbox.h>
#include <stdbool.h>

#define ID_RANGE 65536u
#define ID_RANGE_SUBORDINATE 1024u

struct id_space {
	uint32_t base;
	uint32_t size;  /* of a range */
	uint32_t count; /* of ranges; 0: jails have no ids of their own */
};

struct id_lease {
	int fd; /* -1: none */
	int dir;
	uint32_t slot;
	uint32_t first; /* of the range */
};

/* Refuses (-EADDRINUSE) a range that /etc/subuid or /etc/subgid has given to somebody. */
int ids_check(uint32_t base, uint32_t count, struct sbx_error *err);
int id_lease_take(struct id_lease *ret, int dir, const struct id_space *space, uint32_t hint,
		  struct sbx_error *err);
void id_lease_release(struct id_lease *lease);

/* The first ids that `path` (/etc/subuid, /etc/subgid) gives the user, and how many; 0: none. */
uint32_t ids_subordinate(const char *path, uint32_t uid, uint32_t *ret_first);

/* Whether the caller's own user namespace has all of the space (user_namespaces(7)). */
bool ids_exist(const struct id_space *space);

/*
 * Opens and locks a file that is still the one linked at `name`: two owners never believe to have
 * the same one, even while a third removes it. -EWOULDBLOCK: somebody has it.
 */
int lock_file(int dir, const char *name, int create);

/* The lines of uid_map or gid_map. */
struct id_maps {
	struct id_map lines[ID_MAPS_MAX];
	uint32_t n;
};

void id_maps_add(struct id_maps *maps, uint32_t inside, uint32_t outside, uint32_t count);

/*
 * `n` ids from `first`, with one exception: `user` inside is the holder's 0, which is the caller. A
 * user beyond the range takes the place of its last id.
 */
void id_maps_range(struct id_maps *maps, uint32_t first, uint32_t n, uint32_t user, bool is_caller);
bool id_maps_have(const struct id_maps *maps, uint32_t id);
