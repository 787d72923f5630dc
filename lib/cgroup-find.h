/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where control groups are: the mounts of the hierarchies, the caller's own groups, and which v2
 * group an ordinary user may make groups in. Nothing is changed here: doctor asks the same
 * questions.
 */

#include "cgroup.h"
#include <stdbool.h>

/* A cgroup mount: where it is, and which directory of the hierarchy is mounted there. */
struct cgroup_mount {
	bool v2;
	char root[512];
	char mount[512];
	char controllers[256]; /* v1: ",memory," */
};

/* The hierarchy that has `controller` (NULL: v2 itself), v2 before v1. */
bool cgroup_find(const char *controller, struct cgroup_mount *ret);

/* v1: the mount options name the controllers. v2: the root lists those it can give. */
bool cgroup_mount_has(const struct cgroup_mount *m, const char *controller);

/*
 * The directory of the caller's own group, `controller` being one of a v1 hierarchy. -ENOENT: it is
 * not below what is mounted.
 */
int cgroup_own(const struct cgroup_mount *m, const char *controller, char *ret, size_t size);

/* `word` is in a list whose words are separated by white space. */
bool cgroup_has_word(const char *list, const char *word);

#define CONTROLLER_MEMORY 1u
#define CONTROLLER_PIDS 2u
#define CONTROLLER_CPU 4u

#define BASE_DENIED 0  /* no groups can be made there by us */
#define BASE_READY 1   /* its controllers are those below */
#define BASE_ALONE 2   /* ready once this process, the only one in it, has left it for a leaf */
#define BASE_CROWDED 3 /* others sit in it: no more controllers than it gives already */

/* A v2 group that others could be made in. */
struct cgroup_base {
	char path[1024];
	int state;
	uint32_t controllers; /* CONTROLLER_* that groups below it have, or will have */
	uint32_t missing;     /* those that it has itself and cannot give */
	bool enable;          /* some of `controllers` are still to be enabled */
};

/* The leaf that a caller leaves its delegated group for. */
#define CALLER_LEAF "sandbox-caller"

/* May groups be made below `path`? `may_enable`: its subtree_control is ours to write. */
void cgroup_examine(const char *path, bool may_enable, struct cgroup_base *ret);

/*
 * Where the v2 groups of this caller belong. `privileged`: at the top, if it can give all that it
 * has; the host's always can, a container's only without processes. Otherwise, in this order:
 *   1. the caller's own group, or its parent if the caller sits in a leaf made for it (CALLER_LEAF,
 *      or systemd's DelegateSubgroup=): limits that somebody set for the caller then hold for its
 *      jails, too
 *   2. its parent, with the controllers that it gives already, unless the caller's own group has a
 *      limit of memory or processors: the jails would escape it
 * A base without controllers is better than none: it still kills and counts processor time.
 * `own_leaf`: BASE_ALONE will do. On failure `ret` is the caller's own group and says why not.
 */
bool cgroup_choose_base(const struct cgroup_mount *v2, bool privileged, bool own_leaf,
			struct cgroup_base *ret);
