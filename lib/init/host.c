/* SPDX-License-Identifier: MIT */

/*
 * What is set in the namespaces themselves, mounts apart: sysctls (through the host's /proc, which
 * a copied mount namespace still shows), host name, loopback; and init's own process.
 */

#include "init.h"

#define SIOCGIFFLAGS 0x8913
#define SIOCSIFFLAGS 0x8914
#define IFF_UP 1
#define KEYCTL_JOIN_SESSION_KEYRING 1

/*
 * Soft limits are what a caller set for itself. The policy's are set for each program; of the
 * caller's only the hard ones stay.
 */
static int limits_raise(void)
{
	struct rlimit64 limit;
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < RLIM_NLIMITS; i++) {
		r = sys_prlimit(i, NULL, &limit);
		limit.rlim_cur = limit.rlim_max;
		if (r >= 0)
			r = sys_prlimit(i, &limit, NULL);
	}
	return r;
}

/* Executed with all capabilities, but maybe still with ids that are mapped to none. */
static int become_root(void)
{
	int r = ids_set(0, 0);

	return r == -EINVAL ? 0 : r; /* a jail of one id has no root */
}

int process_protect(struct init *in)
{
	const unsigned long wanted = SIGNAL_BIT(SIGCHLD);
	const struct sigaction by_default = { 0 };
	int r = become_root();

	if (r >= 0)
		r = limits_raise();
	if (r >= 0)
		r = sys_prctl(PR_SET_DUMPABLE, 0, 0); /* a change of ids resets it */
	if (r < 0)
		return r;
	(void)sys_prctl(PR_SET_NAME, (unsigned long)"sandbox-init", 0);
	sys_umask(0);
	/* No namespace separates keyrings: leave the caller's session behind. */
	r = (int)sys3(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0, 0);
	if (r < 0 && r != -ENOSYS)
		return r;
	/* An ignored SIGCHLD would reap behind our back. The others cannot hurt a PID 1. */
	r = sys_sigaction(SIGCHLD, &by_default);
	if (r >= 0)
		r = sys_sigprocmask(SIG_SETMASK, wanted);
	if (r >= 0)
		r = sys_signalfd(wanted);
	if (r < 0)
		return r;
	in->signals = r;
	return 0;
}

/* `path` is relative, without "..": it cannot leave /proc/sys. */
static int sysctl_write(int dir, const char *path, const char *value)
{
	_cleanup_close_ int fd = -1;
	long n;

	fd = sys_openat2(dir, path, O_WRONLY, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return fd;
	n = sys_write(fd, value, strlen(value));
	return n < 0 ? (int)n : 0;
}

/*
 * What programs watch is counted by user, and the kernel counts it as that of each namespace's
 * maker, too: without a cap of its own a jail can use up all that its caller, or root, may have
 * (128 instances), and no other jail nor a service of the host could watch anything.
 */
static int cap_counters(int dir)
{
	int r = sysctl_write(dir, "user/max_inotify_instances", "8");

	if (r >= 0)
		r = sysctl_write(dir, "user/max_inotify_watches", "8192");
	return r == -ENOENT ? 0 : r; /* a kernel without inotify */
}

int sysctls_write(struct init *in)
{
	const struct plan_header *p = in->plan;
	const struct plan_sysctl *s = (const void *)((const char *)p + p->sysctls_off);
	_cleanup_close_ int dir = sys_open("/proc/sys", O_PATH | O_DIRECTORY);
	int r;

	if (dir < 0)
		return dir;
	for (uint32_t i = 0; i < p->n_sysctls; i++) {
		const char *path = string_at(&in->plan_strings, s[i].path);
		const char *value = string_at(&in->plan_strings, s[i].value);

		in->index = (int32_t)i;
		if (!path || !value)
			return -EINVAL;
		if ((s[i].flags & PLAN_SYSCTL_NET) && (in->start->flags & START_JOINED_NET))
			continue;
		r = sysctl_write(dir, path, value);
		if (r < 0)
			return r;
	}
	in->index = -1;
	r = cap_counters(dir);
	if (r < 0)
		return r;
	if (p->flags & PLAN_NO_NEW_USERNS)
		return sysctl_write(dir, "user/max_user_namespaces", "0");
	return 0;
}

int hostname_set(struct init *in)
{
	const char *name = in->start->hostname;

	if (!*name)
		name = string_at(&in->plan_strings, in->plan->hostname);
	if (!name)
		return -EINVAL;
	return *name ? sys_sethostname(name, strlen(name)) : 0;
}

int loopback_up(struct init *in)
{
	struct {
		char name[16];
		int16_t flags;
		char rest[22];
	} request = { .name = "lo" }; /* struct ifreq, whose header needs a libc */
	_cleanup_close_ int fd = -1;
	int r;

	if (in->start->flags & START_JOINED_NET)
		return 0;
	fd = sys_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	r = sys_ioctl(fd, SIOCGIFFLAGS, &request);
	if (r < 0)
		return r;
	request.flags |= IFF_UP;
	return sys_ioctl(fd, SIOCSIFFLAGS, &request);
}
