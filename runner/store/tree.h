/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Work on a directory tree that somebody else may have filled: by descriptor from its root down,
 * one name at a time, through no symbolic link and onto no other file system.
 */

#include <stdint.h>

struct tree_sum {
	uint64_t files; /* everything but directories */
	uint64_t bytes; /* of regular files */
	uint64_t disk; /* bytes that the tree takes on the disk, directories included */
};

/* Adds up the tree below `dir`. -E2BIG: deeper than 100 levels; -EXDEV: a mount is in the way. */
int tree_sum(int dir, struct tree_sum *ret);

/*
 * Makes a tree that a jail has written ours: every entry becomes the caller's (who may only give to
 * himself what is his already, unless he is root: -EPERM), and whatever is not a
 * plain file of mode 0644 or 0755 with one name, a directory or a symbolic link is refused with
 * -EINVAL. Directories become 0755, `dir` included. Nobody else may write to the tree any more.
 */
int tree_seal(int dir, struct tree_sum *ret);

/* Removes `name` in `parent` and all that is below it. -ENOENT is success. */
int tree_remove(int parent, const char *name);
