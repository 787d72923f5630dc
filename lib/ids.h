/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Host ids for jails: range N is base + N * 65536 and 65,536 ids long, and is one jail's alone while
 * the lease is held, across processes: a lock (flock(2)) on ids/N in the runtime directory, which the
 * kernel releases when the holder dies.
 */

#include <sandbox/sandbox.h>

#define ID_RANGE 65536u

struct id_lease {
	int fd; /* -1: none */
	int dir;
	uint32_t slot;
	uint32_t first; /* host id of id 0 in the jail */
};

/* Refuses (-EADDRINUSE) a range that /etc/subuid or /etc/subgid has given to somebody. */
int ids_check(uint32_t base, uint32_t count, struct sbx_error *err);
int id_lease_take(struct id_lease *ret, int dir, uint32_t base, uint32_t count, uint32_t hint,
		  struct sbx_error *err);
void id_lease_release(struct id_lease *lease);

/*
 * Opens and locks a file that is still the one linked at `name`: two owners never believe to have
 * the same one, even while a third removes it. -EWOULDBLOCK: somebody has it.
 */
int lock_file(int dir, const char *name, int create);
