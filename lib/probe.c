/* SPDX-License-Identifier: MIT */

/*
 * What doctor prints of the host. Every check looks and changes nothing: it reads /proc, or makes a
 * system call in a form that only says whether it exists (a size the kernel must refuse, a
 * descriptor that is closed at once). Each says what breaks without it, and the command that
 * repairs it, so that a failure is found before the first submission is.
 *
 * FAIL: no jail, or as root none with limits, can be made. WARN: jails work and something is
 * weaker, slower, refused or missing from results. What only root has is no failure for anybody
 * else. Questions about the caller are in probe-caller.c, about control groups in probe-cgroup.c.
 */

#include "probe.h"
#include "caller.h"
#include "error.h"
#include "util/util.h"
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdarg.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#define LANDLOCK_VERSION 1u

/* ---------------------------------------------------------------- helpers */

void probe_pass(struct sbx_check *c, const char *fmt, ...)
{
	va_list ap;

	c->status = SBX_CHECK_PASS;
	va_start(ap, fmt);
	(void)vsnprintf(c->found, sizeof(c->found), fmt, ap);
	va_end(ap);
}

void probe_set(struct sbx_check *c, int status, const char *breaks, const char *remedy,
	       const char *fmt, ...)
{
	va_list ap;

	c->status = status;
	copy_string(c->breaks, sizeof(c->breaks), breaks);
	copy_string(c->remedy, sizeof(c->remedy), remedy);
	va_start(ap, fmt);
	(void)vsnprintf(c->found, sizeof(c->found), fmt, ap);
	va_end(ap);
}

bool probe_line(const char *path, char *buf, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");

	if (!f || !fgets(buf, (int)size, f))
		return false;
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

bool probe_kernel_at_least(unsigned int major, unsigned int minor)
{
	unsigned int a = 0, b = 0;
	struct utsname u;

	if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &a, &b) != 2)
		return false;
	return a > major || (a == major && b >= minor);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* ----------------------------------------------------- kernel and privilege */

static void check_kernel(struct sbx_check *c)
{
	struct utsname u = { 0 };

	(void)uname(&u);
	if (probe_kernel_at_least(5, 15))
		probe_pass(c, "Linux %.60s", u.release);
	else
		probe_set(c, SBX_CHECK_FAIL, "jails use system calls that came with 5.12 to 5.15",
			  "boot Linux 5.15 or newer (Debian 12 has 6.1)", "Linux %.60s", u.release);
}

static void check_namespaces(struct sbx_check *c)
{
	static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "user", "uts" };
	char path[64], max[32] = "", remedy[80];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		if (exists(path))
			continue;
		probe_set(c, SBX_CHECK_FAIL, "no jail can be made",
			  "boot a kernel with all namespaces (every distribution's has them)",
			  "%s namespaces are missing", names[i]);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", names[i]);
		if (!probe_line(path, max, sizeof(max)) || !streq(max, "0"))
			continue;
		(void)snprintf(remedy, sizeof(remedy), "sysctl -w user.max_%s_namespaces=16384",
			       names[i]);
		probe_set(c, SBX_CHECK_FAIL, "no jail can be made", remedy,
			  "user.max_%s_namespaces = 0", names[i]);
		return;
	}
	probe_pass(c, "cgroup ipc mnt net pid user uts");
}

/* ------------------------------------------------------------ system calls */

/* The call is known if the kernel (or a filter of a container) does not say ENOSYS or EPERM. */
static bool known(long result)
{
	return result >= 0 || (errno != ENOSYS && errno != EPERM);
}

/*
 * clone3 with a size below its first version, openat2 and mount_setattr likewise: refused with
 * EINVAL before anything happens. A container's seccomp filter answers ENOSYS or EPERM instead.
 */
