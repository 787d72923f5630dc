/* SPDX-License-Identifier: MIT */

/*
 * The system call filter: every number against its class, every argument rule with values on both
 * sides of it, foreign ABIs. The filter is run by seccomp_simulate(); the last test loads it into
 * the kernel and compares, so that the simulator is not its own witness.
 */

#include "seccomp-filter.h"
#include "seccomp-golden.h"
#include "util/util.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#define ALLOWED SECCOMP_RET_ALLOW
#define FAILS(e) (SECCOMP_RET_ERRNO | (e))
#define KILLED SECCOMP_RET_KILL_PROCESS
#define X32_BIT 0x40000000

struct filter {
	struct sock_filter *code;
	uint32_t n;
};

static void compile(struct filter *f, const char *const *names, size_t n)
{
	struct seccomp_rule rules[16];
	struct sbx_error err;
	size_t i;

	assert_true(n <= ARRAY_SIZE(rules));
	for (i = 0; i < n; i++)
		assert_int_equal(seccomp_rule_init(&rules[i], names[i], SBX_SYSCALL_ALLOW, &err),
				 0);
	assert_int_equal(seccomp_compile(rules, n, &f->code, &f->n, &err), 0);
}

static int set_up(void **state)
{
	static const char *const names[] = { "@base", "@process", "@files", "@net", "@fifo",
					     "@sysv-ipc" };
	static struct filter f;

	compile(&f, names, ARRAY_SIZE(names));
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	free(((struct filter *)*state)->code);
	return 0;
}

static uint32_t run(const struct filter *f, uint32_t arch, int nr, const uint64_t *args,
		    bool *ret_args)
{
	struct seccomp_data data = { .nr = nr, .arch = arch };

	if (args)
		memcpy(data.args, args, sizeof(data.args));
	return seccomp_simulate(f->code, f->n, &data, ret_args);
}

static uint32_t native(const struct filter *f, int nr, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t args[6] = { a, b, c };

	return run(f, AUDIT_ARCH_X86_64, nr, args, NULL);
}

/* ------------------------------------------------------------------ every number */

static bool listed(const uint16_t *list, size_t n, int nr)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i] == nr)
			return true;
	return false;
}

static bool unassigned(int nr)
{
	return nr > SECCOMP_REVIEWED || (nr > 334 && nr < 424);
}

static void test_every_number(void **state)
{
	const struct filter *f = *state;
	uint32_t got, expected;
	bool args;
	int nr;

	for (nr = 0; nr < 1024; nr++) {
		got = run(f, AUDIT_ARCH_X86_64, nr, NULL, &args);
		if (args != listed(golden_checked, ARRAY_SIZE(golden_checked), nr))
			fail_msg("number %d: arguments %s", nr, args ? "checked" : "not checked");
		if (args)
			continue;
		expected = FAILS(EPERM);
		if (unassigned(nr) || listed(golden_enosys, ARRAY_SIZE(golden_enosys), nr))
			expected = FAILS(ENOSYS);
		if (listed(golden_allowed, ARRAY_SIZE(golden_allowed), nr))
			expected = ALLOWED;
		if (got != expected)
			fail_msg("number %d: %#x instead of %#x", nr, got, expected);
	}
}

static void test_foreign_abis(void **state)
{
	static const uint32_t arches[] = { AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, 0,
					   ~0u };
	const struct filter *f = *state;
	size_t i;
	int nr;

	for (nr = 0; nr < 1024; nr++) {
		for (i = 0; i < ARRAY_SIZE(arches); i++)
			assert_int_equal(run(f, arches[i], nr, NULL, NULL), KILLED);
		assert_int_equal(run(f, AUDIT_ARCH_X86_64, nr | X32_BIT, NULL, NULL), KILLED);
	}
	assert_int_equal(native(f, -1, 0, 0, 0), FAILS(ENOSYS));
	assert_int_equal(native(f, 0x7fffffff, 0, 0, 0), KILLED);
}

