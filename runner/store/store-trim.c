/* SPDX-License-Identifier: MIT */

/*
 * What happens to entries later: the sweep of unfinished ones, listing and eviction.
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

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
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

/* Calls `each` for whatever in tmp/ nobody is making, under its lock. */
static void each_unfinished(struct store *s,
			    void (*each)(struct store *s, const char *name, void *data), void *data)
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
		each(s, e->d_name, data);
		(void)unlinkat(s->locks, name, 0);
	}
}

static void remove_unfinished(struct store *s, const char *name, void *data)
{
	(void)data;
	(void)tree_remove(s->tmp, name);
}

void store_sweep(struct store *s)
{
	each_unfinished(s, remove_unfinished, NULL);
}

struct unfinished {
	struct tree_sum sum;
	int n;
};

static void add_unfinished(struct store *s, const char *name, void *data)
{
	_cleanup_close_ int dir =
		openat(s->tmp, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct unfinished *u = data;
	struct tree_sum sum = {};

	u->n++;
	if (dir >= 0 && tree_sum(dir, &sum) == 0)
		u->sum.disk += sum.disk;
}

int store_unfinished(struct store *s, struct tree_sum *ret)
{
	struct unfinished u = {};

	each_unfinished(s, add_unfinished, &u);
	*ret = u.sum;
	return u.n;
}

void store_items_done(struct store_items *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->list[i].kind);
		free(c->list[i].key);
	}
	free(c->list);
	*c = (struct store_items){};
}

bool store_kind_is_operators(const char *kind)
{
	return streq(kind, "engines");
}

/* What is not made of entries. */
static bool is_kind(const char *name)
{
	static const char *const others[] = { "runtime", "tmp", "locks", "tarballs" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (streq(name, others[i]))
			return false;
	}
	return name[0] != '.';
}

