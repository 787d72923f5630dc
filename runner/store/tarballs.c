/* SPDX-License-Identifier: MIT */
#include "store/tarballs.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store-internal.h"
#include "util/util.h"

#define DIGITS 128
#define NAME_SIZE (DIGITS + 3) /* aa/bb/rest */
#define READ_SIZE (256u << 10)

/* ------------------------------------------------------------------------- folders */

/* Jails make their own files in it, in the layer above: it belongs to their user. */
static int open_folder(int parent, const char *name)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (geteuid() == 0 && (st.st_uid != TREE_OWNER || st.st_gid != TREE_OWNER) &&
	    fchown(fd, TREE_OWNER, TREE_OWNER) < 0)
		return -errno;
	if ((st.st_mode & 07777) != 0755 && fchmod(fd, 0755) < 0)
		return -errno;
	return steal_fd(&fd);
}

static int open_cache(struct store *s)
{
	_cleanup_close_ int top = store_kind_fd(s, "tarballs");

	return top < 0 ? top : open_folder(top, "sha512");
}

int tarballs_path(struct store *s, char **ret, struct sbx_error *err)
{
	_cleanup_close_ int fd = open_cache(s);

	if (fd < 0)
		return store_error(err, fd, "tarballs", "cannot make the cache of tarballs: %s",
				   strerror(-fd));
	return asprintf(ret, "%s/tarballs/sha512", s->path) < 0 ? -ENOMEM : 0;
}

/* --------------------------------------------------------------------------- names */

static bool is_hex(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") >= n;
}

/* "aa/bb/rest", 128 digits in all. */
static bool is_tarball(const char *path)
{
	return path && strlen(path) == NAME_SIZE - 1 && is_hex(path, 2) && path[2] == '/' &&
	       is_hex(path + 3, 2) && path[5] == '/' && is_hex(path + 6, DIGITS - 4);
}

static int hash_file(int fd, char ret[DIGITS + 1])
{
	static const char digits[] = "0123456789abcdef";
	_cleanup_free_ uint8_t *buffer = malloc(READ_SIZE);
	uint8_t digest[SHA512_DIGEST_SIZE];
	struct sha512_ctx hash;
	off_t at = 0;
	ssize_t n;

	if (!buffer)
		return -ENOMEM;
	sha512_init(&hash);
	while ((n = pread(fd, buffer, READ_SIZE, at)) != 0) {
		if (n < 0)
			return -errno;
		at += n;
		if (at > (off_t)TARBALL_MAX)
			return -EFBIG;
		sha512_update(&hash, (size_t)n, buffer);
	}
	sha512_digest(&hash, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++) {
		ret[2 * i] = digits[digest[i] >> 4];
		ret[2 * i + 1] = digits[digest[i] & 15];
	}
	ret[DIGITS] = '\0';
	return 0;
}

