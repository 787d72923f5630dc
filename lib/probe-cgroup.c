/* SPDX-License-Identifier: MIT */

/*
 * What doctor says of control groups: the same questions that cgroup-root.c asks when it looks for
 * a place for jails, and in words what it would find. Whether a limit then holds is read back for
 * every jail. Nothing is made here, and nobody is moved.
 *
 * For an ordinary user what is missing is a warning: jails work, and a limit that nothing enforces
 * refuses the run unless --allow-unenforced names it.
 */

#include "caller.h"
#include "cgroup-find.h"
#include "probe.h"
#include "util/util.h"
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const char boot_v2[] = "boot with systemd.unified_cgroup_hierarchy=1 (for memory also "
			      "cgroup_enable=memory); in a container: --cgroupns=host";

static int severity(void)
{
	return caller_is_privileged(&default_ids) ? SBX_CHECK_FAIL : SBX_CHECK_WARN;
}

/* ------------------------------------------------------------------ hierarchies */

static bool on_v1(const char *controller)
{
	struct cgroup_mount m;

	return cgroup_find(controller, &m) && !m.v2;
}

void probe_cgroups(struct sbx_check *c)
{
	static const char breaks[] = "no limit of memory, processors or processor time can be "
				     "enforced";
	bool v1 = on_v1("memory") || on_v1("pids") || on_v1("cpu");
	struct cgroup_mount v2;

	if (!cgroup_find(NULL, &v2))
		probe_set(c, severity(), breaks,
			  v1 ? "mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none "
			       "/sys/fs/cgroup/unified"
			     : "mount -t cgroup2 none /sys/fs/cgroup",
			  v1 ? "v1 only: no cgroup2 is mounted" : "none are mounted");
	else if (v1)
		probe_pass(c, "hybrid: v1 holds the limits, v2 at %.48s kills", v2.mount);
	else
		probe_pass(c, "v2 (unified) at %.70s", v2.mount);
}

static void name_controllers(uint32_t set, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s%s%s%s", set & CONTROLLER_MEMORY ? "memory " : "",
		       set & CONTROLLER_PIDS ? "pids " : "", set & CONTROLLER_CPU ? "cpu " : "",
		       set ? "" : "no controller ");
	ret[strlen(ret) - 1] = '\0';
}

/* The end of a long path says more than its beginning. */
static const char *tail(const char *path, size_t max)
{
	size_t n = strlen(path);

	return n > max ? path + n - max : path;
}

static const char *how_to_delegate(void)
{
	if (access("/run/systemd/system", F_OK) == 0)
		return "systemd-run --user --scope -p Delegate=yes COMMAND";
	return "as root: mkdir G; chown USER G G/cgroup.procs G/cgroup.subtree_control; echo PID "
	       ">G/cgroup.procs (G: a new group in cgroup2, PID: its first process)";
}

/* The leaf has the name that the library's own has, so that it knows what it is for. */
static const char *how_to_make_room(void)
{
	if (caller_is_privileged(&default_ids))
		return "--cgroupns=host; or in /sys/fs/cgroup: mkdir " CALLER_LEAF
		       ", write each pid of cgroup.procs to " CALLER_LEAF "/cgroup.procs";
	if (access("/run/systemd/system", F_OK) == 0)
		return how_to_delegate();
	return "there: mkdir " CALLER_LEAF ", write each pid of cgroup.procs to " CALLER_LEAF
	       "/cgroup.procs";
}

/* Controllers that the top of v2 has: systemd gives a user's groups only some of them. */
static uint32_t possible(const struct cgroup_mount *v2)
{
	return (cgroup_mount_has(v2, "memory") ? CONTROLLER_MEMORY : 0) |
	       (cgroup_mount_has(v2, "pids") ? CONTROLLER_PIDS : 0) |
	       (cgroup_mount_has(v2, "cpu") ? CONTROLLER_CPU : 0);
}

