/* SPDX-License-Identifier: MIT */

/*
 * The mounts of a plan, one function for each type. Bind mounts and device nodes arrive as detached
 * mounts that the library has made read-only; file systems of our own are made here, in the jail's
 * user namespace. Either way the result is a mount descriptor that is attached to its target and
 * remembered: for the proof (proof.c), as a quota, as something that programs may write to.
 */

#include "init.h"

static int keep_access(struct init *in, int fd, uint32_t kind)
{
	int copy;

	if (in->n_access == ACCESS_MAX)
		return -E2BIG;
	copy = sys_dupfd(fd, 0);
	if (copy < 0)
		return copy;
	in->access[in->n_access++] = (struct access){ .fd = copy, .kind = kind };
	return 0;
}

/* Takes `fd`. A MOUNT request (index -1) has nobody to send the descriptor to. */
static int keep_quota(struct init *in, int fd, int index)
{
	if (index < 0) {
		(void)sys_close(fd);
		return 0;
	}
	if (in->n_quotas == QUOTAS_MAX) {
		(void)sys_close(fd);
		return -E2BIG;
	}
	in->quotas[in->n_quotas++] = (struct quota){ .fd = fd, .mount = (uint16_t)index };
	return 0;
}

static int open_target(struct init *in, const char *target, int fd)
{
	struct stat st;
	int r = sys_fstat(fd, &st);

	if (r < 0)
		return r;
	in->step = STEP_MOUNT_TARGET;
	if (S_ISDIR(st.st_mode))
		return tree_open_directory(in->root, target);
	return tree_open_file(in->root, target);
}

/* A mount on "/" becomes the root that later targets and the pivot start from. */
static int replace_root(struct init *in, int fd)
{
	int copy = sys_dupfd(fd, 0);

	if (copy < 0)
		return copy;
	(void)sys_close(in->root);
	in->root = copy;
	in->roots_given++;
	return 0;
}

static int attach(struct init *in, const struct entry *e, int fd, uint32_t known)
{
	struct mount_attr private = { .propagation = MS_PRIVATE };
	_cleanup_close_ int target = open_target(in, e->target, fd);
	int r;

	if (target < 0)
		return target;
	in->step = STEP_MOUNT_ATTACH;
	r = sys_move_mount(fd, target, "");
	if (r >= 0)
		r = sys_mount_setattr(fd, AT_RECURSIVE, &private);
	if (r >= 0)
		r = known_add(in, fd, known, e->index);
	if (r >= 0 && e->target[1] == '\0')
		r = replace_root(in, fd);
	return r;
}

static int apply_bind(struct init *in, const struct entry *e)
{
	bool writable = e->mount.flags & SBX_MOUNT_RW;
	int r = attach(in, e, e->fd, KNOWN_NODEV | (writable ? 0 : KNOWN_READ_ONLY));

	if (r >= 0 && writable)
		r = keep_access(in, e->fd, ACCESS_WRITE);
	return r;
}

static int apply_device(struct init *in, const struct entry *e)
{
	struct stat st;
	int r = sys_fstat(e->fd, &st);

	if (r < 0)
		return r;
	if (!S_ISCHR(st.st_mode))
		return -ENODEV;
	r = attach(in, e, e->fd, 0);
	if (r >= 0)
		r = keep_access(in, e->fd, ACCESS_DEVICE);
	return r;
}

static uint32_t exec_attribute(const struct plan_mount *m)
{
	return m->flags & SBX_MOUNT_NOEXEC ? MOUNT_ATTR_NOEXEC : 0;
}

static int apply_tmpfs(struct init *in, const struct entry *e)
{
	const struct plan_mount *m = &e->mount;
	_cleanup_close_ int fd = tmpfs_make(m->bytes, m->inodes, m, exec_attribute(m));
	int r = fd;

	if (r >= 0)
		r = attach(in, e, fd, KNOWN_NODEV);
	if (r >= 0)
		r = keep_access(in, fd, ACCESS_WRITE);
	return r < 0 ? r : keep_quota(in, steal_fd(&fd), e->index);
}

static int apply_proc(struct init *in, const struct entry *e)
{
	_cleanup_close_ int fs = sys_fsopen("proc");
	_cleanup_close_ int fd = -1;
	int r = fs;

	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "hidepid", "invisible");
	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "subset", "pid");
	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	if (r >= 0)
		r = fd = sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return r < 0 ? r : attach(in, e, fd, KNOWN_NODEV);
}