static int add_item(struct store_items *c, const char *kind_name, int kind, const char *key)
{
	struct store_item *list, one = {};

	one.broken = info_read(kind, key, &one.info) < 0;
	list = reallocarray(c->list, c->n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	c->list = list;
	one.kind = strdup(kind_name);
	one.key = strdup(key);
	if (!one.kind || !one.key) {
		free(one.kind);
		free(one.key);
		return -ENOMEM;
	}
	c->list[c->n++] = one;
	return 0;
}

/* Files beside entries are theirs; only a directory is one. */
static bool is_entry(int kind, const char *name)
{
	struct stat st;

	return name[0] != '.' && fstatat(kind, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

static int collect_kind(struct store *s, const char *name, struct store_items *c)
{
	_cleanup_close_ int kind = store_kind_fd(s, name);
	_cleanup_(closedirp) DIR *d = NULL;
	struct dirent *e;
	int r = 0;

	if (kind < 0)
		return kind == -ENOTDIR ? 0 : kind;
	d = list_dir(kind);
	while (r == 0 && d && (e = readdir(d))) {
		if (is_entry(kind, e->d_name))
			r = add_item(c, name, kind, e->d_name);
	}
	return r;
}

int store_collect(struct store *s, struct store_items *ret)
{
	_cleanup_(closedirp) DIR *d = list_dir(s->dir);
	struct store_items c = {};
	struct dirent *e;
	int r = d ? 0 : -errno;

	while (r == 0 && (e = readdir(d))) {
		if (is_kind(e->d_name) && is_entry(s->dir, e->d_name))
			r = collect_kind(s, e->d_name, &c);
	}
	if (r < 0) {
		store_items_done(&c);
		return r;
	}
	*ret = c;
	return 0;
}

static int older_first(const void *a, const void *b)
{
	const struct timespec *x = &((const struct store_item *)a)->info.used;
	const struct timespec *y = &((const struct store_item *)b)->info.used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

int store_collect_by_use(struct store *s, struct store_items *ret)
{
	int r = store_collect(s, ret);

	if (r == 0 && ret->n)
		qsort(ret->list, ret->n, sizeof(*ret->list), older_first);
	return r;
}

/* Files have names in several entries: what one takes for itself, and what it holds a share of. */
static struct tree_sum measure(struct store *s, const struct store_item *i)
{
	_cleanup_close_ int kind = store_kind_fd(s, i->kind);
	_cleanup_close_ int dir = -1;
	struct tree_sum sum = {};

	if (kind >= 0)
		dir = openat(kind, i->key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || tree_sum(dir, &sum) < 0)
		return i->info.sum;
	return sum;
}

/* 1: gone; 0: in use. */
static int evict(struct store *s, const struct store_item *i)
{
	_cleanup_close_ int kind = store_kind_fd(s, i->kind);
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int lock = -1;
	int r;

	if (kind < 0)
		return kind;
	if (asprintf(&name, "%s-%s", i->kind, i->key) < 0)
		return -ENOMEM;
	lock = store_lock_now(s, name, LOCK_EX);
	if (lock < 0)
		return lock == -EWOULDBLOCK ? 0 : lock;
	r = store_bury(s, kind, i->kind, i->key);
	if (r < 0)
		return r;
	(void)unlinkat(s->locks, name, 0);
	return 1;
}

/*
 * The records give an upper bound, since they count a shared file in every entry. Only when that
 * one is above the cap is what the disk really holds added up.
 */
static uint64_t used_bytes(struct store *s, const struct store_items *c, uint64_t cap)
{
	uint64_t bound = 0, real = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (c->list[i].broken)
			bound = UINT64_MAX / 2;
		bound += c->list[i].info.sum.disk;
	}
	if (bound <= cap)
		return bound;
	for (size_t i = 0; i < c->n; i++) {
		if (!store_kind_is_operators(c->list[i].kind))
			real += measure(s, &c->list[i]).share;
	}
	return real;
}

int store_trim(struct store *s, uint64_t cap, uint64_t *ret_bytes)
{
	_cleanup_(store_items_done) struct store_items c = {};
	int r = store_collect_by_use(s, &c);
	uint64_t used;

	if (r < 0)
		return r;
	used = used_bytes(s, &c, cap);
	for (size_t i = 0; i < c.n && used > cap; i++) {
		uint64_t own;

		if (store_kind_is_operators(c.list[i].kind))
			continue;
		own = measure(s, &c.list[i]).own;
		if (evict(s, &c.list[i]) == 1)
			used -= MIN_OF(used, own);
	}
	if (ret_bytes)
		*ret_bytes = used;
	return 0;
}

/* 1: evict() would have its lock. */
static int is_unused(struct store *s, const struct store_item *i)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int lock = -1;

	if (asprintf(&name, "%s-%s", i->kind, i->key) < 0)
		return -ENOMEM;
	lock = store_lock_now(s, name, LOCK_EX);
	if (lock < 0)
		return 0;
	(void)unlinkat(s->locks, name, 0);
	return 1;
}

int store_expire(struct store *s, time_t before, bool dry, uint64_t *ret_bytes)
{
	_cleanup_(store_items_done) struct store_items c = {};
	int r = store_collect(s, &c), gone = 0;
	uint64_t bytes = 0;

	for (size_t i = 0; r == 0 && i < c.n; i++) {
		uint64_t own;

		if (store_kind_is_operators(c.list[i].kind) ||
		    c.list[i].info.used.tv_sec >= before)
			continue;
		own = ret_bytes ? measure(s, &c.list[i]).own : 0;
		if ((dry ? is_unused : evict)(s, &c.list[i]) != 1)
			continue;
		bytes += own;
		gone++;
	}
	if (r == 0 && ret_bytes)
		*ret_bytes = bytes;
	return r < 0 ? r : gone;
}

int store_list(struct store *s, void (*each)(void *data, const struct store_fact *f), void *data)
{
	_cleanup_(store_items_done) struct store_items c = {};
	int r = store_collect_by_use(s, &c);

	if (r < 0)
		return r;
	for (size_t i = c.n; i > 0; i--) {
		const struct store_item *item = &c.list[i - 1];
		struct store_fact f = { item->kind, item->key, item->info.label, measure(s, item),
					item->info.used.tv_sec, item->broken };

		each(data, &f);
	}
	return (int)c.n;
}

int store_newest(struct store *s, const char *kind, char **ret, int max)
{
	_cleanup_(store_items_done) struct store_items c = {};
	int r = collect_kind(s, kind, &c), n = 0;

	if (r < 0)
		return r;
	if (c.n)
		qsort(c.list, c.n, sizeof(*c.list), older_first);
	for (size_t i = c.n; i > 0 && n < max; i--) {
		if (!c.list[i - 1].broken)
			ret[n++] = steal_ptr(c.list[i - 1].key);
	}
	return n;
}
