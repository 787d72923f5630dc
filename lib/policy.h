/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A policy while it is being put together: scalars, then mounts, system call rules and sysctls in
 * the order in which they were given. policy.c owns it, policy-keys.c knows the scalars by name,
 * policy-json.c and policy-mounts.c fill it from files, plan.c turns it into a blob.
 */

#include "plan.h"
#include "seccomp-filter.h"
#include "util/util.h"
#include <sandbox/sandbox.h>

#define POLICY_NONE UINT64_MAX /* "none": no limit */
#define POLICY_MOUNTS_MAX 200u /* START_FDS_MAX of protocol.h less what a jail may add */
#define POLICY_TMPFS_MAX 24u   /* struct parked reports 32 at most, extra mounts included */
#define POLICY_RULES_MAX 1024u
#define POLICY_SYSCTLS_MAX 64u

struct policy_values {
	char description[256];
	char hostname[64];
	char cwd[1024];
	uint64_t user;
	uint64_t group;
	uint64_t memory;
	uint64_t pids;
	uint64_t cpu; /* thousandths */
	uint64_t cpu_time;
	uint64_t wall;
	uint64_t output;
	uint64_t fsize;
	uint64_t nofile;
	uint64_t stack;
	uint64_t disk;
	uint64_t disk_inodes;
	uint64_t root_size;
	uint64_t root_inodes;
	uint64_t no_new_userns;
	uint64_t landlock;
	uint64_t scope_signals;
	uint64_t scope_sockets;
};

/* `m` owns its strings. The flags stand for values that are known when the plan is compiled. */
struct policy_mount {
	struct sbx_mount m;
	bool disk_bytes;
	bool disk_inodes;
	bool user_uid;
	bool group_gid;
	uint32_t file; /* number of the file that it came from: no target twice in one */
};

struct policy_sysctl {
	char *path;
	char *value;
};

struct sbx_policy {
	struct policy_values values;
	bool landlock_optional;
	struct policy_mount *mounts;
	size_t n_mounts;
	struct seccomp_rule *rules;
	size_t n_rules;
	struct policy_sysctl *sysctls;
	size_t n_sysctls;
	char *search_path; /* that it was loaded with; NULL: none */
};

/* As error_set(), without the words for the errno: what is wrong with a policy is said in full. */
int policy_error(struct sbx_error *err, int code, const char *stage, const char *item,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

enum policy_type {
	POLICY_TEXT,
	POLICY_HOSTNAME,
	POLICY_PATH,
	POLICY_SIZE,
	POLICY_DURATION,
	POLICY_COUNT,
	POLICY_CPU,
	POLICY_BOOL,
};

struct policy_key {
	const char *name;
	enum policy_type type;
	bool none; /* "none" is a value */
	size_t offset;
	uint64_t least;
	uint64_t most;
	const char *initial; /* of sbx_policy_new() */
	const char *text;
};

extern const struct policy_key policy_keys[];
extern const size_t policy_n_keys;

#define POLICY_WHY 140

const struct policy_key *policy_key_find(const char *name);
const char *policy_key_nearest(const char *name);

/* -EINVAL with the reason in `why` (POLICY_WHY bytes). */
int policy_value_set(struct sbx_policy *p, const struct policy_key *key, const char *value,
		     char *why);
int policy_values_init(struct sbx_policy *p);
int policy_parse_size(const char *text, uint64_t *ret, char *why);
int policy_parse_count(const char *text, uint64_t *ret, char *why);

/* "256M" for people; exact where the number is, otherwise with one decimal. */
void policy_size_text(uint64_t bytes, char *ret, size_t size);
void policy_duration_text(uint64_t ns, char *ret, size_t size);

/* NULL, or what is wrong with an absolute path: normalised, no ".", ".." or "//", no controls. */
const char *policy_path_fault(const char *path);

/* Copies the mount; one with the same target is replaced where it stands. */
int policy_mount_add(struct sbx_policy *p, const struct policy_mount *pm, struct sbx_error *err);
int policy_mount_remove(struct sbx_policy *p, const char *target, struct sbx_error *err);
int policy_sysctl_set(struct sbx_policy *p, const char *path, const char *value, char *why);

/* Replaces the rules by those of the policy in the file `path`; the search path is the policy's. */
int policy_syscalls_of(struct sbx_policy *p, const char *path, struct sbx_error *err);

/* The mount as the plan will have it. Its strings stay the policy's. */
struct sbx_mount policy_mount_resolve(const struct sbx_policy *p, const struct policy_mount *pm);

static inline bool policy_mount_holds_memory(uint32_t type)
{
	return type == SBX_MOUNT_TMPFS || type == SBX_MOUNT_OVERLAY;
}

/* plan.c: `filter` is copied. */
int plan_build(const struct sbx_policy *p, const struct sock_filter *filter, uint32_t n_filter,
	       struct sbx_plan **ret, struct sbx_error *err);

/* policy-json.c and policy-mounts.c: where in which file. */
struct json_source {
	const char *name;
	char *text; /* comments blanked; NUL-terminated */
	size_t len;
	uint32_t number;
};

/* A step from a value to one of its members; the chain ends at the root (parent NULL). */
struct json_spot {
	const struct json_spot *parent;
	const char *key; /* NULL: `index` */
	uint32_t index;
	bool last; /* of several members of that name */
};

struct cJSON;

/* Fills err with "FILE:LINE $.path" as the item and returns `code`. */
int json_error(const struct json_source *s, const struct json_spot *at, struct sbx_error *err,
	       int code, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
size_t json_line(const struct json_source *s, size_t offset);

/* Blanks comments in place and refuses NULs, `\u0000` and deep nesting. */
int json_prepare(struct json_source *s, struct sbx_error *err);
int json_parse(const struct json_source *s, struct cJSON **ret, struct sbx_error *err);
int json_mounts(struct sbx_policy *p, const struct json_source *s, const struct json_spot *at,
		const struct cJSON *list, struct sbx_error *err);
