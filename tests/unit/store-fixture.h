/* SPDX-License-Identifier: MIT */
#pragma once

/* A store in a folder of its own, for the tests that look into one. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/store.h"
#include "util/util.h"

struct fixture {
	char dir[64];
	struct store *store;
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	copy_string(f->dir, sizeof(f->dir), "/tmp/test-store.XXXXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	*state = f;
	return store_open(&f->store, f->dir, 0, NULL);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	f->store = store_free(f->store);
	(void)tree_remove(AT_FDCWD, f->dir);
	free(f);
	return 0;
}

static inline void write_file(int dir, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, 0644), 0);
}

static inline bool exists(const struct fixture *f, const char *name)
{
	struct stat st;

	return fstatat(store_fd(f->store), name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}
