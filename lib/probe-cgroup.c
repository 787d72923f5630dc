/* SPDX-License-Identifier: MIT */

/*
 * What doctor says of control groups. A controller is usable when the hierarchy that has it is
 * mounted where we may make directories; whether a limit then holds is read back by cgroup.c for
 * every jail. Nothing is made here.
 */

#include "cgroup.h"
#include "probe.h"
#include "util/util.h"
#include <fcntl.h>

#define LAYOUT_NONE 0
#define LAYOUT_V1 1
#define LAYOUT_HYBRID 2
#define LAYOUT_V2 3

/* A cgroup mount: where it is, and which directory of the hierarchy is mounted there. */
struct hierarchy {
	bool v2;
	char root[512];
	char mount[512];
	char controllers[256]; /* ",memory," or " memory " */
};

/* One line of /proc/self/mountinfo, if it is a control group file system. */
static bool parse_mount(char *line, struct hierarchy *ret)
{
	char *dash = strstr(line, " - "), type[32], options[256];

	memset(ret, 0, sizeof(*ret));
	if (!dash || sscanf(line, "%*s %*s %*s %511s %511s", ret->root, ret->mount) != 2 ||
	    sscanf(dash, " - %31s %*s %255s", type, options) != 2)
		return false;
	ret->v2 = streq(type, "cgroup2");
	if (!ret->v2 && !streq(type, "cgroup"))
		return false;
	(void)snprintf(ret->controllers, sizeof(ret->controllers), ",%.250s,", options);
	return true;
}

/* v1: the mount options name the controllers. v2: the root lists those it can give. */
static bool has_controller(const struct hierarchy *h, const char *name)
{
	char path[600], list[256], word[32];

	if (!h->v2) {
		(void)snprintf(word, sizeof(word), ",%s,", name);
		return strstr(h->controllers, word);
	}
	(void)snprintf(path, sizeof(path), "%s/cgroup.controllers", h->mount);
	if (!probe_line(path, list + 1, sizeof(list) - 2))
		return false;
	list[0] = ' ';
	(void)strcat(list, " ");
	(void)snprintf(word, sizeof(word), " %s ", name);
	return strstr(list, word);
}

/* Finds the hierarchy of `controller` (NULL: v2), v2 first. */
static bool find_hierarchy(const char *controller, struct hierarchy *ret)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	struct hierarchy h;
	bool found = false;
	char line[4096];

	while (f && fgets(line, sizeof(line), f)) {
		if (!parse_mount(line, &h) || (!controller && !h.v2) || (found && !h.v2))
			continue;
		if (controller && !has_controller(&h, controller))
			continue;
		*ret = h;
		found = true;
		if (h.v2)
			break;
	}
	return found;
}

static bool any_v1(void)
{
	struct hierarchy h;

	return (find_hierarchy("memory", &h) && !h.v2) || (find_hierarchy("pids", &h) && !h.v2) ||
	       (find_hierarchy("cpu", &h) && !h.v2);
}

static int layout(struct hierarchy *ret_v2)
{
	bool v2 = find_hierarchy(NULL, ret_v2), v1 = any_v1();

	if (v2)
		return v1 ? LAYOUT_HYBRID : LAYOUT_V2;
	return v1 ? LAYOUT_V1 : LAYOUT_NONE;
}

/* The directory that our groups are made in: the caller's own group (v1), the root (v2). */
static void own_directory(const struct hierarchy *h, const char *controller, char *ret, size_t size)
{
	_cleanup_fclose_ FILE *f = h->v2 ? NULL : fopen("/proc/self/cgroup", "re");
	size_t root = streq(h->root, "/") ? 0 : strlen(h->root);
	char line[1024], list[280], word[32], *path;

	(void)snprintf(ret, size, "%s", h->mount);
	(void)snprintf(word, sizeof(word), ",%s,", controller ? controller : "");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		path = strchr(line, ':');
		path = path ? strchr(path + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		(void)snprintf(list, sizeof(list), ",%.250s,", strchr(line, ':') + 1);
		if (!strstr(list, word) || strncmp(path, h->root, root) != 0)
			continue;
		(void)snprintf(ret, size, "%s%s", h->mount, streq(path, "/") ? "" : path + root);
	}
}

void probe_cgroups(struct sbx_check *c)
{
	static const char breaks[] = "no jail can be made: its processes are born in a v2 group";
	struct hierarchy v2;
	int kind = layout(&v2);

	if (kind == LAYOUT_V2)
		probe_pass(c, "v2 (unified) at %.70s", v2.mount);
	else if (kind == LAYOUT_HYBRID)
		probe_pass(c, "hybrid: v1 holds the limits, v2 at %.48s kills", v2.mount);
	else
		probe_set(c, SBX_CHECK_FAIL, breaks,
			  kind == LAYOUT_V1 ? "mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 "
					      "none "
					      "/sys/fs/cgroup/unified"
					    : "mount -t cgroup2 none /sys/fs/cgroup",
			  kind == LAYOUT_V1 ? "v1 only: no cgroup2 is mounted"
					    : "none are mounted");
}

/*
 * A v2 group with processes of its own can give no controller to groups below it. Only the real root,
 * which has no cgroup.type, is exempt: the root that a container sees is an ordinary group.
 */
