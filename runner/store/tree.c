/* SPDX-License-Identifier: MIT */
#include "store/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <search.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/util.h"

#define TREE_DEPTH_MAX 100

struct walk {
	dev_t device;
	struct tree_sum sum;
	int (*visit)(struct walk *w, int parent, const char *name, const struct stat *st);
	int (*leave)(struct walk *w, int dir, int parent, const char *name);
	int (*tell)(void *data, int parent, const char *path, const struct stat *st);
	void *data;
	bool count_names;
	void *names; /* tsearch(3) of the inodes with more names than one */
	char path[TREE_PATH_MAX]; /* of what is visited; kept for tree_walk() only */
	size_t length;
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

struct names {
	ino_t inode;
	nlink_t seen;
};

static int by_inode(const void *a, const void *b)
{
	const struct names *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/* Is this the last of all names that the file has? Then it is nobody else's. */
static bool is_last_name(struct walk *w, const struct stat *st)
{
	struct names *n = calloc(1, sizeof(*n)), **slot;

	if (!n)
		return false;
	n->inode = st->st_ino;
	slot = (struct names **)tsearch(n, &w->names, by_inode);
	if (!slot || *slot != n)
		free(n);
	return slot && ++(*slot)->seen == st->st_nlink;
}

static void count_disk(struct walk *w, const struct stat *st)
{
	uint64_t disk = (uint64_t)st->st_blocks * 512;
	bool one = S_ISDIR(st->st_mode) || st->st_nlink < 2;
	bool alone = one || (w->count_names && is_last_name(w, st));

	w->sum.disk += disk;
	w->sum.own += alone ? disk : 0;
	w->sum.share += one ? disk : disk / st->st_nlink;
}

static int tell(struct walk *w, int parent, const char *name, const struct stat *st)
{
	size_t left = sizeof(w->path) - w->length;
	int n = snprintf(w->path + w->length, left, "%s%s", w->length ? "/" : "", name);

	return w->tell(w->data, parent, n >= 0 && (size_t)n < left ? w->path : NULL, st);
}

static int walk_entry(struct walk *w, int parent, const char *name, int depth)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (st.st_dev != w->device)
		return -EXDEV;
	count_disk(w, &st);
	r = w->tell ? tell(w, parent, name, &st) : 0;
	if (r != 0)
		return r;
	if (!S_ISDIR(st.st_mode)) {
		w->sum.files++;
		w->sum.bytes += S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
		return w->visit ? w->visit(w, parent, name, &st) : 0;
	}
	fd = open_child(parent, name);
	if (fd < 0)
		return fd;
	r = walk_dir(w, fd, depth + 1);
	if (r != 0)
		return r;
	return w->leave ? w->leave(w, fd, parent, name) : 0;
}

static int walk_dir(struct walk *w, int dir, int depth)
{
	_cleanup_(closedirp) DIR *d = NULL;
	_cleanup_close_ int copy = -1;
	size_t outer = w->length;
	struct dirent *e;
	int r = 0;

	if (depth > TREE_DEPTH_MAX)
		return -E2BIG;
	copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0)
		return -errno;
	d = fdopendir(copy);
	if (!d)
		return -errno;
	(void)steal_fd(&copy);
	w->length = w->tell ? strlen(w->path) : 0;
	for (errno = 0; r == 0 && (e = readdir(d)); errno = 0) {
		if (!is_dots(e->d_name))
			r = walk_entry(w, dir, e->d_name, depth);
		w->path[w->length] = '\0';
	}
	w->length = outer;
	return r ? r : -errno;
}

static int walk(struct walk *w, int dir)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return -errno;
	w->device = st.st_dev;
	count_disk(w, &st);
	return walk_dir(w, dir, 0);
}

int tree_sum(int dir, struct tree_sum *ret)
{
	struct walk w = { .count_names = true };
	int r = walk(&w, dir);

	tdestroy(w.names, free);
	if (r < 0)
		return r;
	*ret = w.sum;
	return 0;
}

int tree_walk(int dir,
	      int (*visit)(void *data, int parent, const char *path, const struct stat *st),
	      void *data)
{
	struct walk w = { .tell = visit, .data = data };

	return walk(&w, dir);
}

int tree_open(int dir, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(unsigned)flags | O_NOFOLLOW | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					   RESOLVE_NO_XDEV };
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static uid_t owner(void)
{
	return geteuid() == 0 ? TREE_OWNER : geteuid();
}

static gid_t owner_group(void)
{
	return geteuid() == 0 ? TREE_OWNER : getegid();
}

static int seal_file(struct walk *w, int parent, const char *name, const struct stat *st)
{
	mode_t mode = st->st_mode & 07777;

	if (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode))
		return -EINVAL;
	if (S_ISREG(st->st_mode) && ((mode != 0644 && mode != 0755) || st->st_nlink != 1))
		return -EINVAL;
	return fchownat(parent, name, owner(), owner_group(), AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int seal_dir(struct walk *w, int dir, int parent, const char *name)
{
	if (fchown(dir, owner(), owner_group()) < 0 || fchmod(dir, 0755) < 0)
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