/* ---------------------------------------------------------------- argument rules */

struct row {
	int nr;
	uint64_t args[3];
	uint32_t expected;
};

/* clang-format off */
static const struct row rows[] = {
	{ SYS_clone, { 0x3d0f00 }, ALLOWED }, /* pthread_create */
	{ SYS_clone, { 0x1200011 }, ALLOWED }, /* fork */
	{ SYS_clone, { 0x10000011 }, FAILS(EPERM) }, /* NEWUSER */
	{ SYS_clone, { 0x20000 }, FAILS(EPERM) }, /* NEWNS */
	{ SYS_clone, { 0x2000000 }, FAILS(EPERM) }, /* NEWCGROUP */
	{ SYS_clone, { 0x4000000 }, FAILS(EPERM) }, /* NEWUTS */
	{ SYS_clone, { 0x8000000 }, FAILS(EPERM) }, /* NEWIPC */
	{ SYS_clone, { 0x20000000 }, FAILS(EPERM) }, /* NEWPID */
	{ SYS_clone, { 0x40000000 }, FAILS(EPERM) }, /* NEWNET */
	{ SYS_clone, { 0x2000 }, FAILS(EPERM) }, /* PTRACE */
	{ SYS_clone, { 0x800000 }, FAILS(EPERM) }, /* UNTRACED */
	{ SYS_clone, { 0x8000 }, FAILS(EPERM) }, /* PARENT */

	{ SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, ALLOWED },
	{ SYS_socket, { AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0 }, ALLOWED },
	{ SYS_socket, { AF_UNIX, SOCK_SEQPACKET, 0 }, FAILS(EPROTONOSUPPORT) },
	{ SYS_socket, { AF_UNIX, SOCK_STREAM, 1 }, FAILS(EPROTONOSUPPORT) },
	{ SYS_socket, { AF_INET, SOCK_STREAM, 0 }, ALLOWED },
	{ SYS_socket, { AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 6 }, ALLOWED },
	{ SYS_socket, { AF_INET, SOCK_STREAM, 7 }, FAILS(EPROTONOSUPPORT) },
	{ SYS_socket, { AF_INET, SOCK_STREAM, 132 }, FAILS(EPROTONOSUPPORT) }, /* SCTP */
	{ SYS_socket, { AF_INET, SOCK_STREAM, 262 }, FAILS(EPROTONOSUPPORT) }, /* MPTCP */
	{ SYS_socket, { AF_INET, SOCK_DGRAM, 0 }, ALLOWED },
	{ SYS_socket, { AF_INET, SOCK_DGRAM, 17 }, ALLOWED },
	{ SYS_socket, { AF_INET, SOCK_DGRAM, 6 }, FAILS(EPROTONOSUPPORT) },
	{ SYS_socket, { AF_INET, SOCK_DGRAM, 1 }, FAILS(EPROTONOSUPPORT) }, /* ping */
	{ SYS_socket, { AF_INET, SOCK_RAW, 1 }, FAILS(EPROTONOSUPPORT) },
	{ SYS_socket, { AF_INET, 10, 0 }, FAILS(EPROTONOSUPPORT) }, /* SOCK_PACKET */
	{ SYS_socket, { AF_INET, SOCK_STREAM | 0x1000000, 0 }, FAILS(EPROTONOSUPPORT) },
	{ SYS_socket, { AF_INET6, SOCK_STREAM, 0 }, ALLOWED },
	{ SYS_socket, { AF_INET6, SOCK_STREAM, 6 }, ALLOWED },
	{ SYS_socket, { AF_INET6, SOCK_DGRAM, 0 }, ALLOWED },
	{ SYS_socket, { AF_INET6, SOCK_DGRAM, 17 }, ALLOWED },
	{ SYS_socket, { AF_INET6, SOCK_RAW, 58 }, FAILS(EPROTONOSUPPORT) },
	{ SYS_socket, { AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0 }, ALLOWED },
	{ SYS_socket, { AF_NETLINK, SOCK_DGRAM, 0 }, FAILS(EPROTONOSUPPORT) },
	{ SYS_socket, { AF_NETLINK, SOCK_RAW, 4 }, FAILS(EPROTONOSUPPORT) }, /* SOCK_DIAG */
	{ SYS_socket, { AF_NETLINK, SOCK_RAW, 12 }, FAILS(EPROTONOSUPPORT) }, /* NETFILTER */

	{ SYS_socketpair, { AF_UNIX, SOCK_STREAM, 0 }, ALLOWED },
	{ SYS_socketpair, { AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0 }, ALLOWED },
	{ SYS_socketpair, { AF_UNIX, SOCK_SEQPACKET, 0 }, ALLOWED },
	{ SYS_socketpair, { AF_UNIX, SOCK_RAW, 0 }, FAILS(EPROTONOSUPPORT) },
	{ SYS_socketpair, { AF_UNIX + 1, SOCK_STREAM, 0 }, FAILS(EAFNOSUPPORT) },
	{ SYS_socketpair, { 30 /* TIPC */, SOCK_STREAM, 0 }, FAILS(EAFNOSUPPORT) },

	{ SYS_ioctl, { 0, TCGETS }, ALLOWED },
	{ SYS_ioctl, { 0, TCGETS + 1 }, FAILS(ENOTTY) },
	{ SYS_ioctl, { 0, FIONBIO }, ALLOWED },
	{ SYS_ioctl, { 0, FIONBIO + 1 }, FAILS(ENOTTY) },
	{ SYS_ioctl, { 0, FIONREAD }, ALLOWED },
	{ SYS_ioctl, { 0, FIONREAD + 1 }, FAILS(ENOTTY) }, /* TIOCLINUX */
	{ SYS_ioctl, { 0, FIOCLEX }, ALLOWED },
	{ SYS_ioctl, { 0, FIOCLEX + 1 }, FAILS(ENOTTY) },
	{ SYS_ioctl, { 0, FIONCLEX }, ALLOWED },
	{ SYS_ioctl, { 0, TIOCGWINSZ }, ALLOWED },
	{ SYS_ioctl, { 0, TIOCSTI }, FAILS(ENOTTY) },
	{ SYS_ioctl, { 0, TIOCSCTTY }, FAILS(ENOTTY) },
	{ SYS_ioctl, { 0, 0x802c542a }, ALLOWED }, /* TCGETS2 */
	{ SYS_ioctl, { 0, 0x802c542b }, FAILS(ENOTTY) },
	{ SYS_ioctl, { 0, 0xffffffff802c542a }, ALLOWED }, /* as a sign-extended int */

	{ SYS_fcntl, { 0, F_DUPFD }, ALLOWED },
	{ SYS_fcntl, { 0, F_SETFL }, ALLOWED },
	{ SYS_fcntl, { 0, F_SETLK }, ALLOWED },
	{ SYS_fcntl, { 0, F_OFD_SETLKW }, ALLOWED },
	{ SYS_fcntl, { 0, F_DUPFD_CLOEXEC }, ALLOWED },
	{ SYS_fcntl, { 0, F_SETOWN }, FAILS(EPERM) },
	{ SYS_fcntl, { 0, F_SETSIG }, FAILS(EPERM) },
	{ SYS_fcntl, { 0, F_SETOWN_EX }, FAILS(EPERM) },
	{ SYS_fcntl, { 0, F_SETLEASE }, FAILS(EPERM) },
	{ SYS_fcntl, { 0, F_NOTIFY }, FAILS(EPERM) },
	{ SYS_fcntl, { 0, F_SETPIPE_SZ }, FAILS(EPERM) },

	{ SYS_prctl, { 15 /* SET_NAME */ }, ALLOWED },
	{ SYS_prctl, { 17 }, FAILS(EINVAL) },
	{ SYS_prctl, { 0x53564d41 /* SET_VMA */ }, ALLOWED },
	{ SYS_prctl, { 4 /* SET_DUMPABLE */ }, FAILS(EINVAL) },
	{ SYS_prctl, { 22 /* SET_SECCOMP */ }, FAILS(EINVAL) },
	{ SYS_prctl, { 35 /* SET_MM */ }, FAILS(EINVAL) },
	{ SYS_prctl, { 36 /* SET_CHILD_SUBREAPER */ }, FAILS(EINVAL) },
	{ SYS_prctl, { 47 /* CAP_AMBIENT */ }, FAILS(EINVAL) },
	{ SYS_prctl, { 62 /* SCHED_CORE */ }, FAILS(EINVAL) },

	{ SYS_arch_prctl, { 0x1002 /* SET_FS */ }, ALLOWED },
	{ SYS_arch_prctl, { 0x1001 /* SET_GS */ }, FAILS(EPERM) },
	{ SYS_arch_prctl, { 0x1012 /* SET_CPUID */ }, FAILS(EPERM) },

	{ SYS_prlimit64, { 0 }, ALLOWED },
	{ SYS_prlimit64, { 1 }, FAILS(EPERM) },

	{ SYS_mknod, { 0, S_IFIFO | 0644 }, ALLOWED },
	{ SYS_mknod, { 0, S_IFCHR | 0644 }, FAILS(EPERM) },
	{ SYS_mknod, { 0, S_IFBLK | 0644 }, FAILS(EPERM) },
	{ SYS_mknodat, { 0, 0, S_IFIFO | 0644 }, ALLOWED },
	{ SYS_mknodat, { 0, 0, S_IFCHR | 0644 }, FAILS(EPERM) },
};
/* clang-format on */

