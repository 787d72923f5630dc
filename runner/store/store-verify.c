/* SPDX-License-Identifier: MIT */

/*
 * Verification: every byte of an entry is read again and compared with the sums that were made when
 * it was sealed. The entry is held like any user's meanwhile, so that it is not evicted.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/store-internal.h"
#include "util/util.h"

static const char *compare(int dir, int kind, const struct store_item *i, struct sums *recorded,
			   struct sums *found, const char **ret_path)
{
	if (i->broken)
		return "has no valid record: it was cut off or made by an older version";
	if (info_read_sums(kind, i->key, &i->info, recorded) < 0)
		return "has a damaged list of checksums";
	if (sums_make(dir, NULL, found) < 0)
		return "cannot be read";
	return sums_differ(recorded, found, ret_path);
}

/* -EWOULDBLOCK: somebody makes or removes it. */
static int check(struct store *s, const struct store_item *i, const char *name,
		 struct store_fault *f, struct sums *recorded, struct sums *found)
{
	_cleanup_close_ int kind = store_kind_fd(s, i->kind);
	_cleanup_close_ int lock = -1, dir = -1;

	if (kind < 0)
		return kind;
	lock = store_lock_now(s, name, LOCK_SH);
	if (lock < 0)
		return lock;
	dir = openat(kind, i->key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return -EWOULDBLOCK;
	f->what = compare(dir, kind, i, recorded, found, &f->path);
	return 0;
}

static bool remove_entry(struct store *s, const struct store_item *i, const char *name)
{
	_cleanup_close_ int kind = store_kind_fd(s, i->kind);
	_cleanup_close_ int lock = store_lock_now(s, name, LOCK_EX);

	if (kind < 0 || lock < 0 || store_bury(s, kind, i->kind, i->key) < 0)
		return false;
	(void)unlinkat(s->locks, name, 0);
	return true;
}

/* 1: it differs; 0: it does not. */
static int verify_one(struct store *s, const struct store_item *i, bool repair,
		      void (*report)(void *data, const struct store_fault *f), void *data)
{
	_cleanup_(sums_done) struct sums recorded = {}, found = {};
	struct store_fault f = { .kind = i->kind, .key = i->key, .path = "" };
	_cleanup_free_ char *name = NULL;
	int r;

	if (asprintf(&name, "%s-%s", i->kind, i->key) < 0)
		return -ENOMEM;
	r = check(s, i, name, &f, &recorded, &found);
	if (r < 0 || !f.what)
		return r;
	f.removed = repair && remove_entry(s, i, name);
	report(data, &f);
	return 1;
}

int store_verify(struct store *s, bool repair,
		 void (*report)(void *data, const struct store_fault *f), void *data,
		 int *ret_checked)
{
	_cleanup_(store_items_done) struct store_items c = {};
	int r = store_collect(s, &c), bad = 0, checked = 0;

	for (size_t i = 0; r >= 0 && i < c.n; i++) {
		r = verify_one(s, &c.list[i], repair, report, data);
		bad += r > 0;
		checked += r >= 0;
		if (r == -EWOULDBLOCK)
			r = 0;
	}
	if (ret_checked)
		*ret_checked = checked;
	return r < 0 ? r : bad;
}
