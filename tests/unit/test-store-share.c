/* SPDX-License-Identifier: MIT */

/* Equal files of unrelated entries: what becomes one inode, and what must not. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store-fixture.h"
#include "store/store.h"
#include "util/util.h"

static void set_used(struct fixture *f, const char *info, time_t when)
{
	struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };

	assert_int_equal(utimensat(store_fd(f->store), info, times, 0), 0);
}

#define BIG 8192

static void write_big(int dir, const char *name, char fill, mode_t mode)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	char text[BIG];
	struct stat st;

	memset(text, fill, sizeof(text));
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(fstat(dir, &st), 0);
	assert_int_equal(fchown(fd, st.st_uid, st.st_gid), 0);
}

/* A file that is large enough to be shared, one that is not, one that a program can be. */
static struct store_entry *make_big(struct fixture *f, const char *kind, const char *key,
				    mode_t mode)
{
	struct store_entry *e = NULL;
	struct tree_sum sum;
	int sub;

	assert_int_equal(store_get(f->store, kind, key, -1, &e, NULL), 1);
	assert_int_equal(mkdirat(e->dir, "sub", 0755), 0);
	sub = openat(e->dir, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	write_big(sub, "big", 'b', 0644);
	close_fd(sub);
	write_big(e->dir, "program", 'p', mode);
	write_file(e->dir, "small", "s");
	assert_int_equal(tree_seal(e->dir, &sum), 0);
	assert_int_equal(store_publish(e, &sum, NULL), 0);
	return e;
}

static bool is_shared(const struct store_entry *a, const struct store_entry *b, const char *path)
{
	struct stat x, y;

	assert_int_equal(fstatat(a->dir, path, &x, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(fstatat(b->dir, path, &y, AT_SYMLINK_NOFOLLOW), 0);
	return x.st_ino == y.st_ino;
}

/* As if it had been made where nobody could share. */
static void unshare_big(const struct store_entry *e, char fill)
{
	_cleanup_close_ int sub = openat(e->dir, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(unlinkat(sub, "big", 0), 0);
	write_big(sub, "big", fill, 0644);
}

static void no_report(void *data, const struct store_fault *f)
{
	(void)data;
	fail_msg("%s/%s: %s %s", f->kind, f->key, f->path, f->what);
}

/* Entries that have nothing to do with each other, even of two kinds. */
static void test_equal_files_of_new_entries_are_shared(void **state)
{
	struct fixture *f = *state;
	struct store_entry *a = make_big(f, "deps", "a", 0644);
	struct store_entry *b = make_big(f, "manager", "b", 0755), *c;

	assert_true(is_shared(a, b, "sub/big"));
	assert_false(is_shared(a, b, "small"));
	assert_false(is_shared(a, b, "program"));
	assert_int_equal(store_verify(f->store, false, no_report, NULL, NULL), 0);
	c = make_big(f, "prisma", "c", 0644);
	assert_false(is_shared(a, c, "sub/big"));
	store_entry_free(a);
	store_entry_free(b);
	store_entry_free(c);
	set_used(f, "deps/a.info", 1000);
	assert_int_equal(store_expire(f->store, 2000, false, NULL), 1);
	assert_false(exists(f, "deps/a"));
	assert_true(exists(f, "manager/b/sub/big"));
	assert_int_equal(store_verify(f->store, false, no_report, NULL, NULL), 0);
}

/* Its sums still say that it is the same. */
static void test_a_damaged_file_is_never_shared(void **state)
{
	struct fixture *f = *state;
	struct store_entry *a = make_big(f, "deps", "a", 0644), *b, *c;
	struct store_saved saved;

	unshare_big(a, 'x');
	b = make_big(f, "deps", "b", 0644);
	assert_false(is_shared(a, b, "sub/big"));
	assert_true(is_shared(a, b, "program"));
	set_used(f, "deps/b.info", 2000);
	set_used(f, "deps/a.info", 3000);
	c = make_big(f, "deps", "c", 0644);
	unshare_big(c, 'b');
	set_used(f, "deps/c.info", 1000);
	store_entry_free(b);
	store_entry_free(c);
	assert_int_equal(store_dedupe(f->store, &saved), 0);
	assert_int_equal(saved.files, 1); /* of c with b, though a came first */
	assert_int_equal(saved.busy, 1);
	assert_int_equal(store_peek(f->store, "deps", "b", &b), 0);
	assert_int_equal(store_peek(f->store, "deps", "c", &c), 0);
	assert_true(is_shared(b, c, "sub/big"));
	assert_false(is_shared(a, b, "sub/big"));
	store_entry_free(a);
	store_entry_free(b);
	store_entry_free(c);
}

static void test_dedupe_spares_users(void **state)
{
	struct fixture *f = *state;
	struct store_entry *a = make_big(f, "deps", "a", 0644), *b = make_big(f, "deps", "b", 0644);
	struct store_saved saved;

	unshare_big(b, 'b');
	assert_int_equal(store_dedupe(f->store, &saved), 0);
	assert_int_equal(saved.busy, 2);
	assert_int_equal(saved.files, 0);
	assert_false(is_shared(a, b, "sub/big"));
	store_entry_free(b);
	assert_int_equal(store_dedupe(f->store, &saved), 0);
	assert_int_equal(saved.busy, 1);
	assert_int_equal(saved.entries, 1);
	assert_int_equal(saved.files, 1);
	assert_true(saved.bytes >= BIG);
	assert_int_equal(store_peek(f->store, "deps", "b", &b), 0);
	assert_true(is_shared(a, b, "sub/big"));
	assert_false(exists(f, "tmp/deps-b.same"));
	assert_int_equal(store_dedupe(f->store, &saved), 0);
	assert_int_equal(saved.files, 0);
	assert_int_equal(store_verify(f->store, false, no_report, NULL, NULL), 0);
	store_entry_free(a);
	store_entry_free(b);
}

/* Two names of one inode in the same entry go together. */
static void test_names_within_an_entry_are_its_own(void **state)
{
	struct fixture *f = *state;
	struct store_entry *a = make_big(f, "prisma", "a", 0644);
	struct tree_sum before, after;

	assert_int_equal(tree_sum(a->dir, &before), 0);
	assert_int_equal(before.own, before.disk);
	assert_int_equal(linkat(a->dir, "program", a->dir, "again", 0), 0);
	assert_int_equal(tree_sum(a->dir, &after), 0);
	assert_int_equal(after.own, before.own);
	assert_int_equal(after.share, before.share);
	assert_int_equal(linkat(a->dir, "again", store_fd(f->store), "elsewhere", 0), 0);
	assert_int_equal(tree_sum(a->dir, &after), 0);
	assert_int_equal(after.own, before.own - BIG);
	store_entry_free(a);
}

/* A folder has become a link: to another entry's, so that all would be equal there. */
static void test_dedupe_follows_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_entry *a = make_big(f, "deps", "a", 0644), *b = make_big(f, "deps", "b", 0644);
	struct store_entry *c = make_big(f, "prisma", "c", 0644);
	struct store_saved saved;

	unshare_big(b, 'b');
	assert_int_equal(renameat(b->dir, "sub", b->dir, "gone"), 0);
	assert_int_equal(symlinkat("../../prisma/c/sub", b->dir, "sub"), 0);
	store_entry_free(b);
	assert_int_equal(store_dedupe(f->store, &saved), 0);
	assert_int_equal(saved.files, 0);
	assert_false(is_shared(a, c, "sub/big"));
	store_entry_free(a);
	store_entry_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_equal_files_of_new_entries_are_shared, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_damaged_file_is_never_shared, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_dedupe_spares_users, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_within_an_entry_are_its_own, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_dedupe_follows_nothing, setup, teardown),
	};

	return cmocka_run_group_tests_name("store-share", tests, NULL, NULL);
}
