/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Processes that are executed again from this very program: nothing of the parent's memory, and
 * only the descriptors that are given, from 3 on; 0 is /dev/null, 1 and 2 are the parent's.
 */

#include <sys/types.h>

#define CHILD_FDS 4

struct child_options {
	const char *const *argv; /* "sandbox-runner", "slot", "0", NULL */
	const char *const
		*variables; /* names that are taken over; "npm_*" is a prefix; NULL-terminated */
	int fds[CHILD_FDS]; /* -1: ends them */
};

/* The variables that processes with jails need: where things are, npm's settings, proxies. */
extern const char *const child_variables[];

/* 0 and *ret_pid, *ret_pidfd; -errno. */
int child_start(const struct child_options *o, pid_t *ret_pid, int *ret_pidfd);
/* Waits until it has ended and takes its status; `pidfd` is closed. */
int child_reap(pid_t pid, int pidfd);
/* "exit code 1", "signal 9 (Killed)". */
#define CHILD_STATUS_TEXT 64
const char *child_status(int status, char ret[CHILD_STATUS_TEXT]);

/* A pair of SEQPACKET sockets, both CLOEXEC. */
int child_sockets(int ret[2]);
