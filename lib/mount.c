/* SPDX-License-Identifier: MIT */

/* See mount.h. */

#include "mount.h"
#include "error.h"
#include "util/util.h"
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef MS_PRIVATE
#define MS_PRIVATE (1 << 18)
#endif

static int set_attributes(int fd, unsigned int flags, const struct mount_attr *attr)
{
	return syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | flags, attr, sizeof(*attr)) < 0
		       ? -errno
		       : 0;
}

static int clone_tree(const char *source, unsigned int flags)
{
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, source,
			      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_NO_AUTOMOUNT | flags);

	return fd < 0 ? -errno : fd;
}

static uint64_t wanted_flags(const struct plan_mount *m)
{
	uint64_t flags = MOUNT_ATTR_NOSUID;

	if (m->type == SBX_MOUNT_DEVICE)
		return flags | MOUNT_ATTR_NOEXEC;
	flags |= MOUNT_ATTR_NODEV;
	if (m->flags & SBX_MOUNT_NOEXEC)
		flags |= MOUNT_ATTR_NOEXEC;
	if (m->type == SBX_MOUNT_OVERLAY || !(m->flags & SBX_MOUNT_RW))
		flags |= MOUNT_ATTR_RDONLY;
	return flags;
}

/* Ids are mapped for one mount, not for what else is mounted below it: such a tree is not cloned. */
static int idmap(int fd, int userns, const char *source, struct sbx_error *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };
	int r = set_attributes(fd, 0, &attr);

	if (r < 0)
		return error_set(err, r, "mount", source,
				 "ids cannot be mapped: needs Linux 5.12 and a file system that "
				 "supports it (ext4, xfs, btrfs)");
	return 0;
}

/* A device node is what it is called: a file of that name would be a hole, not a device. */
static int check_device(int fd, const char *source, struct sbx_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode))
		return error_set(err, -ENODEV, "mount", source, "is not a character device");
	return 0;
}

int mount_prepare(const struct plan_mount *m, const char *source, int userns, int *ret,
		  struct sbx_error *err)
{
	struct mount_attr attr = { .attr_set = wanted_flags(m), .propagation = MS_PRIVATE };
	bool whole = m->type != SBX_MOUNT_DEVICE && !(m->flags & SBX_MOUNT_IDMAP);
	_cleanup_close_ int fd = -1;
	int r;

	if (m->type != SBX_MOUNT_BIND && m->type != SBX_MOUNT_DEVICE &&
	    m->type != SBX_MOUNT_OVERLAY) {
		*ret = MOUNT_NONE;
		return 0;
	}
	fd = clone_tree(source, whole ? AT_RECURSIVE : 0);
	if (fd == -ENOENT && (m->flags & SBX_MOUNT_OPTIONAL)) {
		*ret = MOUNT_ABSENT;
		return 0;
	}
	if (fd < 0)
		return error_set(err, fd, "mount", source, "cannot be mounted in the jail");
	r = m->type == SBX_MOUNT_DEVICE ? check_device(fd, source, err) : 0;
	if (r < 0)
		return r;
	r = set_attributes(fd, whole ? AT_RECURSIVE : 0, &attr);
	if (r < 0)
		return error_set(err, r, "mount", source, "its mount flags cannot be set");
	if (m->flags & SBX_MOUNT_IDMAP) {
		r = idmap(fd, userns, source, err);
		if (r < 0)
			return r;
	}
	*ret = steal_fd(&fd);
	return 0;
}
