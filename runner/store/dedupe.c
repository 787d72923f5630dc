/* SPDX-License-Identifier: MIT */

/*
 * Equal files of entries that were made without knowing of each other become names of one inode:
 * those of a new entry before it gets its name, those of all entries when the operator asks for it.
 *
 * Invariants:
 *  - The entry whose files are replaced is ours alone: it is being made, or its exclusive lock is
 *    held. What a jail has mounted is never changed, not even for something equal. The entry that
 *    gives its files needs no lock: nothing in it changes but the number of names of an inode.
 *  - Sums only propose. Both files are opened beneath their entries through no link, must be
 *    sealed files of the same owner, mode and size, and are compared byte by byte; what is linked
 *    must have the inode that was compared. A wrong list or a damaged file costs the saving, never
 *    the content.
 *  - A name is replaced in one step by a rename out of tmp/, where store_sweep() finds what a
 *    process that died left behind: no entry ever has a name that its sums do not know.
 */

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store-internal.h"
#include "util/util.h"

#define SHARE_MIN 4096u /* a smaller file is not worth two lookups */
#define COMPARE_SIZE (128u << 10)

/* What the publication of an entry may cost. The largest files come first. */
#define NEW_DONORS 6
#define NEW_SUMS (4ull << 20)
#define NEW_FILES 500
#define NEW_BYTES (128ull << 20)

/* A file that others may become names of. */
struct donor {
	const struct store_item *item; /* the entry; borrowed */
	struct sum_line line;
};

struct pool {
	struct store *s;
	void *donors;                  /* tsearch(3) by content */
	const struct store_item *open; /* the entry of `dir` */
	int dir;
	char *name; /* of the link below tmp/ */
	uint8_t *buffers[2];
	uint64_t files_left, bytes_left;
	struct store_saved saved;
};

static int by_content(const void *a, const void *b)
{
	const struct sum_line *x = &((const struct donor *)a)->line;
	const struct sum_line *y = &((const struct donor *)b)->line;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	if (x->mode != y->mode)
		return x->mode < y->mode ? -1 : 1;
	return strcmp(x->hash, y->hash);
}

static void donor_free(void *p)
{
	free(((struct donor *)p)->line.path);
	free(p);
}

static void pool_done(struct pool *p)
{
	tdestroy(p->donors, donor_free);
	close_fd(p->dir);
	free(p->name);
	free(p->buffers[0]);
	free(p->buffers[1]);
}

static int pool_init(struct pool *p)
{
	p->buffers[0] = malloc(COMPARE_SIZE);
	p->buffers[1] = malloc(COMPARE_SIZE);
	return p->buffers[0] && p->buffers[1] ? 0 : -ENOMEM;
}

static bool is_worth_it(const struct sum_line *l)
{
	return l->type == 'f' && l->size >= SHARE_MIN;
}

/* ---------------------------------------------------------------------------- one file */

