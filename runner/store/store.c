/* SPDX-License-Identifier: MIT */

/*
 * Opening, getting and publishing; store-trim.c holds listing and eviction, store-verify.c
 * verification.
 *
 * Every access below the store's directory is by descriptor. A lock file is unlinked only by a
 * holder of its exclusive lock, and whoever has locked one looks whether it still has its name:
 * otherwise two processes could hold the "same" lock on two files.
 */

#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/util.h"
#include "store/store-internal.h"
#include "store/tarballs.h"

#define LOCK_POLL_MS 50

/* Keys become file names and parts of lock names. */
static bool name_ok(const char *name)
{
	size_t n =
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && n <= 100 && name[n] == '\0' && name[0] != '.';
}

static int random_name(const char *prefix, char **ret)
{
	uint64_t n;

	if (getrandom(&n, sizeof(n), 0) != sizeof(n))
		return -EIO;
	if (asprintf(ret, "%s.%016llx", prefix, (unsigned long long)n) < 0)
		return -ENOMEM;
	return 0;
}

/*
 * Nobody else's, and no group is inherited by what is made below: jails of an ordinary user know
 * one group only, and files of another cannot be copied up in an overlay.
 */
static int make_private(int fd, const struct stat *st)
{
	if ((st->st_mode & 07777) == 0700 && st->st_gid == getegid())
		return 0;
	return fchown(fd, (uid_t)-1, getegid()) < 0 || fchmod(fd, 0700) < 0 ? -errno : 0;
}

static int open_subdir(int parent, const char *name)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid())
		return -EPERM;
	r = make_private(fd, &st);
	return r < 0 ? r : steal_fd(&fd);
}

int store_kind_fd(struct store *s, const char *kind)
{
	return open_subdir(s->dir, kind);
}

