/* SPDX-License-Identifier: MIT */

/*
 * What doctor says of the caller: what its privileges, its user namespaces and its ids allow. The
 * switches of distributions that forbid user namespaces to ordinary users are named by name,
 * because the kernel's EPERM names none of them.
 */

#include "caller.h"
#include "error.h"
#include "ids.h"
#include "probe.h"
#include "util/util.h"
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#define PROBE_STACK 16384

void probe_privilege(struct sbx_check *c)
{
	static const char breaks[] = "what root's jails have is missing: control groups without "
				     "delegation, ids of their own, id-mapped mounts";
	char missing[128];

	caller_lacks(missing, sizeof(missing));
	if (caller_is_privileged(&default_ids))
		probe_pass(c, "root with the capabilities that are needed");
	else if (geteuid() != 0)
		probe_set(c, SBX_CHECK_WARN, breaks,
			  "nothing, unless those are needed: sudo sandbox-run ...",
			  "uid %u: jails are made as an ordinary user", (unsigned int)geteuid());
	else
		probe_set(c, SBX_CHECK_WARN, breaks,
			  "run on the host, or the container with --privileged and no user "
			  "namespace",
			  "root without %.60s", missing[0] ? missing : "the host's ids");
}

/* ---------------------------------------------------------------- user namespaces */

static int end_at_once(void *unused)
{
	(void)unused;
	return 0;
}

/*
 * Makes one, for a child that ends at once in the memory of the caller, which waits: a copy of it
 * would cost what the caller is large. With signals blocked no handler of the caller runs there.
 */