static void check_system_calls(struct sbx_check *c)
{
	const char *missing = NULL;
	int fd;

	if (!known(syscall(SYS_clone3, NULL, 0)))
		missing = "clone3";
	else if (!known(syscall(SYS_openat2, AT_FDCWD, ".", NULL, 0)))
		missing = "openat2";
	else if (!known(syscall(SYS_mount_setattr, -1, "", 0, NULL, 0)))
		missing = "mount_setattr";
	else if (!known(syscall(SYS_close_range, ~0u, 0, 0)))
		missing = "close_range";
	fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (fd < 0)
		missing = "pidfd_open";
	(void)close_fd(fd);
	if (missing)
		probe_set(c, SBX_CHECK_FAIL, "no jail can be made",
			  "boot Linux 5.15; in a container: --security-opt seccomp=unconfined",
			  "%s: %s", missing, "missing or forbidden");
	else
		probe_pass(c, "clone3 openat2 mount_setattr close_range pidfd_open");
}

/* Making a file system context mounts nothing. EPERM without privilege is check_privilege()'s. */
static void check_mounts(struct sbx_check *c)
{
	int fd = (int)syscall(SYS_fsopen, "tmpfs", 1u /* FSOPEN_CLOEXEC */);

	if (fd < 0 && (errno != EPERM || geteuid() == 0))
		probe_set(c, SBX_CHECK_FAIL, "no jail can be made",
			  "boot Linux 5.15; in a container: --privileged", "fsopen: %s",
			  strerror(errno));
	else
		probe_pass(c, fd < 0 ? "fsopen exists (it needs root)" : "fsopen of a tmpfs works");
	(void)close_fd(fd);
}

/* vm.memfd_noexec (6.3): 0 and 1 let init be executed, as it asks for that; 2 does not. */
static void check_memfd(struct sbx_check *c)
{
	char value[32] = "absent";
	int fd;

	(void)probe_line("/proc/sys/vm/memfd_noexec", value, sizeof(value));
	fd = memfd_create("sandbox-probe", MFD_CLOEXEC | MFD_EXEC);
	if (fd < 0 && errno == EINVAL) /* the flag is 6.3 */
		fd = memfd_create("sandbox-probe", MFD_CLOEXEC);
	if (fd < 0)
		probe_set(c, SBX_CHECK_FAIL,
			  "no jail can be made: its init is executed from a memfd",
			  "sysctl -w vm.memfd_noexec=1", "vm.memfd_noexec = %s: %s", value,
			  strerror(errno));
	else
		probe_pass(c, "may be executed (vm.memfd_noexec: %s)", value);
	(void)close_fd(fd);
}

static void check_seccomp(struct sbx_check *c)
{
	const struct scmp_version *v = seccomp_version();
	char actions[256] = "";

	if (!probe_line("/proc/sys/kernel/seccomp/actions_avail", actions, sizeof(actions)) ||
	    !strstr(actions, "kill_process") || !strstr(actions, "errno"))
		probe_set(c, SBX_CHECK_FAIL, "no system call filter: every jail is refused",
			  "boot a kernel with CONFIG_SECCOMP_FILTER",
			  "the kernel does not filter system calls");
	else
		probe_pass(c, "filters; libseccomp %u.%u.%u, API level %u", v ? v->major : 0,
			   v ? v->minor : 0, v ? v->micro : 0, seccomp_api_get());
}

static void check_seccomp_notify(struct sbx_check *c)
{
	char actions[256] = "";

	if (probe_line("/proc/sys/kernel/seccomp/actions_avail", actions, sizeof(actions)) &&
	    strstr(actions, "user_notif"))
		probe_pass(c, "programs can be traced");
	else
		probe_set(c, SBX_CHECK_WARN, "sandbox-run trace cannot watch system calls",
			  "boot Linux 5.5 or newer with CONFIG_SECCOMP_FILTER",
			  "no user_notif in kernel.seccomp.actions_avail");
}

