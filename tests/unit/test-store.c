/* SPDX-License-Identifier: MIT */

/* The content store: single flight, publication, eviction, what it refuses, what it cleans up. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store-fixture.h"
#include "store/key.h"
#include "store/store.h"
#include "store/sums.h"
#include "store/tarballs.h"
#include "util/util.h"

static struct store_entry *make_entry(struct fixture *f, const char *key, const char *text)
{
	struct store_entry *e = NULL;
	struct tree_sum sum;

	assert_int_equal(store_get(f->store, "deps", key, -1, &e, NULL), 1);
	write_file(e->dir, "file", text);
	assert_int_equal(tree_seal(e->dir, &sum), 0);
	assert_int_equal(store_publish(e, &sum, NULL), 0);
	return e;
}

static void test_publish_and_hit(void **state)
{
	struct fixture *f = *state;
	struct store_entry *e = make_entry(f, "aa", "hello"), *again = NULL;
	struct stat st;

	assert_null(e->staging);
	assert_true(exists(f, "deps/aa/file"));
	assert_true(exists(f, "deps/aa.info"));
	assert_int_equal(store_get(f->store, "deps", "aa", -1, &again, NULL), 0);
	assert_string_equal(again->path, e->path);
	assert_int_equal(stat(again->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	store_entry_free(again);
	store_entry_free(e);
}

static void test_abandoned_entry_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_entry *e = NULL;
	_cleanup_free_ char *staging = NULL;
	struct stat st;

	assert_int_equal(store_get(f->store, "deps", "aa", -1, &e, NULL), 1);
	assert_int_equal(mkdirat(e->dir, "d", 0755), 0);
	assert_int_equal(symlinkat("/etc/passwd", e->dir, "link"), 0);
	staging = strdup(e->path);
	assert_int_equal(stat(staging, &st), 0);
	store_entry_free(e);
	assert_int_equal(stat(staging, &st), -1);
	assert_int_equal(stat("/etc/passwd", &st), 0);
	assert_false(exists(f, "deps/aa"));
	assert_false(exists(f, "locks/deps-aa"));
	assert_int_equal(store_get(f->store, "deps", "aa", -1, &e, NULL), 1);
	store_entry_free(e);
}

static void test_names_are_checked(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "../x", ".hidden", "a b", "a\nb" };
	struct fixture *f = *state;
	struct store_entry *e = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(store_get(f->store, "deps", bad[i], -1, &e, NULL), -EINVAL);
		assert_int_equal(store_get(f->store, bad[i], "aa", -1, &e, NULL), -EINVAL);
	}
}

/* The child makes the entry while the parent asks: the parent waits, then gets the child's. */
static void test_single_flight(void **state)
{
	struct fixture *f = *state;
	struct store_entry *e = NULL;
	int started[2], go[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(started), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct tree_sum sum;

		if (store_get(f->store, "deps", "aa", -1, &e, NULL) != 1 ||
		    write(started[1], "x", 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(1);
		write_file(e->dir, "by-child", "x");
		_exit(tree_seal(e->dir, &sum) < 0 || store_publish(e, &sum, NULL) < 0);
	}
	assert_int_equal(read(started[0], &byte, 1), 1);
	assert_int_equal(write(started[1], "x", 1), 1);
	assert_int_equal(store_get(f->store, "deps", "aa", started[0], &e, NULL), -EINTR);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(store_get(f->store, "deps", "aa", -1, &e, NULL), 0);
	assert_int_equal(faccessat(e->dir, "by-child", F_OK, 0), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_entry_free(e);
	for (int i = 0; i < 2; i++) {
		close(started[i]);
		close(go[i]);
	}
}

static void test_wait_is_cancellable(void **state)
{
	struct fixture *f = *state;
	struct store_entry *maker = NULL, *e = NULL;
	struct sbx_error err;
	int cancel[2];

	assert_int_equal(pipe(cancel), 0);
	assert_int_equal(store_get(f->store, "deps", "aa", -1, &maker, NULL), 1);
	assert_int_equal(write(cancel[1], "x", 1), 1);
	assert_int_equal(store_get(f->store, "deps", "aa", cancel[0], &e, &err), -EINTR);
	assert_non_null(strstr(err.text, "cancelled"));
	store_entry_free(maker);
	close(cancel[0]);
	close(cancel[1]);
}

/* A maker that was killed leaves its staging directory; the next one who opens the store removes
 * it. */
static void test_stale_staging_is_swept(void **state)
{
	struct fixture *f = *state;
	struct store_entry *live = NULL, *e = NULL;
	struct store *second = NULL;
	char name[128] = "";
	int told[2], status;
	struct stat st;
	pid_t pid;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	if (pid == 0) {
		if (store_get(f->store, "deps", "dead", -1, &e, NULL) != 1)
			_exit(1);
		write_file(e->dir, "file", "x");
		_exit(write(told[1], e->path, strlen(e->path) + 1) < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(read(told[0], name, sizeof(name) - 1) > 0);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(store_get(f->store, "deps", "live", -1, &live, NULL), 1);
	assert_int_equal(store_open(&second, f->dir, 0, NULL), 0);
	assert_int_equal(stat(name, &st), -1);
	assert_false(exists(f, "locks/deps-dead"));
	assert_int_equal(stat(live->path, &st), 0);
	store_entry_free(live);
	store_free(second);
	close(told[0]);
	close(told[1]);
}

static void set_used(struct fixture *f, const char *info, time_t when)
{
	struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };

	assert_int_equal(utimensat(store_fd(f->store), info, times, 0), 0);
}

static void test_eviction_is_lru_and_spares_users(void **state)
{
	struct fixture *f = *state;
	struct store_entry *used = make_entry(f, "used", "1");
	uint64_t left;

	store_entry_free(make_entry(f, "old", "2"));
	store_entry_free(make_entry(f, "new", "3"));
	set_used(f, "deps/used.info", 1000);
	set_used(f, "deps/old.info", 2000);
	set_used(f, "deps/new.info", 3000);
	assert_int_equal(store_trim(f->store, UINT64_MAX, &left), 0);
	assert_true(exists(f, "deps/old"));
	assert_int_equal(store_trim(f->store, left - 1, &left), 0);
	assert_false(exists(f, "deps/old"));
	assert_false(exists(f, "deps/old.info"));
	assert_false(exists(f, "locks/deps-old"));
	assert_true(exists(f, "deps/new"));
	assert_int_equal(store_trim(f->store, 0, &left), 0);
	assert_false(exists(f, "deps/new"));
	assert_true(exists(f, "deps/used/file"));
	store_entry_free(used);
	assert_int_equal(store_trim(f->store, 0, &left), 0);
	assert_false(exists(f, "deps/used"));
	assert_int_equal(left, 0);
}

static void test_a_hit_counts_as_use(void **state)
{
	struct fixture *f = *state;
	struct store_entry *e = NULL;
	uint64_t left;

	store_entry_free(make_entry(f, "a", "1"));
	store_entry_free(make_entry(f, "b", "2"));
	set_used(f, "deps/a.info", 1000);
	set_used(f, "deps/b.info", 2000);
	assert_int_equal(store_get(f->store, "deps", "a", -1, &e, NULL), 0);
	store_entry_free(e);
	assert_int_equal(store_trim(f->store, UINT64_MAX, &left), 0);
	assert_int_equal(store_trim(f->store, left - 1, &left), 0);
	assert_true(exists(f, "deps/a"));
	assert_false(exists(f, "deps/b"));
}

static void test_publish_trims_to_the_cap(void **state)
{
	struct fixture *f = *state;
	struct store *small = NULL;
	struct store_entry *e = NULL;
	struct tree_sum sum = {};

	store_entry_free(make_entry(f, "old", "1"));
	set_used(f, "deps/old.info", 1000);
	assert_int_equal(store_open(&small, f->dir, 1, NULL), 0);
	assert_int_equal(store_get(small, "deps", "new", -1, &e, NULL), 1);
	sum.disk = 4096;
	assert_int_equal(store_publish(e, &sum, NULL), 0);
	assert_false(exists(f, "deps/old"));
	assert_true(exists(f, "deps/new"));
	store_entry_free(e);
	store_free(small);
}

struct report {
	int faults, removed;
	char path[64], what[64];
};

static void count_report(void *data, const struct store_fault *f)
{
	struct report *r = data;

	assert_string_equal(f->kind, "deps");
	assert_string_equal(f->key, "bad");
	r->faults++;
	r->removed += f->removed;
	copy_string(r->path, sizeof(r->path), f->path);
	copy_string(r->what, sizeof(r->what), f->what);
}

/* Whatever changes is found, named and, when that is wanted, removed. */
static void test_verify(void **state)
{
	static const struct {
		const char *path, *what;
	} rows[] = {
		{ "more", "was not there" }, { "file", "another content" },
		{ "file", "another size" },  { "file", "another mode" },
		{ "file", "is missing" },    { "file", "another kind" },
		{ "file", "another content" },
	};
	struct fixture *f = *state;

	store_entry_free(make_entry(f, "good", "2"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct store_entry *bad = make_entry(f, "bad", "1");
		struct report r = {};
		int checked = 0, dir = bad->dir;
		_cleanup_close_ int fd = openat(dir, "file", O_WRONLY | O_CLOEXEC);

		assert_int_equal(store_verify(f->store, true, count_report, &r, &checked), 0);
		assert_int_equal(checked, 2);
		if (i == 0)
			write_file(dir, "more", "x");
		if (i == 1)
			assert_int_equal(pwrite(fd, "7", 1, 0), 1);
		if (i == 2)
			assert_int_equal(pwrite(fd, "77", 2, 0), 2);
		if (i == 3)
			assert_int_equal(fchmodat(dir, "file", 0755, 0), 0);
		if (i >= 4)
			assert_int_equal(unlinkat(dir, "file", 0), 0);
		if (i == 5)
			assert_int_equal(mkdirat(dir, "file", 0644), 0);
		if (i == 6)
			write_file(dir, "file", "2");
		assert_int_equal(store_verify(f->store, true, count_report, &r, NULL), 1);
		assert_string_equal(r.path, rows[i].path);
		assert_non_null(strstr(r.what, rows[i].what));
		assert_int_equal(r.removed, 0); /* somebody uses it */
		store_entry_free(bad);
		assert_int_equal(store_verify(f->store, true, count_report, &r, NULL), 1);
		assert_int_equal(r.removed, 1);
		assert_false(exists(f, "deps/bad"));
		assert_false(exists(f, "deps/bad.sums"));
	}
	assert_true(exists(f, "deps/good"));
}

static void truncate_file(struct fixture *f, const char *name, off_t size)
{
	_cleanup_close_ int fd = openat(store_fd(f->store), name, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
}

/* An entry without a valid record is never handed out: it is removed and made again. */
static void test_broken_entries_are_made_again(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 5; i++) {
		struct store_entry *e = NULL;

		store_entry_free(make_entry(f, "bad", "1"));
		if (i == 0)
			assert_int_equal(unlinkat(store_fd(f->store), "deps/bad.info", 0), 0);
		if (i == 1)
			truncate_file(f, "deps/bad.info", 30);
		if (i == 2)
			assert_int_equal(unlinkat(store_fd(f->store), "deps/bad.sums", 0), 0);
		if (i == 3)
			truncate_file(f, "deps/bad.sums", 3);
		if (i == 4)
			truncate_file(f, "deps/bad.info", 0);
		assert_int_equal(store_peek(f->store, "deps", "bad", &e), -ENOENT);
		assert_int_equal(store_get(f->store, "deps", "bad", -1, &e, NULL), 1);
		assert_false(exists(f, "deps/bad"));
		store_entry_free(e);
	}
}

/* Two entries with the same inode: evicting one frees only what no other has. */
static void test_shared_files_are_counted_once(void **state)
{
	struct fixture *f = *state;
	struct store_entry *a = make_entry(f, "a", "1"), *e = NULL;
	struct sums known = {};
	struct tree_sum sum;
	uint64_t left, before;

	assert_int_equal(store_trim(f->store, 1, &before), 0);
	assert_int_equal(store_get(f->store, "deps", "b", -1, &e, NULL), 1);
	assert_int_equal(tree_seal(e->dir, &sum), 0);
	assert_int_equal(linkat(a->dir, "file", e->dir, "file", 0), 0);
	assert_int_equal(tree_sum(e->dir, &sum), 0);
	assert_true(sum.own < sum.share && sum.share < sum.disk);
	assert_int_equal(store_sums(a, &known), 0);
	e->known = &known;
	copy_string(e->label, sizeof(e->label), "two\nlines");
	assert_int_equal(store_publish(e, &sum, NULL), 0);
	assert_int_equal(store_trim(f->store, 1, &left), 0);
	assert_true(left < 2 * before);
	store_entry_free(a);
	store_entry_free(e);
	assert_int_equal(store_trim(f->store, left - 1, &left), 0);
	assert_false(exists(f, "deps/a"));
	assert_true(exists(f, "deps/b/file"));
	assert_int_equal(left, before);
	sums_done(&known);
}

static void test_expiry(void **state)
{
	struct fixture *f = *state;
	uint64_t bytes = 0;

	store_entry_free(make_entry(f, "old", "1"));
	store_entry_free(make_entry(f, "new", "2"));
	set_used(f, "deps/old.info", 1000);
	assert_int_equal(store_expire(f->store, 2000, true, &bytes), 1);
	assert_true(bytes > 0);
	assert_true(exists(f, "deps/old"));
	assert_int_equal(store_expire(f->store, 2000, false, NULL), 1);
	assert_false(exists(f, "deps/old"));
	assert_true(exists(f, "deps/new"));
}

/* What an entry's list of files looks like after a trip through its file. */
static void test_sums_of_odd_names(void **state)
{
	static const char *const names[] = { " lead", "new\nline", "tab\t", "-", "a b c" };
	struct fixture *f = *state;
	struct sums made = {}, read = {};
	char hash[KEY_SIZE], again[KEY_SIZE];
	const char *path = NULL;
	int fd = open(f->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	_cleanup_close_ int dir = -1;

	assert_int_equal(mkdirat(store_fd(f->store), "odd", 0700), 0);
	dir = openat(store_fd(f->store), "odd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		write_file(dir, names[i], names[i]);
	assert_int_equal(symlinkat("x\ny", dir, "link"), 0);
	assert_int_equal(sums_make(dir, NULL, &made), 0);
	assert_int_equal(made.n, ARRAY_SIZE(names) + 1);
	assert_int_equal(sums_write(&made, fd, hash), 0);
	assert_int_equal(sums_read(fd, &read, again), 0);
	assert_string_equal(hash, again);
	assert_null(sums_differ(&made, &read, &path));
	assert_non_null(sums_find(&read, " lead"));
	assert_int_equal(ftruncate(fd, 40), 0);
	sums_done(&read);
	assert_int_equal(sums_read(fd, &read, again), -EBADMSG);
	sums_done(&made);
	close(fd);
}

/* SHA-512 of "x", in the layout of npm's cache. */
#define TARBALL_X                                                                                  \
	"a4/ab/d4448c49562d828115d13a1fccea927f52b4d5459297f8b43e42da89238bc13626e43dcb38ddb082488"  \
	"927ec904fb42057443983e88585179d50551afe62"

static int make_download(struct fixture *f, const char *content)
{
	int root = store_fd(f->store), dir;

	assert_int_equal(tree_remove(root, "download"), 0);
	assert_int_equal(mkdirat(root, "download", 0755), 0);
	assert_int_equal(mkdirat(root, "download/a4", 0755), 0);
	assert_int_equal(mkdirat(root, "download/a4/ab", 0755), 0);
	dir = openat(root, "download", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (content)
		write_file(dir, TARBALL_X, content);
	return dir;
}

static void tarball_report(void *data, const struct store_fault *f)
{
	assert_string_equal(f->kind, "tarballs");
	(*(int *)data) += f->removed;
}

/* Only what has the digest that it is called by gets in, and only as a file of its own. */
static void test_tarballs(void **state)
{
	struct fixture *f = *state;
	int removed = 0, checked = 0, dir;
	struct stat st;
	uint64_t left;

	dir = make_download(f, "y");
	assert_int_equal(tarballs_take(f->store, dir), 0);
	close(dir);
	dir = make_download(f, "x");
	assert_int_equal(linkat(dir, TARBALL_X, dir, "second", 0), 0);
	assert_int_equal(tarballs_take(f->store, dir), 0);
	close(dir);
	dir = make_download(f, NULL);
	write_file(dir, "x", "x");
	assert_int_equal(symlinkat("../../x", dir, TARBALL_X), 0);
	assert_int_equal(tarballs_take(f->store, dir), 0);
	close(dir);
	dir = make_download(f, "x");
	write_file(dir, "a4/ab/short", "x");
	assert_int_equal(tarballs_take(f->store, dir), 1);
	assert_true(exists(f, "tarballs/sha512/" TARBALL_X));
	assert_false(exists(f, "tarballs/sha512/a4/ab/short"));
	assert_int_equal(fstatat(store_fd(f->store), "tarballs/sha512/" TARBALL_X, &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	close(dir);
	dir = make_download(f, "x");
	assert_int_equal(tarballs_take(f->store, dir), 0); /* it is there already */
	close(dir);

	assert_int_equal(tarballs_verify(f->store, true, tarball_report, &removed, &checked), 0);
	assert_int_equal(checked, 1);
	truncate_file(f, "tarballs/sha512/" TARBALL_X, 0);
	assert_int_equal(tarballs_verify(f->store, true, tarball_report, &removed, NULL), 1);
	assert_int_equal(removed, 1);
	dir = make_download(f, "x");
	assert_int_equal(tarballs_take(f->store, dir), 1);
	close(dir);
	assert_int_equal(tarballs_trim(f->store, UINT64_MAX, 0, &left), 0);
	assert_true(left > 0);
	assert_int_equal(tarballs_trim(f->store, left - 1, 0, &left), 0);
	assert_int_equal(left, 0);
	assert_false(exists(f, "tarballs/sha512/" TARBALL_X));
}

static void test_foreign_directories_are_refused(void **state)
{
	struct fixture *f = *state;
	struct store *s = NULL;
	struct sbx_error err;

	assert_int_equal(chmod(f->dir, 0770), 0);
	assert_int_equal(store_open(&s, f->dir, 0, &err), -EPERM);
	assert_non_null(strstr(err.text, "chmod"));
	assert_int_equal(chmod(f->dir, 0700), 0);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(f->dir, 12345, 12345), 0);
	assert_int_equal(store_open(&s, f->dir, 0, &err), -EPERM);
	assert_int_equal(chown(f->dir, 0, 0), 0);
}

/* tree_seal() is what stands between a compromised packer and the store. */
static void test_seal_refuses_what_is_odd(void **state)
{
	struct fixture *f = *state;
	struct tree_sum sum;

	for (int odd = 0; odd < 5; odd++) {
		struct store_entry *e = NULL;

		assert_int_equal(store_get(f->store, "deps", "odd", -1, &e, NULL), 1);
		write_file(e->dir, "file", "x");
		if (odd == 1)
			assert_int_equal(mkfifoat(e->dir, "fifo", 0644), 0);
		if (odd == 2)
			assert_int_equal(linkat(e->dir, "file", e->dir, "second", 0), 0);
		if (odd == 3)
			assert_int_equal(fchmodat(e->dir, "file", 04755, 0), 0);
		if (odd == 4)
			assert_int_equal(fchmodat(e->dir, "file", 0666, 0), 0);
		assert_int_equal(tree_seal(e->dir, &sum), odd ? -EINVAL : 0);
		store_entry_free(e);
	}
}

static void test_remove_follows_nothing(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int outside = -1;
	int root = store_fd(f->store);

	assert_int_equal(mkdirat(root, "outside", 0700), 0);
	outside = openat(root, "outside", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	write_file(outside, "kept", "x");
	assert_int_equal(mkdirat(root, "tree", 0700), 0);
	assert_int_equal(symlinkat("../outside", root, "tree/link"), 0);
	assert_int_equal(tree_remove(root, "tree"), 0);
	assert_false(exists(f, "tree"));
	assert_true(exists(f, "outside/kept"));
	assert_int_equal(tree_remove(root, "tree"), 0);
}

static void test_key_parts_do_not_run_together(void **state)
{
	char ab_c[KEY_SIZE], a_bc[KEY_SIZE], again[KEY_SIZE];
	struct key k;

	(void)state;
	key_begin(&k, "t");
	key_add_string(&k, "ab");
	key_add_string(&k, "c");
	key_end(&k, ab_c);
	key_begin(&k, "t");
	key_add_string(&k, "a");
	key_add_string(&k, "bc");
	key_end(&k, a_bc);
	key_begin(&k, "t");
	key_add_string(&k, "ab");
	key_add_string(&k, "c");
	key_end(&k, again);
	assert_string_not_equal(ab_c, a_bc);
	assert_string_equal(ab_c, again);
	assert_int_equal(strlen(ab_c), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_publish_and_hit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_abandoned_entry_leaves_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_names_are_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_single_flight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wait_is_cancellable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale_staging_is_swept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_eviction_is_lru_and_spares_users, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_hit_counts_as_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_publish_trims_to_the_cap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_entries_are_made_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_shared_files_are_counted_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_expiry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sums_of_odd_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tarballs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_directories_are_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_seal_refuses_what_is_odd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_follows_nothing, setup, teardown),
		cmocka_unit_test(test_key_parts_do_not_run_together),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
