/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a process is made of, as lines of text: descriptors, children, signals, directories, umask,
 * mounts, namespaces, control groups, credentials, limits, timers, environment. A library that is a
 * guest in its caller's process leaves all of it as it was.
 */

#include <stdbool.h>
#include <stddef.h>

#define SNAPSHOT_OWNED                                                                             \
	1u /* leave out what a living ctx and its jails do have: descriptors, children */

struct snapshot {
	char *text;
	size_t size;
};

bool snapshot_take(struct snapshot *s, unsigned int flags);
void snapshot_done(struct snapshot *s);

/* Writes the first difference to `ret` ("was: ..., is: ..."); false: there is none. */
bool snapshot_differs(const struct snapshot *before, const struct snapshot *after, char *ret,
		      size_t size);
