/* SPDX-License-Identifier: MIT */

/* See box.h. */

#include "box.h"
#include "tree.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <util/util.h>

#define LOCK_MAGIC 0x48736f6cu
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* ------------------------------------------------------------------ places */

/* mkdir -p */
static int make_directories(const char *path, mode_t mode)
{
	char partial[PATH_MAX];

	copy_string(partial, sizeof(partial), path);
	for (char *s = partial + 1;; s++) {
		char c = *s;

		if (c != '/' && c != '\0')
			continue;
		*s = '\0';
		if (mkdir(partial, mode) < 0 && errno != EEXIST)
			return -1;
		if (c == '\0')
			return 0;
		*s = c;
	}
}

/* Debian lets its group "staff" write to /var/local, and to /usr/local: root's PATH. */
static bool is_root_group(gid_t gid)
{
	const struct group *g = gid == 0 ? NULL : getgrgid(gid);

	return gid == 0 || (g && streq(g->gr_name, "staff"));
}

static bool others_may_write(const struct stat *st)
{
	if (st->st_mode & S_ISVTX)
		return false;
	return (st->st_mode & 0002) || ((st->st_mode & 0020) && !is_root_group(st->st_gid));
}

/*
 * What somebody else could rename could become a link between two of our steps. A sticky directory
 * (/tmp) will do: what belongs to us there stays ours.
 */
static int check_ancestors(const char *path, struct report *r)
{
	char partial[PATH_MAX];
	struct stat st;

	copy_string(partial, sizeof(partial), path);
	for (char *slash = partial + strlen(partial); slash; slash = strrchr(partial, '/')) {
		*slash = '\0';
		if (lstat(partial[0] ? partial : "/", &st) < 0)
			return report_fail(r, "Cannot look at %s: %s", partial, strerror(errno));
		if (st.st_uid != 0 && st.st_uid != geteuid())
			return report_fail(r,
					   "%s belongs to uid %u, who could replace the boxes "
					   "below it; set box_root and lock_root to a place of "
					   "your own",
					   partial, (unsigned int)st.st_uid);
		if (others_may_write(&st))
			return report_fail(r,
					   "%s can be written by others, who could replace the "
					   "boxes below it: chmod go-w",
					   partial[0] ? partial : "/");
		if (!partial[0])
			break;
	}
	return 0;
}

static int make_root(char path[PATH_MAX], bool privileged, struct report *r)
{
	_cleanup_free_ char *real = NULL;

	if (make_directories(path, privileged ? 0755 : 0700) < 0)
		return report_fail(r, "Cannot create %s: %s", path, strerror(errno));
	real = realpath(path, NULL);
	if (!real || strlen(real) >= PATH_MAX / 2)
		return report_fail(r, "Cannot find %s: %s", path, strerror(errno));
	copy_string(path, PATH_MAX, real);
	return check_ancestors(path, r);
}

static int choose_owner(struct box *b, const struct box_request *q)
{
	b->owner = getuid();
	b->owner_gid = getgid();
	if (q->as_uid < 0 && q->as_gid < 0)
		return 0;
	if (!b->privileged)
		return report_fail(b->report, "You must be root to use --as-uid or --as-gid");
	if (q->as_uid < 0 || q->as_gid < 0)
		return report_fail(b->report,
				   "--as-uid and --as-gid must be used either both or none");
	b->owner = (uid_t)q->as_uid;
	b->owner_gid = (gid_t)q->as_gid;
	return 0;
}

