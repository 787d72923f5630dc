/* SPDX-License-Identifier: MIT */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

/*
 * libsandbox: run untrusted programs, servers above all, in jails made of Linux namespaces,
 * cgroups, seccomp and Landlock. This header is the manual; libsandbox(3) has a program to copy.
 *
 *   policy -> plan -> jail -> processes
 *
 * A *policy* says what a jail may see and use (JSON, or set key by key). Compiled, it is a *plan*:
 * immutable, shared by any number of threads and jails. A *jail* is a set of namespaces and cgroups
 * with an init of its own that is parked until it is told to execute something. *Processes* are
 * started in a jail, one after another or together. When the jail ends, all that was in it ends.
 *
 * Conventions
 *   - Functions return 0 or a positive value on success and a negative errno on failure. Where the
 *     last argument is a struct sbx_error pointer it may be NULL; otherwise it is filled on failure
 *     only. Results behind pointers are written on success only. Other pointers must not be NULL
 *     unless it is said that they may be.
 *   - What happened to a jailed program is data (struct sbx_result), never an error.
 *   - Options and results start with a `size` member: set it to sizeof the struct, and what is not
 *     wanted to 0. A library that knows more members takes the missing ones of options as 0; one
 *     that knows fewer refuses options whose unknown part is not 0 with -E2BIG, and sets the
 *     unknown part of results to 0 (the rule of clone3(2) and openat2(2)). A size below 8 is
 *     -EINVAL. `flags` that are not documented and `reserved` members must be 0. Structs without a
 *     size (error, check, fd, listener) never change.
 *   - Strings and arrays that are passed in are copied. Descriptors that are passed in stay the
 *     caller's. Descriptors that are returned are close-on-exec; whose they are is said.
 *   - ..._new() makes an object that ..._free() ends; ..._free() accepts NULL, ends what is still
 *     running and returns NULL. Free in the reverse order: processes, jails, groups and pools, ctx.
 *   - Bytes are bytes, times are nanoseconds (CLOCK_MONOTONIC); a timeout of UINT64_MAX is never,
 *     one of 0 does not wait.
 *   - Threads: a ctx, a plan and a pool may be used by any number of threads at once. A policy, a
 *     group, a jail and its processes belong to one thread at a time: the jails of `netns_of`, `to`
 *     and `group` are used by a call that names them.
 *   - The library installs no signal handler, forks no copy of its caller, waits only for its own
 *     children, keeps no thread, changes no directory, umask or environment, prints nothing and
 *     never exits. Each jail and each relay is one child process of the caller (unprivileged: the
 *     holder is): a SIGCHLD comes when it ends. Whether the caller ignores it, handles it, or reaps
 *     the child with wait(2) by accident makes no difference here. A signal that interrupts a call
 *     does not end it: -EINTR is never returned.
 *   - fork(2): jails die with the process that made them, whoever holds copies of its descriptors.
 *     A forked child must not use its copies of the objects, nor free them: that ends the jails.
 *   - Callers: root (CAP_SYS_ADMIN and its companions), or anybody: "Unprivileged callers" below.
 *
 * Errors
 *   The errors named at a function are those that it adds to these: -ENOMEM; -EMFILE and -ENFILE,
 *   where descriptors are opened; -EINVAL and -E2BIG for the size of a struct. Functions that are
 *   said to *ask init* talk to the jail's init and may also return
 *     -ECHILD     the jail has ended, or somebody killed its init: all that was in it is gone
 *     -ETIMEDOUT  no answer within 10 s: the host, or the jail's cpu share, is exhausted
 *     -EPROTO     an answer that makes no sense: free the jail
 *   One errno can have several causes: err->stage and err->item tell them apart, err->text says
 *   what to do. Errors that are only passed on are named by the system call that they come from.
 *
 * Linux 5.15 or newer, x86-64. A number in parentheses, (5.12), is the first kernel that has it.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SBX_VERSION_MAJOR 0
#define SBX_VERSION_MINOR 1
#define SBX_VERSION_PATCH 0

/* The version of the library that is running, as "0.1.0". Static storage. Cannot fail. */
const char *sbx_version(void);

/*
 * Why a call failed. `code` is the negative errno that the call returned. `stage` names the step
 * ("cgroup", "mount", "seccomp", "exec" ...), `item` the object (a path, a key, a system call) and
 * `text` is one sentence for people that says what failed and what to do about it. The strings are
 * cut to fit and always end with a NUL. The struct is the caller's: nothing in it is to be freed.
 */
struct sbx_error {
	int32_t code;
	char stage[20];
	char item[84];
	char text[148];
};

struct sbx_ctx;
struct sbx_policy;
struct sbx_plan;
struct sbx_group;
struct sbx_jail;
struct sbx_pool;
struct sbx_proc;

/* ------------------------------------------------------------------------- context */

#define SBX_LOG_WARNING 4 /* the levels are those of syslog(3) */
#define SBX_LOG_INFO 6
#define SBX_LOG_DEBUG 7

