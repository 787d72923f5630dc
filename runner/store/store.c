/* SPDX-License-Identifier: MIT */

/*
 * Opening, getting and publishing; store-trim.c holds eviction and verification.
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
#include <stdarg.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/util.h"
#include "store/store-internal.h"

#define LOCK_POLL_MS 50

int store_error(struct sbx_error *err, int code, const char *item, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	*err = (struct sbx_error){ .code = code };
	(void)snprintf(err->stage, sizeof(err->stage), "store");
	copy_string(err->item, sizeof(err->item), item);
	va_start(args, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return code;
}

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
 * Nobody else's, and no group is inherited by what is made below: jails of an ordinary user know one
 * group only, and files of another cannot be copied up in an overlay.
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

static void touch_info(int kind_fd, const char *key)
{
	_cleanup_free_ char *info = NULL;

	if (asprintf(&info, "%s.info", key) >= 0)
		(void)utimensat(kind_fd, info, NULL, AT_SYMLINK_NOFOLLOW);
}

/* Takes hold of the finished entry: 0, or -ENOENT. */
static int open_entry(struct store_entry *e)
{
	_cleanup_close_ int kind = store_kind_fd(e->store, e->kind);
	char *path;

	if (kind < 0)
		return kind;
	close_fd(e->dir);
	e->dir = openat(kind, e->key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (e->dir < 0)
		return -errno;
	if (asprintf(&path, "%s/%s/%s", e->store->path, e->kind, e->key) < 0)
		return -ENOMEM;
	free(e->path);
	e->path = path;
	touch_info(kind, e->key);
	return 0;
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
	r = open_entry(e);
	if (r != -ENOENT)
		return r;
	e->lock = close_fd(e->lock);
	e->lock = lock_wait(e->store, e->name, LOCK_EX, cancel_fd);
	if (e->lock < 0)
		return e->lock;
	r = open_entry(e);
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

static void entry_freep(struct store_entry **e)
{
	store_entry_free(*e);
}

int store_get(struct store *s, const char *kind, const char *key, int cancel_fd,
	      struct store_entry **ret, struct sbx_error *err)
{
	_cleanup_(entry_freep) struct store_entry *e = NULL;
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

static int write_info(int kind, const char *key, const struct tree_sum *sum)
{
	_cleanup_free_ char *info = NULL, *text = NULL;
	_cleanup_close_ int fd = -1;
	int n;

	if (asprintf(&info, "%s.info", key) < 0)
		return -ENOMEM;
	n = asprintf(&text, "files %llu\nbytes %llu\ndisk %llu\n", (unsigned long long)sum->files,
		     (unsigned long long)sum->bytes, (unsigned long long)sum->disk);
	if (n < 0)
		return -ENOMEM;
	fd = openat(kind, info, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	return write(fd, text, (size_t)n) == n ? 0 : -EIO;
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
	r = write_info(kind, e->key, sum);
	if (r < 0)
		return r;
	if (renameat2(e->store->tmp, e->staging, kind, e->key, RENAME_NOREPLACE) < 0)
		return -errno;
	free(steal_ptr(e->staging));
	return fsync(kind) < 0 ? -errno : 0;
}

int store_publish(struct store_entry *e, const struct tree_sum *sum, struct sbx_error *err)
{
	int r = move_into_place(e, sum);

	if (r == 0 && flock(e->lock, LOCK_SH) < 0)
		r = -errno;
	if (r == 0)
		r = open_entry(e);
	if (r < 0)
		return store_error(
			err, r, e->name, "cannot move the entry into place: %s%s", strerror(-r),
			r == -ENOENT ? "; it was evicted at once: raise --store-size" : "");
	(void)store_trim(e->store, e->store->cap, NULL);
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
