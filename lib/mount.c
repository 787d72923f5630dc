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

/*
 * Ids are mapped for one mount, not for what else is mounted below it: such a tree is not cloned.
 */
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

static int prepare_here(const struct plan_mount *m, const char *source, bool whole, int userns,
			int *ret, struct sbx_error *err)
{
	struct mount_attr attr = { .attr_set = wanted_flags(m), .propagation = MS_PRIVATE };
	_cleanup_close_ int fd = clone_tree(source, whole ? AT_RECURSIVE : 0);
	int r;

	if (fd < 0)
		return fd;
	r = set_attributes(fd, whole ? AT_RECURSIVE : 0, &attr);
	if (r < 0)
		return error_set(err, r, "mount", source, "its mount flags cannot be set");
	if (m->flags & SBX_MOUNT_IDMAP)
		r = idmap(fd, userns, source, err);
	*ret = steal_fd(&fd);
	return r;
}

/* Without the right to leave out what is mounted below: all of it comes along. */
static int prepare_by_holder(const struct plan_mount *m, const char *source, struct holder *holder,
			     int *ret)
{
	int fd = holder_tree(holder, source, wanted_flags(m), m->type != SBX_MOUNT_DEVICE);

	if (fd < 0)
		return fd;
	*ret = fd;
	return 0;
}

int mount_prepare(const struct plan_mount *m, const char *source, struct holder *holder, int userns,
		  int *ret, struct sbx_error *err)
{
	bool whole = m->type != SBX_MOUNT_DEVICE && !(m->flags & SBX_MOUNT_IDMAP);
	struct sbx_error why = { 0 };
	_cleanup_close_ int fd = -1;
	int r;

	if (m->type != SBX_MOUNT_BIND && m->type != SBX_MOUNT_DEVICE &&
	    m->type != SBX_MOUNT_OVERLAY) {
		*ret = MOUNT_NONE;
		return 0;
	}
	r = holder ? prepare_by_holder(m, source, holder, &fd)
		   : prepare_here(m, source, whole, userns, &fd, &why);
	if (r == -ENOENT && (m->flags & SBX_MOUNT_OPTIONAL)) {
		*ret = MOUNT_ABSENT;
		return 0;
	}
	if (r < 0 && why.code && err)
		*err = why;
	else if (r < 0)
		(void)error_set(err, r, "mount", source, "cannot be mounted in the jail");
	if (r >= 0 && m->type == SBX_MOUNT_DEVICE)
		r = check_device(fd, source, err);
	if (r < 0)
		return r;
	*ret = steal_fd(&fd);
	return 0;
}