/*
 * Unprivileged callers
 *
 * A caller without privileges gets the same jails through one helper process per ctx, the *holder*:
 * a small static program that is root in a user namespace of the caller's own and makes the jails
 * as its children. It ends with the ctx or its creator, and every jail of the ctx ends with it.
 *   - Ids: 1,024 subordinate ids for each jail where /etc/subuid and /etc/subgid give the caller
 *     some (newuidmap(1)); otherwise the policy's user is the caller's own id and the jail has no
 *     other, and keeps the caller's supplementary groups, which the kernel lets nobody drop there.
 *     Either way programs hold no capability and see no process but their jail's.
 *   - SBX_MOUNT_IDMAP cannot be had. Instead the policy's user of a jail with such a mount *is* the
 *     caller on the disk: give it trees that belong to the caller.
 *   - cgroups: those below a group that was delegated to the caller (user_namespaces(7),
 *     cgroups(7): `systemd-run --user --scope -p Delegate=yes`). Without one memory and cpu limits
 *     cannot be enforced and jails that have them are refused; `pids` is then RLIMIT_NPROC (5.14).
 */

#define SBX_LIMIT_MEMORY 1u
#define SBX_LIMIT_SWAP 2u
#define SBX_LIMIT_PIDS 4u
#define SBX_LIMIT_CPU 8u
#define SBX_LIMIT_CPU_TIME 16u

#define SBX_CTX_UNPRIVILEGED 1u /* use the ways of an ordinary user even as root */
#define SBX_CTX_OWN_LEAF 2u     /* may move this process to a leaf group of its own, see below */

/*
 * size          sizeof(struct sbx_ctx_options)
 * flags         SBX_CTX_*. Controllers of cgroup v2 can be enabled only below a group without
 *               processes. Where the caller sits in the group that was delegated to it, OWN_LEAF
 *               lets the library make the group "sandbox-caller" there and move the process into it
 *               (once, all of its threads); without the flag such a delegation serves no limits
 * runtime_dir   where owner tokens and id leases are locked; NULL: "/run/sandbox", for an
 *               unprivileged caller "$XDG_RUNTIME_DIR/sandbox" or "/tmp/sandbox-UID". Made if it is
 *               missing (not its parents); must be the caller's and writable by nobody else
 * cgroup_parent name, without '/', of the group that all groups of this library live in: below the
 *               caller's own (v1), the root (v2), or the delegated one; NULL: "sandbox"
 * id_base       first host uid and gid that jails may have; 0: 1900000000. Root only
 * id_count      how many ranges of 65,536 ids may be leased from there; 0: 2048. Root only. Each
 *               jail leases one: more jails than that at once, of all processes with the same
 *               runtime_dir, are not possible
 * log, log_data called with a level and a line without newline; NULL: silent. May be called from
 *               any thread that uses the ctx; must not call into the library
 * allow_unenforced  SBX_LIMIT_*: limits that jails may go without where this host cannot enforce
 *               them. 0: such a limit refuses the jail. Every result says what was not enforced
 */
struct sbx_ctx_options {
	uint32_t size;
	uint32_t flags;
	const char *runtime_dir;
	const char *cgroup_parent;
	uint32_t id_base;
	uint32_t id_count;
	void (*log)(void *log_data, int level, const char *line);
	void *log_data;
	uint32_t allow_unenforced;
	uint32_t reserved;
};

/*
 * Probes the host, takes an owner token and removes what dead owners left behind (cgroups). `o` may
 * be NULL. One ctx is enough for a process; several do not disturb each other.
 *
 * Errors, by stage: "userns" -EPERM, -ENOSPC, -EACCES this host lets an ordinary user make no jails
 * (err->item is the switch that forbids it); "ids" -EADDRINUSE the ids from `id_base` on belong to
 * somebody by /etc/subuid or /etc/subgid, -EINVAL they are not from 65536 to 2147483647; "ctx"
 * -EPERM the runtime directory is not the caller's alone, -EINVAL an unknown flag, or a
 * cgroup_parent with '/', and what open(2), mkdir(2), flock(2) and memfd_create(2) return. A host
 * without usable control groups is no error here: limits are refused when they are asked for.
 *
 * flock(2) (a dead owner's lock is free), cgroups(7), memfd_create(2) with seals.
 */
int sbx_ctx_new(struct sbx_ctx **ret, const struct sbx_ctx_options *o, struct sbx_error *err);

/* All groups, pools and jails of the ctx must have been freed. No thread may be using it. */
struct sbx_ctx *sbx_ctx_free(struct sbx_ctx *ctx);

#define SBX_CHECK_PASS 0
#define SBX_CHECK_WARN 1 /* jails work; something is weaker, slower or missing from results */
#define SBX_CHECK_FAIL 2 /* no jail, or none with limits, can be made */

/* One line of what the host has: what was found, what breaks without it, the repair. */
struct sbx_check {
	char name[32];
	int32_t status; /* SBX_CHECK_* */
	char found[96];
	char breaks[128];
	char remedy[160];
};

/*
 * Looks at the host without changing it; needs no privilege and no ctx. Writes at most `n` checks
 * and returns how many there are (ret may be NULL if n is 0). Cannot fail.
 */
int sbx_probe(struct sbx_check *ret, uint32_t n);

/* -------------------------------------------------------------------------- policy */

