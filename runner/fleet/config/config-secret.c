/* SPDX-License-Identifier: MIT */

/* See config-secret.h. */

#include "fleet/config/config-secret.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "util/util.h"

static bool is_mounted_for_us(int fd, const char *path)
{
	struct statvfs flags;
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0 || fstatvfs(fd, &flags) < 0 ||
	    (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC))
		return false;
	return (flags.f_flag & ST_RDONLY) || starts_with(path, "/run/secrets/") ||
	       starts_with(path, "/var/run/secrets/");
}

int secret_check(int fd, const char *path, char why[CONFIG_WHY])
{
	uid_t us = geteuid();
	struct stat st;
	mode_t bad;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || is_mounted_for_us(fd, path))
		return 0;
	if (st.st_uid != 0 && st.st_uid != us) {
		(void)snprintf(why, CONFIG_WHY,
			       "%.600s belongs to user %u, who could put another password there: "
			       "chown %s it, and chmod 0600",
			       path, st.st_uid, us == 0 ? "root" : "root or the worker's user");
		return -EPERM;
	}
	bad = st.st_mode & 077;
	if (us != 0 && st.st_uid == 0)
		bad &= ~(mode_t)S_IRGRP;
	if (!bad)
		return 0;
	(void)snprintf(why, CONFIG_WHY,
		       "%.600s can be %s by %s (mode %04o), and a password is in it: chmod %s it",
		       path, bad & 022 ? "changed" : "read",
		       bad & 07 ? "all users of this machine" : "its group", st.st_mode & 07777,
		       us != 0 && st.st_uid == 0 ? "0640" : "0600");
	return -EPERM;
}