/* A bit that the kernel does not look at may not change the answer, whichever argument has it. */
static void test_argument_rows(void **state)
{
	static const uint64_t high[] = { 0, 1ull << 32, 1ull << 63, ~0ull << 32 };
	const struct filter *f = *state;
	uint64_t a[3];
	size_t i, j;
	uint32_t got;
	unsigned int k;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (j = 0; j < ARRAY_SIZE(high) * 3; j++) {
			for (k = 0; k < 3; k++)
				a[k] = rows[i].args[k];
			a[j % 3] |= high[j / 3];
			got = native(f, rows[i].nr, a[0], a[1], a[2]);
			if (got != rows[i].expected)
				fail_msg("row %zu, variant %zu: %#x instead of %#x", i, j, got,
					 rows[i].expected);
		}
	}
}

/* An independent statement of what socket(2) may be asked for. */
static uint32_t socket_oracle(uint32_t family, uint32_t type, uint32_t protocol)
{
	if (family == AF_UNIX)
		return protocol == 0 && (type == SOCK_STREAM || type == SOCK_DGRAM) ?
			       ALLOWED : FAILS(EPROTONOSUPPORT);
	if (family == AF_INET || family == AF_INET6) {
		if (type == SOCK_STREAM && (protocol == 0 || protocol == 6))
			return ALLOWED;
		if (type == SOCK_DGRAM && (protocol == 0 || protocol == 17))
			return ALLOWED;
		return FAILS(EPROTONOSUPPORT);
	}
	if (family == AF_NETLINK)
		return type == SOCK_RAW && protocol == 0 ? ALLOWED : FAILS(EPROTONOSUPPORT);
	return FAILS(EAFNOSUPPORT);
}

