/* SPDX-License-Identifier: MIT */

/*
 * The root of the jail: a tmpfs that is attached on top of the host's root in our private mount
 * namespace, filled (mounts.c) through its descriptor, and then swapped with it. What was the root
 * before is detached as a whole; nothing of the host but the bind mounts stays reachable.
 */

#include "init.h"

int propagation_stop(struct init *in)
{
	return sys_mount_propagation("/", MS_REC | MS_PRIVATE);
}

static int tmpfs_option(int fs, const char *key, uint64_t value, uint32_t base)
{
	char text[NUMBER_MAX];

	return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, number_format(text, value, base));
}

/* No tmpfs without both limits: to the kernel 0 means "none". `m` (may be NULL): mode and owner. */
int tmpfs_make(uint64_t bytes, uint64_t inodes, const struct plan_mount *m, uint32_t attributes)
{
	_cleanup_close_ int fs = -1;
	int r;

	if (!bytes || !inodes)
		return -EINVAL;
	fs = sys_fsopen("tmpfs");
	if (fs < 0)
		return fs;
	r = tmpfs_option(fs, "size", bytes, 10);
	if (r >= 0)
		r = tmpfs_option(fs, "nr_inodes", inodes, 10);
	if (r >= 0)
		r = tmpfs_option(fs, "mode", m ? m->mode & 07777 : 0755, 8);
	if (r >= 0 && m)
		r = tmpfs_option(fs, "uid", m->uid, 10);
	if (r >= 0 && m)
		r = tmpfs_option(fs, "gid", m->gid, 10);
	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	return r < 0 ? r : sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | attributes);
}

int root_make(struct init *in)
{
	_cleanup_close_ int fd = -1;
	int r;

	in->host_proc = sys_open("/proc", O_PATH | O_DIRECTORY);
	if (in->host_proc < 0)
		return in->host_proc;
	fd = tmpfs_make(in->plan->root_bytes, in->plan->root_inodes, NULL, 0);
	if (fd < 0)
		return fd;
	/* Paths from "/" go on to name the host: a mount on a process's own root hides nothing. */
	r = sys_move_mount(fd, AT_FDCWD, "/");
	if (r >= 0)
		r = known_add(in, fd, KNOWN_READ_ONLY | KNOWN_NODEV, -1);
	if (r < 0)
		return r;
	in->root = steal_fd(&fd);
	return 0;
}

int root_pivot(struct init *in)
{
	struct mount_attr sealed = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						 MOUNT_ATTR_NODEV };
	int r = sys_fchdir(in->root);

	if (r >= 0)
		r = sys_pivot_root(".", ".");
	/*
	 * On top of the new root now lie the old one and, above that, each root that a later one
	 * replaced. "." leads to the topmost, so they are detached one by one.
	 */
	for (uint32_t i = 0; r >= 0 && i <= in->roots_given; i++)
		r = sys_umount(".", MNT_DETACH);
	if (r >= 0)
		r = sys_chdir("/");
	if (r >= 0 && in->roots_given == 0)
		r = sys_mount_setattr(in->root, 0, &sealed);
	return r;
}