int box_prepare(struct box *b, struct config *config, const struct box_request *q, struct report *r)
{
	memset(b, 0, sizeof(*b));
	b->config = config;
	b->report = r;
	b->root = b->dir = b->lock = -1;
	b->id = q->id;
	b->cg = q->cg;
	b->privileged = geteuid() == 0;
	if (q->id >= config->num_boxes)
		return report_fail(r, "Sandbox ID out of range (allowed: 0-%u)",
				   config->num_boxes - 1);
	b->uid = config->first_uid + q->id % config_ids(config);
	b->gid = config->first_gid + q->id % config_ids(config);
	if (choose_owner(b, q) < 0 || make_root(config->box_root, b->privileged, r) < 0 ||
	    make_root(config->lock_root, b->privileged, r) < 0)
		return -1;
	(void)snprintf(b->path, sizeof(b->path), "%.2047s/%u", config->box_root, b->id);
	b->root = open(config->box_root, OPEN_DIR);
	if (b->root < 0)
		return report_fail(r, "Cannot open %s: %s", config->box_root, strerror(errno));
	return 0;
}

void box_done(struct box *b)
{
	b->root = close_fd(b->root);
	b->dir = close_fd(b->dir);
	b->lock = close_fd(b->lock);
}

/* ------------------------------------------------------------------- locks */

static int open_lock(struct box *b, bool create)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%.2047s/%u", b->config->lock_root, b->id);
	b->lock = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
	if (b->lock < 0 && errno == ENOENT)
		return 0;
	if (b->lock < 0)
		return report_fail(b->report, "Cannot open %s: %s", path, strerror(errno));
	return 1;
}

static int take_lock(struct box *b, bool wait)
{
	int r;

	do
		r = flock(b->lock, LOCK_EX | (wait ? 0 : LOCK_NB));
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return report_fail(b->report, "This box is currently in use by another process");
	return report_fail(b->report, "Cannot lock the box: %s", strerror(errno));
}

/* Whether the record that is there lets us in. */
static int check_record(struct box *b, ssize_t n)
{
	if (n != (ssize_t)sizeof(b->record) || b->record.magic != LOCK_MAGIC)
		return report_fail(b->report, "The lock file of box %u has an unknown format",
				   b->id);
	if (b->record.initialized && b->record.owner != b->owner && getuid() != 0)
		return report_fail(b->report, "This box belongs to a different user (uid %u)",
				   b->record.owner);
	if (!!b->record.cg != b->cg)
		return report_fail(b->report, "This box was initialized with an incompatible "
					      "control group mode: use --cg with all of --init, "
					      "--run and --cleanup, or with none");
	return 0;
}

static int write_record(struct box *b, bool initialized)
{
	b->record = (struct box_lock){
		.magic = LOCK_MAGIC, .owner = b->owner, .cg = b->cg, .initialized = initialized
	};
	if (pwrite(b->lock, &b->record, sizeof(b->record), 0) != (ssize_t)sizeof(b->record))
		return report_fail(b->report, "Cannot write the lock file: %s", strerror(errno));
	return 0;
}

int box_lock(struct box *b, bool create, bool wait)
{
	int r = open_lock(b, create);
	ssize_t n;

	if (r <= 0)
		return r;
	if (take_lock(b, wait) < 0)
		return -1;
	n = pread(b->lock, &b->record, sizeof(b->record), 0);
	if (n < 0)
		return report_fail(b->report, "Cannot read the lock file: %s", strerror(errno));
	if (n > 0 && check_record(b, n) < 0)
		return -1;
	if (create)
		return write_record(b, false) < 0 ? -1 : 1;
	if (n == 0) /* cleaned up, or somebody is between creating and locking it */
		return 0;
	if (!b->record.initialized)
		return report_fail(b->report, "This box was not initialized properly: run --init");
	return 1;
}

int box_forget(struct box *b)
{
	if (ftruncate(b->lock, 0) < 0)
		return report_fail(b->report, "Cannot truncate the lock file: %s", strerror(errno));
	return 0;
}

/* ------------------------------------------------------------- directories */

static void box_name(const struct box *b, char ret[16])
{
	(void)snprintf(ret, 16, "%u", b->id);
}

int box_remove(struct box *b)
{
	char name[16], where[256] = "";
	int r;

	box_name(b, name);
	r = tree_remove(b->root, name, where);
	if (r < 0)
		return report_fail(
			b->report, "Cannot remove %s (at %s): %s%s", b->path, where, strerror(-r),
			r == -EXDEV || r == -EBUSY ? "; something is mounted there" : "");
	return 0;
}

