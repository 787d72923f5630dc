/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Work on a directory tree that somebody else may have filled: by descriptor from its root down,
 * one name at a time, through no symbolic link and onto no other file system.
 */

#include <stdint.h>
#include <sys/stat.h>

/* Who owns what a jail may see: the user of the policies. An ordinary user is himself that user. */
#define TREE_OWNER 1000

struct tree_sum {
	uint64_t files; /* everything but directories */
	uint64_t bytes; /* of regular files */
	uint64_t disk; /* bytes that the tree takes on the disk, directories included */
	uint64_t own; /* of these, what has no name outside: goes when the tree goes */
	uint64_t share; /* own, and of every file with more names its share of each */
};

/* Adds up the tree below `dir`. -E2BIG: deeper than 100 levels; -EXDEV: a mount is in the way. */
int tree_sum(int dir, struct tree_sum *ret);

/*
 * Calls `visit` with all that lies below `dir`, directories before what is in them. `path` is
 * relative to `dir`, NULL when it has TREE_PATH_MAX bytes or more. Ends at the first result that is
 * not 0.
 */
#define TREE_PATH_MAX 4096
int tree_walk(int dir,
	      int (*visit)(void *data, int parent, const char *path, const struct stat *st),
	      void *data);

/* Opens a directory below `dir`, or a file to be read; never through a link, never outside. */
int tree_open(int dir, const char *path, int flags);

/*
 * Makes a tree that a jail has written ours: every entry is given to TREE_OWNER, so that a jail
 * that gets it as the lower layer of an overlay may change it there (an ordinary user's become his
 * own, which they are already: -EPERM otherwise), and whatever is not a plain file of mode 0644 or
 * 0755 with one name, a directory or a symbolic link is refused with -EINVAL. Directories become
 * 0755, `dir` included. From then on jails have the tree read-only.
 */
int tree_seal(int dir, struct tree_sum *ret);

/* Removes `name` in `parent` and all that is below it. -ENOENT is success. */
int tree_remove(int parent, const char *name);
