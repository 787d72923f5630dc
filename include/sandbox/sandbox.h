/* SPDX-License-Identifier: MIT */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

/*
 * libsandbox: run untrusted programs, servers above all, in jails made of Linux namespaces,
 * cgroups, seccomp and Landlock.
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
 *     only. Results behind pointers are written on success only.
 *   - What happened to a jailed program is data (struct sbx_result), never an error.
 *   - Options and results start with a `size` member: set it to sizeof the struct. A library that
 *     knows more members takes the missing ones as 0; a library that knows fewer refuses a struct
 *     whose unknown part is not 0 with -E2BIG (the rule of clone3(2) and openat2(2)).
 *   - Strings that are passed in are copied. Descriptors that are passed in stay the caller's.
 *   - ..._free() accepts NULL, ends what is still running and returns NULL.
 *   - Threads: a ctx and a plan may be used by any number of threads at once. A policy, a group, a
 *     jail and its processes belong to one thread at a time.
 *   - The library installs no signal handler, forks no copy of its caller, waits only for its own
 *     children, keeps no thread, changes no directory, umask or environment, prints nothing and
 *     never exits. Each jail and each relay is one child process of the caller: a SIGCHLD comes
 *     when it ends (execve(2) resets the exit signal that would prevent it). Whether the caller
 *     ignores it, handles it, or reaps the child with wait(2) by accident makes no difference here.
 *
 * Linux 5.15 or newer, x86-64. This release needs the caller to be root.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SBX_VERSION_MAJOR 0
#define SBX_VERSION_MINOR 1
#define SBX_VERSION_PATCH 0

/* The version of the library that is running, as "0.1.0". Static storage. */
const char *sbx_version(void);

/*
 * Why a call failed. `code` is the negative errno that the call returned. `stage` names the step
 * ("cgroup", "mount", "seccomp", "exec" ...), `item` the object (a path, a key, a system call) and
 * `text` is one sentence for people that says what failed and what to do about it.
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
struct sbx_proc;

/* ------------------------------------------------------------------------- context */

#define SBX_LOG_WARNING 4
#define SBX_LOG_INFO 6
#define SBX_LOG_DEBUG 7

/*
 * size          sizeof(struct sbx_ctx_options)
 * flags         0
 * runtime_dir   where owner tokens and id leases are locked; NULL: "/run/sandbox"
 * cgroup_parent name of the group that all groups of this library live in, relative to the cgroup
 *               of the caller (v1 hierarchies) or the root (v2); NULL: "sandbox"
 * id_base       first host uid and gid that jails may have; 0: 1900000000
 * id_count      how many ranges of 65,536 ids may be leased from there; 0: 2048
 * log, log_data called with a level and a line without newline; NULL: silent. May be called from
 *               any thread that uses the ctx
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
};

/*
 * Probes the host, takes an owner token and removes what dead owners left behind (cgroups). `o` may
 * be NULL. Errors: -EPERM not root; -ENOTSUP the kernel lacks something that no policy can do
 * without (named in err); -ENOMEM, and what open(2), mkdir(2) and flock(2) return.
 */
int sbx_ctx_new(struct sbx_ctx **ret, const struct sbx_ctx_options *o, struct sbx_error *err);

/* All groups and jails of the ctx must have been freed. */
struct sbx_ctx *sbx_ctx_free(struct sbx_ctx *ctx);

#define SBX_CHECK_PASS 0
#define SBX_CHECK_WARN 1
#define SBX_CHECK_FAIL 2

/* One line of what the host has: what was found, what breaks without it, the repair. */
struct sbx_check {
	char name[32];
	int32_t status; /* SBX_CHECK_* */
	char found[96];
	char breaks[128];
	char remedy[160];
};

/*
 * Looks at the host without changing it; needs no privilege. Writes at most `n` checks and returns
 * how many there are.
 */
int sbx_probe(struct sbx_check *ret, uint32_t n);

/* -------------------------------------------------------------------------- policy */