/* 0: the content is what the name says; -EBADMSG. */
static int check_content(int dir, const char *path)
{
	_cleanup_close_ int fd = tree_open(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	char found[DIGITS + 1];
	struct stat st;
	int r;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return -EBADMSG;
	r = hash_file(fd, found);
	if (r < 0)
		return r;
	return strncmp(found, path, 2) == 0 && strncmp(found + 2, path + 3, 2) == 0 &&
			       streq(found + 4, path + 6)
		       ? 0
		       : -EBADMSG;
}

/* ---------------------------------------------------------------------------- taking */

struct taking {
	int from, cache;
	int seen, taken;
};

static int open_bucket(int cache, const char *path)
{
	char first[3] = { path[0], path[1] }, second[3] = { path[3], path[4] };
	_cleanup_close_ int outer = open_folder(cache, first);

	return outer < 0 ? outer : open_folder(outer, second);
}

static int take_one(struct taking *t, const char *path)
{
	_cleanup_close_ int bucket = -1, fd = -1;

	if (check_content(t->from, path) < 0)
		return 0;
	fd = tree_open(t->from, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fd;
	if (fchmod(fd, 0644) < 0 || (geteuid() == 0 && fchown(fd, TREE_OWNER, TREE_OWNER) < 0))
		return -errno;
	bucket = open_bucket(t->cache, path);
	if (bucket < 0)
		return bucket;
	if (renameat2(t->from, path, bucket, path + 6, RENAME_NOREPLACE) < 0)
		return errno == EEXIST ? 0 : -errno;
	t->taken++;
	return 0;
}

static int visit_new(void *data, int parent, const char *path, const struct stat *st)
{
	struct taking *t = data;

	(void)parent;
	if (!S_ISREG(st->st_mode) || !is_tarball(path))
		return 0;
	if (t->seen++ == TARBALLS_AT_ONCE)
		return -E2BIG;
	return take_one(t, path);
}

int tarballs_take(struct store *s, int from)
{
	_cleanup_close_ int cache = open_cache(s);
	struct taking t = { .from = from, .cache = cache };
	int r = cache < 0 ? cache : tree_walk(from, visit_new, &t);

	return r < 0 ? r : t.taken;
}

/* --------------------------------------------------------------------------- trimming */

struct tarball {
	char path[NAME_SIZE];
	uint64_t disk;
	struct timespec made;
};

struct listing {
	struct tarball *list;
	size_t n;
	uint64_t disk;
};

static int visit_listed(void *data, int parent, const char *path, const struct stat *st)
{
	struct listing *l = data;
	struct tarball *list;

	(void)parent;
	if (!S_ISREG(st->st_mode) || !is_tarball(path))
		return 0;
	list = l->n & (l->n - 1) ? l->list
				 : reallocarray(l->list, l->n ? 2 * l->n : 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	l->list = list;
	list[l->n] = (struct tarball){ .disk = (uint64_t)st->st_blocks * 512, .made = st->st_mtim };
	memcpy(list[l->n++].path, path, NAME_SIZE);
	l->disk += (uint64_t)st->st_blocks * 512;
	return 0;
}

static int older_first(const void *a, const void *b)
{
	const struct timespec *x = &((const struct tarball *)a)->made;
	const struct timespec *y = &((const struct tarball *)b)->made;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

int tarballs_sum(struct store *s, struct tree_sum *ret)
{
	_cleanup_close_ int cache = open_cache(s);

	return cache < 0 ? cache : tree_sum(cache, ret);
}

int tarballs_trim(struct store *s, uint64_t cap, time_t before, uint64_t *ret_bytes)
{
	_cleanup_close_ int cache = open_cache(s);
	struct listing l = {};
	int r = cache < 0 ? cache : tree_walk(cache, visit_listed, &l);

	if (r == 0 && l.n)
		qsort(l.list, l.n, sizeof(*l.list), older_first);
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		if (l.disk <= cap && l.list[i].made.tv_sec >= before)
			break;
		if (unlinkat(cache, l.list[i].path, 0) == 0)
			l.disk -= l.list[i].disk;
	}
	free(l.list);
	if (r == 0 && ret_bytes)
		*ret_bytes = l.disk;
	return r;
}

int tarballs_expire(struct store *s, time_t before, bool dry, uint64_t *ret_bytes)
{
	_cleanup_close_ int cache = open_cache(s);
	struct listing l = {};
	int r = cache < 0 ? cache : tree_walk(cache, visit_listed, &l), n = 0;
	uint64_t bytes = 0;

	for (size_t i = 0; r == 0 && i < l.n; i++) {
		if (l.list[i].made.tv_sec >= before ||
		    (!dry && unlinkat(cache, l.list[i].path, 0) < 0))
			continue;
		bytes += l.list[i].disk;
		n++;
	}
	free(l.list);
	if (r == 0)
		*ret_bytes = bytes;
	return r < 0 ? r : n;
}

int tarballs_verify(struct store *s, bool repair,
		    void (*report)(void *data, const struct store_fault *f), void *data,
		    int *ret_checked)
{
	_cleanup_close_ int cache = open_cache(s);
	struct listing l = {};
	int r = cache < 0 ? cache : tree_walk(cache, visit_listed, &l), bad = 0;

	for (size_t i = 0; r == 0 && i < l.n; i++) {
		struct store_fault f = { .kind = "tarballs",
					 .key = l.list[i].path,
					 .path = "",
					 .what = "is not what its name says" };

		if (check_content(cache, l.list[i].path) == 0)
			continue;
		f.removed = repair && unlinkat(cache, l.list[i].path, 0) == 0;
		bad++;
		report(data, &f);
	}
	if (ret_checked)
		*ret_checked = (int)l.n;
	free(l.list);
	return r < 0 ? r : bad;
}