static int open_entry(struct store *s, const struct store_item *i)
{
	_cleanup_close_ int kind = store_kind_fd(s, i->kind);
	int fd;

	if (kind < 0)
		return kind;
	fd = openat(kind, i->key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_donor(struct pool *p, const struct store_item *i)
{
	if (p->open == i)
		return 0;
	p->open = NULL;
	close_fd(p->dir);
	p->dir = open_entry(p->s, i);
	if (p->dir < 0)
		return p->dir;
	p->open = i;
	return 0;
}

/* A file by its folder and its name there. */
struct place {
	int folder, fd;
	const char *name;
	struct stat st;
};
#define PLACE_NULL                                                                                 \
	{                                                                                          \
		.folder = -1, .fd = -1                                                             \
	}

static void place_done(struct place *f)
{
	close_fd(f->folder);
	close_fd(f->fd);
}

static int place_open(struct place *f, int dir, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");

	if (!folder)
		return -ENOMEM;
	f->name = slash ? slash + 1 : path;
	f->folder = tree_open(dir, folder, O_PATH | O_DIRECTORY);
	if (f->folder < 0)
		return f->folder;
	f->fd = tree_open(f->folder, f->name, O_RDONLY | O_NONBLOCK);
	if (f->fd < 0)
		return f->fd;
	return fstat(f->fd, &f->st) < 0 ? -errno : 0;
}

static bool is_same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_alike(const struct stat *a, const struct stat *b, const struct sum_line *l)
{
	return S_ISREG(a->st_mode) && a->st_mode == b->st_mode && a->st_dev == b->st_dev &&
	       a->st_uid == b->st_uid && a->st_gid == b->st_gid && a->st_size == b->st_size &&
	       (uint64_t)a->st_size == l->size && (a->st_mode & 07777) == l->mode;
}

static int compare(struct pool *p, int a, int b)
{
	for (;;) {
		ssize_t n = read_full(a, p->buffers[0], COMPARE_SIZE);
		ssize_t m = read_full(b, p->buffers[1], COMPARE_SIZE);

		if (n < 0 || m < 0)
			return n < 0 ? (int)n : (int)m;
		if (n != m || memcmp(p->buffers[0], p->buffers[1], (size_t)n) != 0)
			return -ESTALE;
		if (n == 0)
			return 0;
	}
}

static int link_over(struct pool *p, const struct place *from, const struct place *to)
{
	struct stat st;
	int r = 0;

	(void)unlinkat(p->s->tmp, p->name, 0);
	if (linkat(from->folder, from->name, p->s->tmp, p->name, 0) < 0)
		return -errno;
	if (fstatat(p->s->tmp, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	else if (!is_same_inode(&st, &from->st))
		r = -ESTALE;
	else if (renameat(p->s->tmp, p->name, to->folder, to->name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(p->s->tmp, p->name, 0);
	return r;
}

/* 0: the file of `dir` is now, or was before, a name of the donor's inode. */
static int share_one(struct pool *p, int dir, const struct sum_line *l, const struct donor *d)
{
	_cleanup_(place_done) struct place from = PLACE_NULL, to = PLACE_NULL;
	int r = open_donor(p, d->item);

	if (r == 0)
		r = place_open(&from, p->dir, d->line.path);
	if (r == 0)
		r = place_open(&to, dir, l->path);
	if (r < 0 || is_same_inode(&from.st, &to.st))
		return r;
	if (!is_alike(&from.st, &to.st, l))
		return -ESTALE;
	r = compare(p, from.fd, to.fd);
	p->files_left -= MIN_OF(p->files_left, 1u);
	p->bytes_left -= MIN_OF(p->bytes_left, l->size);
	if (r == 0)
		r = link_over(p, &from, &to);
	if (r < 0)
		return r;
	p->saved.files++;
	p->saved.bytes += to.st.st_nlink < 2 ? (uint64_t)to.st.st_blocks * 512 : 0;
	return 0;
}

/* --------------------------------------------------------------------------- one entry */

static int larger_first(const void *a, const void *b)
{
	const struct sum_line *x = *(const struct sum_line *const *)a;
	const struct sum_line *y = *(const struct sum_line *const *)b;

	return x->size == y->size ? strcmp(x->path, y->path) : x->size < y->size ? 1 : -1;
}

/* Linked before, by share_link(). */
static bool is_known(const struct sums *known, const struct sum_line *l)
{
	const struct sum_line *k = known ? sums_find(known, l->path) : NULL;

	return k && k->type == l->type && k->mode == l->mode && streq(k->hash, l->hash);
}

static int pick(const struct sums *sums, const struct sums *known, struct sum_line ***ret,
		size_t *ret_n)
{
	struct sum_line **list = calloc(MAX_OF(sums->n, 1u), sizeof(struct sum_line *));

	if (!list)
		return -ENOMEM;
	*ret_n = 0;
	for (size_t i = 0; i < sums->n; i++) {
		if (is_worth_it(&sums->list[i]) && !is_known(known, &sums->list[i]))
			list[(*ret_n)++] = &sums->list[i];
	}
	qsort(list, *ret_n, sizeof(*list), larger_first);
	*ret = list;
	return 0;
}

/* The path is taken out of `l`. The first file with a content stays the donor. */
static int add_donor(struct pool *p, const struct store_item *item, struct sum_line *l)
{
	struct donor *d = calloc(1, sizeof(*d));
	void *slot;

	if (!d)
		return -ENOMEM;
	*d = (struct donor){ item, *l };
	slot = tsearch(d, &p->donors, by_content);
	if (!slot || *(struct donor **)slot != d)
		free(d);
	else
		l->path = NULL;
	return slot ? 0 : -ENOMEM;
}

/*
 * Links what the pool knows. What it does not know it gets, when `item` says whose the files are; a
 * file that could not be shared (damaged, or an inode with as many names as there may be) takes the
 * place of the donor it did not match.
 */
static int share_entry(struct pool *p, int dir, const struct store_item *item, struct sums *sums,
		       const struct sums *known)
{
	_cleanup_free_ struct sum_line **list = NULL;
	size_t n;
	int r = pick(sums, known, &list, &n);

	for (size_t i = 0; r == 0 && i < n && p->files_left; i++) {
		struct donor wanted = { .line = *list[i] }, *d;
		void *slot = tfind(&wanted, &p->donors, by_content);

		if (!slot) {
			r = item ? add_donor(p, item, list[i]) : 0;
			continue;
		}
		d = *(struct donor **)slot;
		if (list[i]->size > p->bytes_left || share_one(p, dir, list[i], d) == 0 || !item)
			continue;
		free(d->line.path);
		d->line.path = steal_ptr(list[i]->path);
		d->item = item;
	}
	return r;
}

static int know_entry(struct pool *p, const struct store_item *item, struct sums *sums)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sums->n; i++) {
		if (is_worth_it(&sums->list[i]))
			r = add_donor(p, item, &sums->list[i]);
	}
	return r;
}

static int read_sums(struct store *s, const struct store_item *i, struct sums *ret)
{
	_cleanup_close_ int kind = store_kind_fd(s, i->kind);
	struct store_info info;
	int r = kind < 0 ? kind : info_read(kind, i->key, &info);

	return r < 0 ? r : info_read_sums(kind, i->key, &info, ret);
}

static int set_name(struct pool *p, const char *kind, const char *key)
{
	free(steal_ptr(p->name));
	return asprintf(&p->name, "%s-%s.same", kind, key) < 0 ? -ENOMEM : 0;
}

/* ------------------------------------------------------------------------- a new entry */

bool store_kind_is_shared(const char *kind)
{
	return streq(kind, "deps") || streq(kind, "manager");
}

static int know_newest(struct pool *p, const struct store_items *c)
{
	uint64_t left = NEW_SUMS;
	int n = 0, r = 0;

	for (size_t i = c->n; i > 0 && n < NEW_DONORS && r == 0; i--) {
		_cleanup_(sums_done) struct sums sums = {};
		const struct store_item *item = &c->list[i - 1];

		if (!store_kind_is_shared(item->kind) || item->broken ||
		    item->info.sums_size > left || read_sums(p->s, item, &sums) < 0)
			continue;
		left -= item->info.sums_size;
		n++;
		r = know_entry(p, item, &sums);
	}
	return r;
}

int store_share_new(struct store_entry *e, struct sums *sums)
{
	_cleanup_(store_items_done) struct store_items c = {};
	_cleanup_(pool_done) struct pool p = {
		.s = e->store, .dir = -1, .files_left = NEW_FILES, .bytes_left = NEW_BYTES
	};
	int r = pool_init(&p);

	if (r == 0)
		r = set_name(&p, e->kind, e->key);
	if (r == 0)
		r = store_collect_by_use(e->store, &c);
	if (r == 0)
		r = know_newest(&p, &c);
	return r < 0 ? r : share_entry(&p, e->dir, NULL, sums, e->known);
}

/* -------------------------------------------------------------------------- all of them */

/* In use: its files may be what others become names of, but stay as they are. */
static int share_busy(struct pool *p, const struct store_item *item)
{
	_cleanup_(sums_done) struct sums sums = {};

	p->saved.busy++;
	return read_sums(p->s, item, &sums) < 0 ? 0 : know_entry(p, item, &sums);
}

static int share_idle(struct pool *p, const struct store_item *item)
{
	_cleanup_(sums_done) struct sums sums = {};
	_cleanup_close_ int dir = open_entry(p->s, item);

	/* It is damaged or gone: that is the business of others. */
	if (dir < 0 || read_sums(p->s, item, &sums) < 0)
		return 0;
	p->saved.entries++;
	return share_entry(p, dir, item, &sums, NULL);
}

/* What is in use comes first, since it can only give. *busy is whether it was found to be. */
static int share_item(struct pool *p, const struct store_item *item, bool first, bool *busy)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int lock = -1;
	int r = set_name(p, item->kind, item->key);

	if (r < 0 || asprintf(&name, "%s-%s", item->kind, item->key) < 0)
		return -ENOMEM;
	lock = store_lock_now(p->s, name, LOCK_EX);
	*busy = lock == -EWOULDBLOCK;
	if (*busy)
		return share_busy(p, item);
	if (lock < 0)
		return lock;
	return first ? 0 : share_idle(p, item);
}

static int share_all(struct pool *p, const struct store_items *c)
{
	_cleanup_free_ bool *busy = calloc(MAX_OF(c->n, 1u), sizeof(*busy));
	int r = busy ? 0 : -ENOMEM;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = c->n; r == 0 && i > 0; i--) {
			const struct store_item *item = &c->list[i - 1];

			if (store_kind_is_shared(item->kind) && !item->broken && !busy[i - 1])
				r = share_item(p, item, pass == 0, &busy[i - 1]);
		}
	}
	return r;
}

int store_dedupe(struct store *s, struct store_saved *ret)
{
	_cleanup_(store_items_done) struct store_items c = {};
	_cleanup_(pool_done) struct pool p = {
		.s = s, .dir = -1, .files_left = UINT64_MAX, .bytes_left = UINT64_MAX
	};
	int r = pool_init(&p);

	if (r == 0)
		r = store_collect_by_use(s, &c);
	if (r == 0)
		r = share_all(&p, &c);
	if (r == 0)
		*ret = p.saved;
	return r;
}