#define SBX_MOUNT_BIND 1    /* the host's `source` at `target`, read-only unless _RW */
#define SBX_MOUNT_TMPFS 2   /* `bytes` and `inodes` at most; 0: refused */
#define SBX_MOUNT_PROC 3    /* procfs, hidepid=invisible,subset=pid */
#define SBX_MOUNT_FILE 4    /* a file with the content `data` */
#define SBX_MOUNT_SYMLINK 5 /* a symbolic link to `data` */
#define SBX_MOUNT_DIR 6     /* an empty directory */
#define SBX_MOUNT_DEVICE 7  /* the host's device node `source` */
#define SBX_MOUNT_OVERLAY 8 /* `source` below, a tmpfs of `bytes` and `inodes` above */

#define SBX_MOUNT_RW 1u       /* bind: writable */
#define SBX_MOUNT_OPTIONAL 2u /* bind, device: leave out if the host has no `source` */
#define SBX_MOUNT_IDMAP 4u    /* bind, overlay: id N on the disk is id N in the jail (5.12) */
#define SBX_MOUNT_NOEXEC 8u

/*
 * One entry of a jail's file tree. `target` is absolute; missing parents are made. `mode`, `uid`
 * and `gid` (ids inside the jail) apply to what is made: tmpfs, overlay root, file, directory.
 * `data_len` 0 with `data` set: the length is strlen(data).
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

/* An empty policy: nothing mounted, every system call refused. Most callers load one. */
int sbx_policy_new(struct sbx_policy **ret, struct sbx_error *err);

/*
 * Reads a policy in JSON with comments. The file format is documented in policies/README.md.
 * `"extends": "NAME"` is looked up as NAME.json beside the file, then in the directories of
 * `search_path` (separated by ':', may be NULL). Unknown and duplicate keys are refused; errors
 * name file, line and JSON path.
 */
int sbx_policy_load(struct sbx_policy **ret, const char *path, const char *search_path,
		    struct sbx_error *err);

/* The same from memory; `name` stands for the file in messages. */
int sbx_policy_parse(struct sbx_policy **ret, const char *text, size_t len, const char *name,
		     const char *search_path, struct sbx_error *err);

/*
 * Sets one scalar key, named as in the file ("memory", "pids", "cpu", "wall", "user", ...); `value`
 * is written as in the file without quotes ("256M", "64", "1.5", "10s").
 */
int sbx_policy_set(struct sbx_policy *p, const char *key, const char *value, struct sbx_error *err);
int sbx_policy_add_mount(struct sbx_policy *p, const struct sbx_mount *m, struct sbx_error *err);

#define SBX_SYSCALL_ALLOW 1
#define SBX_SYSCALL_EPERM 2
#define SBX_SYSCALL_ENOSYS 3

/* `name` is a system call or a "@group". Later rules win. */
int sbx_policy_add_syscall(struct sbx_policy *p, const char *name, int32_t action,
			   struct sbx_error *err);
struct sbx_policy *sbx_policy_free(struct sbx_policy *p);

/*
 * Checks the policy as a whole and compiles it: system call filter to BPF, file tree and limits to
 * a sealed memfd. The plan does not refer to the policy. It starts with one reference.
 */
int sbx_policy_compile(const struct sbx_policy *p, struct sbx_plan **ret, struct sbx_error *err);
struct sbx_plan *sbx_plan_ref(struct sbx_plan *plan);
struct sbx_plan *sbx_plan_unref(struct sbx_plan *plan);

/* Writes the plan as text for people to `fd`: file tree, limits, identity, filter. */
int sbx_plan_describe(const struct sbx_plan *plan, int fd, struct sbx_error *err);

/* ------------------------------------------------------------------ groups and jails */

/*
 * A parent cgroup: limits on the sum of the jails that are put in it. 0: no limit of its own.
 *
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

int sbx_group_new(struct sbx_ctx *ctx, struct sbx_group **ret, const struct sbx_group_options *o,
		  struct sbx_error *err);
struct sbx_group *sbx_group_free(struct sbx_group *g); /* its jails must have been freed */

/*
 * netns_of   the new jail shares the network namespace of this jail and nothing else of it; NULL:
 *            one of its own, with nothing but a loopback interface
 * group      the parent cgroup; NULL: none
 * label      for messages and cgroup names: letters, digits, '-' and '_', at most 31; NULL: "jail"
 * mounts     `n_mounts` entries after those of the plan
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
 * process that made it ends (not merely the thread), and when its control socket closes.
 * A limit that cannot be enforced is an error (-ENOTSUP) that names the limit and the remedy.
 */
