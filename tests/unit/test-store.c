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

#include "store/key.h"
#include "store/store.h"
#include "util/util.h"

struct fixture {
	char dir[64];
	struct store *store;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	copy_string(f->dir, sizeof(f->dir), "/tmp/test-store.XXXXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	*state = f;
	return store_open(&f->store, f->dir, 0, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	f->store = store_free(f->store);
	(void)tree_remove(AT_FDCWD, f->dir);
	free(f);
	return 0;
}

static void write_file(int dir, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, 0644), 0);
}

static bool exists(const struct fixture *f, const char *name)
{
	struct stat st;

	return fstatat(store_fd(f->store), name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

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

static void count_report(void *data, const char *entry, const char *what)
{
	assert_string_equal(entry, "bad");
	assert_non_null(what);
	(*(int *)data)++;
}

static void test_verify(void **state)
{
	struct fixture *f = *state;
	struct store_entry *bad = make_entry(f, "bad", "1");
	int reported = 0;

	store_entry_free(make_entry(f, "good", "2"));
	assert_int_equal(store_verify(f->store, count_report, &reported), 0);
	write_file(bad->dir, "more", "x");
	assert_int_equal(store_verify(f->store, count_report, &reported), 1);
	assert_int_equal(reported, 1);
	store_entry_free(bad);
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
		cmocka_unit_test_setup_teardown(test_foreign_directories_are_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_seal_refuses_what_is_odd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_follows_nothing, setup, teardown),
		cmocka_unit_test(test_key_parts_do_not_run_together),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
