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
};

struct sbx_jail {
	struct sbx_ctx *ctx;
	struct sbx_plan *plan;
	struct id_lease ids;
	struct sbx_group *group; /* NULL: none */
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
	int relays[JAIL_RELAYS]; /* pidfds */
	int n_relays;
	char label[32];
};

/* Sends one request and waits for its reply; *ret_fd gets the descriptor that came along, if wanted. */
int jail_request(struct sbx_jail *j, const struct iovec *parts, int n_parts, const int *fds,
		 int n_fds, int *ret_fd, struct sbx_error *err);

/* Turns a FAILED message into an error; `names` finds the object of a mount step. */
int jail_failed(const struct sbx_jail *j, const struct failed *f, const char *item,
		struct sbx_error *err);

/* pidfd of this process, for those who must die with it. */
int creator_pidfd(void);