int sbx_jail_new(struct sbx_ctx *ctx, struct sbx_plan *plan, struct sbx_jail **ret,
		 const struct sbx_jail_options *o, struct sbx_error *err);

/*
 * Adds a mount to a jail that exists: bind or overlay, under a directory that exists or can be made
 * (the root is read-only: below a writable file system). No symbolic link on the way is followed.
 * Meant for what is known only after the jail was made; programs that run already see it too.
 */
int sbx_jail_mount(struct sbx_jail *j, const struct sbx_mount *m, struct sbx_error *err);

/* Ends every process of the jail, its init included, and waits until they are gone. Idempotent. */
int sbx_jail_kill(struct sbx_jail *j, struct sbx_error *err);
struct sbx_jail *sbx_jail_free(struct sbx_jail *j); /* its processes must have been freed */

#define SBX_BY_NONE 0
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
	uint64_t memory_peak;  /* bytes, page cache and tmpfs included */
	uint64_t oom_kills;    /* processes that the kernel killed for the memory limit */
	uint64_t pids_now;
	uint64_t pids_peak;    /* 0: the kernel does not say (pids.peak is 6.10) */
	uint64_t pids_refused; /* forks that met the limit */
	uint64_t cpu_ns;       /* of all processes that ever ran in the jail */
	uint64_t disk_used;    /* bytes in writable file systems of the jail */
	uint64_t disk_total;
	uint32_t disk_full;    /* 1: a writable file system has no byte or no inode left */
	uint32_t group_oom;    /* 1: the parent group met its memory limit */
};

int sbx_jail_stats(struct sbx_jail *j, struct sbx_stats *ret, struct sbx_error *err);

/* ------------------------------------------------------------------------ processes */

#define SBX_FD_TREE_READ 1u  /* a directory: the process may read below it (a Landlock rule) */
#define SBX_FD_TREE_WRITE 2u /* a directory: the process may also write below it */

/* The caller's descriptor `fd` becomes `target` (3 or higher) in the process. */
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

/*
 * path          NULL: argv[0]. Without a '/' it is searched in PATH of `env`, inside the jail
 * argv, env     NULL-terminated; together with path and cwd at most 128 KiB. env NULL: empty
 * cwd           NULL: the policy's "cwd"
 * stdout_limit  bytes; 0: the policy's "output", if it has one; UINT64_MAX: none, the process
 *               writes to stdout_fd itself. With a limit the library reads a pipe and copies that many
 *               bytes: the first part, a line that says how much was cut, and the last part
 *               (a quarter of the limit, at most 256 KiB). The same for stderr_limit
 * wall_ns       0: the policy's "wall"; UINT64_MAX: none
 * cpu_ns        cpu time of the jail; 0: the policy's "cpu_time"; UINT64_MAX: none
 *
 * Wall, cpu and output limits are kept while the caller waits or dispatches; a process that meets
 * one is killed together with its jail.
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
 * Starts a program. Returns when execve(2) has succeeded or failed; on failure err->stage is the
 * step ("exec", "seccomp", "setuid" ...). -ENOENT and -EACCES of the stage "exec" are the
 * program's absence, -EAGAIN of the stage "fork" is a jail at its process limit.
 */
int sbx_jail_exec(struct sbx_jail *j, struct sbx_proc **ret, const struct sbx_exec *e,
		  struct sbx_error *err);

#define SBX_VERDICT_EXITED 0   /* exit_code */
#define SBX_VERDICT_SIGNALED 1 /* term_signal; no limit was met */
#define SBX_VERDICT_KILLED 2   /* by the caller: sbx_proc_kill, sbx_jail_kill */
#define SBX_VERDICT_WALL 3
#define SBX_VERDICT_CPU 4
#define SBX_VERDICT_MEMORY 5
#define SBX_VERDICT_DISK 6
#define SBX_VERDICT_PIDS 7
#define SBX_VERDICT_OUTPUT 8
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
	uint64_t wall_ns;
	uint64_t user_ns;      /* of this process and its reaped children */
	uint64_t system_ns;
	uint64_t max_rss;      /* bytes, of the largest single process */
	uint64_t stdout_bytes; /* written by the program, cut or not; 0 where no limit was set */
	uint64_t stderr_bytes;
	struct sbx_stats stats; /* of the jail, at the end of this process */
};

