/* SPDX-License-Identifier: MIT */

/*
 * Leftovers of dead owners. The owner's file names the parents of its groups and its token is in
 * their names, so that nobody else's are touched. What the sweeper may not open (a group that went
 * with its systemd unit, one of another user) is no error: there is nothing of ours to remove.
 */

#include "cgroup.h"
#include "util/util.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

/* The last of the killed may still be on its way out of a v1 group: then rmdir says busy. */
static int remove_group(int parent, const char *name)
{
	int tries;

	for (tries = 0; unlinkat(parent, name, AT_REMOVEDIR) < 0; tries++) {
		if (errno != EBUSY || tries == 100)
			return -errno;
		(void)usleep(1000);
	}
	return 0;
}

static int remove_tree(int parent, const char *name, int depth)
{
	_cleanup_close_ int dir = openat(parent, name,
					 O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct dirent *e;
	DIR *d;
	int copy;

	if (dir >= 0 && depth < 4) {
		copy = fcntl(dir, F_DUPFD_CLOEXEC, 3);
		d = copy >= 0 ? fdopendir(copy) : NULL;
		if (!d)
			close_fd(copy);
		while (d && (e = readdir(d)))
			if (e->d_type == DT_DIR && e->d_name[0] != '.')
				(void)remove_tree(dir, e->d_name, depth + 1);
		if (d)
			(void)closedir(d);
	}
	return remove_group(parent, name);
}

/* rmdir needs the processes gone, and cgroup.kill does not wait for them. */
static void kill_and_settle(int parent, const char *name)
{
	_cleanup_close_ int dir = openat(parent, name,
					 O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int tries;

	if (dir < 0)
		return;
	(void)cgroup_write(dir, "cgroup.kill", "1");
	for (tries = 0; tries < 200 && cgroup_read_key(dir, "cgroup.events", "populated"); tries++)
		(void)usleep(1000);
}

void cgroup_end(int parent, const char *name)
{
	kill_and_settle(parent, name);
	(void)remove_group(parent, name);
}

/* A path of the owner's file could have become something else since: a mount is not for ever. */
static DIR *open_parent(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	DIR *d;

	if (fd < 0)
		return NULL;
	if (fstatfs(fd, &fs) < 0 ||
	    (fs.f_type != CGROUP2_SUPER_MAGIC && fs.f_type != CGROUP_SUPER_MAGIC)) {
		close_fd(fd);
		return NULL;
	}
	d = fdopendir(fd);
	if (!d)
		close_fd(fd);
	return d;
}

/* The v2 parent comes first: what is killed there leaves the other hierarchies too. */
static int sweep_parent(const char *path, const char *token)
{
	DIR *d = open_parent(path);
	size_t n = strlen(token);
	struct dirent *e;
	int r = 0;

	if (!d)
		return 0;
	while ((e = readdir(d))) {
		if (strncmp(e->d_name, token, n) || e->d_name[n] != '.')
			continue;
		kill_and_settle(dirfd(d), e->d_name);
		if (remove_tree(dirfd(d), e->d_name, 0) == -EBUSY)
			r = -EBUSY;
	}
	(void)closedir(d);
	return r;
}

int cgroup_sweep(int fd, const char *token)
{
	char text[8192], *path, *save;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	int r = 0;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	for (path = strtok_r(text, "\n", &save); path; path = strtok_r(NULL, "\n", &save))
		if (sweep_parent(path, token) < 0)
			r = -EBUSY;
	return r;
}
