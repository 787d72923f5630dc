/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The system call filter, compile half: from an ordered list of rules ("socket", "@files") to BPF
 * that the jail's init loads as it is. See seccomp.c for the shape of the filter and
 * seccomp-groups.c for the tables.
 */

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers that are looked at; what lies above is ENOSYS, whatever it is. */
#define SECCOMP_NUMBERS 512

/*
 * The newest number whose call was looked at when the tables were written. Calls above it are
 * ENOSYS unless a policy names them, also where a newer libseccomp knows their names: so programs
 * take the fallback that they have for older kernels.
 */
#define SECCOMP_REVIEWED 450

struct seccomp_group {
	const char *name; /* with the "@" */
	const char *text;
	const char *const *members; /* system calls and groups, NULL-terminated */
};

enum seccomp_op {
	CHECK_ONE_OF,  /* (argument & mask) is one of the values */
	CHECK_NO_BITS, /* argument has none of the bits of mask */
	CHECK_TUPLES,  /* arguments 0, 1 (& mask) and 2 are one of the rows of three values */
};

/*
 * What an allowed call's arguments must be; otherwise the call fails with `error`. All rows of a
 * call must hold. Only the lower 32 bits are looked at, as the kernel does with an int: a rule
 * cannot be walked around by setting bit 32. Pointers cannot be checked.
 */
struct seccomp_check {
	const char *syscall;
	uint8_t op;
	uint8_t arg;
	uint8_t n; /* values, or rows of three */
	int error;
	uint32_t mask;
	const uint32_t *values;
	const char *text;  /* for sbx_plan_describe() */
	const char *group; /* NULL: always holds; otherwise if a rule allows this group ... */
	bool without;      /* ... or if none does */
};

struct seccomp_refused {
	const char *syscall;
	const char *why;
};

extern const struct seccomp_group seccomp_groups[];
extern const size_t seccomp_n_groups;
extern const struct seccomp_check seccomp_checks[];
extern const size_t seccomp_n_checks;
extern const char *const seccomp_fallbacks[]; /* ENOSYS unless allowed, NULL-terminated */
extern const struct seccomp_refused seccomp_refused[];
extern const size_t seccomp_n_refused;

struct seccomp_rule {
	char name[32];
	int32_t action; /* SBX_SYSCALL_* */
};

/* -EINVAL: `name` is no system call of this machine and no group; -EPERM: it may not be allowed. */
int seccomp_rule_init(struct seccomp_rule *ret, const char *name, int32_t action,
		      struct sbx_error *err);

/* `*ret` is the caller's to free(). Later rules win. */
int seccomp_compile(const struct seccomp_rule *rules, size_t n_rules, struct sock_filter **ret,
		    uint32_t *ret_n, struct sbx_error *err);

/*
 * Runs a filter over one call and returns its SECCOMP_RET_* value; SECCOMP_RET_KILL_PROCESS if the
 * program is malformed. `*ret_args` (may be NULL) says whether the outcome depended on arguments.
 */
uint32_t seccomp_simulate(const struct sock_filter *filter, uint32_t n,
			  const struct seccomp_data *data, bool *ret_args);