static bool can_be_enabled(const char *dir, const char *controller)
{
	_cleanup_close_ int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char enabled[512] = " ", processes[16] = "", word[32];

	if (fd < 0 || faccessat(fd, "cgroup.type", F_OK, 0) < 0)
		return true;
	(void)cgroup_read_text(fd, "cgroup.procs", processes, sizeof(processes));
	(void)cgroup_read_text(fd, "cgroup.subtree_control", enabled + 1, sizeof(enabled) - 2);
	enabled[strcspn(enabled, "\n")] = ' ';
	(void)snprintf(word, sizeof(word), " %s ", controller);
	return strstr(enabled, word) || !*processes;
}

static void probe_controller(struct sbx_check *c, const char *controller, const char *limit_v1,
			     const char *breaks)
{
	static const char boot[] = "boot with systemd.unified_cgroup_hierarchy=1 (for memory also "
				   "cgroup_enable=memory); in a container: --cgroupns=host";
	static const char crowded[] = "--cgroupns=host; or mkdir /sys/fs/cgroup/init and write each pid of "
				      "/sys/fs/cgroup/cgroup.procs to init/cgroup.procs";
	static const char writable[] = "run as root; in a container: --privileged --cgroupns=host";
	struct hierarchy h;
	char dir[1100], file[1200];

	if (!find_hierarchy(controller, &h)) {
		probe_set(c, SBX_CHECK_FAIL, breaks, boot, "no hierarchy has the %s controller",
			  controller);
		return;
	}
	own_directory(&h, controller, dir, sizeof(dir));
	if (h.v2 && !can_be_enabled(dir, controller)) {
		probe_set(c, SBX_CHECK_FAIL, breaks, crowded,
			  "v2, but the root group of this container holds processes");
		return;
	}
	(void)snprintf(file, sizeof(file), "%s/%s", dir,
		       h.v2 ? "cgroup.subtree_control" : limit_v1);
	/* The root of a v1 hierarchy has no pids.max: there the directory alone decides. */
	if (access(dir, W_OK | X_OK) < 0)
		probe_set(c, SBX_CHECK_FAIL, breaks, writable, "%.50s: %s", dir, strerror(errno));
	else if (!streq(limit_v1, "pids.max") && access(file, W_OK) < 0)
		probe_set(c, SBX_CHECK_FAIL, breaks, writable, "%.50s: %s", file, strerror(errno));
	else
		probe_pass(c, "%s, below %.80s", h.v2 ? "v2" : "v1", dir);
}

void probe_cgroup_memory(struct sbx_check *c)
{
	probe_controller(c, "memory", "memory.limit_in_bytes", "memory limits are refused");
}

void probe_cgroup_pids(struct sbx_check *c)
{
	probe_controller(c, "pids", "pids.max",
			 "process limits are refused: a fork bomb would reach the host");
}

void probe_cgroup_cpu(struct sbx_check *c)
{
	probe_controller(c, "cpu", "cpu.cfs_quota_us",
			 "limits on the share of processors are refused");
}

/* The root has no cgroup.kill; every group below it has since 5.14. */
void probe_cgroup_kill(struct sbx_check *c)
{
	static const char breaks[] = "leftovers of a killed owner are killed one by one, which a "
				     "fork bomb can outrun";
	struct hierarchy v2;

	if (!find_hierarchy(NULL, &v2))
		probe_set(c, SBX_CHECK_WARN, breaks, "mount -t cgroup2 none /sys/fs/cgroup",
			  "no cgroup2 is mounted");
	else if (!probe_kernel_at_least(5, 14))
		probe_set(c, SBX_CHECK_WARN, breaks, "run Linux 5.15 or newer", "needs Linux 5.14");
	else
		probe_pass(c, "in every group of %.70s", v2.mount);
}

void probe_memory_peak(struct sbx_check *c)
{
	struct hierarchy h;

	if (!find_hierarchy("memory", &h))
		probe_set(c, SBX_CHECK_WARN, "no peak of memory in results", "see cgroup-memory",
			  "no memory controller");
	else if (!h.v2)
		probe_pass(c, "memory.max_usage_in_bytes (v1)");
	else if (probe_kernel_at_least(5, 19))
		probe_pass(c, "memory.peak (v2)");
	else
		probe_set(c, SBX_CHECK_WARN,
			  "results show the last value of memory instead of its peak",
			  "run Linux 5.19 or newer", "memory.peak needs Linux 5.19");
}

void probe_swap(struct sbx_check *c)
{
	struct hierarchy h;
	char dir[1100], path[1200];

	if (!host_has_swap()) {
		probe_pass(c, "no swap");
		return;
	}
	if (!find_hierarchy("memory", &h)) {
		probe_set(c, SBX_CHECK_FAIL, "memory limits are refused", "swapoff -a",
			  "swap, and no memory controller");
		return;
	}
	own_directory(&h, "memory", dir, sizeof(dir));
	(void)snprintf(path, sizeof(path), "%s/memory.memsw.limit_in_bytes", dir);
	/* The v2 root has no memory.swap.max to look at: it exists where swap is accounted
	 * (since 5.8 always). */
	if (h.v2 || access(path, F_OK) == 0)
		probe_set(c, SBX_CHECK_WARN,
			  "jails do not swap, but the rest of the host does: run times vary",
			  "swapoff -a", "the host swaps; jails are kept out of it");
	else
		probe_set(c, SBX_CHECK_FAIL,
			  "memory limits are refused: swap would be outside of them",
			  "swapoff -a, or boot with swapaccount=1",
			  "the host swaps and does not account for it");
}