static void check_landlock(struct sbx_check *c)
{
	static const char breaks[] = "a second line of defence is missing; policies list it as "
				     "optional";
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);

	if (abi >= 2)
		probe_pass(c, "ABI %ld", abi);
	else if (abi == 1)
		probe_set(c, SBX_CHECK_WARN, breaks, "boot Linux 5.19 or newer",
			  "ABI 1; 2 is needed");
	else
		probe_set(c, SBX_CHECK_WARN, breaks,
			  "boot with lsm=landlock,... (see the lsm= list of your kernel's command "
			  "line)",
			  "%s",
			  errno == EOPNOTSUPP ? "in the kernel but not enabled"
					      : "not in this kernel");
}

/* ------------------------------------------------------------- file systems */

static bool has_filesystem(const char *name)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/filesystems", "re");
	char line[128], *tab;

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		tab = strchr(line, '\t');
		if (tab && streq(tab + 1, name))
			return true;
	}
	return false;
}

/* The kernel loads it when it is first mounted. */
static bool is_module(const char *name)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[160], word[64], line[1024];
	struct utsname u = { 0 };

	(void)uname(&u);
	(void)snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", u.release);
	(void)snprintf(word, sizeof(word), "/%s.ko", name);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, ":")] = '\0';
		if (strstr(line, word))
			return true;
	}
	return false;
}

static void check_overlay(struct sbx_check *c)
{
	static const char breaks[] = "database instances and writable node_modules cannot be "
				     "mounted";

	if (!has_filesystem("overlay") && !is_module("overlay"))
		probe_set(c, SBX_CHECK_WARN, breaks, "boot a kernel with CONFIG_OVERLAY_FS",
			  "the kernel has none");
	else if (!probe_kernel_at_least(5, 19))
		probe_set(c, SBX_CHECK_WARN, breaks, "boot Linux 5.19 or newer",
			  "over id-mapped mounts it needs Linux 5.19");
	else
		probe_pass(c, "in user namespaces, over id-mapped mounts");
}

/* By history: ext4, xfs and vfat 5.12 to 5.15, btrfs 5.15, overlay 5.19, tmpfs 6.3. */
static void check_idmap(struct sbx_check *c)
{
	if (probe_kernel_at_least(5, 12))
		probe_pass(c, "%s",
			   !caller_is_privileged(&default_ids) ? "in the kernel, for root only"
			   : probe_kernel_at_least(6, 3)       ? "ext4, xfs, btrfs, overlay, tmpfs"
							 : "ext4, xfs (tmpfs needs Linux 6.3)");
	else
		probe_set(c, SBX_CHECK_FAIL, "stored dependencies and databases cannot be mounted",
			  "boot Linux 5.15 or newer", "needs Linux 5.12");
}

/*
 * The kernel mounts a new procfs in a user namespace only if the caller's own is fully visible. A
 * mount over a part of it (what containers do to hide /proc/kcore and others) makes that fail; over
 * a directory that is always empty it does not.
 */
static void check_procfs(struct sbx_check *c)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096], target[512], first[64] = "";
	unsigned int n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %*s %*s %511s", target) != 1 ||
		    !starts_with(target, "/proc/") ||
		    starts_with(target, "/proc/sys/fs/binfmt_misc") ||
		    streq(target, "/proc/fs/nfsd"))
			continue;
		if (n++ == 0)
			copy_string(first, sizeof(first), target);
	}
	if (n)
		probe_set(c, SBX_CHECK_FAIL,
			  "no jail can be made: the kernel refuses it a /proc of its own",
			  "run on the host, or the container with --privileged (docker: "
			  "--security-opt systempaths=unconfined)",
			  "%u mounts lie over it (%.50s)", n, first);
	else
		probe_pass(c, "fully visible");
}

static void check_core_pattern(struct sbx_check *c)
{
	char pattern[256] = "";

	(void)probe_line("/proc/sys/kernel/core_pattern", pattern, sizeof(pattern));
	if (pattern[0] == '|')
		probe_set(c, SBX_CHECK_WARN,
			  "a crash in a jail starts that program on the host, as root, which takes "
			  "time",
			  "sysctl -w kernel.core_pattern=core", "%.90s", pattern);
	else
		probe_pass(c, "\"%.80s\" starts no program", pattern);
}

