/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The START message: what a new jail's init is told, and the detached mounts that go with it
 * (protocol.h). Owns the mounts until they are sent.
 */

#include "jail.h"

struct start {
	struct start_request head;
	struct plan_mount *extra;
	struct string_pool pool;
	int16_t *fd_of;
	int fds[START_FDS_MAX];
	int n_fds;
};

/* Takes over the extra mounts of the options; the plan's are read where they are. */
int start_init(struct start *s, const struct sbx_plan *plan, const struct sbx_jail_options *o,
	       struct sbx_error *err);
void start_done(struct start *s);

/* Bytes of the extra mounts' file systems. */
uint64_t start_extra_tmpfs(const struct start *s);

/* Mount `i` of the plan, then of the extra ones, and the pool that its strings are in. */
const struct plan_mount *start_nth(const struct start *s, const struct sbx_plan *plan, uint32_t i,
				   const char **pool);

/* Whether some mount is to show the disk's ids as they are. */
bool start_wants_idmap(const struct start *s, const struct sbx_plan *plan);

/* Makes the detached mounts; `userns` is the jail's, where ids are mapped. */
int start_mounts(struct start *s, const struct sbx_jail *j, int userns, struct sbx_error *err);
int start_send(struct start *s, int control);