static void test_socket_matrix(void **state)
{
	const struct filter *f = *state;
	uint32_t family, type, protocol, got, allowed = 0;

	for (family = 0; family < 64; family++) {
		for (type = 0; type < 16; type++) {
			for (protocol = 0; protocol < 300; protocol++) {
				got = native(f, SYS_socket, family, type, protocol);
				allowed += got == ALLOWED;
				if (got != socket_oracle(family, type, protocol))
					fail_msg("socket(%u, %u, %u): %#x", family, type, protocol,
						 got);
			}
		}
	}
	assert_int_equal(allowed, 11);
}

/* Each bit of the first argument alone, for the calls that look at a value there. */
static void test_single_bits(void **state)
{
	const struct filter *f = *state;
	const uint32_t denied = 0x7e82a000; /* what clone(2) may not have */
	uint32_t got;
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		got = native(f, SYS_clone, 1ull << bit, 0, 0);
		if (bit < 32 && (1u << bit) & denied)
			assert_int_equal(got, FAILS(EPERM));
		else
			assert_int_equal(got, ALLOWED);
		got = native(f, SYS_prlimit64, 1ull << bit, 0, 0);
		assert_int_equal(got, bit < 32 ? FAILS(EPERM) : ALLOWED);
	}
}

/* ------------------------------------------------------------------------- rules */

