/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Small helpers that know nothing of sandboxes: cleanup on scope exit, stealing, bounded strings.
 * Header-only, so that the library, the commands and the tests use the same ones.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NSEC_PER_SEC 1000000000ull
#define NSEC_PER_MSEC 1000000ull

#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

#define _cleanup_(f) __attribute__((cleanup(f)))

static inline void freep(void *p)
{
	free(*(void **)p);
}
#define _cleanup_free_ _cleanup_(freep)

/* Closes and returns -1, errno kept: `fd = close_fd(fd)`. */
static inline int close_fd(int fd)
{
	int saved = errno;

	if (fd >= 0)
		(void)close(fd);
	errno = saved;
	return -1;
}

static inline void close_fdp(int *fd)
{
	close_fd(*fd);
}
#define _cleanup_close_ _cleanup_(close_fdp)

static inline void fclosep(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}
#define _cleanup_fclose_ _cleanup_(fclosep)

static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/*
 * What a library keeps must not be standard input, output or error, not even in a caller that has
 * closed these: what the caller prints would go there.
 */
static inline int fd_above_stdio(int fd)
{
	int moved;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close_fd(fd);
	return moved;
}

/*
 * Now, without waiting; a pidfd is when its process has ended. Even a poll(2) that does not wait is
 * interrupted by a signal that is pending, which says nothing about the descriptor.
 */
static inline bool fd_is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&p, 1, 0);
	while (r < 0 && errno == EINTR);
	return r > 0;
}

/* pread(2) until `size` bytes are there or the file ends: how many, or -errno. */
static inline ssize_t read_full_at(int fd, void *to, size_t size, off_t from)
{
	size_t at = 0;

	while (at < size) {
		ssize_t n = pread(fd, (char *)to + at, size - at, from + (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		at += (size_t)n;
	}
	return (ssize_t)at;
}

/* The same from where the file is, or from what is no file. */
static inline ssize_t read_full(int fd, void *to, size_t size)
{
	size_t at = 0;

	while (at < size) {
		ssize_t n = read(fd, (char *)to + at, size - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		at += (size_t)n;
	}
	return (ssize_t)at;
}

/* Writes all of it: 0, or -errno. */
static inline int write_full(int fd, const void *from, size_t size)
{
	const char *at = from;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

#define steal_ptr(p)                                                                               \
	({                                                                                         \
		__typeof__(p) *_slot = &(p);                                                       \
		__typeof__(p) _taken = *_slot;                                                     \
		*_slot = NULL;                                                                     \
		_taken;                                                                            \
	})

/*
 * All that an open file has, if that is no more than `max` bytes (EFBIG), terminated; the caller's.
 * NULL and errno, also of a descriptor that is none because open(2) failed.
 */
static inline char *read_content(int fd, size_t max, size_t *ret_size)
{
	_cleanup_free_ char *text = fd < 0 ? NULL : malloc(max + 1);
	ssize_t n;

	if (!text)
		return NULL;
	n = read_full(fd, text, max + 1);
	if (n < 0 || (size_t)n > max) {
		errno = n < 0 ? (int)-n : EFBIG;
		return NULL;
	}
	text[n] = '\0';
	*ret_size = (size_t)n;
	return steal_ptr(text);
}

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static inline bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Copies as much of `src` as fits and always terminates. */
static inline void copy_string(char *dst, size_t size, const char *src)
{
	size_t n = strlen(src);

	n = n < size ? n : size - 1;
	memcpy(dst, src, n);
	dst[n] = '\0';
}

static inline uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

/* `now + ns`, saturating: UINT64_MAX stays "never". */
static inline uint64_t deadline_after(uint64_t ns)
{
	uint64_t now = now_ns();

	return ns > UINT64_MAX - now ? UINT64_MAX : now + ns;
}
