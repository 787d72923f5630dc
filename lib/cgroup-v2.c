/* SPDX-License-Identifier: MIT */

/*
 * Limits and counters in the format of cgroup v2 (Documentation/admin-guide/cgroup-v2.rst). Every
 * limit is read back.
 */

#include "cgroup.h"
#include "error.h"
#include "util/util.h"
#include <fcntl.h>

#define PAGE 4096u

/* oom.group: a jail that meets its limit ends as a whole, not by losing a random process. */
static int limit_memory(int dir, uint64_t bytes, struct sbx_error *err)
{
	int r = cgroup_limit(dir, "memory.max", bytes, PAGE, err);

	if (r >= 0)
		r = cgroup_limit(dir, "memory.oom.group", 1, 0, err);
	return r;
}

static int limit_swap(int dir, uint64_t memory, struct sbx_error *err)
{
	(void)memory;
	if (cgroup_limit(dir, "memory.swap.max", 0, 0, NULL) >= 0)
		return SBX_BY_CGROUP2;
	if (!host_has_swap())
		return SBX_BY_NO_SWAP;
	return error_set(err, -ENOTSUP, "cgroup", "memory.swap.max",
			 "the host swaps and its kernel cannot limit it: run swapoff -a");
}

static int limit_cpu(int dir, uint32_t milli, struct sbx_error *err)
{
	char want[40], got[64];
	int r;

	(void)snprintf(want, sizeof(want), "%u 100000", milli * 100);
	r = cgroup_write(dir, "cpu.max", want);
	if (r >= 0)
		r = cgroup_read_text(dir, "cpu.max", got, sizeof(got));
	if (r < 0)
		return error_set(err, r, "cgroup", "cpu.max", "cannot set the limit %s", want);
	if (!starts_with(got, want))
		return error_set(err, -ENOTSUP, "cgroup", "cpu.max",
				 "wrote %s, the kernel kept %.20s", want, got);
	return 0;
}

static void read_memory(int dir, struct sbx_stats *ret)
{
	(void)cgroup_read_u64(dir, cgroup_v2_ops.memory_file, &ret->memory_now);
	if (cgroup_read_u64(dir, "memory.peak", &ret->memory_peak) < 0)
		ret->memory_peak = ret->memory_now; /* before 5.19 */
	ret->oom_kills = cgroup_read_key(dir, cgroup_v2_ops.oom_file, "oom_kill");
}

const struct cgroup_ops cgroup_v2_ops = {
	.by = SBX_BY_CGROUP2,
	.limit_memory = limit_memory,
	.limit_swap = limit_swap,
	.limit_pids = cgroup_limit_pids,
	.limit_cpu = limit_cpu,
	.read_memory = read_memory,
	.memory_file = "memory.current",
	.oom_file = "memory.events",
	.read_pids = cgroup_read_pids,
	.join = NULL,
};