static void test_later_rules_win(void **state)
{
	struct seccomp_rule rules[4];
	struct filter f;
	struct sbx_error err;

	(void)state;
	assert_int_equal(seccomp_rule_init(&rules[0], "@net", SBX_SYSCALL_ALLOW, &err), 0);
	assert_int_equal(seccomp_rule_init(&rules[1], "bind", SBX_SYSCALL_ENOSYS, &err), 0);
	assert_int_equal(seccomp_rule_init(&rules[2], "listen", SBX_SYSCALL_EPERM, &err), 0);
	assert_int_equal(seccomp_rule_init(&rules[3], "listen", SBX_SYSCALL_ALLOW, &err), 0);
	assert_int_equal(seccomp_compile(rules, 4, &f.code, &f.n, &err), 0);
	assert_int_equal(native(&f, SYS_bind, 0, 0, 0), FAILS(ENOSYS));
	assert_int_equal(native(&f, SYS_listen, 0, 0, 0), ALLOWED);
	assert_int_equal(native(&f, SYS_connect, 0, 0, 0), ALLOWED);
	assert_int_equal(native(&f, SYS_read, 0, 0, 0), FAILS(EPERM));
	free(f.code);
}

/* A group that changes what a call's arguments may be, and nothing else. */
static void test_terminal(void **state)
{
	struct seccomp_rule rules[3];
	struct filter f;
	struct sbx_error err;
	size_t n;

	(void)state;
	assert_int_equal(seccomp_rule_init(&rules[0], "@base", SBX_SYSCALL_ALLOW, &err), 0);
	assert_int_equal(seccomp_rule_init(&rules[1], "@terminal", SBX_SYSCALL_ALLOW, &err), 0);
	assert_int_equal(seccomp_rule_init(&rules[2], "@terminal", SBX_SYSCALL_EPERM, &err), 0);
	for (n = 1; n <= 3; n++) {
		assert_int_equal(seccomp_compile(rules, n, &f.code, &f.n, &err), 0);
		assert_int_equal(native(&f, SYS_ioctl, 0, TCGETS, 0), ALLOWED);
		assert_int_equal(native(&f, SYS_ioctl, 0, TCSETSW, 0),
				 n == 2 ? ALLOWED : FAILS(ENOTTY));
		assert_int_equal(native(&f, SYS_ioctl, 0, TIOCSPGRP, 0),
				 n == 2 ? ALLOWED : FAILS(ENOTTY));
		assert_int_equal(native(&f, SYS_ioctl, 0, TIOCSTI, 0), FAILS(ENOTTY));
		assert_int_equal(native(&f, SYS_ioctl, 0, TIOCSETD, 0), FAILS(ENOTTY));
		free(f.code);
	}
	assert_int_equal(seccomp_compile(rules + 1, 1, &f.code, &f.n, &err), 0);
	assert_int_equal(native(&f, SYS_ioctl, 0, TCGETS, 0), FAILS(EPERM));
	free(f.code);
}

static void test_empty_allows_nothing(void **state)
{
	struct filter f;
	int nr;

	(void)state;
	compile(&f, NULL, 0);
	for (nr = -1; nr < 1024; nr++)
		assert_int_not_equal(native(&f, nr, 0, 0, 0), ALLOWED);
	free(f.code);
}

