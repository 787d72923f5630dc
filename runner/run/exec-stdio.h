/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a jailed program gets as its descriptors 0, 1 and 2: the caller's own files and pipes, but
 * never its terminal. Whoever holds a terminal can type into it (TIOCSTI), change it and read what
 * is typed next, so with a terminal
 *   - output goes through the library's pipes (an output limit that no program reaches), and
 *   - input is copied by us into a pipe, while we wait and as far as the program reads it.
 * Descriptors that would show files of the host are refused: directories and block devices.
 * Files that are named (--stdin, --stdout, --stderr) are opened here, as the caller.
 */

#include "exec-options.h"
#include <sandbox/sandbox.h>
#include <stdbool.h>

/* Copies a terminal into a pipe; `source` is -1 when there is nothing (more) to copy. */
struct feed {
	int source;
	int sink;
	size_t n;
	char bytes[4096];
};

struct stdio {
	int fd[3]; /* what the program gets; [0] is a pipe of ours if a feed exists */
	bool owned[3];
	uint64_t output; /* the limit of each stream, 0: none */
	struct feed feed;
};

#define STDIO_NULL                                                                                 \
	{                                                                                          \
		.fd = { 0, 1, 2 }, .feed = {.source = -1, .sink = -1 }                             \
	}

/* Opens the files that the options name and looks at all three streams. */
int stdio_init(struct stdio *s, const struct exec_options *o, struct sbx_error *err);
void stdio_done(struct stdio *s);

/* Whether a descriptor may be passed at all: -EISDIR and the like, `err` filled for `name`. */
int stdio_check(int fd, const char *name, struct sbx_error *err);

/* Fills the stdio members of `e`. */
void stdio_apply(const struct stdio *s, struct sbx_exec *e);

/* The program has its own copy: closing ours lets it see the end, and us its death. */
void stdio_started(struct stdio *s);

/*
 * What to poll for the feed: fills *ret_fd and *ret_events, or returns false if there is nothing to
 * copy now. *ret_wait is set when we are in the background and may not read the terminal: ask again
 * in a while.
 */
bool feed_wants(const struct feed *f, int *ret_fd, short *ret_events, bool *ret_wait);
void feed_move(struct feed *f);
