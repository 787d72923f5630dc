/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What an install takes over from earlier ones, so that a lockfile which differs by little does not
 * cost a whole install: tarballs that were downloaded before, and a sealed tree that shares most
 * packages. Either the manager makes the difference to that tree, or it installs everything and
 * what has become the same is not copied. All of it is seen by the jail only read-only, or as a
 * read-only lower layer.
 */

#include "store/key.h"
#include "store/store.h"
#include "store/sums.h"

struct install;
struct job;

#define REUSE_MOUNTS_MAX 9
#define REUSE_NEW "/opt/tarballs" /* where new tarballs are taken out to, in the jail */

enum reuse_base {
	REUSE_NOTHING,
	REUSE_FILES, /* everything is installed; files that have become the same are linked */
	REUSE_TREE,  /* the manager begins with the tree */
};

struct reuse {
	bool wanted; /* the manager has its standard command */
	bool is_npm, is_berry;
	enum reuse_base how;
	char recipe
		[KEY_SIZE]; /* of all that decides an install but the manifest and the lockfile */
	char *tarballs;     /* on the host */
	char *digests;      /* of the lockfile: sorted lines */
	size_t digests_size;
	char *missing; /* paths of tarballs that are not stored; each ended by NUL */
	size_t missing_size;
	struct store_entry *base; /* NULL: REUSE_NOTHING */
	char *base_path, *base_lockfile, *base_manifest;
	struct sums sums; /* of the base */
	int list;         /* memfd: which files are the same */
};

#define REUSE_NULL                                                                                 \
	{                                                                                          \
		.list = -1                                                                         \
	}

/* Prepares; `how` is what is done at most with a tree that is found. 0 or <0. */
int reuse_begin(struct reuse *u, struct job *job, const char *lockfile, size_t size,
		enum reuse_base how);
void reuse_done(struct reuse *u);

/* Is any of the tarballs stored? */
bool reuse_has_tarballs(const struct reuse *u);

/* The mounts of the jail. How many; they borrow from `u`. */
uint32_t reuse_mounts(const struct reuse *u, struct sbx_mount *ret);

/* After the jail is dead, before the entry is sealed: the new tarballs below `entry`/tarballs. */
int reuse_keep_tarballs(struct job *job, struct store_entry *entry);

/* Beside node_modules: what later installs find the entry by, and know it by. */
int reuse_record(const struct reuse *u, struct job *job, struct store_entry *entry,
		 const char *manifest, const char *lockfile, size_t lockfile_size);

/* After it is sealed: the files that were the same. `sum` is made again. */
int reuse_link(struct reuse *u, struct job *job, struct store_entry *entry, struct tree_sum *sum);
