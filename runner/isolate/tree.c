/* SPDX-License-Identifier: MIT */

/* See tree.h. */

#include "tree.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <util/util.h>

#define WHERE_MAX 256
#define LEVELS 48 /* of one pass of a removal; deeper directories are first moved up */

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static bool is_dots(const char *name)
{
	return streq(name, ".") || streq(name, "..");
}

static int failed(char *where, const char *name, int error)
{
	if (!where[0])
		copy_string(where, WHERE_MAX, name);
	return error;
}

/* Also a bind mount of the same file system is a mount: only the kernel can tell. */
static int open_beneath(int parent, const char *name, uint64_t flags)
{
	const struct open_how how = { .flags = flags | O_NOFOLLOW | O_CLOEXEC,
				      .resolve = RESOLVE_NO_XDEV | RESOLVE_BENEATH |
						 RESOLVE_NO_SYMLINKS };
	int fd = (int)syscall(SYS_openat2, parent, name, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/*
 * A program may have taken the rights of a directory from its owner, who we are unless we are root.
 * chmod(2) has no O_NOFOLLOW, but a descriptor is no link.
 */
static int regain(int parent, const char *name)
{
	_cleanup_close_ int fd = open_beneath(parent, name, O_PATH | O_DIRECTORY);
	char path[64];

	if (fd < 0)
		return fd;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, 0700) < 0 ? -errno : 0;
}

static int open_directory(int parent, const char *name)
{
	const uint64_t flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK;
	int fd = open_beneath(parent, name, flags);

	if (fd == -EACCES && regain(parent, name) == 0)
		fd = open_beneath(parent, name, flags);
	return fd;
}

/* The stream reads a description of its own, so that `fd` stays the caller's. */
static DIR *open_stream(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);

	if (!d)
		close_fd(copy);
	return d;
}

/* Readable but without the right to search or write: entries cannot be looked at or removed. */
static int ensure_access(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (geteuid() == 0 || (st.st_mode & 0700) == 0700)
		return 0;
	return fchmod(fd, (st.st_mode & 07777) | 0700) < 0 ? -errno : 0;
}

/* ------------------------------------------------------------------ giving */

static int give_directory(int dir, const struct tree_owner *o, int depth, char *where);

static int give_entry(int parent, const char *name, const struct tree_owner *o, int depth,
		      char *where)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode)) {
		if (depth >= TREE_DEPTH)
			return tree_remove(parent, name, where);
		fd = open_directory(parent, name);
		return fd < 0 ? fd : give_directory(fd, o, depth + 1, where);
	}
	if (!S_ISREG(st.st_mode) && !o->keep_special)
		return unlinkat(parent, name, 0) < 0 ? -errno : 0;
	if (!o->change || (st.st_uid == o->uid && st.st_gid == o->gid && !(st.st_mode & 06000)))
		return 0;
	if (S_ISLNK(st.st_mode)) /* which nothing can be mounted on */
		return fchownat(parent, name, o->uid, o->gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
	fd = open_beneath(parent, name, O_PATH);
	if (fd < 0)
		return fd;
	return fchownat(fd, "", o->uid, o->gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

static int give_directory(int dir, const struct tree_owner *o, int depth, char *where)
{
	_cleanup_(closedirp) DIR *d = NULL;
	struct dirent *e;
	int r = ensure_access(dir);

	if (r < 0)
		return r;
	d = open_stream(dir);
	if (!d)
		return -errno;
	for (errno = 0; (e = readdir(d)); errno = 0) {
		if (is_dots(e->d_name))
			continue;
		r = give_entry(dir, e->d_name, o, depth, where);
		if (r < 0)
			return failed(where, e->d_name, r);
	}
	if (errno)
		return -errno;
	return o->change && fchown(dir, o->uid, o->gid) < 0 ? -errno : 0;
}

int tree_give(int dir, const struct tree_owner *owner, char *where)
{
	where[0] = '\0';
	return give_directory(dir, owner, 0, where);
}

/* ---------------------------------------------------------------- removing */

struct removal {
	int top; /* where directories too deep for this pass are moved to */
	unsigned long moved;
	char *where;
};

static int remove_contents(struct removal *w, int dir, int depth);

/* A tree as deep as the file system allows is taken apart in pieces of LEVELS. */
static int move_up(struct removal *w, int parent, const char *name)
{
	char lifted[64];
	int r;

	do {
		(void)snprintf(lifted, sizeof(lifted), ".lifted-%lu", w->moved++);
		r = (int)syscall(SYS_renameat2, parent, name, w->top, lifted, 1 /* NOREPLACE */);
	} while (r < 0 && errno == EEXIST);
	return r < 0 ? -errno : 0;
}

static int remove_directory(struct removal *w, int parent, const char *name, int depth)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES && errno != EPERM)
		return -errno; /* EBUSY: something is mounted there */
	fd = open_directory(parent, name);
	if (fd < 0)
		return fd;
	r = ensure_access(fd);
	if (r == 0)
		r = depth >= LEVELS ? move_up(w, parent, name) : remove_contents(w, fd, depth + 1);
	if (r < 0 || depth >= LEVELS)
		return r;
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int remove_entry(struct removal *w, int parent, const char *name, int depth)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return remove_directory(w, parent, name, depth);
	return unlinkat(parent, name, 0) < 0 ? -errno : 0;
}

static int remove_contents(struct removal *w, int dir, int depth)
{
	_cleanup_(closedirp) DIR *d = open_stream(dir);
	struct dirent *e;
	int r;

	if (!d)
		return -errno;
	for (errno = 0; (e = readdir(d)); errno = 0) {
		if (is_dots(e->d_name))
			continue;
		r = remove_entry(w, dir, e->d_name, depth);
		if (r < 0)
			return failed(w->where, e->d_name, r);
	}
	return -errno;
}

/* Again until it is empty: what was moved up while the directory was read may have been missed. */
static int empty(int dir, char *where)
{
	struct removal w = { .top = dir, .where = where };
	unsigned long before;
	int r = ensure_access(dir);

	do {
		before = w.moved;
		if (r == 0)
			r = remove_contents(&w, dir, 0);
	} while (r == 0 && w.moved != before);
	return r;
}

int tree_remove(int parent, const char *name, char *where)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		return unlinkat(parent, name, 0) < 0 ? -errno : 0;
	fd = open_directory(parent, name);
	if (fd < 0)
		return failed(where, name, fd);
	r = empty(fd, where);
	if (r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r < 0 ? failed(where, name, r) : 0;
}
