/* SPDX-License-Identifier: MIT */

/*
 * --quota by the file system itself (quotactl_fd(2), Linux 5.14): the files of a run belong to the
 * box's uid on the disk, so its quota is the box's. A file system that would only count, or not
 * even that, refuses the option: a limit that nothing enforces is none.
 */

#include "box.h"
#include <errno.h>
#include <linux/dqblk_xfs.h>
#include <string.h>
#include <sys/quota.h>
#include <sys/syscall.h>
#include <unistd.h>

static int quota_call(const struct box *b, int command, uid_t uid, void *data)
{
	return (int)syscall(SYS_quotactl_fd, b->dir, QCMD(command, USRQUOTA), uid, data);
}

static bool is_enforced(const struct box *b)
{
	struct fs_quota_statv state = { .qs_version = FS_QSTATV_VERSION1 };

	return quota_call(b, Q_XGETQSTATV, 0, &state) == 0 && (state.qs_flags & FS_QUOTA_UDQ_ENFD);
}

int box_quota(struct box *b, uint32_t blocks, uint32_t inodes)
{
	struct dqblk limits = { .dqb_bhardlimit = blocks,
				.dqb_bsoftlimit = blocks,
				.dqb_ihardlimit = inodes,
				.dqb_isoftlimit = inodes,
				.dqb_valid = QIF_LIMITS };

	if (!b->privileged)
		return report_fail(b->report, "Cannot set disk quota: only root may; without it "
					      "--fsize limits each file");
	if (b->id >= config_ids(b->config))
		return report_fail(b->report,
				   "Cannot set disk quota: only boxes 0 to %u have a uid of their "
				   "own to count",
				   config_ids(b->config) - 1);
	if (!is_enforced(b))
		return report_fail(b->report,
				   "Cannot set disk quota: the file system of %s enforces none; "
				   "mount it with usrquota (ext4 also: tune2fs -O quota), or put "
				   "box_root on one that is",
				   b->path);
	if (quota_call(b, Q_SETQUOTA, b->uid, &limits) < 0)
		return report_fail(b->report, "Cannot set disk quota on %s: %s", b->path,
				   strerror(errno));
	return 0;
}
