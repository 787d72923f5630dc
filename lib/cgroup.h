/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Control groups of jails, on unified (v2) and hybrid hosts.
 *
 * Each controller that we need (memory, pids, cpu) is served by whichever hierarchy has it: v2, or a
 * v1 hierarchy of its own. Membership, killing and cpu accounting are always v2: a process is born
 * in its v2 group by CLONE_INTO_CGROUP, and in its v1 groups because the thread that clones it has
 * written "0" to their `tasks` files. Nothing is ever migrated: writing a pid to cgroup.procs waits
 * for an RCU grace period, 5 to 12 ms; neither of these two ways does.
 *
 * All groups lie below one parent ("sandbox") and are named TOKEN.N.LABEL, TOKEN being the owner's
 * (owner.c), so that a later owner can tell whose leftovers they are.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>

enum hierarchy_id { H_V2, H_MEMORY, H_PIDS, H_CPU, H_COUNT };

/* 0: no limit. */
struct cgroup_limits {
	uint64_t memory;
	uint32_t pids;
	uint32_t cpu_milli;
	bool leaf; /* a jail: no group is made below it */
};

struct cgroup;

/* What differs between the versions, for the controllers that a hierarchy serves. */
struct cgroup_ops {
	int by; /* SBX_BY_CGROUP1 or SBX_BY_CGROUP2 */
	int (*limit_memory)(int dir, uint64_t bytes, struct sbx_error *err);
	int (*limit_swap)(int dir, uint64_t memory, struct sbx_error *err); /* SBX_BY_* or <0 */
	int (*limit_pids)(int dir, uint32_t n, struct sbx_error *err);
	int (*limit_cpu)(int dir, uint32_t milli, struct sbx_error *err);
	void (*read_memory)(int dir, struct sbx_stats *ret);
	void (*read_pids)(int dir, struct sbx_stats *ret);
	int (*join)(int dir); /* the calling thread, before it clones; NULL: born there */
};

extern const struct cgroup_ops cgroup_v1_ops;
extern const struct cgroup_ops cgroup_v2_ops;

/* Where the groups of a ctx are made. parent[i] is -1 for a hierarchy that is not used. */
struct cgroup_root {
	int parent[H_COUNT];
	char path[H_COUNT][1300];
	const struct cgroup_ops *memory, *pids, *cpu; /* NULL: the host has no such controller */
	bool v2_controllers; /* some controller is on v2: subtree_control must be written */
	uint32_t next;       /* number of the next group */
	char token[20];
};

struct cgroup {
	struct cgroup_root *root;
	struct cgroup *parent; /* NULL: the root */
	char name[64];
	uint32_t made;    /* bit for each hierarchy with a directory of ours */
	int dir[H_COUNT]; /* -1: not used */
	int memory_by, swap_by, pids_by, cpu_by; /* SBX_BY_* of the limits that are set */
};

int cgroup_root_init(struct cgroup_root *root, const char *parent, const char *token,
		     struct sbx_error *err);
void cgroup_root_done(struct cgroup_root *root);

/*
 * Writes the parents' paths to the owner's file; cgroup_sweep() reads them there, kills and removes
 * the groups named TOKEN.*. The paths are the dead owner's: a v1 parent lies below the group that
 * the owner ran in, which need not be the sweeper's.
 */
int cgroup_root_record(const struct cgroup_root *root, int fd);
int cgroup_sweep(int fd, const char *token); /* -EBUSY: some are left, for the next sweep */

/* Makes the directories, writes the limits and reads them back. -ENOTSUP names what is missing. */
int cgroup_init(struct cgroup *cg, struct cgroup_root *root, struct cgroup *parent,
		const char *label, const struct cgroup_limits *limits, struct sbx_error *err);
void cgroup_done(struct cgroup *cg); /* its processes must be gone */

int cgroup_join_thread(const struct cgroup *cg);
void cgroup_kill(const struct cgroup *cg);
void cgroup_read(const struct cgroup *cg, struct sbx_stats *ret);
uint64_t cgroup_cpu_ns(const struct cgroup *cg);

/* Small files of control groups, shared by the back ends. */
int cgroup_write(int dir, const char *file, const char *value);
int cgroup_write_u64(int dir, const char *file, uint64_t value);
int cgroup_read_text(int dir, const char *file, char *buf, size_t size);
int cgroup_read_u64(int dir, const char *file, uint64_t *ret);        /* "max" is UINT64_MAX */
uint64_t cgroup_read_key(int dir, const char *file, const char *key); /* "key N" lines; else 0 */
/* Writes a limit and reads it back; what the kernel kept may be lower by at most `slack`. */
int cgroup_limit(int dir, const char *file, uint64_t value, uint64_t slack, struct sbx_error *err);
/* The pids controller has the same files in both versions. */
int cgroup_limit_pids(int dir, uint32_t n, struct sbx_error *err);
void cgroup_read_pids(int dir, struct sbx_stats *ret);
bool host_has_swap(void);
