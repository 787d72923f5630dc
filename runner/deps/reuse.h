/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What an install of npm takes over from earlier ones, so that a lockfile which differs by little does
 * not cost a whole install: tarballs that were downloaded before, and a sealed tree that shares most
 * packages, to which `npm install` then makes the difference. Both are seen by the jail only as
 * read-only lower layers.
 */

#include "store/key.h"
#include "store/store.h"
#include "store/sums.h"

struct install;
struct job;

#define REUSE_MOUNTS_MAX 7
#define REUSE_NEW "/opt/tarballs" /* where new tarballs are taken out to, in the jail */

struct reuse {
	bool wanted; /* npm, with its standard command */
	char recipe
		[KEY_SIZE]; /* of all that decides an install but the manifest and the lockfile */
	char *tarballs;     /* on the host */
	char *digests;      /* of the lockfile: sorted lines */
	size_t digests_size;
	char *missing; /* paths of tarballs that are not stored; each ended by NUL */
	size_t missing_size;
	struct store_entry *base; /* NULL: everything is installed */
	char *base_path;
	struct sums sums; /* of the base */
	int list;         /* memfd: which files are the same */
};

#define REUSE_NULL                                                                                 \
	{                                                                                          \
		.list = -1                                                                         \
	}

/* Prepares; `from_base`: also looks for a tree to begin with. 0 or <0. */
int reuse_begin(struct reuse *u, struct job *job, const char *lockfile, size_t size,
		bool from_base);
void reuse_done(struct reuse *u);

/* The mounts of the jail. How many; they borrow from `u`. */
uint32_t reuse_mounts(const struct reuse *u, struct sbx_mount *ret);

/* After the jail is dead, before the entry is sealed: the new tarballs below `entry`/tarballs. */
int reuse_keep_tarballs(struct job *job, struct store_entry *entry);

/* Beside node_modules: what later installs find the entry by. */
int reuse_record(const struct reuse *u, struct job *job, struct store_entry *entry);

/* After it is sealed: the files that were the same. `sum` is made again. */
int reuse_link(struct reuse *u, struct job *job, struct store_entry *entry, struct tree_sum *sum);
