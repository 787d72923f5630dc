/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Names of what is made from content: the SHA-256 of parts, each preceded by its length, so that no
 * two lists of parts give the same bytes.
 */

#include <nettle/sha2.h>
#include <stddef.h>

#define KEY_SIZE 65 /* 64 hexadecimal digits and the end */

struct key {
	struct sha256_ctx hash;
};

void key_begin(struct key *k, const char *purpose);
void key_add(struct key *k, const void *data, size_t size);
void key_add_string(struct key *k, const char *s);
/* The content of a file of ours (a policy), at most 1 MiB. 0 or -errno. */
int key_add_file(struct key *k, const char *path);
void key_end(struct key *k, char ret[static KEY_SIZE]);

/* Plain SHA-256 of all that can be read from `fd`, as sha256sum(1) has it. 0 or -errno. */
int sha256_of(int fd, char ret[static KEY_SIZE]);
