/* SPDX-License-Identifier: MIT */
#pragma once

/* The jail as the library's files share it; jail.c makes and ends it. */

#include "cgroup.h"
#include "control.h"
#include "ctx.h"
#include "ids.h"
#include "plan.h"
#include <sandbox/sandbox.h>

#define JAIL_QUOTAS 32
#define JAIL_RELAYS 8
#define REPLY_TIMEOUT_MS 10000

struct sbx_group {
	struct sbx_ctx *ctx;
	struct cgroup cgroup;
	atomic_uint refs; /* more than one: jails of pools share it */
};

struct sbx_group *group_ref(struct sbx_group *g);

/* The jail in whose network another is made, held by descriptors: it may end meanwhile. */
struct beside {
	uint64_t serial; /* 0: none */
	int netns;
	int pidfd;
	struct sbx_group *group;
};

#define BESIDE_NONE ((struct beside){ .netns = -1, .pidfd = -1 })
int beside_open(struct beside *ret, const struct sbx_jail *j); /* 1, or a negative errno */
void beside_close(struct beside *b);

/* A relay of this jail, and the socket file that it made, if any; forward.c. */
struct relay {
	int pidfd;
	char *path; /* NULL: no file */
	uint64_t dev, ino;
};

struct sbx_jail {
	struct sbx_ctx *ctx;
	struct sbx_plan *plan;
	struct id_lease ids;
	struct id_maps uids, gids;
	bool sole_id;            /* the policy's user is the only id, init's own too */
	struct sbx_group *group; /* NULL: none */
	bool owns_group;         /* of a pool: one reference is the jail's */
	uint64_t serial;         /* of this process, from 1 */
	struct beside beside; /* of a pool: whose network it was made in; serial and pidfd only */
	struct cgroup cgroup;
	int control; /* to init */
	int pid;     /* of init, on the host; valid until it is reaped */
	int pidfd;
	bool dead;               /* reaped */
	bool used;               /* a program was started in it */
	bool killed;             /* by us or the caller, not by itself */
	int quotas[JAIL_QUOTAS]; /* O_PATH on the writable tmpfs */
	int n_quotas;
	uint64_t disk_total;
	int diag; /* NETLINK_SOCK_DIAG socket in the jail's netns; -1: not asked yet */
	struct relay relays[JAIL_RELAYS];
	int n_relays;
	char label[32];
};

/*
 * Sends one request and waits for its reply; *ret_fd gets the descriptor that came along, if
 * wanted.
 */
int jail_request(struct sbx_jail *j, const struct iovec *parts, int n_parts, const int *fds,
		 int n_fds, int *ret_fd, struct sbx_error *err);

/* Turns a FAILED message into an error; `names` finds the object of a mount step. */
int jail_failed(const struct sbx_jail *j, const struct failed *f, const char *item,
		struct sbx_error *err);

/* Whether programs may run as these ids of the jail. */
bool jail_has_ids(const struct sbx_jail *j, uint32_t uid, uint32_t gid);

/* sbx_jail_new() with options that have their full size; `beside` is NULL or where it joins. */
int jail_make(struct sbx_ctx *ctx, struct sbx_plan *plan, struct sbx_jail **ret,
	      const struct sbx_jail_options *o, const struct beside *beside, struct sbx_error *err);

/* Copies a label if it is a valid one. */
int label_copy(const char *label, char *ret, size_t size, struct sbx_error *err);

/* Kills the jail's relays and removes their files; forward.c. */
void relays_end(struct sbx_jail *j);

/* pidfd of this process, for those who must die with it. */
int creator_pidfd(void);
