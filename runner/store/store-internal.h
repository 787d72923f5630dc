/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of the store share. */

#include "store/store.h"
#include "store/sums.h"
#include "util/error.h"

struct store {
	char *path;
	int dir, tmp, locks;
	uint64_t cap;
};

#define store_error(err, code, item, ...) error_format(err, code, "store", item, __VA_ARGS__)

/* The directory of a kind, made if missing. The caller's. */
int store_kind_fd(struct store *s, const char *kind);

/* The lock, or -EWOULDBLOCK. `how` is LOCK_SH or LOCK_EX. */
int store_lock_now(struct store *s, const char *name, int how);

/* Removes from tmp/ what nobody is making any more. */
void store_sweep(struct store *s);

/* What KEY.info says, and the time of the last use. */
struct store_info {
	struct tree_sum sum;
	char sums_hash[KEY_SIZE];
	uint64_t sums_size;
	char label[STORE_LABEL];
	struct timespec used;
};

/* store-info.c. -EBADMSG: cut off, or KEY.sums is not the file that was written with it. */
int info_read(int kind, const char *key, struct store_info *ret);
int info_write(int kind, const char *key, const struct store_info *info);
int info_write_sums(int kind, const char *key, const struct sums *sums, struct store_info *info);
int info_read_sums(int kind, const char *key, const struct store_info *info, struct sums *ret);
void info_touch(int kind, const char *key);

/*
 * Takes an entry out of its place by a rename and removes it. The caller holds its exclusive lock.
 */
int store_bury(struct store *s, int kind, const char *kind_name, const char *key);

/* Every entry that counts towards the cap or is listed. */
struct store_item {
	char *kind, *key;
	struct store_info info;
	bool broken; /* its .info cannot be used */
};
struct store_items {
	struct store_item *list;
	size_t n;
};
int store_collect(struct store *s, struct store_items *ret);
/* The same, least recently used first. */
int store_collect_by_use(struct store *s, struct store_items *ret);
void store_items_done(struct store_items *c);
bool store_kind_is_operators(const char *kind);

/* dedupe.c: the kinds whose entries share files. */
bool store_kind_is_shared(const char *kind);

/*
 * Files of an entry that is still being made, and is sealed, become names of equal ones of those
 * that were used last. A bounded amount of work; what is left over is for store_dedupe(). An error
 * means that less is shared, no more. `sums` are the entry's.
 */
int store_share_new(struct store_entry *e, struct sums *sums);