static int open_root(const char *path, struct sbx_error *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return store_error(err, -errno, path,
				   "cannot make the store: %s; make its parent "
				   "directory or choose another place with --store",
				   strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return store_error(err, -errno, path, "cannot open the store: %s", strerror(errno));
	if (st.st_uid != geteuid())
		return store_error(err, -EPERM, path,
				   "the store belongs to user %u, not to the one "
				   "who runs this: chown it or choose another with --store",
				   st.st_uid);
	if (st.st_mode & 022)
		return store_error(err, -EPERM, path,
				   "the store can be written by others (mode %04o): "
				   "run chmod 0700 on it",
				   st.st_mode & 07777);
	r = make_private(fd, &st);
	if (r < 0)
		return store_error(err, r, path, "cannot make the store private: %s", strerror(-r));
	return steal_fd(&fd);
}

static int fill_store(struct store *s, const char *path, struct sbx_error *err)
{
	s->dir = open_root(path, err);
	if (s->dir < 0)
		return s->dir;
	s->path = realpath(path, NULL);
	if (!s->path)
		return store_error(err, -errno, path, "cannot resolve the path: %s",
				   strerror(errno));
	s->tmp = open_subdir(s->dir, "tmp");
	if (s->tmp < 0)
		return store_error(err, s->tmp, path, "cannot open tmp/ in the store: %s",
				   strerror(-s->tmp));
	s->locks = open_subdir(s->dir, "locks");
	if (s->locks < 0)
		return store_error(err, s->locks, path, "cannot open locks/ in the store: %s",
				   strerror(-s->locks));
	return 0;
}

static void store_freep(struct store **s)
{
	store_free(*s);
}

int store_open(struct store **ret, const char *path, uint64_t cap, struct sbx_error *err)
{
	_cleanup_(store_freep) struct store *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->dir = s->tmp = s->locks = -1;
	s->cap = cap ? cap : STORE_DEFAULT_CAP;
	r = fill_store(s, path, err);
	if (r < 0)
		return r;
	store_sweep(s);
	*ret = steal_ptr(s);
	return 0;
}

int store_look(struct store **ret, const char *path, struct sbx_error *err)
{
	_cleanup_(store_freep) struct store *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->dir = s->tmp = s->locks = -1;
	s->cap = STORE_DEFAULT_CAP;
	if (access(path, F_OK) < 0)
		return store_error(err, -errno, path, "there is no store: %s", strerror(errno));
	r = fill_store(s, path, err);
	if (r == 0)
		*ret = steal_ptr(s);
	return r;
}

struct store *store_free(struct store *s)
{
	if (!s)
		return NULL;
	close_fd(s->dir);
	close_fd(s->tmp);
	close_fd(s->locks);
	free(s->path);
	free(s);
	return NULL;
}

int store_fd(const struct store *s)
{
	return s->dir;
}

/* 1: `fd` is (still) the file called `name`. */
static int lock_has_name(struct store *s, int fd, const char *name)
{
	struct stat held, named;

	if (fstat(fd, &held) < 0)
		return -errno;
	if (fstatat(s->locks, name, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

int store_lock_now(struct store *s, const char *name, int how)
{
	_cleanup_close_ int fd = -1;
	int r;

	fd = openat(s->locks, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, how | LOCK_NB) < 0)
		return -errno;
	r = lock_has_name(s, fd, name);
	if (r < 0)
		return r;
	return r ? steal_fd(&fd) : -EWOULDBLOCK;
}

static int lock_wait(struct store *s, const char *name, int how, int cancel_fd)
{
	struct pollfd cancel = { .fd = cancel_fd, .events = POLLIN };
	int fd, r;

	for (;;) {
		fd = store_lock_now(s, name, how);
		if (fd != -EWOULDBLOCK)
			return fd;
		r = poll(&cancel, 1, LOCK_POLL_MS);
		if (r > 0)
			return -EINTR;
		if (r < 0 && errno != EINTR)
			return -errno;
	}
}

/* Takes hold of the finished entry: 0, -ENOENT, or -EBADMSG when it may not be used. */
static int open_entry(struct store_entry *e, bool use)
{
	_cleanup_close_ int kind = store_kind_fd(e->store, e->kind);
	struct store_info info;
	char *path;
	int r;

	if (kind < 0)
		return kind;
	close_fd(e->dir);
	e->dir = openat(kind, e->key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (e->dir < 0)
		return errno == ENOTDIR || errno == ELOOP ? -EBADMSG : -errno;
	r = info_read(kind, e->key, &info);
	if (r < 0)
		return r;
	if (asprintf(&path, "%s/%s/%s", e->store->path, e->kind, e->key) < 0)
		return -ENOMEM;
	free(e->path);
	e->path = path;
	copy_string(e->label, sizeof(e->label), info.label);
	if (use)
		info_touch(kind, e->key);
	return 0;
}

/* Under the exclusive lock: an entry that may not be used makes room for a new one. */
static int remove_broken(struct store_entry *e)
{
	_cleanup_close_ int kind = store_kind_fd(e->store, e->kind);
	int r = kind < 0 ? kind : store_bury(e->store, kind, e->kind, e->key);

	return r < 0 ? r : -ENOENT;
}

static int make_staging(struct store_entry *e)
{
	int r = random_name(e->name, &e->staging);

	if (r < 0)
		return r;
	if (mkdirat(e->store->tmp, e->staging, 0700) < 0) {
		r = -errno;
		free(steal_ptr(e->staging));
		return r;
	}
	close_fd(e->dir);
	e->dir = openat(e->store->tmp, e->staging, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (e->dir < 0)
		return -errno;
	return asprintf(&e->path, "%s/tmp/%s", e->store->path, e->staging) < 0 ? -ENOMEM : 0;
}

/* 0: there; 1: ours to make. */
static int acquire(struct store_entry *e, int cancel_fd)
{
	int r;

	e->lock = lock_wait(e->store, e->name, LOCK_SH, cancel_fd);
	if (e->lock < 0)
		return e->lock;
	r = open_entry(e, true);
	if (r != -ENOENT && r != -EBADMSG)
		return r;
	e->lock = close_fd(e->lock);
	e->lock = lock_wait(e->store, e->name, LOCK_EX, cancel_fd);
	if (e->lock < 0)
		return e->lock;
	r = open_entry(e, true);
	if (r == -EBADMSG)
		r = remove_broken(e);
	if (r == -ENOENT) {
		r = make_staging(e);
		return r < 0 ? r : 1;
	}
	if (r == 0 && flock(e->lock, LOCK_SH) < 0)
		return -errno;
	return r;
}

static struct store_entry *entry_new(struct store *s, const char *kind, const char *key)
{
	struct store_entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->store = s;
	e->lock = e->dir = -1;
	e->kind = strdup(kind);
	e->key = strdup(key);
	if (!e->kind || !e->key || asprintf(&e->name, "%s-%s", kind, key) < 0)
		return store_entry_free(e);
	return e;
}

int store_get(struct store *s, const char *kind, const char *key, int cancel_fd,
	      struct store_entry **ret, struct sbx_error *err)
{
	_cleanup_(store_entry_freep) struct store_entry *e = NULL;
	int r;

	if (!name_ok(kind) || !name_ok(key))
		return store_error(err, -EINVAL, key, "not a name for an entry");
	e = entry_new(s, kind, key);
	if (!e)
		return -ENOMEM;
	r = acquire(e, cancel_fd);
	if (r == -EINTR)
		return store_error(err, r, e->name,
				   "cancelled while another process made the entry");
	if (r < 0)
		return store_error(err, r, e->name, "cannot open or make the entry: %s",
				   strerror(-r));
	*ret = steal_ptr(e);
	return r;
}

int store_peek(struct store *s, const char *kind, const char *key, struct store_entry **ret)
{
	_cleanup_(store_entry_freep) struct store_entry *e = NULL;
	int r;

	if (!name_ok(kind) || !name_ok(key))
		return -EINVAL;
	e = entry_new(s, kind, key);
	if (!e)
		return -ENOMEM;
	e->lock = store_lock_now(s, e->name, LOCK_SH);
	if (e->lock < 0)
		return e->lock;
	r = open_entry(e, false);
	if (r < 0)
		return r == -EBADMSG ? -ENOENT : r;
	*ret = steal_ptr(e);
	return 0;
}

int store_sums(const struct store_entry *e, struct sums *ret)
{
	_cleanup_close_ int kind = store_kind_fd(e->store, e->kind);
	struct store_info info;
	int r = kind < 0 ? kind : info_read(kind, e->key, &info);

	return r < 0 ? r : info_read_sums(kind, e->key, &info, ret);
}

static int write_beside(struct store_entry *e, int kind, const struct tree_sum *sum)
{
	struct store_info info = { .sum = *sum };
	struct sums sums = {};
	int r = sums_make(e->dir, e->known, &sums);

	if (r < 0)
		return r;
	copy_string(info.label, sizeof(info.label), e->label);
	info.label[strcspn(info.label, "\n")] = '\0';
	r = info_write_sums(kind, e->key, &sums, &info);
	if (r == 0 && store_kind_is_shared(e->kind))
		(void)store_share_new(e, &sums);
	sums_done(&sums);
	return r < 0 ? r : info_write(kind, e->key, &info);
}

/* The content is on the disk before its name is: what has a name is whole, power cut or not. */
static int move_into_place(struct store_entry *e, const struct tree_sum *sum)
{
	_cleanup_close_ int kind = store_kind_fd(e->store, e->kind);
	int r;

	if (kind < 0)
		return kind;
	if (syncfs(e->dir) < 0)
		return -errno;
	r = write_beside(e, kind, sum);
	if (r < 0)
		return r;
	if (renameat2(e->store->tmp, e->staging, kind, e->key, RENAME_NOREPLACE) < 0)
		return -errno;
	free(steal_ptr(e->staging));
	return fsync(kind) < 0 ? -errno : 0;
}

/* The cache of tarballs has its share of the cap, entries the rest. */
static void trim(struct store *s)
{
	uint64_t tarballs = 0;

	(void)tarballs_trim(s, s->cap / TARBALLS_SHARE, 0, &tarballs);
	(void)store_trim(s, s->cap - MIN_OF(s->cap, tarballs), NULL);
}

int store_publish(struct store_entry *e, const struct tree_sum *sum, struct sbx_error *err)
{
	int r = move_into_place(e, sum);

	if (r == 0 && flock(e->lock, LOCK_SH) < 0)
		r = -errno;
	if (r == 0)
		r = open_entry(e, true);
	if (r < 0)
		return store_error(
			err, r, e->name, "cannot move the entry into place: %s%s", strerror(-r),
			r == -ENOENT ? "; it was evicted at once: raise --store-size" : "");
	trim(e->store);
	return 0;
}

struct store_entry *store_entry_free(struct store_entry *e)
{
	if (!e)
		return NULL;
	if (e->staging) {
		(void)tree_remove(e->store->tmp, e->staging);
		(void)unlinkat(e->store->locks, e->name, 0);
	}
	close_fd(e->dir);
	close_fd(e->lock);
	free(e->staging);
	free(e->path);
	free(e->name);
	free(e->kind);
	free(e->key);
	free(e);
	return NULL;
}
