/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What was downloaded, shared by all installs: STORE/tarballs/sha512/aa/bb/<120 digits>, the layout
 * of npm's own cache, in which npm finds a tarball by the digest of the lockfile without any index.
 * The other managers get them from a registry of ours in their jail (deps/inside); of yarn 2 and
 * later they are the zip archives that it makes.
 *
 * An install jail has it as the lower layer of an overlay. What it wrote is copied out of the jail
 * like its packages; the host takes of that only files whose content has the digest that is their
 * name, so that a tarball cannot be another one than it says. The manager checks the digest again
 * whenever it uses one.
 */

#include "store/store.h"

#define TARBALL_MAX (256ull << 20)
#define TARBALLS_AT_ONCE 20000
#define TARBALLS_SHARE 4 /* of the store's cap, one in so many bytes at most */

/* The directory to be mounted, made if it is missing; absolute, the caller's. */
int tarballs_path(struct store *s, char **ret, struct sbx_error *err);

/*
 * Moves the new tarballs of the tree below `from` (a directory on the store's file system that no
 * jail can write to any more) into the cache. What is not one is left where it is. Returns how
 * many.
 */
int tarballs_take(struct store *s, int from);

/* What was made before that time; with `dry` it stays. Returns how many. */
int tarballs_expire(struct store *s, time_t before, bool dry, uint64_t *ret_bytes);

/* How much they take, and the removal of the oldest until `cap` is left or older than `before`. */
int tarballs_sum(struct store *s, struct tree_sum *ret);
int tarballs_trim(struct store *s, uint64_t cap, time_t before, uint64_t *ret_bytes);

/*
 * Calls `report` with each one whose content is not what its name says; with `repair` it is
 * removed.
 */
int tarballs_verify(struct store *s, bool repair,
		    void (*report)(void *data, const struct store_fault *f), void *data,
		    int *ret_checked);