#define SBX_MOUNT_BIND 1    /* the host's `source` at `target`, read-only unless _RW */
#define SBX_MOUNT_TMPFS 2   /* `bytes` and `inodes` at most; 0: refused */
#define SBX_MOUNT_PROC 3    /* procfs, hidepid=invisible,subset=pid (5.8) */
#define SBX_MOUNT_FILE 4    /* a file with the content `data`, at most 1 MiB */
#define SBX_MOUNT_SYMLINK 5 /* a symbolic link to `data` */
#define SBX_MOUNT_DIR 6     /* an empty directory */
#define SBX_MOUNT_DEVICE 7  /* the host's character device `source`, below /dev */
#define SBX_MOUNT_OVERLAY 8 /* `source` below, a tmpfs of `bytes` and `inodes` above */

#define SBX_MOUNT_RW 1u       /* bind: writable */
#define SBX_MOUNT_OPTIONAL 2u /* bind, device: leave out if the host has no `source` */
#define SBX_MOUNT_IDMAP 4u    /* bind, overlay: id N on the disk is id N in the jail (5.12; 5.19) */
#define SBX_MOUNT_NOEXEC 8u

/*
 * One entry of a jail's file tree. `source` and `target` are absolute, without ".", ".." and "//";
 * missing parents of the target are made. `mode`, `uid` and `gid` (ids inside the jail) apply to
 * what is made: tmpfs, overlay root, file, directory; mode 0 is 0755, for files 0444. `data_len` 0
 * with `data` set: the length is strlen(data). What a type does not use must be 0 or NULL.
 *
 * Binds are recursive (but with IDMAP), nosuid and nodev, submounts included. The bytes of tmpfs
 * and overlay mounts are added to the jail's memory limit, since their pages are charged to it.
 */
struct sbx_mount {
	uint32_t size;
	uint32_t type;
	uint32_t flags;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	const char *source;
	const char *target;
	const char *data;
	uint64_t data_len;
	uint64_t bytes;
	uint64_t inodes;
};

/*
 * An empty policy: nothing mounted, every system call refused, the defaults of sandbox-policy(5).
 * Most callers load one. The caller's, until sbx_policy_free(). Errors: none but -ENOMEM.
 */
int sbx_policy_new(struct sbx_policy **ret, struct sbx_error *err);

/*
 * Reads a policy in JSON with comments: sandbox-policy(5), policies/README.md. `"extends": "NAME"`
 * is looked up as NAME.json beside the file, then in the directories of `search_path` (separated by
 * ':', may be NULL). Errors name file, line and JSON path in err->item.
 *
 * Errors: -EINVAL not JSON, an unknown key, a wrong type or value; -EEXIST a key or a mount target
 * twice in one file; -ENOENT the file, the extended policy, or the mount to be removed is not
 * there; -ELOOP files extend each other in a circle or more than eight deep; -EPERM a system call
 * that no policy can allow; -EFBIG, -EISDIR a file larger than 1 MiB or no regular file; -E2BIG
 * more than 200 mounts, 1024 system call rules or 512 members of one object; what open(2) returns.
 */
int sbx_policy_load(struct sbx_policy **ret, const char *path, const char *search_path,
		    struct sbx_error *err);

/* The same from memory; `name` (may be NULL) stands for the file in messages. */
int sbx_policy_parse(struct sbx_policy **ret, const char *text, size_t len, const char *name,
		     const char *search_path, struct sbx_error *err);

/*
 * Sets one scalar key, named as in the file ("memory", "pids", "cpu", "wall", "user", ...); `value`
 * is written as in the file without quotes ("256M", "64", "1.5", "10s", "none"). "syscalls" with
 * the path of a policy file replaces all system call rules by those of that file.
 * Errors: -EINVAL no such key (err names the nearest), or no such value (err says what one is);
 * for "syscalls" those of sbx_policy_load().
 */
int sbx_policy_set(struct sbx_policy *p, const char *key, const char *value, struct sbx_error *err);

/*
 * Adds an entry; one with the same target is replaced where it stands. A bind or an overlay at "/"
 * is the root instead of the synthetic one, and comes first.
 * Errors: -EINVAL it contradicts itself (err says how) or shows "/" or /proc; -E2BIG more than 200.
 */
int sbx_policy_add_mount(struct sbx_policy *p, const struct sbx_mount *m, struct sbx_error *err);

#define SBX_SYSCALL_ALLOW 1
#define SBX_SYSCALL_EPERM 2
#define SBX_SYSCALL_ENOSYS 3
#define SBX_SYSCALL_KILL 4 /* what foreign ABIs meet; no rule asks for it */

/*
 * `name` is a system call or a "@group". Later rules win.
 * Errors: -EINVAL no such call, group or action; -EPERM no policy can allow it (err says why);
 * -E2BIG more than 1024 rules. seccomp(2).
 */
int sbx_policy_add_syscall(struct sbx_policy *p, const char *name, int32_t action,
			   struct sbx_error *err);
struct sbx_policy *sbx_policy_free(struct sbx_policy *p);

/*
 * Checks the policy as a whole and compiles it: system call filter to BPF, file tree and limits to
 * a sealed memfd. The plan does not refer to the policy. It starts with one reference, the
 * caller's. Expensive (milliseconds, most of it libseccomp's): compile once, make many jails.
 *
 * Errors: -EINVAL a mount would hide one that comes before it; -E2BIG more than 24 tmpfs and
 * overlay mounts, or a filter longer than the kernel takes; -ENOSPC `root_size` is less than the
 * policy's own files; what memfd_create(2) and libseccomp return.
 */
