/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What all jails of one owner share: the runtime directory with the owner's token, the parent
 * control groups, the space of ids, the init program in a sealed memfd, and, without privileges,
 * the holder.
 */

#include "cgroup.h"
#include "holder.h"
#include "ids.h"
#include <sandbox/sandbox.h>
#include <stdatomic.h>

struct sbx_ctx {
	void (*log)(void *log_data, int level, const char *line);
	void *log_data;
	int ids_dir;
	int owners_dir;
	int owner_fd; /* locked while we live; owners/TOKEN */
	char token[20];
	struct id_space ids;
	atomic_uint next_id;
	atomic_ullong next_serial; /* of jails */
	struct cgroup_root cgroups;
	int init_memfd;
	bool privileged;
	uint32_t allow_unenforced; /* SBX_LIMIT_* */
	struct holder holder;      /* of an unprivileged caller */
};

/* The holder that jails of this ctx are made by; NULL for a privileged caller. */
struct holder *ctx_holder(struct sbx_ctx *ctx);

void ctx_log(const struct sbx_ctx *ctx, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A sealed, executable memfd with `size` bytes. */
int memfd_program(const char *name, const void *bytes, size_t size);

/* A sealed memfd that holds data and can never be executed. */
int memfd_data(const char *name, const void *bytes, size_t size);