static int apply_overlay(struct init *in, const struct entry *e)
{
	_cleanup_close_ int upper = -1;
	_cleanup_close_ int fd = overlay_make(e, &upper);
	int r = fd;

	if (r >= 0)
		r = attach(in, e, fd, KNOWN_NODEV);
	if (r >= 0)
		r = keep_access(in, fd, ACCESS_WRITE);
	return r < 0 ? r : keep_quota(in, steal_fd(&upper), e->index);
}

static int write_all(int fd, const char *data, uint64_t n)
{
	while (n > 0) {
		long written = sys_write(fd, data, n);

		if (written <= 0)
			return written < 0 ? (int)written : -EIO;
		data += written;
		n -= (uint64_t)written;
	}
	return 0;
}

/* O_NONBLOCK and the check: what lies at the target of a writable bind is not ours to trust. */
static int open_regular(int parent, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	_cleanup_close_ int fd = sys_openat2(parent, name, flags, 0600,
					     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	struct stat st;
	int r;

	if (fd < 0)
		return fd;
	r = sys_fstat(fd, &st);
	if (r < 0)
		return r;
	return S_ISREG(st.st_mode) ? steal_fd(&fd) : -EINVAL;
}

static int apply_file(struct init *in, const struct entry *e)
{
	const struct plan_mount *m = &e->mount;
	char name[NAME_MAX_SIZE];
	_cleanup_close_ int parent = tree_open_parent(in->root, e->target, name);
	_cleanup_close_ int fd = -1;
	int r = parent;

	in->step = STEP_MOUNT_FILE;
	if (r >= 0)
		r = fd = open_regular(parent, name);
	if (r >= 0)
		r = sys_ftruncate(fd, 0);
	if (r >= 0)
		r = write_all(fd, e->strings.bytes + m->data, m->data_len);
	if (r >= 0)
		r = sys_fchownat(fd, "", m->uid, m->gid, AT_EMPTY_PATH);
	return r < 0 ? r : sys_fchmod(fd, m->mode & 07777);
}

static int apply_symlink(struct init *in, const struct entry *e)
{
	const char *data = string_at(&e->strings, e->mount.data);
	char name[NAME_MAX_SIZE], existing[512];
	_cleanup_close_ int parent = tree_open_parent(in->root, e->target, name);
	long n;
	int r = parent;

	in->step = STEP_MOUNT_FILE;
	if (r < 0)
		return r;
	r = sys_symlinkat(data, parent, name);
	if (r != -EEXIST)
		return r;
	n = sys_readlinkat(parent, name, existing, sizeof(existing) - 1);
	if (n < 0)
		return r;
	existing[n] = '\0';
	return string_equal(existing, data) ? 0 : r;
}

static int apply_dir(struct init *in, const struct entry *e)
{
	const struct plan_mount *m = &e->mount;
	char name[NAME_MAX_SIZE];
	_cleanup_close_ int parent = tree_open_parent(in->root, e->target, name);
	struct stat st;
	int r = parent;

	if (r == -EBUSY)
		return 0;
	if (r >= 0)
		r = sys_mkdirat(parent, name, 0700);
	if (r == -EEXIST) {
		_cleanup_close_ int fd = tree_open_directory(in->root, e->target);

		return fd < 0 ? fd : sys_fstat(fd, &st);
	}
	if (r >= 0)
		r = sys_fchownat(parent, name, m->uid, m->gid, AT_SYMLINK_NOFOLLOW);
	return r < 0 ? r : sys_fchmodat(parent, name, m->mode & 07777);
}

int mount_apply(struct init *in, struct entry *e)
{
	static int (*const apply[])(struct init *, const struct entry *) = {
		[SBX_MOUNT_BIND] = apply_bind,       [SBX_MOUNT_TMPFS] = apply_tmpfs,
		[SBX_MOUNT_PROC] = apply_proc,       [SBX_MOUNT_FILE] = apply_file,
		[SBX_MOUNT_SYMLINK] = apply_symlink, [SBX_MOUNT_DIR] = apply_dir,
		[SBX_MOUNT_DEVICE] = apply_device,   [SBX_MOUNT_OVERLAY] = apply_overlay,
	};
	int r = -EINVAL;

	in->step = STEP_MOUNT_CREATE;
	if (e->mount.type < ARRAY_SIZE(apply) && apply[e->mount.type])
		r = apply[e->mount.type](in, e);
	close_cleanup(&e->fd);
	return r;
}

int mounts_make(struct init *in)
{
	for (uint32_t i = 0; i < entry_count(in); i++) {
		struct entry e;
		int r;

		in->step = STEP_MOUNT_TARGET;
		in->index = (int32_t)i;
		r = entry_get(in, i, &e);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		r = mount_apply(in, &e);
		if (r < 0)
			return r;
	}
	return 0;
}