int sbx_policy_compile(const struct sbx_policy *p, struct sbx_plan **ret, struct sbx_error *err);

/* One reference more (returns `plan`) or less (returns NULL). Jails and pools hold their own. */
struct sbx_plan *sbx_plan_ref(struct sbx_plan *plan);
struct sbx_plan *sbx_plan_unref(struct sbx_plan *plan);

/*
 * Writes the plan as text for people to `fd`: file tree, limits, identity, filter. The format may
 * change. Errors: what write(2) returns; a SIGPIPE is the caller's to block.
 */
int sbx_plan_describe(const struct sbx_plan *plan, int fd, struct sbx_error *err);

/*
 * What the plan's filter does with one system call: SBX_SYSCALL_*. `arch` is an AUDIT_ARCH_* of
 * linux/audit.h; `args` NULL: all 0. *ret_by_args (may be NULL): 1 if that depended on the
 * arguments. *ret_error (may be NULL): the errno that the call fails with, or 0. Cannot fail.
 */
int sbx_plan_syscall(const struct sbx_plan *plan, uint32_t arch, int32_t nr, const uint64_t args[6],
		     int32_t *ret_by_args, int32_t *ret_error);

/* ------------------------------------------------------------------ groups and jails */

/*
 * A parent cgroup: limits on the sum of the jails that are put in it. 0: no limit of its own.
 *
 * label      for the cgroup's name: at most 31 characters without '/' and '.'; NULL: "group"
 * memory     bytes, swap excluded (no swap is allowed in a limited group)
 * pids       processes and threads
 * cpu_milli  thousandths of one processor
 */
struct sbx_group_options {
	uint32_t size;
	uint32_t flags;
	const char *label;
	uint64_t memory;
	uint32_t pids;
	uint32_t cpu_milli;
};

/*
 * Makes the group; `o` may be NULL. The limits have been written and read back when it returns.
 * Errors: -EINVAL the label; -ENOTSUP a limit that this host cannot enforce (err names it and the
 * remedy) and that `allow_unenforced` does not name; what mkdir(2) and write(2) return in cgroupfs.
 * cgroups(7): memory.max, memory.swap.max; v1: memory.limit_in_bytes, memory.memsw.limit_in_bytes.
 */
int sbx_group_new(struct sbx_ctx *ctx, struct sbx_group **ret, const struct sbx_group_options *o,
		  struct sbx_error *err);
struct sbx_group *sbx_group_free(struct sbx_group *g); /* its jails must have been freed */

/*
 * netns_of   the new jail shares the network namespace of this jail and nothing else of it; NULL:
 *            one of its own, with nothing but a loopback interface. That jail may be freed first
 * group      the parent cgroup; NULL: none. Must be freed after the jail
 * label      for messages and cgroup names: letters, digits, '-' and '_', at most 31; NULL: "jail"
 * mounts     `n_mounts` entries (at most 128) after those of the plan
 */
struct sbx_jail_options {
	uint32_t size;
	uint32_t flags;
	struct sbx_jail *netns_of;
	struct sbx_group *group;
	const char *label;
	const struct sbx_mount *mounts;
	uint32_t n_mounts;
	uint32_t reserved;
};

/*
 * Makes a jail and parks it: every namespace, mount and limit is in place and verified, and nothing
 * but the library's own init has run. `o` may be NULL. The jail dies when it is freed, when the
 * process that made it ends (not merely the thread), and when its control socket closes. Holds
 * about ten descriptors and one for each writable file system; while it is made, one for each mount
 * from the host. A limit that cannot be enforced is -ENOTSUP: err names it and the remedy.
 *
 * Asks init. Errors, by stage: "jail" -EINVAL the label; "ids" -EAGAIN all ranges of ids are
 * leased; "cgroup" -ENOTSUP and as sbx_group_new(); "clone" -EAGAIN, -ENOSPC the host's limits of
 * processes or namespaces, -EPERM namespaces are refused here, -EACCES a memfd may not be executed
 * (sysctl vm.memfd_noexec is 2); "netns" -ESRCH the jail to be joined has ended; "mount" -ENOENT
 * the host has no `source`, -EINVAL also: its file system cannot map ids, -ENODEV no character
 * device, -EROFS a flag that was asked for did not hold, -E2BIG more than 128 extra mounts, 192 KiB
 * of them or 240 from the host; "landlock" -EOPNOTSUPP not in this kernel; else the step's errno.
 *
 * clone3(2) with CLONE_VM and CLONE_INTO_CGROUP (5.7), pidfd_open(2) (5.3), open_tree(2) and
 * mount_setattr(2) (5.12), pivot_root(2), user_namespaces(7), landlock(7) (ABI 2: 5.19).
 */
int sbx_jail_new(struct sbx_ctx *ctx, struct sbx_plan *plan, struct sbx_jail **ret,
		 const struct sbx_jail_options *o, struct sbx_error *err);

/*
 * Adds a mount to a jail that exists: bind or overlay, under a directory that exists or can be made
 * (the root is read-only: below a writable file system). No symbolic link on the way is followed.
 * Meant for what is known only after the jail was made; programs that run already see it too.
 * The memory limit stays as it is, and struct sbx_stats does not count an overlay's bytes as disk.
 *
 * Asks init. Errors: -EINVAL another type, or the mount contradicts itself; -ENOTDIR, -ELOOP a link
 * or a file on the way to `target`; -EROFS no directory can be made there; and those of the stage
 * "mount" of sbx_jail_new(). move_mount(2) (5.2), openat2(2) (5.6).
 */
