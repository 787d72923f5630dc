/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a caller without privileges makes jails: through a process of its own that is root in a user
 * namespace of the caller's, the *holder* (lib/init/holder.c). One for each ctx; it is started with
 * the ctx and again when it was killed, and all that it started ends with it.
 *
 * The jails are siblings below the holder's namespace, so that none has rights over another or over
 * a network that it shares; the caller, as the creator of their common ancestor, has all rights
 * over all of them (user_namespaces(7)). One holder serves all jails of a ctx: it holds nothing
 * that belongs to a submission.
 */

#include "ids.h"
#include "ns.h"
#include <pthread.h>
#include <sandbox/sandbox.h>

struct holder {
	pthread_mutex_t lock; /* one request at a time */
	int image;            /* the ctx's */
	int control;          /* -1: there is none */
	int pidfd;
	uint32_t sub_uid,
		sub_gid; /* first subordinate id of the host: id 1 of the holder's namespace */
	uint32_t n_ids;  /* how many follow; 0: the holder's only id is the caller's, as 0 */
};

void holder_init(struct holder *h, int image);
void holder_done(struct holder *h);

/*
 * Starts it, with the caller's subordinate ids if there are any and newuidmap(1) maps them. What
 * the host forbids is named. `why_no_ids` says why there are no subordinate ids; empty: there are.
 */
int holder_start(struct holder *h, char *why_no_ids, size_t size, struct sbx_error *err);

/* A detached mount of the host's tree at `path`, attributes set; a negative errno. */
int holder_tree(struct holder *h, const char *path, uint64_t attributes, bool recursive);

/* What spawn_begin() does, by the holder: returns when the child has executed. */
int holder_spawn(struct holder *h, struct spawn *s);
