/* SPDX-License-Identifier: MIT */

/*
 * What happens to entries later: the sweep of unfinished ones, eviction and verification.
 *
 * An entry is evicted under its exclusive lock, so never while a job uses it (shared lock) or while
 * it is made. It first loses its name by a rename into tmp/: a process that dies in the middle of
 * the removal leaves no half entry behind.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/util.h"
#include "store/store-internal.h"

/* Kinds whose entries count towards the cap. The runtime is the operator's and stays. */
static const char *const kinds[] = { "deps", "postgres" };

struct candidate {
	const char *kind;
	char *key;
	struct timespec used;
	uint64_t disk;
};

struct candidates {
	struct candidate *list;
	size_t n;
	uint64_t disk;
};

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static void candidates_done(struct candidates *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->list[i].key);
	free(c->list);
}

static DIR *list_dir(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d;

	if (copy < 0)
		return NULL;
	d = fdopendir(copy);
	if (!d)
		close_fd(copy);
	return d;
}

static bool is_info(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && streq(name + n - 5, ".info");
}

void store_sweep(struct store *s)
{
	_cleanup_(closedirp) DIR *d = list_dir(s->tmp);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		_cleanup_free_ char *name = NULL;
		_cleanup_close_ int lock = -1;
		const char *dot = strrchr(e->d_name, '.');

		if (e->d_name[0] == '.' || !dot)
			continue;
		name = strndup(e->d_name, (size_t)(dot - e->d_name));
		if (!name)
			return;
		lock = store_lock_now(s, name, LOCK_EX);
		if (lock < 0)
			continue;
		(void)tree_remove(s->tmp, e->d_name);
		(void)unlinkat(s->locks, name, 0);
	}
}

static int read_info(int kind, const char *key, struct tree_sum *ret, struct timespec *ret_used)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int fd = -1;
	unsigned long long files, bytes, disk;
	char text[256];
	struct stat st;
	ssize_t n;

	if (asprintf(&name, "%s.info", key) < 0)
		return -ENOMEM;
	fd = openat(kind, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (sscanf(text, "files %llu\nbytes %llu\ndisk %llu\n", &files, &bytes, &disk) != 3)
		return -EBADMSG;
	*ret = (struct tree_sum){ .files = files, .bytes = bytes, .disk = disk };
	*ret_used = st.st_mtim;
	return 0;
}

static int sum_entry(int kind, const char *key, struct tree_sum *ret)
{
	_cleanup_close_ int fd = openat(kind, key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : tree_sum(fd, ret);
}

static int add_candidate(struct candidates *c, const char *kind_name, int kind, const char *key)
{
	struct candidate *list, one = { .kind = kind_name };
	struct tree_sum sum;
	int r;

	r = read_info(kind, key, &sum, &one.used);
	if (r < 0)
		r = sum_entry(kind, key, &sum);
	if (r < 0)
		return r;
	list = reallocarray(c->list, c->n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	c->list = list;
	one.key = strdup(key);
	if (!one.key)
		return -ENOMEM;
	one.disk = sum.disk;
	c->list[c->n++] = one;
	c->disk += sum.disk;
	return 0;
}

static int collect(struct store *s, struct candidates *c)
{
	struct dirent *e;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_close_ int kind = store_kind_fd(s, kinds[i]);
		_cleanup_(closedirp) DIR *d = NULL;

		if (kind < 0)
			return kind;
		d = list_dir(kind);
		while (d && (e = readdir(d))) {
			if (e->d_name[0] == '.' || is_info(e->d_name))
				continue;
			r = add_candidate(c, kinds[i], kind, e->d_name);
			if (r == -ENOMEM)
				return r;
		}
	}
	return 0;
}

static int older_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	return x->used.tv_nsec < y->used.tv_nsec ? -1 : x->used.tv_nsec > y->used.tv_nsec;
}

/* 1: gone; 0: in use. */
static int evict(struct store *s, const struct candidate *c)
{
	_cleanup_free_ char *name = NULL, *grave = NULL, *info = NULL;
	_cleanup_close_ int kind = store_kind_fd(s, c->kind);
	_cleanup_close_ int lock = -1;

	if (kind < 0)
		return kind;
	if (asprintf(&name, "%s-%s", c->kind, c->key) < 0 ||
	    asprintf(&grave, "%s.evicted", name) < 0 || asprintf(&info, "%s.info", c->key) < 0)
		return -ENOMEM;
	lock = store_lock_now(s, name, LOCK_EX);
	if (lock < 0)
		return lock == -EWOULDBLOCK ? 0 : lock;
	(void)tree_remove(s->tmp, grave);
	if (renameat(kind, c->key, s->tmp, grave) < 0 && errno != ENOENT)
		return -errno;
	(void)unlinkat(kind, info, 0);
	(void)tree_remove(s->tmp, grave);
	(void)unlinkat(s->locks, name, 0);
	return 1;
}

int store_trim(struct store *s, uint64_t cap, uint64_t *ret_bytes)
{
	_cleanup_(candidates_done) struct candidates c = {};
	int r = collect(s, &c);

	if (r < 0)
		return r;
	qsort(c.list, c.n, sizeof(*c.list), older_first);
	for (size_t i = 0; i < c.n && c.disk > cap; i++) {
		if (evict(s, &c.list[i]) == 1)
			c.disk -= c.list[i].disk;
	}
	if (ret_bytes)
		*ret_bytes = c.disk;
	return 0;
}

static const char *entry_fault(int kind, const char *key)
{
	struct tree_sum recorded, found;
	struct timespec used;

	if (sum_entry(kind, key, &found) < 0)
		return "cannot be read";
	if (read_info(kind, key, &recorded, &used) < 0)
		return "has no record of its size";
	if (recorded.files != found.files)
		return "has files more or less than when it was made";
	return recorded.bytes != found.bytes ? "has bytes more or less than when it was made"
					     : NULL;
}

int store_verify(struct store *s, void (*report)(void *data, const char *entry, const char *what),
		 void *data)
{
	_cleanup_(candidates_done) struct candidates c = {};
	int r = collect(s, &c), bad = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < c.n; i++) {
		_cleanup_close_ int kind = store_kind_fd(s, c.list[i].kind);
		const char *fault = kind < 0 ? "cannot be read" : entry_fault(kind, c.list[i].key);

		if (!fault)
			continue;
		bad++;
		report(data, c.list[i].key, fault);
	}
	return bad;
}