/* ----------------------------------------------------------------- network */

/* Asks for a listener that cannot be: ENOENT says that the question is understood. */
static int ask_sock_diag(void)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 ask;
	} request = { .head = { .nlmsg_len = sizeof(request),
				.nlmsg_type = SOCK_DIAG_BY_FAMILY,
				.nlmsg_flags = NLM_F_REQUEST },
		      .ask = { .sdiag_family = AF_INET,
			       .sdiag_protocol = IPPROTO_TCP,
			       .idiag_states = ~0u,
			       .id = { .idiag_cookie = { ~0u, ~0u } } } };
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[512];
	} reply;
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	const struct timeval second = { .tv_sec = 1 };

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)) < 0 ||
	    send(fd, &request, sizeof(request), 0) != (ssize_t)sizeof(request))
		return -errno;
	if (recv(fd, &reply, sizeof(reply), 0) < (ssize_t)(sizeof(reply.head) + sizeof(int)))
		return -EPROTO;
	return reply.head.nlmsg_type == NLMSG_ERROR ? reply.error.error : 0;
}

static void check_sock_diag(struct sbx_check *c)
{
	int r = ask_sock_diag();

	if (r == -ENOENT || r == 0)
		probe_pass(c, "listeners of a jail can be found");
	else
		probe_set(c, SBX_CHECK_WARN,
			  "nobody can tell when a server listens, or on which port",
			  "modprobe -a inet_diag tcp_diag", "sock_diag: %s", strerror(-r));
}

static void check_ipv6(struct sbx_check *c)
{
	if (exists("/proc/net/if_inet6"))
		probe_pass(c, "jails have ::1");
	else
		probe_set(c, SBX_CHECK_WARN,
			  "servers that listen on \"::\" (Node's default falls back to IPv4) "
			  "may fail",
			  "boot without ipv6.disable=1", "the host has none");
}

static const struct {
	const char *name;
	void (*run)(struct sbx_check *c);
} checks[] = {
	{ "kernel", check_kernel },
	{ "privilege", probe_privilege },
	{ "container", probe_container },
	{ "system-calls", check_system_calls },
	{ "namespaces", check_namespaces },
	{ "user-namespaces", probe_userns },
	{ "userns-clone", probe_userns_clone },
	{ "apparmor", probe_apparmor },
	{ "ids", probe_ids },
	{ "newuidmap", probe_newuidmap },
	{ "subordinate-ids", probe_subids },
	{ "runtime-directory", probe_runtime_dir },
	{ "cgroups", probe_cgroups },
	{ "delegation", probe_delegation },
	{ "cgroup-memory", probe_cgroup_memory },
	{ "cgroup-pids", probe_cgroup_pids },
	{ "cgroup-cpu", probe_cgroup_cpu },
	{ "cgroup-kill", probe_cgroup_kill },
	{ "clone-into-cgroup", probe_clone_into_cgroup },
	{ "memory-peak", probe_memory_peak },
	{ "swap", probe_swap },
	{ "seccomp", check_seccomp },
	{ "seccomp-notify", check_seccomp_notify },
	{ "landlock", check_landlock },
	{ "memfd", check_memfd },
	{ "mounts", check_mounts },
	{ "id-mapped-mounts", check_idmap },
	{ "overlay", check_overlay },
	{ "procfs", check_procfs },
	{ "sock-diag", check_sock_diag },
	{ "ipv6", check_ipv6 },
	{ "core-pattern", check_core_pattern },
};

SBX_PUBLIC int sbx_probe(struct sbx_check *ret, uint32_t n)
{
	for (uint32_t i = 0; i < n && i < ARRAY_SIZE(checks); i++) {
		memset(&ret[i], 0, sizeof(ret[i]));
		copy_string(ret[i].name, sizeof(ret[i].name), checks[i].name);
		checks[i].run(&ret[i]);
	}
	return (int)ARRAY_SIZE(checks);
}
