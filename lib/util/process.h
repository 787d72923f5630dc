/* SPDX-License-Identifier: MIT */
#pragma once

/* What proc(5) says of a process that is known by a pidfd. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/util.h"

/* Its number as this process knows it. -1: it is reaped, or cannot be known. */
static inline int pidfd_pid(int pidfd)
{
	char path[64];
	size_t size;
	const char *at;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = read_content(fd, 4096, &size);

	at = text ? strstr(text, "\nPid:") : NULL;
	return at ? atoi(at + 5) : -1;
}

/*
 * Whether it has begun to end: all it does from then on is to give back what it has, and the
 * descriptors are closed one after another. PF_EXITING of linux/sched.h, which each of its threads
 * has before the first of its descriptors is closed. False: no, or it cannot be known.
 */
static inline bool pidfd_is_exiting(int pidfd)
{
	const unsigned int exiting = 0x4;
	unsigned int flags = 0;
	char path[64];
	size_t size;
	const char *name_end;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pidfd_pid(pidfd));
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = read_content(fd, 4096, &size);

	/* Its name may hold anything. Then: the state, five numbers of relatives, the flags. */
	name_end = text ? strrchr(text, ')') : NULL;
	return name_end && sscanf(name_end, ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
	       (flags & exiting);
}
