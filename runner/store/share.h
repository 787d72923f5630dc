/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Files that a new entry has in common with a sealed one: they become second names of the same
 * inodes. The list of their paths was written in a jail, so each is checked like any hostile name:
 * opened beneath the two directories, through no link, and linked only if it is a sealed file
 * there. Inodes are shared only between sealed trees, which jails get read-only.
 */

#include <stddef.h>

/*
 * `list` holds paths relative to both `base` and `to`, each ended by NUL; their directories exist
 * in `to`, the files do not. Returns how many were linked. -EBADMSG: no clean path; -EINVAL: not a
 * sealed file in `base`; -E2BIG: more than `max`; and what linkat(2) returns.
 */
int share_link(int base, int to, const char *list, size_t size, int max);
