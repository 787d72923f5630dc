/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the library and the jail's init say to each other.
 *
 * Control socket (SOCK_SEQPACKET; init's end is CONTROL_FD): the library asks, init answers, one
 * request at a time. The first request is START, answered by PARKED or FAILED; then EXEC, SOCKET,
 * OPEN and MOUNT in any order. When the library's end closes, init exits and the kernel ends the
 * jail.
 *
 * Every EXEC carries two descriptors of its own, so that processes never wait for each other:
 *   - the *status socket* (SOCK_SEQPACKET): init sends STARTED (with a pidfd) right after fork, or
 *     FAILED if it could not fork, and EXITED when it has reaped the process;
 *   - the *exec pipe* (O_CLOEXEC): end of file says that execve(2) succeeded; a struct
 *     exec_failure says which step of the child failed. With EXEC_TRACED it is a SEQPACKET socket,
 *     and the child first sends TRACED on it, with the listener (seccomp_unotify(2)) that from then
 *     on answers for every system call, its own execve(2) too.
 *
 * Jailed programs never see these descriptors. Shared with the static init, which has no libc.
 */

#include "plan-format.h"
#include <stdint.h>

#define CONTROL_FD 3 /* in init, from its start */
#define PLAN_FD 4    /* the sealed memfd */
#define CREATOR_FD 5 /* pidfd of the process that made the jail */

#define MESSAGE_MAX 196608u /* bytes of one message; the library sets SO_SNDBUF for it */
#define STRINGS_MAX 131072u /* path, cwd, argv and env of one EXEC */
#define ARGS_MAX 16384u     /* entries of argv, and of env */
#define FDS_MAX 32u         /* descriptors in one EXEC, the two of our own not counted */
#define START_FDS_MAX 240u  /* below SCM_MAX_FD (253) */

enum message_type {
	MSG_START = 1,
	MSG_PARKED,
	MSG_EXEC,
	MSG_SOCKET,
	MSG_OPEN,
	MSG_MOUNT,  /* struct mount_request and one descriptor, a detached mount */
	MSG_REPLY,  /* to SOCKET, OPEN: struct reply with the descriptor asked for; to MOUNT: 0 */
	MSG_FAILED, /* to START and MOUNT, and on status sockets: struct failed */
	MSG_STARTED,
	MSG_EXITED,
	MSG_TRACED, /* on exec pipes: struct traced and one descriptor, the listener */
};

/* The steps that init and its children take, in about that order; lib/error.c has their names. */
enum step {
	STEP_NONE,
	/* init, until it parks */
	STEP_PLAN,
	STEP_SYSCTL,
	STEP_HOSTNAME,
	STEP_PROPAGATION,
	STEP_ROOT,
	STEP_MOUNT_TARGET,
	STEP_MOUNT_CREATE,
	STEP_MOUNT_ATTACH,
	STEP_MOUNT_FILE,
	STEP_MOUNT_PROOF, /* a read-only mount that is not */
	STEP_PIVOT,
	STEP_LOOPBACK,
	STEP_LANDLOCK_RULES,
	STEP_PARK,
	/* the child that becomes the program */
	STEP_FORK,
	STEP_FDS,
	STEP_SESSION,
	STEP_RLIMIT,
	STEP_GROUPS,
	STEP_BOUNDING,
	STEP_SECUREBITS,
	STEP_SETUID,
	STEP_CAPABILITIES,
	STEP_NO_NEW_PRIVS,
	STEP_LANDLOCK,
	STEP_CWD,
	STEP_SECCOMP,
	STEP_EXEC,
	/* the library's own side */
	STEP_CLONE,
	STEP_IDMAP,
	STEP_CGROUP,
	STEP_NETNS,
	STEP_CONTROL,
	STEP_COUNT
};

#define START_JOINED_NET 1u /* the network namespace is another jail's: lo is up, leave it alone */

/*
 * START: this header, int16_t fd_of[n_plan + n_extra], padding to 8, struct plan_mount[n_extra],
 * strings_size bytes of strings (the extra mounts' offsets count from here). fd_of[i] is the index
 * of the descriptor in this message that mount i is made from (a detached mount, made and made
 * read-only by the library), -1: the mount needs none, -2: optional and absent, leave it out.
 */
struct start_request {
	uint32_t type;
	uint32_t flags;
	uint32_t n_plan;
	uint32_t n_extra;
	uint32_t strings_size;
	uint32_t
		/* the only uid and gid that the jail has, init's own too; 0: it has 0 and more */
		sole_uid;
	uint32_t sole_gid;
	uint32_t processes; /* RLIMIT_NPROC of programs; 0: none */
	char hostname[64];  /* empty: the plan's */
};

/* PARKED: one descriptor (O_PATH) for each writable tmpfs, `mounts[i]` naming its mount. */
struct parked {
	uint32_t type;
	uint32_t n_fds;
	uint32_t landlock_abi; /* what is applied to programs; 0: none */
	uint32_t reserved;
	uint16_t mounts[32];
};

#define EXEC_TRACED 1u /* no filter of the plan's; see lib/init/trace.c */

/* EXEC: this header, then strings: path, cwd, argv..., env..., each with its NUL. */
struct exec_request {
	uint32_t type;
	uint32_t uid;
	uint32_t gid;
	uint32_t argc;
	uint32_t envc;
	uint32_t n_fds; /* besides status socket and exec pipe, which are the first two sent */
	uint32_t strings_size;
	uint32_t flags; /* EXEC_* */
	int32_t target
		[FDS_MAX]; /* the number each descriptor gets: 0, 1, 2 or higher, no two alike */
	uint32_t fd_flags[FDS_MAX]; /* SBX_FD_TREE_* */
};

struct socket_request {
	uint32_t type;
	int32_t domain;
	int32_t socket_type;
	int32_t protocol;
};

struct open_request { /* followed by the path and its NUL */
	uint32_t type;
	int32_t flags;
};

/*
 * MOUNT: this header, then strings_size bytes of strings that the mount's offsets count from. Only
 * BIND and OVERLAY (the descriptor is its lower layer; the upper tmpfs is made by init).
 */
struct mount_request {
	uint32_t type;
	uint32_t strings_size;
	struct plan_mount mount;
};

struct reply {
	uint32_t type;
	int32_t error; /* 0 or a negative errno; 0: one descriptor comes along */
};

struct failed {
	uint32_t type;
	int32_t step;  /* enum step */
	int32_t error; /* negative errno */
	int32_t index; /* of the mount, rlimit, sysctl ... that failed; -1: none */
};

struct started {
	uint32_t type;
	int32_t pid; /* inside the jail; one descriptor, the pidfd, comes along */
};

struct exited {
	uint32_t type;
	int32_t wait_status; /* as wait4(2) gives it */
	uint64_t user_us;
	uint64_t system_us;
	uint64_t max_rss_kb;
	uint64_t switches_voluntary;
	uint64_t switches_forced;
};

struct traced {
	uint32_t type;
};

struct exec_failure {
	int32_t step;
	int32_t error; /* negative errno */
	int32_t index;
};
