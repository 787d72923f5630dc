/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Trees that hostile programs left behind: given to another owner, and removed. Nothing is followed
 * (descriptors of directories, O_NOFOLLOW), no mount is crossed (RESOLVE_NO_XDEV), nothing is
 * opened that could block or react, and neither depth nor breadth takes more than a fixed number of
 * descriptors and of stack frames.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct tree_owner {
	bool change; /* false: leave owners alone, only clean */
	uid_t uid;
	gid_t gid;
	bool keep_special; /* links, pipes, sockets stay */
};

#define TREE_DEPTH 128 /* directories below this depth are removed by tree_give() */

/*
 * Gives all that lies in the directory `dir`, and itself, to `owner`. What is neither a file nor a
 * directory is removed unless `keep_special` is set: a link would lead who reads the tree next to
 * another file. 0 or -errno; `where` (256 bytes) names the entry that failed.
 */
int tree_give(int dir, const struct tree_owner *owner, char *where);

/* Removes `name` of directory `parent` and all below it. 0 or -errno; absence is no error. */
int tree_remove(int parent, const char *name, char *where);
