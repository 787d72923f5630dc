/* SPDX-License-Identifier: MIT */

/*
 * What doctor prints of the host. Every check looks and changes nothing: it reads /proc, or makes a
 * system call in a form that only says whether it exists (a size the kernel must refuse, a
 * descriptor that is closed at once). Each says what breaks without it, and the command that
 * repairs it, so that a failure is found before the first submission is.
 *
 * FAIL: no jail, or none with limits, can be made. WARN: jails work and something is weaker, slower
 * or missing from results.
 */

#include "probe.h"
#include "error.h"
#include "ids.h"
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

#define ID_BASE 1900000000u
#define ID_COUNT 2048u

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

/* Names those of `needed` that the caller does not have, "" if it has all. */
static void missing_capabilities(char *ret, size_t size)
{
	static const cap_value_t needed[] = { CAP_SYS_ADMIN, CAP_SETUID,       CAP_SETGID,
					      CAP_KILL,      CAP_DAC_OVERRIDE, CAP_CHOWN };
	cap_t caps = cap_get_proc();
	cap_flag_value_t value;
	size_t n = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(needed) && n < size; i++) {
		char *name;

		if (caps && cap_get_flag(caps, needed[i], CAP_EFFECTIVE, &value) == 0 &&
		    value == CAP_SET)
			continue;
		name = cap_to_name(needed[i]);
		n += (size_t)snprintf(ret + n, size - n, "%s%s", n ? " " : "", name ? name : "?");
		(void)cap_free(name);
	}
	(void)cap_free(caps);
}

static void check_privilege(struct sbx_check *c)
{
	char missing[128];

	missing_capabilities(missing, sizeof(missing));
	if (geteuid() == 0 && !missing[0])
		probe_pass(c, "root with the capabilities that are needed");
	else if (geteuid() != 0)
		probe_set(c, SBX_CHECK_FAIL,
			  "no jail can be made: ids, mounts and cgroups need root",
			  "sudo sandbox-run ...", "uid %u, not root", (unsigned int)geteuid());
	else
		probe_set(c, SBX_CHECK_FAIL, "no jail can be made",
			  "run on the host, or the container with --privileged",
			  "root without %.70s", missing);
}

static void check_namespaces(struct sbx_check *c)
{
	static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "user", "uts" };
	char path[40];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		if (exists(path))
			continue;
		probe_set(c, SBX_CHECK_FAIL, "no jail can be made",
			  "boot a kernel with all namespaces (every distribution's has them)",
			  "%s namespaces are missing", names[i]);
		return;
	}
	probe_pass(c, "cgroup ipc mnt net pid user uts");
}

static void check_userns(struct sbx_check *c)
{
	char max[32] = "";

	if (!probe_line("/proc/sys/user/max_user_namespaces", max, sizeof(max)))
		probe_set(c, SBX_CHECK_FAIL, "no jail can be made: each has a user namespace",
			  "boot a kernel with CONFIG_USER_NS", "no user.max_user_namespaces");
	else if (streq(max, "0"))
		probe_set(c, SBX_CHECK_FAIL, "no jail can be made: each has a user namespace",
			  "sysctl -w user.max_user_namespaces=16384",
			  "user.max_user_namespaces = 0");
	else
		probe_pass(c, "user.max_user_namespaces = %s", max);
}

/* Ubuntu 24.04 on. Root is exempt; the message that an unprivileged caller gets names neither. */
static void check_apparmor(struct sbx_check *c)
{
	char value[32] = "";

	if (!probe_line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", value,
			sizeof(value)))
		probe_pass(c, "kernel.apparmor_restrict_unprivileged_userns is absent");
	else if (streq(value, "0") || geteuid() == 0)
		probe_pass(c, "kernel.apparmor_restrict_unprivileged_userns = %s%s", value,
			   streq(value, "0") ? "" : ": root is exempt");
	else
		probe_set(c, SBX_CHECK_WARN,
			  "callers that are not root cannot make user namespaces",
			  "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
			  "kernel.apparmor_restrict_unprivileged_userns = %s", value);
}

/* Whether this user namespace has all of our ids: a container's often has not. */
static bool ids_are_mapped(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	unsigned long long inside, outside, count;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llu %llu %llu", &inside, &outside, &count) == 3 &&
		    inside <= ID_BASE && inside + count >= ID_BASE + (uint64_t)ID_COUNT * ID_RANGE)
			return true;
	return false;
}

