/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ways to run one short program that are measured. `run` starts it, waits for it and takes
 * everything down again; `prepare` is what a caller does beforehand, while it is idle: not in the
 * time, but in the processor time.
 */

#include <limits.h>
#include <sandbox/sandbox.h>
#include <stdbool.h>

enum phase { CREATE, EXECUTE, REAP, FREE, PHASES };

struct bench {
	struct sbx_ctx *ctx;
	struct sbx_ctx *user_ctx; /* of the unprivileged way; NULL: this host has none */
	struct sbx_plan *plan;    /* of the section that runs */
	struct sbx_pool *pool;
	struct sbx_jail *standing; /* whose network is joined */
	const char *policy;
	char program[PATH_MAX];
	char root[64]; /* a tree with nothing but the program, for systemd-nspawn */
};

struct contender {
	const char *name;
	void (*run)(struct bench *b, double phase_us[PHASES]);
	void (*prepare)(struct bench *b); /* NULL: nothing */
	const char *command;              /* NULL: no command is needed */
};

extern const struct contender cold, pooled, joined, unprivileged;
extern const struct contender bare_spawn, bare_fork, bwrap, plain_unshare, firejail, nspawn;

/* NULL: it can be used here; otherwise why not. */
const char *contender_missing(struct bench *b, const struct contender *c);

void bench_open(struct bench *b);
void bench_plan(struct bench *b, bool limits, int loops); /* the plan, pool and jail of a section */
void bench_done_plan(struct bench *b);
void bench_close(struct bench *b);

_Noreturn void die(const char *what, const char *why);