int sbx_jail_mount(struct sbx_jail *j, const struct sbx_mount *m, struct sbx_error *err);

/* ---------------------------------------------------------------------------- pool */

/*
 * Jails that wait. A pool keeps up to `jails` jails of one plan parked, made when the caller says
 * (sbx_pool_fill: while it is idle) and handed out by sbx_pool_take(), each once: a jail that has
 * been taken belongs to the caller and never comes back.
 *
 * label    of the waiting jails, as for a jail; NULL: "pool"
 * group    not NULL: each jail is made with a parent group of its own with these limits, which
 *          lives until the jail is freed
 * beside   not NULL: each jail shares the network namespace of one waiting jail of that pool (and
 *          its parent group, if it has one), which has to be filled first. Take the jail of the
 *          other pool, then the one beside it with `netns_of`; the kernel lets no jail move to
 *          another network later. The other pool must live longer
 */
struct sbx_pool_options {
	uint32_t size;
	uint32_t flags;
	uint32_t jails; /* 1 to 1024 */
	uint32_t reserved;
	const char *label;
	const struct sbx_group_options *group;
	struct sbx_pool *beside;
};

/* Makes an empty pool. Errors: -EINVAL `jails` is not from 1 to 1024, or a label. */
int sbx_pool_new(struct sbx_ctx *ctx, struct sbx_plan *plan, struct sbx_pool **ret,
		 const struct sbx_pool_options *o, struct sbx_error *err);

/*
 * Makes at most `n` jails (0: as many as are missing). Returns how many wait now. Errors: those of
 * sbx_jail_new() and sbx_group_new(); jails that were made before the failure wait all the same.
 */
int sbx_pool_fill(struct sbx_pool *pool, uint32_t n, struct sbx_error *err);

/* How many jails wait. Cannot fail. */
int sbx_pool_waiting(struct sbx_pool *pool);

/*
 * A jail of the pool's plan: one that waited, or a new one if none does (or none that fits: `group`
 * is given, or `netns_of` is not the jail that it was made beside). `o` may be NULL. The label
 * is used in messages; extra mounts are attached as by sbx_jail_mount(), so for one that waited
 * their directories must exist or lie in a writable file system, and only bind and overlay will do.
 * The jail is the caller's. Errors: those of sbx_jail_new() and sbx_jail_mount().
 */
int sbx_pool_take(struct sbx_pool *pool, struct sbx_jail **ret, const struct sbx_jail_options *o,
		  struct sbx_error *err);

/* Ends the jails that wait. Those that were taken are the caller's and not touched. */
struct sbx_pool *sbx_pool_free(struct sbx_pool *pool);

/*
 * Ends every process of the jail, its init and its relays included, and waits until they are gone.
 * Idempotent; cannot fail. pidfd_send_signal(2), pid_namespaces(7), cgroup.kill (5.14).
 */
int sbx_jail_kill(struct sbx_jail *j, struct sbx_error *err);

/* Kills it, removes its cgroups and returns its ids. Its processes must have been freed. */
struct sbx_jail *sbx_jail_free(struct sbx_jail *j);

#define SBX_BY_NONE 0 /* there is no such limit, or nothing enforces it: see `unenforced` */
#define SBX_BY_CGROUP2 1
#define SBX_BY_CGROUP1 2
#define SBX_BY_RLIMIT 3
#define SBX_BY_TMPFS 4
#define SBX_BY_TIMER 5     /* a timer of the caller's process */
#define SBX_BY_PIPE 6      /* the library counts and cuts */
#define SBX_BY_NO_SWAP 7   /* the host has no swap */

/* What a jail has used so far. Valid until the jail is freed, also after it was killed. */
struct sbx_stats {
	uint32_t size;
	uint32_t reserved;
	uint64_t memory_now;   /* bytes */
	uint64_t memory_peak;  /* bytes, page cache and tmpfs included (v2: 5.19; else 0) */
	uint64_t oom_kills;    /* processes that the kernel killed for the memory limit */
	uint64_t pids_now;     /* processes and threads, the jail's init included */
	uint64_t pids_peak;    /* 0: the kernel does not say (pids.peak is 6.10) */
	uint64_t pids_refused; /* forks that met the limit */
	uint64_t cpu_ns;       /* of all processes that ever ran in the jail */
	uint64_t disk_used;    /* bytes in writable file systems of the jail */
	uint64_t disk_total;
	uint32_t disk_full;    /* 1: a writable file system has no byte or no inode left */
	uint32_t group_oom;    /* 1: the parent group met its memory limit */
	uint64_t reserved2[4]; /* 0; struct sbx_result holds this struct by value */
};

/* What no controller of this host counts is 0. Set ret->size; without it the error is -EINVAL. */
int sbx_jail_stats(struct sbx_jail *j, struct sbx_stats *ret, struct sbx_error *err);
/* Its memory_now and cpu_ns for a tenth of the cost, for who asks often; what is not known is 0. */
void sbx_jail_usage(struct sbx_jail *j, uint64_t *ret_memory, uint64_t *ret_cpu_ns);

