/* SPDX-License-Identifier: MIT */
#pragma once

#include "inside/text.h"

struct pack_limits {
	uint64_t bytes;
	uint64_t files;
};

/* A tree that the copy may share files with. */
struct pack_base {
	int dir;  /* -1: none */
	int list; /* paths of the files that are equal there are written to it, each ended by NUL */
};

/*
 * Copies the tree below the directory `from` into the empty directory `to`. 0; 1 with `p`: the tree
 * may not be copied; <0: ours. Files that `base` (NULL: none) has at the same path, with equal
 * content and mode, are listed instead of copied; directories and links always are.
 */
int pack(int from, int to, const struct pack_base *base, const struct pack_limits *limits,
	 struct problem *p);

/*
 * Whether a link that lies in a real directory can only lead to something below the tree: leading
 * ".." up to the directory's `depth`, then names. ".." behind a name is not accepted, because the
 * name may itself be a link.
 */
bool pack_link_ok(const char *target, unsigned depth);
