/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A corner of the host for one test program, so that what it counts is its own whoever else runs
 * jails here: a runtime directory and a parent group of its own, and all orphans of its callers as
 * its children (PR_SET_CHILD_SUBREAPER). Works for root and, with SANDBOX_LANE=user or as an
 * ordinary user, for the unprivileged way.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct corner {
	char runtime[64];
	char parent[40];
};

/* What jails are made of, and what could stay behind. */
struct traces {
	int descendants; /* processes, also those that only wait to be reaped */
	int namespaces;  /* different ones among this process and its descendants */
	int groups;      /* below the parent, in all hierarchies */
	int leases, owners;
	int mounts, fds, threads;
};

struct process {
	pid_t pid, parent;
	char name[20];
};

bool corner_unprivileged(void);
void corner_init(struct corner *c);
void corner_done(struct corner *c); /* nothing may be left in it */

/* The options of a ctx that lives here. */
struct sbx_ctx_options corner_options(const struct corner *c);
struct sbx_ctx *corner_ctx(const struct corner *c); /* fails the test if there is none */
void corner_sweep(const struct corner *c); /* makes one and frees it: the next owner cleans up */

struct traces corner_look(const struct corner *c);
void corner_assert_same(struct traces before, struct traces after);

/* Writes at most `n` descendants of `pid` and returns how many there are. */
int corner_descendants(pid_t pid, struct process *ret, int n);

/* The first descendant of `pid` with this name; 0: none. */
pid_t corner_find(pid_t pid, const char *name);

/* Reaps all that it inherits until this process has no more than `n` descendants. */
void corner_settle(int n);

/* How many times slower this machine is than a real one, as SANDBOX_SLOW says; 1 without it. */
int corner_slowness(void);

/* `n` repetitions, fewer on a slow machine. */
int corner_times(int n);

/*
 * A repeatable sequence. SANDBOX_SEED continues one that was printed; without it every run has
 * another.
 */
uint64_t corner_seed(void);
uint32_t corner_random(uint64_t *seed, uint32_t below);