/* ------------------------------------------------------------------------ processes */

#define SBX_FD_TREE_READ 1u  /* a directory: the process may read below it (a Landlock rule) */
#define SBX_FD_TREE_WRITE 2u /* a directory: the process may also write below it */

/* The caller's descriptor `fd` becomes `target` (3 to 1023) in the process. */
struct sbx_fd {
	int32_t fd;
	int32_t target;
	uint32_t flags;
};

#define SBX_EXEC_STDIN 1u  /* stdin_fd is set; otherwise /dev/null */
#define SBX_EXEC_STDOUT 2u /* stdout_fd is set; otherwise /dev/null */
#define SBX_EXEC_STDERR 4u /* stderr_fd is set; otherwise /dev/null */
#define SBX_EXEC_OUTPUT_KILL 8u /* exceeding an output limit ends the jail, not only the text */
#define SBX_EXEC_IDS 16u   /* uid and gid are set; otherwise those of the policy */
#define SBX_EXEC_TRACE 32u /* no filter; every system call waits for sbx_proc_next_syscall() */

/*
 * path          NULL: argv[0]. Without a '/' it is searched in PATH of `env`, inside the jail
 * argv, env     NULL-terminated; together with path and cwd at most 128 KiB. env NULL: empty
 * cwd           NULL: the policy's "cwd"
 * fds           `n_fds` more descriptors; at most 32 with the standard streams, and no others
 * stdout_limit  bytes; 0: the policy's "output", if it has one; UINT64_MAX: none, the
 *               process writes to stdout_fd itself. With a limit the library reads a pipe and
 *               copies that many bytes: the first part, a line that says how much was cut, and the
 *               last part (a quarter of the limit, at most 256 KiB). The same for stderr_limit.
 *               Both with one descriptor and one limit: one pipe, in order, counted as stdout
 * wall_ns       0: the policy's "wall"; UINT64_MAX: none
 * cpu_ns        cpu time of the jail from here on; 0: the policy's "cpu_time"; UINT64_MAX: none
 *
 * Wall, cpu and output limits are kept while the caller waits or dispatches; a process that meets
 * one is killed together with its jail. The cpu limit is looked at every 2 ms to 1 s, the sooner
 * the less is left.
 */
struct sbx_exec {
	uint32_t size;
	uint32_t flags;
	const char *path;
	const char *const *argv;
	const char *const *env;
	const char *cwd;
	int32_t stdin_fd;
	int32_t stdout_fd;
	int32_t stderr_fd;
	uint32_t n_fds;
	const struct sbx_fd *fds;
	uint64_t stdout_limit;
	uint64_t stderr_limit;
	uint64_t wall_ns;
	uint64_t cpu_ns;
	uint32_t uid;
	uint32_t gid;
};

/*
 * Starts a program: in a session of its own, with the rlimits, ids, Landlock rules and filter of
 * the plan, without capabilities. Returns when execve(2) has succeeded or failed. The process is
 * the caller's, until sbx_proc_free(), which comes before that of its jail. At most 64 in one jail.
 *
 * Asks init. On failure err->stage is the step: "exec" -ENOENT, -EACCES are the program's absence,
 * -ENOEXEC its format, others as execve(2), -EINVAL no argv, or an id that the jail does not have
 * (root's: 1 to 65535), -E2BIG more than 128 KiB or 16,384 words; "cpu_time" -ENOTSUP nothing here
 * counts it; "fork" -EAGAIN the jail is at its process limit; "fds" -EMFILE more than 32, -EBADF
 * not open or a target above 1023, -EEXIST a target twice; "cwd" as chdir(2); "seccomp" -EBUSY
 * TRACE, and the caller is itself traced in this way; otherwise ("setsid", "rlimit", "setgroups",
 * "caps", "setuid", "no_new_privs", "landlock") the errno of that step.
 * capabilities(7), landlock(7), seccomp(2), close_range(2) (5.11).
 */
int sbx_jail_exec(struct sbx_jail *j, struct sbx_proc **ret, const struct sbx_exec *e,
		  struct sbx_error *err);

/*
 * Of several causes the one that comes first here is the verdict: SECURITY; OUTPUT; MEMORY (DISK if
 * a file system was full, whose pages are memory); WALL; CPU; KILLED; DISK; PIDS; LOST; SIGNALED,
 * EXITED. A program that exits with 0 met no limit of memory, disk or pids, whatever `hit` says.
 */
#define SBX_VERDICT_EXITED 0   /* exit_code */
#define SBX_VERDICT_SIGNALED 1 /* term_signal; no limit was met */
#define SBX_VERDICT_KILLED 2   /* by the caller: sbx_proc_kill, sbx_jail_kill */
#define SBX_VERDICT_WALL 3
#define SBX_VERDICT_CPU 4
#define SBX_VERDICT_MEMORY 5
#define SBX_VERDICT_DISK 6     /* or the size of one file (SBX_HIT_FSIZE) */
#define SBX_VERDICT_PIDS 7
#define SBX_VERDICT_OUTPUT 8   /* with SBX_EXEC_OUTPUT_KILL only */
#define SBX_VERDICT_SECURITY 9 /* a system call of a foreign ABI */
#define SBX_VERDICT_LOST 10    /* the jail's init died without a word: our failure */

