/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A compiled policy. Immutable and reference counted; shared by threads. Made by
 * sbx_policy_compile() (lib/policy.c, lib/plan.c); read by jail creation (lib/jail.c).
 */

#include "plan-format.h"
#include <sandbox/sandbox.h>
#include <stdatomic.h>
#include <stdbool.h>

struct sbx_plan {
	atomic_uint refs;
	int memfd;                      /* sealed; handed to every init */
	const struct plan_header *blob; /* the same, mapped read-only here */
	/* What the host side enforces; 0 where the policy sets none. */
	uint64_t memory;    /* bytes, tmpfs pages included */
	uint32_t pids;      /* tasks of the jail, our init not counted */
	uint32_t cpu_milli; /* thousandths of a processor */
	uint64_t wall_ns;   /* default of each process; UINT64_MAX: none */
	uint64_t cpu_ns;    /* default cpu time; UINT64_MAX: none */
	uint64_t output;    /* default bytes per stream; 0: none */
};

static inline const char *plan_string(const struct sbx_plan *p, uint32_t offset)
{
	return (const char *)p->blob + p->blob->strings_off + offset;
}

static inline const struct plan_mount *plan_mounts(const struct sbx_plan *p)
{
	return (const struct plan_mount *)((const char *)p->blob + p->blob->mounts_off);
}

/*
 * Checks one mount as a policy or a jail option gives it and serializes it into `*ret`, its strings
 * appended to `pool`. Used for the plan's mounts and, by lib/jail.c, for extra ones.
 */
struct string_pool {
	char *bytes;
	size_t size;
	size_t capacity;
};

int string_pool_add(struct string_pool *pool, const void *bytes, size_t n, uint32_t *ret_offset);
void string_pool_done(struct string_pool *pool);
int mount_serialize(const struct sbx_mount *m, struct string_pool *pool, struct plan_mount *ret,
		    struct sbx_error *err);
/* The same for a mount of a policy, which may also be the root. */
int mount_serialize_of_plan(const struct sbx_mount *m, struct string_pool *pool,
			    struct plan_mount *ret, struct sbx_error *err);