int box_open(struct box *b)
{
	char name[16];

	box_name(b, name);
	b->dir = openat(b->root, name, OPEN_DIR);
	if (b->dir < 0)
		return report_fail(b->report, "Cannot open %s: %s", b->path, strerror(errno));
	return 0;
}

static int give_to_owner(struct box *b, int fd)
{
	return b->privileged ? fchown(fd, b->owner, b->owner_gid) : 0;
}

static int make_box(struct box *b)
{
	_cleanup_close_ int fd = -1;

	if (mkdirat(b->dir, "box", 0700) < 0)
		return -1;
	fd = openat(b->dir, "box", OPEN_DIR);
	return fd < 0 ? -1 : give_to_owner(b, fd);
}

int box_create(struct box *b)
{
	char name[16];

	if (box_remove(b) < 0)
		return -1;
	box_name(b, name);
	if (mkdirat(b->root, name, b->privileged ? 0755 : 0700) < 0)
		return report_fail(b->report, "Cannot create %s: %s", b->path, strerror(errno));
	if (box_open(b) < 0)
		return -1;
	if (make_box(b) < 0)
		return report_fail(b->report, "Cannot create %s/box: %s", b->path, strerror(errno));
	return write_record(b, true);
}

static int give(struct box *b, const struct tree_owner *owner)
{
	_cleanup_close_ int fd = openat(b->dir, "box", OPEN_DIR);
	char where[256] = "box";
	int r = fd < 0 ? -errno : tree_give(fd, owner, where);

	if (r < 0)
		return report_fail(b->report, "Cannot give %s/box to uid %u (at %s): %s%s", b->path,
				   (unsigned int)owner->uid, where, strerror(-r),
				   r == -EXDEV ? "; something is mounted there" : "");
	return 0;
}

int box_give_to_program(struct box *b)
{
	return give(b,
		    &(struct tree_owner){ .change = b->privileged, .uid = b->uid, .gid = b->gid });
}

int box_give_back(struct box *b, bool keep_special)
{
	return give(b, &(struct tree_owner){ .change = b->privileged,
					     .uid = b->owner,
					     .gid = b->owner_gid,
					     .keep_special = keep_special });
}

/*
 * All such directories lie side by side, a '/' in their names written as ':', so that none is ever
 * looked for in a directory that a program could write to.
 */
static int open_tmp(struct box *b, const char *flat)
{
	_cleanup_close_ int tmp = -1;

	if (mkdirat(b->dir, "tmp", 0755) < 0 && errno != EEXIST)
		return -1;
	tmp = openat(b->dir, "tmp", OPEN_DIR);
	if (tmp < 0 || (mkdirat(tmp, flat, 0700) < 0 && errno != EEXIST))
		return -1;
	return openat(tmp, flat, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int box_tmp(struct box *b, const char *name, char ret[PATH_MAX])
{
	char flat[256], self[64];
	_cleanup_close_ int fd = -1;

	copy_string(flat, sizeof(flat), name);
	for (char *s = flat; *s; s++)
		*s = *s == '/' ? ':' : *s;
	fd = open_tmp(b, flat);
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (fd < 0 || (b->privileged && fchownat(fd, "", b->uid, b->gid, AT_EMPTY_PATH) < 0) ||
	    chmod(self, 0700) < 0)
		return report_fail(b->report, "Cannot make the temporary directory %s/tmp/%s: %s",
				   b->path, flat, strerror(errno));
	(void)snprintf(ret, PATH_MAX, "%.3000s/tmp/%s", b->path, flat);
	return 0;
}

int box_inner(struct box *b, const char *rest, char ret[PATH_MAX])
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	int fd = (int)syscall(SYS_openat2, b->dir, rest, &how, sizeof(how));

	if (fd < 0)
		return -errno;
	close_fd(fd);
	if (snprintf(ret, PATH_MAX, "%s/%s", b->path, rest) >= PATH_MAX)
		return -ENAMETOOLONG;
	return 0;
}
