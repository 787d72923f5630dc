/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is left of a C runtime: the functions that gcc calls by itself, a few for strings and
 * numbers, and descriptors that close themselves.
 */

#include "sys.h"

void *memset(void *p, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

bool string_equal(const char *a, const char *b);

#define NUMBER_MAX 24 /* bytes that number_format() needs at most */

/* Writes `n` with its NUL; `base` is 8 or 10. Returns `buf`. */
char *number_format(char buf[static NUMBER_MAX], uint64_t n, uint32_t base);

static inline void close_cleanup(int *fd)
{
	if (*fd >= 0)
		(void)sys_close(*fd);
}

#define _cleanup_close_ __attribute__((cleanup(close_cleanup)))

static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

/* argv[0] decides: the programs of this image. None returns. */
_Noreturn void init_main(void);
_Noreturn void holder_main(void);
_Noreturn void relay_main(void);