static void report_base(struct sbx_check *c, const struct cgroup_base *base, uint32_t all)
{
	static const char give[] =
		"as root: in /etc/systemd/system/user@.service.d/delegate.conf "
		"write [Service] Delegate=cpu memory pids; daemon-reload; log in "
		"again";
	char has[32], lacks[32];

	name_controllers(base->controllers, has, sizeof(has));
	name_controllers(all & ~base->controllers, lacks, sizeof(lacks));
	if (base->state == BASE_CROWDED)
		probe_set(c, severity(), "limits of memory and processors are refused",
			  how_to_make_room(), "%s%.40s: other processes sit in it",
			  strlen(base->path) > 40 ? "..." : "", tail(base->path, 40));
	else if (!all)
		probe_set(c, severity(), "v2 kills and counts processor time, and limits nothing",
			  boot_v2, "%s%.40s, but v2 has no controllers here",
			  strlen(base->path) > 40 ? "..." : "", tail(base->path, 40));
	else if (all & ~base->controllers)
		probe_set(c, severity(), "limits that need the missing ones are refused", give,
			  "%s%.30s: %s, not %s", strlen(base->path) > 30 ? "..." : "",
			  tail(base->path, 30), has, lacks);
	else
		probe_pass(c, "%s%.50s: %s", strlen(base->path) > 50 ? "..." : "",
			   tail(base->path, 50), has);
}

/* Which v2 group ours would be made in, and what limits it can give them. */
void probe_delegation(struct sbx_check *c)
{
	const char *breaks = "limits of memory, processors and processor time are refused";
	struct cgroup_mount v2;
	struct cgroup_base base;
	bool found;

	if (!cgroup_find(NULL, &v2)) {
		probe_set(c, severity(), breaks, boot_v2, "no cgroup2 is mounted");
		return;
	}
	if (!possible(&v2))
		breaks = "limits of processor time are refused";
	found = cgroup_choose_base(&v2, caller_is_privileged(&default_ids), true, &base);
	if (!found && caller_is_privileged(&default_ids))
		probe_set(c, SBX_CHECK_FAIL, breaks,
			  "mount it writable; in a container: --privileged --cgroupns=host",
			  "%.60s cannot be written", base.path);
	else if (!found)
		probe_set(c, SBX_CHECK_WARN, breaks, how_to_delegate(),
			  "no group is uid %u's (own: %s%.36s)", (unsigned int)geteuid(),
			  strlen(base.path) > 36 ? "..." : "", tail(base.path, 36));
	else if (caller_is_privileged(&default_ids) &&
		 (on_v1("memory") || base.controllers == possible(&v2)))
		probe_pass(c, "root needs none: groups are made in %.50s", base.path);
	else
		report_base(c, &base, possible(&v2));
}

/* -------------------------------------------------------------------- controllers */

static uint32_t bit_of(const char *controller)
{
	return streq(controller, "memory") ? CONTROLLER_MEMORY
	       : streq(controller, "pids") ? CONTROLLER_PIDS
					   : CONTROLLER_CPU;
}

/*
 * The hierarchy of `controller` can limit jails of this caller; else says which obstacle there is.
 */
static bool usable(const char *controller, char *where, size_t size, const char **remedy)
{
	struct cgroup_base base = { 0 };
	struct cgroup_mount m;
	char own[1024];

	*remedy = boot_v2;
	if (!cgroup_find(controller, &m)) {
		(void)snprintf(where, size, "no hierarchy has the %s controller", controller);
		return false;
	}
	if (m.v2) {
		bool found = cgroup_choose_base(&m, caller_is_privileged(&default_ids), true,
						&base);

		*remedy = "see delegation";
		(void)snprintf(where, size, found ? "not given below %s%.50s" : "%s%.50s: not ours",
			       strlen(base.path) > 50 ? "..." : "", tail(base.path, 50));
		if (!found || !(base.controllers & bit_of(controller)))
			return false;
		(void)snprintf(where, size, "v2, below %s%.60s",
			       strlen(base.path) > 60 ? "..." : "", tail(base.path, 60));
		return true;
	}
	if (!caller_is_privileged(&default_ids)) {
		*remedy = "run as root, or boot with systemd.unified_cgroup_hierarchy=1 and see "
			  "delegation";
		(void)snprintf(where, size, "on v1 (%.40s), where only root can", m.mount);
		return false;
	}
	if (cgroup_own(&m, controller, own, sizeof(own)) < 0)
		copy_string(own, sizeof(own), m.mount);
	*remedy = "in a container: --privileged --cgroupns=host";
	(void)snprintf(where, size, "v1, below %s%.60s", strlen(own) > 60 ? "..." : "",
		       tail(own, 60));
	return faccessat(AT_FDCWD, own, W_OK | X_OK, AT_EACCESS) == 0;
}

static void probe_controller(struct sbx_check *c, const char *controller, int status,
			     const char *breaks)
{
	const char *remedy;
	char where[96];

	if (usable(controller, where, sizeof(where), &remedy))
		probe_pass(c, "%s", where);
	else
		probe_set(c, status, breaks, remedy, "%s", where);
}

