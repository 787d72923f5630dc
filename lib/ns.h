/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Starting the static program (lib/init) in new namespaces and in its control groups.
 *
 * A short-lived thread joins the v1 groups and, if asked, a network namespace: both concern that
 * thread alone and are inherited by what it clones. It also maps the ids and lets the child go, so
 * that the child need not wait until the caller is scheduled. The clone shares the caller's memory
 * until it executes (CLONE_VM), so that its cost does not grow with the caller; it runs on a stack
 * of its own and makes raw system calls only, because errno and thread-local storage are not its
 * own.
 */

#include "cgroup.h"
#include "ids.h"
#include <pthread.h>
#include <sandbox/sandbox.h>

#define SPAWN_FDS 4

struct holder;

/* How the ids of a new user namespace are mapped. */
enum map_way {
	MAP_WRITE,     /* by writing the files: needs CAP_SETUID and CAP_SETGID over the ids */
	MAP_OWN_ID,    /* the same, without privileges: one line with the caller's own id */
	MAP_NEWUIDMAP, /* by newuidmap(1) and newgidmap(1): subordinate ids */
};

struct spawn {
	/* in */
	uint64_t flags;              /* CLONE_NEW* of clone3(2) */
	const struct cgroup *cgroup; /* NULL: stay in the caller's */
	int netns;                   /* joined first; -1: none */
	int image;                   /* memfd of the program */
	const char *name;            /* argv[0] */
	struct holder *holder;       /* not NULL: the child is to be the holder's (holder.h) */
	enum map_way map_way;        /* with CLONE_NEWUSER, and the next two */
	struct id_maps uids, gids;
	int fds[SPAWN_FDS]; /* become 3, 4, ...; number 5 is the creator's pidfd */
	int n_fds;
	/* out */
	int pid;
	int pidfd;
	int failed_step; /* enum step, with a negative return */
	/* private */
	int gate[2];
	/* gate[0] as the child reads it: in shared memory, so never changed after the clone */
	int child_gate;
	void *stack;
	pthread_t thread;
};

/*
 * Begins; the caller may do other work and must then call spawn_finish(), which returns when the
 * program is on its way. After a failure there is no child.
 */
int spawn_begin(struct spawn *s);
int spawn_finish(struct spawn *s);

/* Waits until the child has executed the program; -ECHILD if it is dead instead. */
int spawn_await_exec(struct spawn *s);

/* Once the program is known to run, or to be dead: gives the stack back. */
void spawn_settle(struct spawn *s);

/*
 * SIGKILL, and wait until it and, for a pid namespace, all in it are gone. Also for grandchildren.
 */
void spawn_kill(int pidfd);
