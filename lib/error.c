/* SPDX-License-Identifier: MIT */

/*
 * One place turns failures into words. The inside of a jail reports {step, errno, index}; the
 * sentence is made here, on the caller's side, where allocation and formatting are safe.
 */

#include "error.h"
#include "protocol.h"
#include "util/util.h"
#include <stdarg.h>

#define STR(x) #x
#define VERSION_OF(a, b, c) STR(a) "." STR(b) "." STR(c)

SBX_PUBLIC const char *sbx_version(void)
{
	return VERSION_OF(SBX_VERSION_MAJOR, SBX_VERSION_MINOR, SBX_VERSION_PATCH);
}

int error_set(struct sbx_error *err, int code, const char *stage, const char *item, const char *fmt,
	      ...)
{
	const char *why = code < 0 ? strerrordesc_np(-code) : NULL;
	va_list ap;
	int n;

	if (!err)
		return code;
	memset(err, 0, sizeof(*err));
	err->code = code;
	copy_string(err->stage, sizeof(err->stage), stage ? stage : "");
	copy_string(err->item, sizeof(err->item), item ? item : "");
	va_start(ap, fmt);
	n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (why && n >= 0 && (size_t)n < sizeof(err->text))
		(void)snprintf(err->text + n, sizeof(err->text) - (size_t)n, " (%s)", why);
	return code;
}

static const struct {
	const char *name;
	const char *advice;
} steps[STEP_COUNT] = {
	[STEP_NONE] = { "none", "nothing was attempted" },
	[STEP_PLAN] = { "plan", "the jail's init could not read the compiled plan" },
	[STEP_SYSCTL] = { "sysctl", "a kernel setting of the jail could not be written" },
	[STEP_HOSTNAME] = { "hostname", "the jail's host name could not be set" },
	[STEP_PROPAGATION] = { "mount", "the mounts of the host could not be made private" },
	[STEP_ROOT] = { "mount", "the tmpfs that is the jail's root could not be made" },
	[STEP_MOUNT_TARGET] = { "mount", "the mount point could not be made in the jail" },
	[STEP_MOUNT_CREATE] = { "mount", "the file system could not be created" },
	[STEP_MOUNT_ATTACH] = { "mount", "the mount could not be attached in the jail" },
	[STEP_MOUNT_FILE] = { "mount", "the file could not be written in the jail" },
	[STEP_MOUNT_PROOF] = { "mount", "a mount that must be read-only and nosuid is not" },
	[STEP_PIVOT] = { "pivot_root", "the host's file tree could not be left behind" },
	[STEP_LOOPBACK] = { "loopback", "the loopback interface could not be brought up" },
	[STEP_LANDLOCK_RULES] = { "landlock", "the Landlock rules could not be made" },
	[STEP_PARK] = { "control", "the jail's init could not report" },
	[STEP_FORK] = { "fork", "the jail could not start another process; is it at its limit?" },
	[STEP_FDS] = { "fds", "the descriptors of the program could not be placed" },
	[STEP_SESSION] = { "setsid", "a session of its own could not be made" },
	[STEP_RLIMIT] = { "rlimit",
			  "a resource limit could not be set; is the caller's hard limit lower?" },
	[STEP_GROUPS] = { "setgroups", "the supplementary groups could not be dropped" },
	[STEP_BOUNDING] = { "caps", "the capability bounding set could not be emptied" },
	[STEP_SECUREBITS] = { "caps", "the securebits could not be locked" },
	[STEP_SETUID] = { "setuid", "the ids of the program could not be set" },
	[STEP_CAPABILITIES] = { "caps", "the capabilities could not be dropped" },
	[STEP_NO_NEW_PRIVS] = { "no_new_privs", "no_new_privs could not be set" },
	[STEP_LANDLOCK] = { "landlock",
			    "Landlock could not be applied; a policy may list it as optional" },
	[STEP_CWD] = { "cwd", "the working directory cannot be entered" },
	[STEP_SECCOMP] = { "seccomp", "the system call filter could not be loaded" },
	[STEP_EXEC] = { "exec", "the program could not be executed" },
	[STEP_CLONE] = { "clone", "the jail's init could not be started" },
	[STEP_IDMAP] = { "idmap", "the ids of the jail could not be mapped" },
	[STEP_CGROUP] = { "cgroup", "the control group could not be joined" },
	[STEP_NETNS] = { "netns", "the network namespace could not be joined" },
	[STEP_CONTROL] = { "control", "the jail's init ended without a word; was it killed?" },
};

static bool known_step(int step)
{
	return step > STEP_NONE && step < STEP_COUNT && steps[step].name;
}

const char *step_name(int step)
{
	return known_step(step) ? steps[step].name : "unknown";
}

const char *step_advice(int step, int code)
{
	if (step == STEP_EXEC && code == -ENOENT)
		return "the program (or the interpreter it names) does not exist in the jail";
	if (step == STEP_EXEC && code == -EACCES)
		return "the program may not be executed: not a file, no x bit, or a noexec mount";
	if (step == STEP_EXEC && code == -ENOEXEC)
		return "the program is neither an executable of this machine nor a #! script";
	if (step == STEP_CLONE && code == -EPERM)
		return "namespaces are refused here; see sandbox-run doctor";
	if (step == STEP_CLONE && code == -ENOSPC)
		return "the host's namespace limits are used up (sysctl user.max_*_namespaces)";
	if (step == STEP_CLONE && code == -EACCES)
		return "a memfd may not be executed (sysctl vm.memfd_noexec is 2: set it to 0 or "
		       "1)";
	return known_step(step) ? steps[step].advice : "the jail failed at a step of its own";
}

int options_copy(void *to, size_t known, const void *from)
{
	uint32_t size;
	size_t i;

	memset(to, 0, known);
	if (!from)
		return 0;
	memcpy(&size, from, sizeof(size));
	if (size < 8)
		return -EINVAL;
	for (i = known; i < size; i++)
		if (((const unsigned char *)from)[i])
			return -E2BIG;
	memcpy(to, from, MIN_OF((size_t)size, known));
	return 0;
}
