/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What an entry holds, to the byte: one line for each file (mode, size, SHA-256), directory and
 * link. Made when an entry is sealed and kept beside it, it is what `sandbox-run deps verify`
 * compares with, and what tells the next entry of the same files which of them it may share.
 */

#include <stdint.h>

#include "store/key.h"

struct sum_line {
	char *path; /* relative to the entry; any bytes */
	char type;  /* 'f', 'd' or 'l' */
	uint32_t mode;
	uint64_t size;
	char hash[KEY_SIZE]; /* of the content or of the link's target; empty for directories */
};

/* Sorted by path. */
struct sums {
	struct sum_line *list;
	size_t n;
};

/*
 * Reads the tree below `dir`. Files that have a second name are hard links to the same path of the
 * entry that `known` (may be NULL) describes: its hashes are taken over, not computed again.
 * -E2BIG: more than SUMS_MAX lines; -EINVAL: something else than a file, a directory or a link.
 */
#define SUMS_MAX 400000
int sums_make(int dir, const struct sums *known, struct sums *ret);
void sums_done(struct sums *s);

const struct sum_line *sums_find(const struct sums *s, const char *path);

/*
 * As bytes of a file and back; `hash` is the SHA-256 of these bytes. -EBADMSG: not what is written.
 */
int sums_write(const struct sums *s, int fd, char ret_hash[static KEY_SIZE]);
int sums_read(int fd, struct sums *ret, char ret_hash[static KEY_SIZE]);

/*
 * The first difference: NULL if there is none. What the text says is about *ret_path (of one of the
 * two; borrowed).
 */
const char *sums_differ(const struct sums *recorded, const struct sums *found,
			const char **ret_path);