/* A pidfd (pidfd_open(2)), readable once the process is gone. The library's; do not close. */
int sbx_proc_pidfd(const struct sbx_proc *p);

/* A descriptor that is readable when sbx_proc_dispatch() has work. The library's; do not close. */
int sbx_proc_pollfd(const struct sbx_proc *p);

/* Moves output, keeps limits; never blocks. 1: the process has ended, 0: it has not. */
int sbx_proc_dispatch(struct sbx_proc *p, struct sbx_error *err);

/*
 * Dispatches until the process has ended or `timeout_ns` has passed (UINT64_MAX: for ever; then
 * -ETIMEDOUT). `ret` may be NULL; its size must be set.
 */
int sbx_proc_wait(struct sbx_proc *p, uint64_t timeout_ns, struct sbx_result *ret,
		  struct sbx_error *err);
int sbx_proc_kill(struct sbx_proc *p, int sig, struct sbx_error *err);
struct sbx_proc *sbx_proc_free(struct sbx_proc *p); /* kills it if it runs */

/* Jail, one process, wait, free: for the simple caller. */
int sbx_run(struct sbx_ctx *ctx, struct sbx_plan *plan, const struct sbx_exec *e,
	    struct sbx_result *ret, struct sbx_error *err);

/* --------------------------------------------------------------- sockets and files */

/* A socket(2) in the jail's network namespace: connect or bind it from here. The caller's. */
int sbx_jail_socket(struct sbx_jail *j, int domain, int type, int protocol, struct sbx_error *err);

/* A TCP connection to `port` in the jail, 127.0.0.1 first, then ::1. The caller's. */
int sbx_jail_connect(struct sbx_jail *j, uint16_t port, uint64_t timeout_ns, struct sbx_error *err);

/* A TCP socket that listens on 127.0.0.1:`port` in the jail. The caller's. */
int sbx_jail_listen(struct sbx_jail *j, uint16_t port, int backlog, struct sbx_error *err);

/*
 * 1: something in the jail's network namespace accepts TCP connections to 127.0.0.1 or ::1 at
 * `port`; 0: nothing does. One question to the kernel, about 5 us (sock_diag(7)).
 */
int sbx_jail_listening(struct sbx_jail *j, uint16_t port, struct sbx_error *err);

/* Asks again, 1 to 20 ms apart. 0, or -ETIMEDOUT, or -ECHILD when `p` (may be NULL) has ended. */
int sbx_jail_wait_listening(struct sbx_jail *j, uint16_t port, uint64_t timeout_ns,
			    struct sbx_proc *p, struct sbx_error *err);

struct sbx_listener {
	uint16_t family; /* AF_INET, AF_INET6 */
	uint16_t port;
	uint32_t uid;       /* inside the jail */
	uint8_t address[16]; /* network byte order; the first four for AF_INET */
};

/* All listening TCP sockets; writes at most `n`, returns how many there are. */
int sbx_jail_listeners(struct sbx_jail *j, struct sbx_listener *ret, uint32_t n,
		       struct sbx_error *err);

/*
 * Relays TCP connections made inside the jail to 127.0.0.1:`port` to a service outside, in a
 * process of its own without privileges that ends with the jail.
 *
 * unix_path        connect there; or
 * host, host_port  connect there (resolved now, by getaddrinfo(3) in the caller)
 * connections      at once; 0: 16
 * bytes            in both directions together before the relay ends; 0: 1 GiB
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
};

int sbx_jail_forward(struct sbx_jail *j, const struct sbx_forward *f, struct sbx_error *err);

/*
 * Opens `path` inside the jail: by the jail's init, below its root, following no magic link
 * (openat2(2): RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS) and never blocking. `flags` as open(2):
 * O_RDONLY, O_PATH, O_DIRECTORY, O_NOFOLLOW. What it returns may be anything that the jailed
 * program left there: check it with fstat(2). The caller's.
 */
int sbx_jail_open(struct sbx_jail *j, const char *path, int flags, struct sbx_error *err);

#ifdef __cplusplus
}
#endif

#endif