static void test_refused_names(void **state)
{
	struct seccomp_rule rule;
	struct sbx_error err;
	size_t i, j, k;

	(void)state;
	for (i = 0; i < seccomp_n_refused; i++) {
		assert_int_equal(seccomp_rule_init(&rule, seccomp_refused[i].syscall,
						   SBX_SYSCALL_ALLOW, &err), -EPERM);
		assert_non_null(strstr(err.text, "no policy can allow this"));
		assert_int_equal(seccomp_rule_init(&rule, seccomp_refused[i].syscall,
						   SBX_SYSCALL_EPERM, &err), 0);
		for (j = 0; j < seccomp_n_groups; j++)
			for (k = 0; seccomp_groups[j].members[k]; k++)
				assert_string_not_equal(seccomp_groups[j].members[k],
							seccomp_refused[i].syscall);
	}
}

static void test_names(void **state)
{
	struct seccomp_rule rule;
	struct sbx_error err;
	size_t i, k;

	(void)state;
	assert_int_equal(seccomp_rule_init(&rule, "opnat", SBX_SYSCALL_ALLOW, &err), -EINVAL);
	assert_string_equal(err.item, "opnat");
	assert_string_equal(err.text, "no such system call; did you mean \"openat\"?");
	assert_int_equal(seccomp_rule_init(&rule, "@fils", SBX_SYSCALL_ALLOW, &err), -EINVAL);
	assert_string_equal(err.text, "no such group of system calls; did you mean \"@files\"?");
	assert_int_equal(seccomp_rule_init(&rule, "socketcall", SBX_SYSCALL_ALLOW, &err), -EINVAL);
	assert_int_equal(seccomp_rule_init(&rule, "", SBX_SYSCALL_ALLOW, &err), -EINVAL);
	assert_int_equal(seccomp_rule_init(&rule, "read", 0, &err), -EINVAL);
	assert_int_equal(seccomp_rule_init(&rule, "read", 4, &err), -EINVAL);
	assert_int_equal(seccomp_rule_init(&rule, "read_or_something_far_too_long_x",
					   SBX_SYSCALL_ALLOW, &err), -EINVAL);
	/* Every member of every group is a call or a group: a typing error would allow nothing. */
	for (i = 0; i < seccomp_n_groups; i++)
		for (k = 0; seccomp_groups[i].members[k]; k++)
			if (seccomp_rule_init(&rule, seccomp_groups[i].members[k],
					      SBX_SYSCALL_ALLOW, &err) < 0)
				fail_msg("%s: %s %s", seccomp_groups[i].name, err.item, err.text);
}

/* --------------------------------------------------------------------- the program */

/* Every instruction is known to the simulator, every jump lands inside, nothing traces. */
static void test_well_formed(void **state)
{
	const struct filter *f = *state;
	const struct sock_filter *c;
	uint32_t i, action;

	assert_true(f->n > 0 && f->n <= BPF_MAXINSNS);
	for (i = 0; i < f->n; i++) {
		c = &f->code[i];
		if (c->code == (BPF_RET | BPF_K)) {
			action = c->k & SECCOMP_RET_ACTION_FULL;
			assert_true(action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_ERRNO ||
				    action == SECCOMP_RET_KILL_PROCESS);
		} else if (c->code == (BPF_JMP | BPF_JA)) {
			assert_true(c->k < f->n - i - 1);
		} else if (BPF_CLASS(c->code) == BPF_JMP) {
			assert_true(c->jt < f->n - i - 1 && c->jf < f->n - i - 1);
		}
	}
	assert_int_equal(f->code[f->n - 1].code, BPF_RET | BPF_K);
}

