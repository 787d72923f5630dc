/* SPDX-License-Identifier: MIT */
#pragma once

/* A temporary tree and the records of one run, for the tests of runner/inside. */

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "inside/records.h"
#include "util/util.h"

struct fixture {
	char path[64];
	int root; /* the tree */
	int out;  /* memfd for records */
	char *bytes;
	size_t size;
};

static inline int fixture_remove_one(const char *path, const struct stat *st, int type,
				     struct FTW *ftw)
{
	return remove(path);
}

static inline void fixture_open(struct fixture *f)
{
	*f = (struct fixture){ .path = "/tmp/sandbox-test-inside-XXXXXX" };
	assert_non_null(mkdtemp(f->path));
	f->root = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->root >= 0);
	f->out = memfd_create("records", MFD_CLOEXEC);
	assert_true(f->out >= 0);
}

static inline void fixture_close(struct fixture *f)
{
	close_fd(f->root);
	close_fd(f->out);
	free(f->bytes);
	(void)nftw(f->path, fixture_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Empties the tree and the records, for the next row of a table. */
static inline void fixture_reset(struct fixture *f)
{
	fixture_close(f);
	fixture_open(f);
}

static inline void fixture_write(const struct fixture *f, const char *path, const char *content)
{
	char copy[256];
	int fd;

	copy_string(copy, sizeof(copy), path);
	for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdirat(f->root, copy, 0755);
		*slash = '/';
	}
	fd = openat(f->root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close_fd(fd);
}

static inline char *fixture_read(const struct fixture *f, const char *path)
{
	int fd = openat(f->root, path, O_RDONLY | O_CLOEXEC);
	char *text = calloc(1, 65536);

	assert_true(fd >= 0);
	assert_true(read(fd, text, 65535) >= 0);
	close_fd(fd);
	return text;
}

static inline void fixture_load(struct fixture *f, struct records_reader *r)
{
	struct stat st;

	assert_int_equal(fstat(f->out, &st), 0);
	free(f->bytes);
	f->size = (size_t)st.st_size;
	f->bytes = malloc(f->size + 1);
	assert_int_equal(pread(f->out, f->bytes, f->size, 0), f->size);
	assert_int_equal(records_init(r, f->bytes, f->size), 0);
}

/* All frames with `tag`, joined by '|'; NULL: none. The stream must be whole when `ended`. */
static inline char *fixture_records(struct fixture *f, enum record_tag tag, bool ended)
{
	struct records_reader reader;
	struct record record;
	char *joined = NULL;
	int r;

	fixture_load(f, &reader);
	while ((r = records_next(&reader, &record)) > 0) {
		char *all;

		if (record.tag != tag)
			continue;
		assert_true(asprintf(&all, "%s%s%.*s", joined ? joined : "", joined ? "|" : "",
				     (int)record.size, record.data) >= 0);
		free(joined);
		joined = all;
	}
	if (ended)
		assert_int_equal(r, 0);
	return joined;
}

/* `expected` NULL: there must be no such frame. */
static inline void fixture_expect(struct fixture *f, enum record_tag tag, const char *expected,
				  bool ended)
{
	char *got = fixture_records(f, tag, ended);

	if (!expected)
		assert_null(got);
	else if (!got)
		fail_msg("no record %d, expected \"%s\"", tag, expected);
	else
		assert_string_equal(got, expected);
	free(got);
}
