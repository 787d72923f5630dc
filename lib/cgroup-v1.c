/* SPDX-License-Identifier: MIT */

/*
 * Limits and counters in the format of cgroup v1 (Documentation/admin-guide/cgroup-v1). Every limit
 * is read back: a kernel that rounds it up or ignores it must not go unnoticed.
 */

#include "cgroup.h"
#include "error.h"
#include "util/util.h"
#include <fcntl.h>

#define PAGE 4096u
#define SOCKETS_MIN (8ull << 20)

/*
 * v1 charges the buffers of TCP and UDP sockets to no memory limit, but to a counter of their own:
 * a jail without one takes what the host allows to all its sockets together. The kernel still gives
 * each TCP socket its minimum.
 */
static int limit_sockets(int dir, uint64_t memory, struct sbx_error *err)
{
	int r;

	if (faccessat(dir, "memory.kmem.tcp.limit_in_bytes", F_OK, 0) < 0)
		return 0;
	r = cgroup_limit(dir, "memory.kmem.tcp.limit_in_bytes", MAX_OF(memory / 16, SOCKETS_MIN),
			 PAGE, err);
	return r < 0 ? r : 0;
}

static int limit_memory(int dir, uint64_t bytes, struct sbx_error *err)
{
	int r = cgroup_limit(dir, "memory.limit_in_bytes", bytes, PAGE, err);

	return r < 0 ? r : limit_sockets(dir, bytes, err);
}

/* memsw counts memory and swap together: equal to the memory limit it leaves no swap. */
static int limit_swap(int dir, uint64_t memory, struct sbx_error *err)
{
	int r = cgroup_limit(dir, "memory.memsw.limit_in_bytes", memory, PAGE, NULL);

	if (r >= 0)
		return SBX_BY_CGROUP1;
	if (!host_has_swap())
		return SBX_BY_NO_SWAP;
	return error_set(err, -ENOTSUP, "cgroup", "memory.memsw.limit_in_bytes",
			 "the host swaps and its kernel cannot limit it: boot with swapaccount=1 "
			 "or run swapoff -a");
}

static int limit_cpu(int dir, uint32_t milli, struct sbx_error *err)
{
	int r = cgroup_limit(dir, "cpu.cfs_period_us", 100000, 0, err);

	return r < 0 ? r : cgroup_limit(dir, "cpu.cfs_quota_us", (uint64_t)milli * 100, 0, err);
}

static void read_memory(int dir, struct sbx_stats *ret)
{
	(void)cgroup_read_u64(dir, cgroup_v1_ops.memory_file, &ret->memory_now);
	(void)cgroup_read_u64(dir, "memory.max_usage_in_bytes", &ret->memory_peak);
	ret->oom_kills = cgroup_read_key(dir, cgroup_v1_ops.oom_file, "oom_kill");
}

/* "0" moves the writing thread alone and skips the wait that any other number costs. */
static int join(int dir)
{
	return cgroup_write(dir, "tasks", "0");
}

const struct cgroup_ops cgroup_v1_ops = {
	.by = SBX_BY_CGROUP1,
	.limit_memory = limit_memory,
	.limit_swap = limit_swap,
	.limit_pids = cgroup_limit_pids,
	.limit_cpu = limit_cpu,
	.read_memory = read_memory,
	.memory_file = "memory.usage_in_bytes",
	.oom_file = "memory.oom_control",
	.read_pids = cgroup_read_pids,
	.join = join,
};