void probe_cgroup_memory(struct sbx_check *c)
{
	probe_controller(c, "memory", severity(),
			 caller_is_privileged(&default_ids)
				 ? "memory limits are refused"
				 : "memory limits are refused, unless "
				   "--allow-unenforced memory lets them go");
}

void probe_cgroup_pids(struct sbx_check *c)
{
	probe_controller(c, "pids", SBX_CHECK_WARN,
			 "each jail's processes are limited by RLIMIT_NPROC: no result says that "
			 "it was met, and groups have no limit");
}

void probe_cgroup_cpu(struct sbx_check *c)
{
	probe_controller(c, "cpu", severity(),
			 caller_is_privileged(&default_ids)
				 ? "limits on the share of processors are refused"
				 : "limits on the share of processors are refused, "
				   "unless --allow-unenforced cpu lets them go");
}

/* --------------------------------------------------------------- what groups can do */

/* The root has no cgroup.kill; every group below it has since 5.14. */
void probe_cgroup_kill(struct sbx_check *c)
{
	static const char breaks[] = "leftovers of a killed owner are killed one by one, which a "
				     "fork bomb can outrun";
	struct cgroup_mount v2;

	if (!cgroup_find(NULL, &v2))
		probe_set(c, SBX_CHECK_WARN, breaks, "mount -t cgroup2 none /sys/fs/cgroup",
			  "no cgroup2 is mounted");
	else if (!probe_kernel_at_least(5, 14))
		probe_set(c, SBX_CHECK_WARN, breaks, "run Linux 5.15 or newer", "needs Linux 5.14");
	else
		probe_pass(c, "in every group of %.70s", v2.mount);
}

/*
 * With a descriptor that cannot be open: EBADF from a kernel that would have used it. One that
 * takes no notice of the flag makes a child, which then ends at once.
 */
void probe_clone_into_cgroup(struct sbx_check *c)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .cgroup = INT32_MAX };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(0);
	if (pid > 0) {
		(void)waitpid((pid_t)pid, NULL, __WALL);
		errno = ENOSYS;
	}
	if (pid < 0 && errno == EBADF)
		probe_pass(c, "processes are born in their group");
	else
		probe_set(c, SBX_CHECK_FAIL, "no jail with limits can be made",
			  "boot Linux 5.15; in a container: --security-opt seccomp=unconfined",
			  "CLONE_INTO_CGROUP: %s", strerror(errno));
}

void probe_memory_peak(struct sbx_check *c)
{
	const char *remedy;
	struct cgroup_mount m;
	char where[96];

	if (!usable("memory", where, sizeof(where), &remedy))
		probe_set(c, SBX_CHECK_WARN, "no peak of memory in results", "see cgroup-memory",
			  "no usable memory controller");
	else if (on_v1("memory"))
		probe_pass(c, "memory.max_usage_in_bytes (v1)");
	else if (cgroup_find("memory", &m) && probe_kernel_at_least(5, 19))
		probe_pass(c, "memory.peak (v2)");
	else
		probe_set(c, SBX_CHECK_WARN,
			  "results show the last value of memory instead of its peak",
			  "run Linux 5.19 or newer", "memory.peak needs Linux 5.19");
}

/* v2 has memory.swap.max wherever swap is accounted (since 5.8 always). */
void probe_swap(struct sbx_check *c)
{
	struct cgroup_mount m;
	const char *remedy;
	char where[96], own[1024], path[1100] = "";

	if (!host_has_swap()) {
		probe_pass(c, "no swap");
		return;
	}
	if (!usable("memory", where, sizeof(where), &remedy)) {
		probe_set(c, SBX_CHECK_WARN, "what jails use is not limited, and swaps",
			  "swapoff -a, and see cgroup-memory",
			  "the host swaps, and no memory controller is usable");
		return;
	}
	if (on_v1("memory") && cgroup_find("memory", &m) &&
	    cgroup_own(&m, "memory", own, sizeof(own)) >= 0)
		(void)snprintf(path, sizeof(path), "%s/memory.memsw.limit_in_bytes", own);
	if (!*path || access(path, F_OK) == 0)
		probe_set(c, SBX_CHECK_WARN,
			  "jails do not swap, but the rest of the host does: run times vary",
			  "swapoff -a", "the host swaps; jails are kept out of it");
	else
		probe_set(c, SBX_CHECK_FAIL,
			  "memory limits are refused: swap would be outside of them",
			  "swapoff -a, or boot with swapaccount=1",
			  "the host swaps and does not account for it");
}