#define SBX_HIT_WALL 1u
#define SBX_HIT_CPU 2u
#define SBX_HIT_MEMORY 4u
#define SBX_HIT_DISK 8u
#define SBX_HIT_PIDS 16u
#define SBX_HIT_OUTPUT 32u
#define SBX_HIT_FSIZE 64u
#define SBX_HIT_SECURITY 128u

/*
 * How a process ended. `verdict` is decided from evidence: timers that fired, counters of the
 * cgroups, the wait status, fstatfs(2) of the jail's file systems. `hit` also names limits that
 * were touched without ending the run. The `*_by` members say what enforced each limit (SBX_BY_*).
 * exit_code is -1 unless the process exited; term_signal is 0 unless a signal ended it.
 */
struct sbx_result {
	uint32_t size;
	int32_t verdict;
	int32_t exit_code;
	int32_t term_signal;
	uint32_t hit;
	int32_t memory_by;
	int32_t swap_by;
	int32_t pids_by;
	int32_t cpu_by;
	int32_t cpu_time_by;
	int32_t wall_by;
	int32_t disk_by;
	int32_t output_by;
	uint32_t reserved;
	uint64_t wall_ns;      /* from the request to start it until its end was seen */
	uint64_t user_ns;      /* of this process and its reaped children */
	uint64_t system_ns;
	uint64_t max_rss;      /* bytes, of the largest single process */
	uint64_t stdout_bytes; /* written by the program, cut or not; 0 where no limit was set */
	uint64_t stderr_bytes;
	struct sbx_stats stats; /* of the jail, when the result was asked for */
	uint32_t unenforced;    /* SBX_LIMIT_*: in the plan, and nothing on this host enforced it */
	uint32_t reserved3;
	uint64_t switches_voluntary; /* of this process and its reaped children */
	uint64_t switches_forced;
	uint64_t cpu_ns; /* of the jail while this process ran: what cpu limits are compared with */
};

/* A pidfd (pidfd_open(2)), readable once the process is gone. The library's; do not close. */
int sbx_proc_pidfd(const struct sbx_proc *p);

/* An epoll(7) set, readable when sbx_proc_dispatch() has work. The library's; do not close. */
int sbx_proc_pollfd(const struct sbx_proc *p);

/*
 * Moves output, keeps limits; does not wait for the process. 1: the process has ended, 0: it has
 * not. A process whose reader does not take the last output may need 10 s to end. Errors: those of
 * epoll_wait(2).
 */
int sbx_proc_dispatch(struct sbx_proc *p, struct sbx_error *err);

/*
 * Dispatches until the process has ended or `timeout_ns` has passed. `ret` may be NULL; its size
 * must be set. May be called again after the end: the counters are read anew. Errors: -ETIMEDOUT it
 * still runs; what poll(2) and epoll_wait(2) return.
 */
int sbx_proc_wait(struct sbx_proc *p, uint64_t timeout_ns, struct sbx_result *ret,
		  struct sbx_error *err);

/*
 * Sends a signal to the process, not to its children; sbx_jail_kill() ends those. 0 also if it has
 * ended. After SIGKILL and SIGTERM the verdict is KILLED. Errors: -EINVAL no such signal.
 * pidfd_send_signal(2).
 */
int sbx_proc_kill(struct sbx_proc *p, int sig, struct sbx_error *err);

/*
 * Sends SIGKILL if it runs, and does not wait: its children live on in the jail. If it was traced,
 * and runs or has children, the whole jail ends.
 */
struct sbx_proc *sbx_proc_free(struct sbx_proc *p);

/*
 * One system call that a process started with SBX_EXEC_TRACE is about to make.
 *
 * action    what the plan's filter does: SBX_SYSCALL_*; EPERM is any errno but ENOSYS
 * args      as they are in the registers; a pointer is one of the traced process
 * name      "openat"; "#461" for one that the library does not know
 */
struct sbx_syscall {
	uint32_t size;
	int32_t nr;
	int32_t pid; /* of the thread, on the host */
	int32_t action;
	uint32_t arch; /* AUDIT_ARCH_* */
	uint32_t reserved;
	uint64_t args[6];
	char name[32];
};

/*
 * Waits for the next system call of a traced process or of its children, fills `ret` (set its
 * size), and lets the call go on; the first is the execve(2) of the program itself. 1: there was
 * one; 0: the process and its children have ended. Limits are kept meanwhile. Dispatching and
 * waiting let calls go on unseen. Calls of foreign ABIs are killed, not reported; before 5.19 one
 * that a signal interrupts may be reported twice. Tracing replaces the plan's filter: everything
 * else of the jail stands, but do not trace what you do not trust with the kernel's whole
 * interface. Errors: -ETIMEDOUT there was none; -EINVAL the process was not started with
 * SBX_EXEC_TRACE. seccomp_unotify(2) (5.5).
 */
int sbx_proc_next_syscall(struct sbx_proc *p, uint64_t timeout_ns, struct sbx_syscall *ret,
			  struct sbx_error *err);

/*
 * Jail, one process, wait, free: for the simple caller. `ret` may be NULL; its size must be set.
 * Errors: those of sbx_jail_new(), sbx_jail_exec() and sbx_proc_wait().
 */
