/* SPDX-License-Identifier: MIT */

/*
 * An overlay takes its layers as paths, and they must be attached somewhere when it is made. So it
 * is made by a child in a mount namespace of its own: there a tmpfs with the directories l, u and w
 * is attached, the lower layer is moved to l, and the paths are relative to that tmpfs. The overlay
 * keeps private clones of its layers; the namespace ends with the child, and the layers
 * were never visible to a program in the jail, not even when an overlay is added later.
 *
 * The descriptors of the tmpfs and of the file system context are the parent's: the child only
 * acts on them, and tells by its exit status (an errno) how it went.
 */

#include "init.h"

#define LAYERS_EXTRA_INODES 3 /* l, u, w: not taken from the quota */

static int make_layer_directories(int layers, const struct plan_mount *m)
{
	int r = sys_mkdirat(layers, "l", 0700);

	if (r >= 0)
		r = sys_mkdirat(layers, "w", 0700);
	if (r >= 0)
		r = sys_mkdirat(layers, "u", 0700);
	/* The merged root has the owner and mode of the upper directory. */
	if (r >= 0)
		r = sys_fchownat(layers, "u", m->uid, m->gid, AT_SYMLINK_NOFOLLOW);
	return r < 0 ? r : sys_fchmodat(layers, "u", m->mode & 07777);
}

static int configure(int overlay)
{
	int r = sys_fsconfig(overlay, FSCONFIG_SET_STRING, "lowerdir", "l");

	if (r >= 0)
		r = sys_fsconfig(overlay, FSCONFIG_SET_STRING, "upperdir", "u");
	if (r >= 0)
		r = sys_fsconfig(overlay, FSCONFIG_SET_STRING, "workdir", "w");
	/* Both spare work where the kernel knows them; the upper layer never outlives the jail. */
	if (r >= 0) {
		(void)sys_fsconfig(overlay, FSCONFIG_SET_FLAG, "userxattr", NULL);
		(void)sys_fsconfig(overlay, FSCONFIG_SET_FLAG, "volatile", NULL);
		r = sys_fsconfig(overlay, FSCONFIG_CMD_CREATE, NULL, NULL);
	}
	return r;
}

static int build_in_child(int lower, int layers, int overlay, const struct plan_mount *m)
{
	int r = sys_mount_propagation("/", MS_REC | MS_PRIVATE);

	if (r >= 0)
		r = sys_move_mount(layers, AT_FDCWD, "/");
	if (r >= 0)
		r = make_layer_directories(layers, m);
	if (r >= 0)
		r = sys_move_mount(lower, layers, "l");
	if (r >= 0)
		r = sys_fchdir(layers);
	return r < 0 ? r : configure(overlay);
}

static int build(int lower, int layers, int overlay, const struct plan_mount *m)
{
	struct clone_args args = { .flags = CLONE_NEWNS | CLONE_VFORK, .exit_signal = SIGCHLD };
	int status, pid = sys_clone3(&args);

	if (pid == 0)
		sys_exit(-build_in_child(lower, layers, overlay, m));
	if (pid < 0)
		return pid;
	while (sys_wait4(pid, &status, __WALL, NULL) == -EINTR)
		;
	return (status & 0x7f) ? -EINTR : -(status >> 8 & 0xff);
}

int overlay_make(const struct entry *e, int *ret_upper)
{
	const struct plan_mount *m = &e->mount;
	struct plan_mount hidden = { .mode = 0700, .uid = m->uid, .gid = m->gid };
	uint32_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	_cleanup_close_ int overlay = -1;
	_cleanup_close_ int layers = -1;
	int r;

	if (!m->inodes)
		return -EINVAL;
	layers = tmpfs_make(m->bytes, m->inodes + LAYERS_EXTRA_INODES, &hidden, 0);
	if (layers < 0)
		return layers;
	overlay = sys_fsopen("overlay");
	if (overlay < 0)
		return overlay;
	r = build(e->fd, layers, overlay, m);
	if (r < 0)
		return r;
	if (m->flags & SBX_MOUNT_NOEXEC)
		attributes |= MOUNT_ATTR_NOEXEC;
	r = sys_fsmount(overlay, attributes);
	if (r >= 0)
		*ret_upper = steal_fd(&layers);
	return r;
}
