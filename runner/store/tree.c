/* SPDX-License-Identifier: MIT */
#include "store/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/util.h"

#define TREE_DEPTH_MAX 100

struct walk {
	dev_t device;
	struct tree_sum sum;
	int (*visit)(struct walk *w, int parent, const char *name, const struct stat *st);
	int (*leave)(struct walk *w, int dir, int parent, const char *name);
};

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static bool is_dots(const char *name)
{
	return streq(name, ".") || streq(name, "..");
}

static int open_child(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int walk_dir(struct walk *w, int dir, int depth);

static int walk_entry(struct walk *w, int parent, const char *name, int depth)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (st.st_dev != w->device)
		return -EXDEV;
	w->sum.disk += (uint64_t)st.st_blocks * 512;
	if (!S_ISDIR(st.st_mode)) {
		w->sum.files++;
		w->sum.bytes += S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
		return w->visit ? w->visit(w, parent, name, &st) : 0;
	}
	fd = open_child(parent, name);
	if (fd < 0)
		return fd;
	r = walk_dir(w, fd, depth + 1);
	if (r < 0)
		return r;
	return w->leave ? w->leave(w, fd, parent, name) : 0;
}

static int walk_dir(struct walk *w, int dir, int depth)
{
	_cleanup_(closedirp) DIR *d = NULL;
	_cleanup_close_ int copy = -1;
	struct dirent *e;
	int r;

	if (depth > TREE_DEPTH_MAX)
		return -E2BIG;
	copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0)
		return -errno;
	d = fdopendir(copy);
	if (!d)
		return -errno;
	(void)steal_fd(&copy);
	for (errno = 0; (e = readdir(d)); errno = 0) {
		if (is_dots(e->d_name))
			continue;
		r = walk_entry(w, dir, e->d_name, depth);
		if (r < 0)
			return r;
	}
	return -errno;
}

static int walk(struct walk *w, int dir)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return -errno;
	w->device = st.st_dev;
	w->sum.disk += (uint64_t)st.st_blocks * 512;
	return walk_dir(w, dir, 0);
}

int tree_sum(int dir, struct tree_sum *ret)
{
	struct walk w = {};
	int r = walk(&w, dir);

	if (r < 0)
		return r;
	*ret = w.sum;
	return 0;
}

static int seal_file(struct walk *w, int parent, const char *name, const struct stat *st)
{
	mode_t mode = st->st_mode & 07777;

	if (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode))
		return -EINVAL;
	if (S_ISREG(st->st_mode) && ((mode != 0644 && mode != 0755) || st->st_nlink != 1))
		return -EINVAL;
	return fchownat(parent, name, geteuid(), getegid(), AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int seal_dir(struct walk *w, int dir, int parent, const char *name)
{
	if (fchown(dir, geteuid(), getegid()) < 0 || fchmod(dir, 0755) < 0)
		return -errno;
	return 0;
}

int tree_seal(int dir, struct tree_sum *ret)
{
	struct walk w = { .visit = seal_file, .leave = seal_dir };
	int r = walk(&w, dir);

	if (r < 0)
		return r;
	r = seal_dir(&w, dir, -1, NULL);
	if (r < 0)
		return r;
	*ret = w.sum;
	return 0;
}

static int remove_file(struct walk *w, int parent, const char *name, const struct stat *st)
{
	return unlinkat(parent, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_dir(struct walk *w, int dir, int parent, const char *name)
{
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int tree_remove(int parent, const char *name)
{
	struct walk w = { .visit = remove_file, .leave = remove_dir };
	struct stat st;
	int r;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	w.device = st.st_dev;
	r = walk_entry(&w, parent, name, 0);
	return r == -ENOENT ? 0 : r;
}
