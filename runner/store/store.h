/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The content store: directories that are made once, named by the hash of all they were made from,
 * never changed afterwards and shared by every submission.
 *
 *   STORE/runtime/node-<version>/   the pinned runtime, put there by runner/toolchain/install.sh
 *   STORE/<kind>/<key>/             an entry; complete, since it was renamed into place
 *   STORE/<kind>/<key>.info         its size; the time of its last use is the time of this file
 *   STORE/<kind>/<key>.sums         every file of it with its SHA-256 (sums.h)
 *   STORE/tarballs/sha512/aa/bb/... what was downloaded, by digest (tarballs.h)
 *   STORE/tmp/<kind>-<key>.<random> what is being made
 *   STORE/locks/<kind>-<key>        flock(2): exclusive while it is made or evicted, shared while
 * used
 *
 * The directory belongs to the caller with mode 0700, so that no name in it can be reached by
 * anybody else whatever owns the files below. An ordinary user's other programs may write to what
 * is in the user's store; jails never may. A process that dies leaves its lock behind free: what it
 * was making is removed by the next one that opens the store.
 *
 * What has a name is whole: an entry is made below tmp/, sealed, written to the disk with its .info
 * and .sums, and only then renamed into place. An entry whose .info is missing, cut off or does not
 * belong to its .sums is not used: it is removed and made again.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "store/tree.h"

#define STORE_DEFAULT_CAP (10ull << 30)
#define STORE_LABEL 128

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
	char label[STORE_LABEL]; /* what it is, for `deps ls`: set it before it is published */
	const struct sums *known; /* of the entry that files were linked from; may be NULL */
};

/*
 * Opens the store at `path`, which is made if it is missing (its parent must exist). `cap` is the
 * disk space that entries may take together, 0: STORE_DEFAULT_CAP. -EPERM: somebody else owns it or
 * may write to it.
 */
int store_open(struct store **ret, const char *path, uint64_t cap, struct sbx_error *err);
/* The same of a store that is there, as it is: what was begun and not finished stays. -ENOENT. */
int store_look(struct store **ret, const char *path, struct sbx_error *err);
/* How much in it was begun by a process that is gone: what the next store_open() removes. */
int store_unfinished(struct store *s, struct tree_sum *ret);
struct store *store_free(struct store *s);
int store_fd(const struct store *s);

/*
 * Gets entry `key` of `kind`, waiting while somebody else makes it. 0: it is there; 1: it is not
 * and the caller has to make it: fill the staging directory ret->path (mode 0700, the caller's),
 * then store_publish() or free. -EINTR: `cancel_fd` (or -1) became readable.
 */
int store_get(struct store *s, const char *kind, const char *key, int cancel_fd,
	      struct store_entry **ret, struct sbx_error *err);

/* Moves what was made into place and evicts what was least recently used if the cap is met. */
int store_publish(struct store_entry *e, const struct tree_sum *sum, struct sbx_error *err);

/* Lets go of the entry; what was being made is removed. */
struct store_entry *store_entry_free(struct store_entry *e);
static inline void store_entry_freep(struct store_entry **e)
{
	store_entry_free(*e);
}

/*
 * Takes hold of an entry as store_get() does, but only if it is there and can be had at once:
 * -ENOENT, -EWOULDBLOCK. It does not count as a use.
 */
int store_peek(struct store *s, const char *kind, const char *key, struct store_entry **ret);

/* The recorded sums of an entry that is held. -EBADMSG: they are damaged. The caller's. */
struct sums;
int store_sums(const struct store_entry *e, struct sums *ret);

/*
 * The keys of the finished entries of a kind, last used first, at most `max`. Returns how many;
 * they are the caller's.
 */
int store_newest(struct store *s, const char *kind, char **ret, int max);

/* Evicts entries that nobody uses, least recently used first, until `cap` bytes are left. */
int store_trim(struct store *s, uint64_t cap, uint64_t *ret_bytes);

/*
 * Evicts entries that were not used since `before` (CLOCK_REALTIME) and that nobody uses; with
 * `dry` it only counts. Returns how many; *ret_bytes (may be NULL): what they take for themselves.
 */
int store_expire(struct store *s, time_t before, bool dry, uint64_t *ret_bytes);

/*
 * Makes equal files of all installed packages and package managers names of one inode. Entries that
 * somebody uses are left as they are.
 */
struct store_saved {
	uint64_t files, bytes; /* that have become such names; disk space freed by that */
	int entries, busy; /* that were gone through; that were in use */
};
int store_dedupe(struct store *s, struct store_saved *ret);

/* One entry of the store, as `deps ls` shows it. Borrowed. */
struct store_fact {
	const char *kind, *key, *label;
	struct tree_sum sum;
	time_t used;
	bool broken; /* it will be made again when it is needed */
};
int store_list(struct store *s, void (*each)(void *data, const struct store_fact *f), void *data);

/*
 * Compares every entry that is not being made or used exclusively with its sums: `report` is called
 * with each one that differs; `path` is the first such file in it, or "". With `repair` these are
 * removed, unless somebody uses them. Returns how many differ; *ret_checked (may be NULL) is how
 * many were looked at.
 */
struct store_fault {
	const char *kind, *key, *path, *what;
	bool removed;
};
int store_verify(struct store *s, bool repair,
		 void (*report)(void *data, const struct store_fault *f), void *data,
		 int *ret_checked);