static int try_userns(void)
{
	_cleanup_free_ char *stack = malloc(PROBE_STACK);
	sigset_t all, before;
	int pid, r;

	if (!stack)
		return -ENOMEM;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = clone(end_at_once, stack + PROBE_STACK, CLONE_VM | CLONE_VFORK | CLONE_NEWUSER, NULL);
	r = pid < 0 ? -errno : 0;
	if (pid > 0)
		(void)waitpid(pid, NULL, __WALL);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

void probe_userns(struct sbx_check *c)
{
	static const char breaks[] = "no jail can be made: each has a user namespace";
	char max[32] = "";
	int r;

	if (!probe_line("/proc/sys/user/max_user_namespaces", max, sizeof(max))) {
		probe_set(c, SBX_CHECK_FAIL, breaks, "boot a kernel with CONFIG_USER_NS",
			  "no user.max_user_namespaces");
		return;
	}
	r = try_userns();
	if (r >= 0)
		probe_pass(c, "can be made; user.max_user_namespaces = %s", max);
	else if (streq(max, "0") || r == -ENOSPC)
		probe_set(c, SBX_CHECK_FAIL, breaks, "sysctl -w user.max_user_namespaces=16384",
			  "user.max_user_namespaces = %s%s", max,
			  streq(max, "0") ? "" : ", and all are in use");
	else
		probe_set(c, SBX_CHECK_FAIL, breaks,
			  "see userns-clone and apparmor; in a container: --security-opt "
			  "seccomp=unconfined; not in a chroot",
			  "refused: %s", strerror(-r));
}

/* A switch of Debian's kernel, and of others that took it over. Root is exempt. */
void probe_userns_clone(struct sbx_check *c)
{
	char value[32] = "";

	if (!probe_line("/proc/sys/kernel/unprivileged_userns_clone", value, sizeof(value)))
		probe_pass(c, "kernel.unprivileged_userns_clone is absent");
	else if (streq(value, "0") && !caller_is_privileged(&default_ids))
		probe_set(c, SBX_CHECK_FAIL, "no jail can be made by an ordinary user",
			  "sysctl -w kernel.unprivileged_userns_clone=1",
			  "kernel.unprivileged_userns_clone = 0");
	else
		probe_pass(c, "kernel.unprivileged_userns_clone = %s%s", value,
			   streq(value, "0") ? ": root is exempt" : "");
}

/* Ubuntu 23.10 on. Who has a profile of its own is not "unconfined". */
void probe_apparmor(struct sbx_check *c)
{
	static const char file[] = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
	char value[32] = "", profile[128] = "unconfined";

	(void)(probe_line("/proc/self/attr/apparmor/current", profile, sizeof(profile)) ||
	       probe_line("/proc/self/attr/current", profile, sizeof(profile)));
	if (!probe_line(file, value, sizeof(value)))
		probe_pass(c, "kernel.apparmor_restrict_unprivileged_userns is absent");
	else if (streq(value, "0") || caller_is_privileged(&default_ids))
		probe_pass(c, "kernel.apparmor_restrict_unprivileged_userns = %s%s", value,
			   streq(value, "0") ? "" : ": root is exempt");
	else if (!streq(profile, "unconfined"))
		probe_pass(c, "kernel.apparmor_restrict_unprivileged_userns = %s, profile %.24s",
			   value, profile);
	else
		probe_set(c, SBX_CHECK_FAIL, "no jail can be made by an ordinary user",
			  "cp policies/apparmor/sandbox-run /etc/apparmor.d/ && apparmor_parser -r "
			  "there; or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
			  "kernel.apparmor_restrict_unprivileged_userns = %s", value);
}

/* ---------------------------------------------------------------------------- ids */

void probe_ids(struct sbx_check *c)
{
	static const char breaks[] = "jails cannot have host ids of their own";
	struct sbx_error err = { 0 };

	if (!caller_is_privileged(&default_ids))
		probe_pass(c, "not used without privileges: see subordinate-ids");
	else if (ids_check(default_ids.base, default_ids.count, &err) < 0)
		probe_set(c, SBX_CHECK_FAIL, breaks,
			  "remove the entry from that file, or pass another id_base in struct "
			  "sbx_ctx_options",
			  "%.12s: %.80s", err.item, err.text);
	else
		probe_pass(c, "%u to %u are free", default_ids.base,
			   default_ids.base + default_ids.count * default_ids.size - 1);
}

static const char one_id[] = "jails have one id only, the caller's own on the host";

/* Setuid root, or with file capabilities (Fedora); neither helps under no_new_privs. */
static const char *why_no_newuidmap(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return "is missing";
	if (!(st.st_uid == 0 && st.st_mode & S_ISUID) &&
	    getxattr(path, "security.capability", NULL, 0) <= 0)
		return "is neither setuid root nor has capabilities";
	if (access(path, X_OK) < 0)
		return "may not be executed";
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return "is powerless: the caller runs with no_new_privs";
	return NULL;
}

void probe_newuidmap(struct sbx_check *c)
{
	static const char *const programs[] = { "/usr/bin/newuidmap", "/usr/bin/newgidmap" };
	const char *why = NULL;

	if (caller_is_privileged(&default_ids)) {
		probe_pass(c, "not needed as root");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		why = why_no_newuidmap(programs[i]);
		if (!why)
			continue;
		probe_set(c, SBX_CHECK_WARN, one_id,
			  strstr(why, "no_new_privs")
				  ? "start it without no_new_privs (containers: no-new-privileges, "
				    "systemd: NoNewPrivileges=)"
				  : "apt-get install --reinstall uidmap",
			  "%s %s", programs[i], why);
		return;
	}
	probe_pass(c, "newuidmap and newgidmap can be used");
}

void probe_subids(struct sbx_check *c)
{
	struct passwd entry, *pw = NULL;
	char buf[4096], remedy[160];
	uint32_t uids, gids, least, first;

	if (caller_is_privileged(&default_ids)) {
		probe_pass(c, "not needed as root");
		return;
	}
	(void)getpwuid_r(geteuid(), &entry, buf, sizeof(buf), &pw);
	uids = ids_subordinate("/etc/subuid", geteuid(), &first);
	gids = ids_subordinate("/etc/subgid", geteuid(), &first);
	least = MIN_OF(uids, gids);
	if (least >= ID_RANGE_SUBORDINATE) {
		probe_pass(c, "%u: enough for %u jails at once", least,
			   least / ID_RANGE_SUBORDINATE);
		return;
	}
	if (pw)
		(void)snprintf(remedy, sizeof(remedy),
			       "as root: usermod --add-subuids 100000-165535 --add-subgids "
			       "100000-165535 %.40s (any range that is free)",
			       pw->pw_name);
	else
		(void)snprintf(remedy, sizeof(remedy),
			       "as root: echo %u:100000:65536 | tee -a /etc/subuid /etc/subgid "
			       "(any range that is free)",
			       (unsigned int)geteuid());
	probe_set(c, SBX_CHECK_WARN, one_id, remedy, "/etc/subuid: %u, /etc/subgid: %u; %u needed",
		  uids, gids, ID_RANGE_SUBORDINATE);
}

/* --------------------------------------------------------------- where it runs */

static void runtime_dir(char *parent, size_t parent_size, char *path, size_t size)
{
	const char *xdg = secure_getenv("XDG_RUNTIME_DIR");

	if (caller_is_privileged(&default_ids)) {
		copy_string(parent, parent_size, "/run");
		copy_string(path, size, "/run/sandbox");
	} else if (xdg && *xdg == '/') {
		copy_string(parent, parent_size, xdg);
		(void)snprintf(path, size, "%.60s/sandbox", xdg);
	} else {
		copy_string(parent, parent_size, "/tmp");
		(void)snprintf(path, size, "/tmp/sandbox-%u", (unsigned int)geteuid());
	}
}

void probe_runtime_dir(struct sbx_check *c)
{
	static const char breaks[] = "no jail can be made: owner tokens and leases of ids have no "
				     "place";
	char parent[64], path[80], remedy[160];
	struct stat st;

	runtime_dir(parent, sizeof(parent), path, sizeof(path));
	(void)snprintf(remedy, sizeof(remedy), "as root: install -d -m 0700 -o %u %s",
		       (unsigned int)geteuid(), path);
	if (lstat(path, &st) < 0 && errno == ENOENT && access(parent, W_OK | X_OK) == 0)
		probe_pass(c, "%.70s will be made", path);
	else if (lstat(path, &st) < 0 || access(path, W_OK | X_OK) < 0)
		probe_set(c, SBX_CHECK_FAIL, breaks, remedy, "%.60s: %s", path, strerror(errno));
	else if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
		probe_set(c, SBX_CHECK_FAIL, "others could release the ids of running jails",
			  remedy, "%.50s: uid %u, mode %04o", path, (unsigned int)st.st_uid,
			  st.st_mode & 07777);
	else
		probe_pass(c, "%.80s", path);
}

/* `buf` holds the name where it is read from a file. */
static const char *container_kind(char *buf, size_t size)
{
	struct utsname u = { 0 };

	(void)uname(&u);
	if (strstr(u.release, "microsoft") || strstr(u.release, "Microsoft"))
		return "WSL";
	if (access("/.dockerenv", F_OK) == 0)
		return "docker";
	if (access("/run/.containerenv", F_OK) == 0)
		return "podman";
	if (access("/var/run/secrets/kubernetes.io", F_OK) == 0)
		return "kubernetes";
	return probe_line("/run/systemd/container", buf, size) ? buf : NULL;
}

void probe_container(struct sbx_check *c)
{
	char buf[64];
	const char *kind = container_kind(buf, sizeof(buf));

	if (!kind)
		probe_pass(c, "none seen");
	else if (streq(kind, "WSL"))
		probe_set(c, SBX_CHECK_WARN, "WSL mounts cgroup v1 unless told otherwise",
			  "put kernelCommandLine=cgroup_no_v1=all into .wslconfig, then wsl "
			  "--shutdown",
			  "WSL");
	else if (geteuid() == 0 && !caller_is_privileged(&default_ids))
		probe_set(c, SBX_CHECK_WARN, "it hides what jails are made of: see the other lines",
			  "docker run --privileged --cgroupns=host, or run on the host", "%.60s",
			  kind);
	else
		probe_pass(c, "%.60s%s", kind, geteuid() ? "" : ", privileged");
}
