/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The caller's descriptors 0, 1 and 2, which the program gets unless --stdin and its sisters name
 * files of the box. Terminals stay outside: who holds one can type into it (TIOCSTI). With a
 * terminal output is copied by the library, and input by us, as far as the program reads it.
 * Directories and disks of the host are refused.
 */

#include "report.h"

struct streams {
	int in; /* what the program gets as its input */
	bool terminal[3];
	int sink; /* where typed input goes; -1: none does (any more) */
	size_t n; /* read, not yet taken by the program */
	char bytes[4096];
};

/* 0 or -1 with the reason in the report. */
int streams_init(struct streams *s, struct report *r);
void streams_done(struct streams *s);

void streams_apply(const struct streams *s, struct sbx_exec *e);
void streams_started(struct streams *s); /* the program has its own copies */

/*
 * What to poll for, if anything. *ret_later: we are in the background and may not read the terminal
 * now (SIGTTIN would stop us, and with us the limits); ask again in a while.
 */
bool streams_wants(const struct streams *s, int *ret_fd, short *ret_events, bool *ret_later);
void streams_move(struct streams *s);