static void check_ids(struct sbx_check *c)
{
	static const char breaks[] = "jails cannot have host ids of their own";
	struct sbx_error err = { 0 };

	if (ids_check(ID_BASE, ID_COUNT, &err) < 0)
		probe_set(c, SBX_CHECK_FAIL, breaks,
			  "remove the entry from that file, or pass another id_base in struct "
			  "sbx_ctx_options",
			  "%.12s: %.80s", err.item, err.text);
	else if (!ids_are_mapped("/proc/self/uid_map") || !ids_are_mapped("/proc/self/gid_map"))
		probe_set(c, SBX_CHECK_FAIL, breaks,
			  "run on the host, or in a container that is not in a user namespace",
			  "this user namespace has no ids %u to %u", ID_BASE,
			  ID_BASE + ID_COUNT * ID_RANGE - 1);
	else
		probe_pass(c, "%u to %u are free", ID_BASE, ID_BASE + ID_COUNT * ID_RANGE - 1);
}

static void check_runtime_dir(struct sbx_check *c)
{
	static const char path[] = "/run/sandbox";
	struct stat st;

	if (stat(path, &st) < 0 && errno == ENOENT && access("/run", W_OK | X_OK) == 0)
		probe_pass(c, "%s will be made", path);
	else if (access(path, W_OK | X_OK) < 0)
		probe_set(c, SBX_CHECK_FAIL, "owner tokens and leases of ids have no place",
			  geteuid() ? "run as root"
				    : "mount -o remount,rw /run && mkdir -p -m 0700 /run/sandbox",
			  "%s: %s", path, strerror(errno));
	else if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
		probe_set(c, SBX_CHECK_FAIL, "others could release the ids of running jails",
			  "chown root /run/sandbox && chmod 0700 /run/sandbox",
			  "%s: uid %u, mode %04o", path, (unsigned int)st.st_uid,
			  st.st_mode & 07777);
	else
		probe_pass(c, "%s", path);
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

static void check_memfd(struct sbx_check *c)
{
	int fd = memfd_create("sandbox-probe", MFD_CLOEXEC | MFD_EXEC);

	if (fd < 0 && errno == EINVAL) /* the flag is 6.3 */
		fd = memfd_create("sandbox-probe", MFD_CLOEXEC);
	if (fd < 0)
		probe_set(c, SBX_CHECK_FAIL,
			  "no jail can be made: its init is executed from a memfd",
			  "sysctl -w vm.memfd_noexec=1", "an executable memfd is refused: %s",
			  strerror(errno));
	else
		probe_pass(c, "may be executed");
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

static void check_overlay(struct sbx_check *c)
{
	static const char breaks[] = "database instances and writable node_modules cannot be "
				     "mounted";

	if (!has_filesystem("overlay"))
		probe_set(c, SBX_CHECK_WARN, breaks, "modprobe overlay", "not loaded");
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
			   probe_kernel_at_least(6, 3) ? "ext4, xfs, btrfs, overlay, tmpfs"
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

/* --------------------------------------------------------------- environment */

/* `buf` holds the name where it is read from a file. */
static const char *container_kind(char *buf, size_t size)
{
	struct utsname u = { 0 };

	(void)uname(&u);
	if (strstr(u.release, "microsoft") || strstr(u.release, "Microsoft"))
		return "WSL";
	if (exists("/.dockerenv"))
		return "docker";
	if (exists("/run/.containerenv"))
		return "podman";
	if (exists("/var/run/secrets/kubernetes.io"))
		return "kubernetes";
	return probe_line("/run/systemd/container", buf, size) ? buf : NULL;
}

static void check_container(struct sbx_check *c)
{
	char buf[64], missing[128];
	const char *kind = container_kind(buf, sizeof(buf));

	missing_capabilities(missing, sizeof(missing));
	if (!kind)
		probe_pass(c, "none seen");
	else if (streq(kind, "WSL"))
		probe_set(c, SBX_CHECK_WARN, "WSL mounts cgroup v1 unless told otherwise",
			  "put kernelCommandLine=cgroup_no_v1=all into .wslconfig, then wsl "
			  "--shutdown",
			  "WSL");
	else if (missing[0])
		probe_set(c, SBX_CHECK_WARN, "it hides what jails are made of: see the other lines",
			  "docker run --privileged --cgroupns=host, or run on the host", "%.60s",
			  kind);
	else
		probe_pass(c, "%.60s, privileged", kind);
}

static const struct {
	const char *name;
	void (*run)(struct sbx_check *c);
} checks[] = {
	{ "kernel", check_kernel },
	{ "privilege", check_privilege },
	{ "container", check_container },
	{ "system-calls", check_system_calls },
	{ "namespaces", check_namespaces },
	{ "user-namespaces", check_userns },
	{ "apparmor", check_apparmor },
	{ "ids", check_ids },
	{ "runtime-directory", check_runtime_dir },
	{ "cgroups", probe_cgroups },
	{ "cgroup-memory", probe_cgroup_memory },
	{ "cgroup-pids", probe_cgroup_pids },
	{ "cgroup-cpu", probe_cgroup_cpu },
	{ "cgroup-kill", probe_cgroup_kill },
	{ "memory-peak", probe_memory_peak },
	{ "swap", probe_swap },
	{ "seccomp", check_seccomp },
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