int sbx_run(struct sbx_ctx *ctx, struct sbx_plan *plan, const struct sbx_exec *e,
	    struct sbx_result *ret, struct sbx_error *err);

/* --------------------------------------------------------------- sockets and files */

/*
 * A socket(2) in the jail's network namespace: connect or bind it from here. The caller's. It keeps
 * that namespace alive, not the jail. Asks init. Errors: what socket(2) returns.
 */
int sbx_jail_socket(struct sbx_jail *j, int domain, int type, int protocol, struct sbx_error *err);

/*
 * A TCP connection to `port` in the jail, 127.0.0.1 first, then ::1. The caller's; it blocks.
 * Asks init. Errors: -ECONNREFUSED nothing listens there (sbx_jail_listeners() says where something
 * does); -ETIMEDOUT; what connect(2) returns.
 */
int sbx_jail_connect(struct sbx_jail *j, uint16_t port, uint64_t timeout_ns, struct sbx_error *err);

/*
 * A TCP socket that listens on 127.0.0.1:`port` in the jail. The caller's.
 * Asks init. Errors: -EADDRINUSE somebody listens there; what bind(2) and listen(2) return.
 */
int sbx_jail_listen(struct sbx_jail *j, uint16_t port, int backlog, struct sbx_error *err);

/*
 * 1: something in the jail's network namespace accepts TCP connections to 127.0.0.1 or ::1 at
 * `port`; 0: nothing does. One question to the kernel, about 5 us. Asks init (the first time only).
 * Errors: what send(2) and recv(2) return. sock_diag(7).
 */
int sbx_jail_listening(struct sbx_jail *j, uint16_t port, struct sbx_error *err);

/*
 * Asks again, 1 to 20 ms apart, and dispatches `p` (may be NULL) meanwhile. 0: something listens.
 * Errors: -ETIMEDOUT; -ECHILD `p` has ended (stage "wait"); those of sbx_jail_listening().
 */
int sbx_jail_wait_listening(struct sbx_jail *j, uint16_t port, uint64_t timeout_ns,
			    struct sbx_proc *p, struct sbx_error *err);

struct sbx_listener {
	uint16_t family; /* AF_INET, AF_INET6 */
	uint16_t port;
	uint32_t uid;       /* inside the jail */
	uint8_t address[16]; /* network byte order; the first four for AF_INET */
};

/*
 * All listening TCP sockets; writes at most `n`, returns how many there are. Asks init (the first
 * time only). Errors: -EPROTO the kernel does not say. sock_diag(7).
 */
int sbx_jail_listeners(struct sbx_jail *j, struct sbx_listener *ret, uint32_t n,
		       struct sbx_error *err);

#define SBX_FORWARD_PUBLISH 1u

/*
 * Relays TCP connections made inside the jail to 127.0.0.1:`port` to a service outside, in a
 * process of its own without privileges that ends with the jail.
 *
 * unix_path        connect there; or
 * host, host_port  connect there (resolved now, by getaddrinfo(3) in the caller); or
 * to               connect to 127.0.0.1:`host_port` (then ::1) in that jail, another than this; the
 *                  relay ends with it, too, and counts as one of its relays
 * connections      at once, at most 64; 0: 16
 * bytes            in both directions together before the relay ends; 0: 1 GiB
 *
 * With SBX_FORWARD_PUBLISH the other way round: the relay listens outside, on `host` (NULL:
 * "127.0.0.1") and `host_port` (0: any free one, see the return value) or on the unix socket
 * `unix_path` (mode 0600, removed with the jail), and connects to 127.0.0.1 or ::1 in the jail.
 */
struct sbx_forward {
	uint32_t size;
	uint32_t flags;
	uint16_t port;
	uint16_t host_port;
	uint32_t connections;
	const char *host;
	const char *unix_path;
	uint64_t bytes;
	struct sbx_jail *to;
};

/*
 * Returns 0; with SBX_FORWARD_PUBLISH and a TCP port, the port that is listened on. The relay is
 * the library's and ends with the jail; a jail has at most eight at once.
 * Asks init. Errors (stage "forward"): -EINVAL not exactly one target, no port, an unknown flag, or
 * too many connections; -EHOSTUNREACH the name cannot be resolved (err says why); -ENAMETOOLONG the
 * path; -E2BIG eight relays; -EADDRINUSE the port is in use, or the file is there (but this user's
 * socket that nobody listens on any more is replaced); those of clone3(2) and sbx_jail_listen().
 */
int sbx_jail_forward(struct sbx_jail *j, const struct sbx_forward *f, struct sbx_error *err);

/*
 * Opens `path` inside the jail: by the jail's init, below its root, following no magic link
 * (openat2(2): RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS) and never blocking. `flags` as open(2):
 * O_RDONLY, O_PATH, O_DIRECTORY, O_NOFOLLOW. What it returns may be anything that the jailed
 * program left there: check it with fstat(2). The caller's.
 * Asks init. Errors (stage "open"): -EINVAL other flags, or without O_PATH neither a regular file
 * nor a directory; -EACCES something in /proc; -ENAMETOOLONG 4096 bytes or more; of openat2(2).
 */
int sbx_jail_open(struct sbx_jail *j, const char *path, int flags, struct sbx_error *err);

#ifdef __cplusplus
}
#endif

#endif
