/* SPDX-License-Identifier: MIT */

/*
 * The parents of our groups, one in each hierarchy that can be used. As root: v2 at the top of the
 * host's hierarchy, v1 below the caller's own groups. Otherwise, and where the top that we see is
 * not the host's (a container): below a v2 group that was delegated. Of what exists nothing is
 * moved but, if allowed, this process itself.
 */

#include "cgroup-find.h"
#include "error.h"
#include "util/util.h"
#include <fcntl.h>
#include <sys/stat.h>

static const char *const controllers[H_COUNT] = { NULL, "memory", "pids", "cpu" };

/* `base`/`name`, made if need be. One that exists may be somebody else's. */
static int open_parent(struct cgroup_root *root, int i, const char *base, const char *name)
{
	_cleanup_close_ int at = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	char type[32] = "";
	int r;

	if (at < 0)
		return -errno;
	r = cgroup_make(at, name);
	if (r < 0 && r != -EEXIST)
		return r;
	fd = fd_above_stdio(openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
	if (fd < 0 || faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return -errno;
	(void)cgroup_read_text(fd, "cgroup.type", type, sizeof(type));
	if (*type && !streq(type, "domain\n"))
		return -EOPNOTSUPP; /* no process can be in it */
	root->parent[i] = steal_fd(&fd);
	(void)snprintf(root->path[i], sizeof(root->path[i]), "%s/%s", base, name);
	return 0;
}

/*
 * One by one: a kernel may refuse one of them (cpu, while a real-time process runs). Not on after
 * EBUSY: the others do not mind processes in the group, but make of it one for threads alone.
 */
void cgroup_enable_controllers(int dir)
{
	int i, r = 0;

	for (i = H_MEMORY; i < H_COUNT && r != -EBUSY; i++) {
		char word[16];

		(void)snprintf(word, sizeof(word), "+%s", controllers[i]);
		r = cgroup_write(dir, "cgroup.subtree_control", word);
	}
}

/*
 * A writer of "0" moves with all its threads. Whoever is here already is another caller of ours:
 * the leaf is a place to be out of the way, nothing is counted in it.
 */
static int move_to_leaf(const char *base)
{
	_cleanup_close_ int at = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC), leaf = -1;
	char name[64] = CALLER_LEAF;
	int tries, r;

	for (tries = 0; at >= 0 && tries < 2; tries++) {
		r = cgroup_make(at, name);
		if (r >= 0 || r == -EEXIST)
			leaf = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (leaf >= 0 && cgroup_write(leaf, "cgroup.procs", "0") >= 0)
			return 0;
		leaf = close_fd(leaf);
		(void)snprintf(name, sizeof(name), CALLER_LEAF "-%d", getpid());
	}
	return -EBUSY;
}

/* Why a controller that v2 has is not there below the base. */
static enum cgroup_lack lack_of(const struct cgroup_base *base, uint32_t bit, bool privileged)
{
	if (base->state == BASE_DENIED)
		return privileged ? LACK_RIGHTS : LACK_DELEGATION;
	if (base->missing & bit && base->state == BASE_ALONE)
		return LACK_LEAF;
	if (base->missing & bit && base->state == BASE_CROWDED)
		return privileged ? LACK_CONTAINER : LACK_ROOM;
	return LACK_GIVEN;
}

/* Empties the base if that is what it takes, and enables its controllers. */
static int prepare_base(struct cgroup_base *base, bool own_leaf)
{
	_cleanup_close_ int dir = -1;

	if (base->state == BASE_ALONE && own_leaf) {
		if (move_to_leaf(base->path) < 0)
			return -EBUSY;
		base->state = BASE_READY;
	}
	dir = open(base->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	if (base->enable && base->state == BASE_READY)
		cgroup_enable_controllers(dir);
	return 0;
}

/* Opens the v2 parent and notes which controllers can be used below it. */
static void open_v2(struct cgroup_root *root, const struct cgroup_mount *v2,
		    const struct cgroup_root_options *o)
{
	const struct cgroup_ops **slot[H_COUNT] = { NULL, &root->memory, &root->pids, &root->cpu };
	struct cgroup_base base;
	char list[512] = "";
	int i;

	if (!cgroup_choose_base(v2, o->privileged, o->own_leaf, &base) ||
	    prepare_base(&base, o->own_leaf) < 0 ||
	    open_parent(root, H_V2, base.path, o->parent) < 0)
		base.state = BASE_DENIED;
	else
		(void)cgroup_read_text(root->parent[H_V2], "cgroup.controllers", list,
				       sizeof(list));
	for (i = H_MEMORY; i < H_COUNT; i++) {
		if (cgroup_has_word(list, controllers[i]))
			*slot[i] = &cgroup_v2_ops;
		else if (cgroup_mount_has(v2, controllers[i]))
			root->lack[i] = lack_of(&base, 1u << (i - H_MEMORY), o->privileged);
	}
	if (root->parent[H_V2] < 0)
		root->lack[H_V2] = lack_of(&base, 0, o->privileged);
	root->v2_controllers = root->memory || root->pids || root->cpu;
	if (root->v2_controllers)
		cgroup_enable_controllers(root->parent[H_V2]);
}

/*
 * Below the caller's own group: its limits hold for the jails, too. For root only: who clones a
 * jail must join its v1 groups with a thread of its own, and an ordinary user's holder has but one.
 */
static int open_v1(struct cgroup_root *root, int i, const struct cgroup_mount *m,
		   const struct cgroup_root_options *o)
{
	char own[1024];

	if (!o->privileged)
		return -EACCES;
	if (cgroup_own(m, controllers[i], own, sizeof(own)) < 0)
		copy_string(own, sizeof(own), m->mount);
	return open_parent(root, i, own, o->parent);
}

static void open_all_v1(struct cgroup_root *root, const struct cgroup_root_options *o)
{
	const struct cgroup_ops **slot[H_COUNT] = { NULL, &root->memory, &root->pids, &root->cpu };
	struct cgroup_mount m;
	int i;

	for (i = H_MEMORY; i < H_COUNT; i++) {
		if (*slot[i] || root->lack[i])
			continue;
		if (!cgroup_find(controllers[i], &m))
			root->lack[i] = root->lack[H_V2] == LACK_MOUNT ? LACK_MOUNT : LACK_KERNEL;
		else if (open_v1(root, i, &m, o) < 0)
			root->lack[i] = o->privileged ? LACK_RIGHTS : LACK_V1;
		else
			*slot[i] = &cgroup_v1_ops;
	}
}

int cgroup_root_init(struct cgroup_root *root, const struct cgroup_root_options *o,
		     struct sbx_error *err)
{
	struct cgroup_mount v2;
	int i;

	memset(root, 0, sizeof(*root));
	for (i = 0; i < H_COUNT; i++)
		root->parent[i] = -1;
	if (!o->parent[0] || strchr(o->parent, '/') || o->parent[0] == '.')
		return error_set(err, -EINVAL, "cgroup", "cgroup_parent",
				 "must be one name without '/'");
	copy_string(root->token, sizeof(root->token), o->token);
	if (cgroup_find(NULL, &v2))
		open_v2(root, &v2, o);
	else
		root->lack[H_V2] = LACK_MOUNT;
	open_all_v1(root, o);
	return 0;
}

void cgroup_root_done(struct cgroup_root *root)
{
	int i;

	for (i = 0; i < H_COUNT; i++)
		root->parent[i] = close_fd(root->parent[i]);
}

int cgroup_root_record(const struct cgroup_root *root, int fd)
{
	int i;

	for (i = 0; i < H_COUNT; i++)
		if (root->parent[i] >= 0 && dprintf(fd, "%s\n", root->path[i]) < 0)
			return -errno;
	return 0;
}
