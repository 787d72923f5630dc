/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The content store: directories that are made once, named by the hash of all they were made from,
 * never changed afterwards and shared by every submission.
 *
 *   STORE/runtime/node-<version>/   the pinned runtime, put there by runner/toolchain/install.sh
 *   STORE/<kind>/<key>/             an entry; complete, since it was renamed into place
 *   STORE/<kind>/<key>.info         its size; the time of its last use is the time of this file
 *   STORE/tmp/<kind>-<key>.<random> what is being made
 *   STORE/locks/<kind>-<key>        flock(2): exclusive while it is made or evicted, shared while
 * used
 *
 * The directory belongs to the caller with mode 0700, so that no name in it can be reached by anybody
 * else whatever owns the files below. An ordinary user's other programs may write to what is in the
 * user's store; jails never may. A process that dies leaves its lock behind free: what it was
 * making is removed by the next one that opens the store.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/tree.h"

#define STORE_DEFAULT_CAP (10ull << 30)

struct store;

/* An entry that is in use (it cannot be evicted) or that this process is making. */
struct store_entry {
	struct store *store;
	char *name; /* <kind>-<key>, the name of its lock */
	char *kind, *key;
	char *staging; /* name below tmp/ while it is being made, else NULL */
	char *path; /* absolute, of the entry or of its staging directory */
	int lock;
	int dir; /* of `path` */
};

/*
 * Opens the store at `path`, which is made if it is missing (its parent must exist). `cap` is the
 * disk space that entries may take together, 0: STORE_DEFAULT_CAP. -EPERM: somebody else owns it or
 * may write to it.
 */
int store_open(struct store **ret, const char *path, uint64_t cap, struct sbx_error *err);
struct store *store_free(struct store *s);
int store_fd(const struct store *s);

/*
 * Gets entry `key` of `kind`, waiting while somebody else makes it. 0: it is there; 1: it is not
 * and the caller has to make it: fill the staging directory ret->path (mode 0700, the caller's), then
 * store_publish() or free. -EINTR: `cancel_fd` (or -1) became readable.
 */
int store_get(struct store *s, const char *kind, const char *key, int cancel_fd,
	      struct store_entry **ret, struct sbx_error *err);

/* Moves what was made into place and evicts what was least recently used if the cap is met. */
int store_publish(struct store_entry *e, const struct tree_sum *sum, struct sbx_error *err);

/* Lets go of the entry; what was being made is removed. */
struct store_entry *store_entry_free(struct store_entry *e);

/* Evicts entries that nobody uses, least recently used first, until `cap` bytes are left. */
int store_trim(struct store *s, uint64_t cap, uint64_t *ret_bytes);

/*
 * Compares every entry with its recorded size; `report` is called with each one that differs.
 * Returns how many do.
 */
int store_verify(struct store *s, void (*report)(void *data, const char *entry, const char *what),
		 void *data);