static void test_simulator_fails_closed(void **state)
{
	static const struct sock_filter bad[][2] = {
		{ { BPF_JMP | BPF_JA, 0, 0, 7 }, { BPF_RET | BPF_K, 0, 0, ALLOWED } },
		{ { BPF_LD | BPF_W | BPF_ABS, 0, 0, 64 }, { BPF_RET | BPF_K, 0, 0, ALLOWED } },
		{ { BPF_LD | BPF_W | BPF_ABS, 0, 0, 2 }, { BPF_RET | BPF_K, 0, 0, ALLOWED } },
		{ { BPF_JMP | BPF_JA, 0, 0, ~0u }, { BPF_RET | BPF_K, 0, 0, ALLOWED } },
		{ { BPF_ALU | BPF_DIV | BPF_K, 0, 0, 0 }, { BPF_RET | BPF_K, 0, 0, ALLOWED } },
	};
	const struct seccomp_data data = { .arch = AUDIT_ARCH_X86_64 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(seccomp_simulate(bad[i], 2, &data, NULL), KILLED);
	assert_int_equal(seccomp_simulate(bad[0], 0, &data, NULL), KILLED);
}

/* ---------------------------------------------------------------------- the kernel */

static int errno_of(long nr, long a, long b, long c)
{
	return syscall(nr, a, b, c) < 0 ? errno : 0;
}

/* The number of the first line that is not as expected; 0: all are. Bad descriptors: no effects. */
static int live_checks(const struct filter *f)
{
	const struct sock_fprog program = { .len = (unsigned short)f->n, .filter = f->code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return 1;
	if (errno_of(SYS_read, -1, 0, 0) != EBADF)
		return __LINE__;
	if (errno_of(SYS_ptrace, -1, 0, 0) != EPERM)
		return __LINE__;
	if (errno_of(SYS_clone3, 0, 0, 0) != ENOSYS || errno_of(1000, 0, 0, 0) != ENOSYS)
		return __LINE__;
	if (errno_of(SYS_socket, 40 /* VSOCK */, SOCK_STREAM, 0) != EAFNOSUPPORT)
		return __LINE__;
	if (errno_of(SYS_socket, (1l << 32) | 40, SOCK_STREAM, 0) != EAFNOSUPPORT)
		return __LINE__;
	if (errno_of(SYS_socket, AF_INET, SOCK_RAW, 1) != EPROTONOSUPPORT)
		return __LINE__;
	if (errno_of(SYS_socket, AF_UNIX, SOCK_STREAM, 0) != 0)
		return __LINE__;
	if (errno_of(SYS_ioctl, -1, FIONBIO, 0) != EBADF ||
	    errno_of(SYS_ioctl, -1, TIOCSTI, 0) != ENOTTY)
		return __LINE__;
	if (errno_of(SYS_ioctl, -1, (1l << 32) | TIOCSTI, 0) != ENOTTY)
		return __LINE__;
	if (errno_of(SYS_fcntl, -1, F_GETFD, 0) != EBADF ||
	    errno_of(SYS_fcntl, -1, F_NOTIFY, 0) != EPERM)
		return __LINE__;
	if (errno_of(SYS_clone, 0x10000000, 0, 0) != EPERM)
		return __LINE__;
	return 0;
}

static int status_of(const struct filter *f, bool foreign)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		status = live_checks(f);
		if (status == 0 && foreign)
			(void)syscall(SYS_getpid | X32_BIT);
		/* A line number does not fit into an exit status: say it. */
		if (status)
			dprintf(2, "# live check of line %d\n", status);
		_exit(status ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_kernel_agrees(void **state)
{
	int status = status_of(*state, false);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	status = status_of(*state, true);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_number),
		cmocka_unit_test(test_foreign_abis),
		cmocka_unit_test(test_argument_rows),
		cmocka_unit_test(test_socket_matrix),
		cmocka_unit_test(test_single_bits),
		cmocka_unit_test(test_later_rules_win),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_empty_allows_nothing),
		cmocka_unit_test(test_refused_names),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_well_formed),
		cmocka_unit_test(test_simulator_fails_closed),
		cmocka_unit_test(test_kernel_agrees),
	};

	return cmocka_run_group_tests_name("seccomp", tests, set_up, tear_down);
}
