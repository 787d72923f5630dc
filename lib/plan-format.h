/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The compiled plan as the jail's init reads it: one sealed memfd, mapped read-only by both sides.
 *
 * A header, then arrays, then a pool of NUL-terminated strings. Every *_off is a byte offset from
 * the start of the blob and aligned to 8 (the string pool: to 1); every string is an offset into
 * the pool, 0 being the empty string. The library writes it and the library's own init reads it:
 * the two are always of one build, so there is no version negotiation, only PLAN_MAGIC as a check.
 *
 * Shared with the static init, which has no libc: fixed-width integers and nothing else.
 */

#include <stdint.h>

#define PLAN_MAGIC 0x31584253u /* "SBX1" */

#define PLAN_LANDLOCK_OFF 0u
#define PLAN_LANDLOCK_OPTIONAL 1u
#define PLAN_LANDLOCK_REQUIRED 2u

/* plan_header.flags */
#define PLAN_LANDLOCK_SCOPE_SIGNAL 1u
#define PLAN_LANDLOCK_SCOPE_ABSTRACT 2u
#define PLAN_NO_NEW_USERNS 4u /* user.max_user_namespaces = 0 in the jail's user namespace */

struct plan_header {
	uint32_t magic;
	uint32_t size; /* of the blob */
	uint32_t flags;
	uint32_t landlock; /* PLAN_LANDLOCK_* */
	uint32_t uid;      /* of jailed processes, inside */
	uint32_t gid;
	uint32_t hostname;   /* string */
	uint32_t cwd;        /* string */
	uint64_t root_bytes; /* of the tmpfs that is the root; it becomes read-only */
	uint64_t root_inodes;
	uint32_t mounts_off; /* struct plan_mount */
	uint32_t n_mounts;
	uint32_t sysctls_off; /* struct plan_sysctl */
	uint32_t n_sysctls;
	uint32_t rlimits_off; /* struct plan_rlimit */
	uint32_t n_rlimits;
	uint32_t filter_off; /* struct sock_filter (8 bytes each) */
	uint32_t n_filter;
	uint32_t strings_off;
	uint32_t strings_size;
};

/*
 * `type` and `flags` are SBX_MOUNT_* of sandbox.h. `data` (file content, link target) is a string
 * offset with `data_len` bytes that may hold NULs. Entries are applied in order.
 */
struct plan_mount {
	uint32_t type;
	uint32_t flags;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t source; /* string; for messages only: the host side opens it */
	uint32_t target; /* string; absolute, normalised, no "." or ".." */
	uint32_t data;
	uint64_t data_len;
	uint64_t bytes;
	uint64_t inodes;
};

#define PLAN_SYSCTL_NET 1u /* belongs to the network namespace: skipped in a joined jail */

/* Written to /proc/sys/PATH by init before the jail's own procfs hides it. */
struct plan_sysctl {
	uint32_t path;
	uint32_t value;
	uint32_t flags;
	uint32_t reserved;
};

/* Soft and hard limit alike. `resource` as in getrlimit(2). */
struct plan_rlimit {
	uint32_t resource;
	uint32_t reserved;
	uint64_t value;
};
