/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Control groups of jails, on unified (v2) and hybrid hosts.
 *
 * Each controller that we need (memory, pids, cpu) is served by whichever hierarchy has it: v2, or
 * a v1 hierarchy of its own. Membership, killing and cpu accounting are always v2: a process is
 * born in its v2 group by CLONE_INTO_CGROUP, and in its v1 groups because the thread that clones it
 * has written "0" to their `tasks` files. Nothing is ever migrated: writing a pid to cgroup.procs
 * waits for an RCU grace period, 5 to 12 ms; neither of these two ways does.
 *
 * All groups lie below one parent ("sandbox") and are named TOKEN.N.LABEL, TOKEN being the owner's
 * (owner.c), so that a later owner can tell whose leftovers they are. For root the parent is at the
 * top of v2; for an ordinary user, and for root in a container, in a group that was delegated to it
 * (cgroup-find.h).
 *
 * Any hierarchy may be absent, all of them for a user without a delegated group: then jails exist
 * without groups, and only a limit that would need one is refused, or goes unenforced if allowed.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>

enum hierarchy_id { H_V2, H_MEMORY, H_PIDS, H_CPU, H_COUNT };

/*
 * 0: no limit; cpu_ns also UINT64_MAX. It is kept by a timer of the caller, which needs the counter
 * of a v2 group. `allow`: SBX_LIMIT_* that may go unenforced where the host cannot enforce them.
 */
struct cgroup_limits {
	uint64_t memory;
	uint32_t pids;
	uint32_t cpu_milli;
	uint64_t cpu_ns;
	bool leaf; /* a jail: no group is made below it */
	uint32_t allow;
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
	const char *memory_file, *oom_file;
	void (*read_pids)(int dir, struct sbx_stats *ret);
	int (*join)(int dir); /* the calling thread, before it clones; NULL: born there */
};

extern const struct cgroup_ops cgroup_v1_ops;
extern const struct cgroup_ops cgroup_v2_ops;

/* Why a controller is missing; each has its remedy (cgroup.c). */
enum cgroup_lack {
	LACK_NOTHING,
	LACK_KERNEL,     /* no hierarchy has it */
	LACK_MOUNT,      /* no hierarchy that is mounted has it, and v2 is not mounted */
	LACK_V1,         /* it is on a v1 hierarchy, which is not ours */
	LACK_DELEGATION, /* no v2 group is ours */
	LACK_LEAF,       /* the caller sits in its group and may not be moved */
	LACK_ROOM,       /* others sit in the caller's group */
	LACK_CONTAINER,  /* root, and others sit in the top group of the container */
	LACK_GIVEN,      /* the caller's group was not given this controller */
	LACK_RIGHTS,     /* root, and the hierarchy cannot be written */
	LACK_COUNT
};

/* Where the groups of a ctx are made. parent[i] is -1 for a hierarchy that is not used. */
struct cgroup_root {
	int parent[H_COUNT];
	char path[H_COUNT][1300];
	const struct cgroup_ops *memory, *pids, *cpu; /* NULL: cannot be had here, see `lack` */
	enum cgroup_lack lack[H_COUNT];
	bool v2_controllers; /* some controller is on v2: subtree_control must be written */
	uint32_t next;       /* number of the next group */
	char token[20];
};

struct cgroup {
	struct cgroup_root *root;
	struct cgroup *parent; /* NULL: the root */
	char name[64];
	uint32_t made;    /* bit for each hierarchy with a directory of ours */
	int dir[H_COUNT]; /* -1: not used; H_V2 too, where there is no group */
	int usage[2];     /* of cgroup_usage(): its files, -1 until they are asked for */
	int memory_by, swap_by, pids_by, cpu_by, cpu_time_by; /* SBX_BY_*, if set */
	uint32_t unenforced; /* SBX_LIMIT_* that are set and enforced by nothing */
};

/*
 * parent      name of the group that all others are made in
 * token       the owner's
 * privileged  the v2 hierarchy is the caller's, as far as it is the host's; otherwise, and in a
 *             container, a delegated group is looked for
 * own_leaf    this process may be moved: out of the delegated group, to the leaf "sandbox-caller"
 *             in it, when nobody else sits there. Children that it has already stay behind and
 *             prevent it
 */
struct cgroup_root_options {
	const char *parent;
	const char *token;
	bool privileged;
	bool own_leaf;
};

/* A host that gives nothing is no failure: what is missing then is known to cgroup_init(). */
int cgroup_root_init(struct cgroup_root *root, const struct cgroup_root_options *o,
		     struct sbx_error *err);
void cgroup_root_done(struct cgroup_root *root);

/*
 * Writes the parents' paths to the owner's file; cgroup_sweep() reads them there, kills and removes
 * the groups named TOKEN.*. The paths are the dead owner's: its parents lie below the groups that
 * the owner ran in, which need not be the sweeper's.
 */
int cgroup_root_record(const struct cgroup_root *root, int fd);
/*
 * For a group whose processes are out of reach otherwise: a jail whose init could not be got hold
 * of.
 */
void cgroup_end(int parent, const char *name);

int cgroup_sweep(int fd, const char *token); /* -EBUSY: some are left, for the next sweep */

/*
 * Makes the directories, writes the limits and reads them back. -ENOTSUP names what is missing and
 * the remedy; what `limits->allow` has instead goes to `cg->unenforced`. A jail's limit of
 * processes without a controller is pids_by == SBX_BY_RLIMIT: init must then set RLIMIT_NPROC,
 * which is counted for each user namespace (5.14).
 */
int cgroup_init(struct cgroup *cg, struct cgroup_root *root, struct cgroup *parent,
		const char *label, const struct cgroup_limits *limits, struct sbx_error *err);
void cgroup_done(struct cgroup *cg); /* its processes must be gone */

/* What is absent is skipped by all of these; a counter that nobody keeps is 0. */
int cgroup_join_thread(const struct cgroup *cg);
void cgroup_kill(const struct cgroup *cg);
void cgroup_read(const struct cgroup *cg, struct sbx_stats *ret);
uint64_t cgroup_oom_kills(const struct cgroup *cg);
/* Of all that cgroup_read() tells these two, by files that stay open: a tenth of its cost. */
void cgroup_usage(struct cgroup *cg, uint64_t *ret_memory, uint64_t *ret_cpu_ns);
uint64_t cgroup_cpu_ns(const struct cgroup *cg);
bool cgroup_counts_cpu(const struct cgroup *cg); /* cgroup_cpu_ns() says something */

/* Small files of control groups, shared by the back ends. */
int cgroup_make(int parent, const char *name); /* a group, whatever the umask of the caller */
int cgroup_write(int dir, const char *file, const char *value);
int cgroup_write_u64(int dir, const char *file, uint64_t value);
int cgroup_read_text(int dir, const char *file, char *buf, size_t size);
int cgroup_read_u64(int dir, const char *file, uint64_t *ret);        /* "max" is UINT64_MAX */
uint64_t cgroup_read_key(int dir, const char *file, const char *key); /* "key N" lines; else 0 */
uint64_t cgroup_key(const char *text, const char *key);               /* likewise */
/* Writes a limit and reads it back; what the kernel kept may be lower by at most `slack`. */
int cgroup_limit(int dir, const char *file, uint64_t value, uint64_t slack, struct sbx_error *err);
/* The pids controller has the same files in both versions. */
int cgroup_limit_pids(int dir, uint32_t n, struct sbx_error *err);
void cgroup_read_pids(int dir, struct sbx_stats *ret);
bool host_has_swap(void);
void cgroup_enable_controllers(int dir); /* for the groups below it */
