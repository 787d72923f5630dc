/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Archives built byte by byte, because no tool writes the hostile ones, and what unpack()
 * says of them.
 */

#include "inside-fixture.h"

#include "inside/unpack/unpack.h"

#define FLAG_UTF8 0x800

struct builder {
	uint8_t body[65536], central[65536];
	size_t n, nc;
	uint16_t entries;
	uint16_t flags, method, made_by; /* of the following entries */
};

static inline void put(uint8_t *p, size_t *n, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[(*n)++] = (uint8_t)(v >> (8 * i));
}

static inline void put_bytes(uint8_t *p, size_t *n, const void *data, size_t size)
{
	memcpy(p + *n, data, size);
	*n += size;
}

static inline uint32_t crc32_of(const char *s, size_t n)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < n; i++) {
		crc ^= (uint8_t)s[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static inline void add_named(struct builder *b, const char *name, size_t length,
			     const char *content, unsigned mode)
{
	size_t size = strlen(content), offset = b->n;
	uint32_t crc = crc32_of(content, size);

	put(b->body, &b->n, 0x04034b50, 4);
	put(b->body, &b->n, 20, 2);
	put(b->body, &b->n, b->flags, 2);
	put(b->body, &b->n, b->method, 2);
	put(b->body, &b->n, 0x210000, 4);
	put(b->body, &b->n, crc, 4);
	put(b->body, &b->n, size, 4);
	put(b->body, &b->n, size, 4);
	put(b->body, &b->n, length, 2);
	put(b->body, &b->n, 0, 2);
	put_bytes(b->body, &b->n, name, length);
	put_bytes(b->body, &b->n, content, size);

	put(b->central, &b->nc, 0x02014b50, 4);
	put(b->central, &b->nc, b->made_by, 2);
	put(b->central, &b->nc, 20, 2);
	put(b->central, &b->nc, b->flags, 2);
	put(b->central, &b->nc, b->method, 2);
	put(b->central, &b->nc, 0x210000, 4);
	put(b->central, &b->nc, crc, 4);
	put(b->central, &b->nc, size, 4);
	put(b->central, &b->nc, size, 4);
	put(b->central, &b->nc, length, 2);
	put(b->central, &b->nc, 0, 8);
	put(b->central, &b->nc, (uint64_t)mode << 16, 4);
	put(b->central, &b->nc, offset, 4);
	put_bytes(b->central, &b->nc, name, length);
	b->entries++;
}

static inline void add(struct builder *b, const char *name, const char *content)
{
	add_named(b, name, strlen(name), content, 0100644);
}

static inline void start(struct builder *b)
{
	*b = (struct builder){ .made_by = 0x0314 };
}

static inline int finish(const struct builder *b)
{
	uint8_t end[22];
	size_t n = 0;
	int fd = memfd_create("archive", MFD_CLOEXEC);

	put(end, &n, 0x06054b50, 4);
	put(end, &n, 0, 4);
	put(end, &n, b->entries, 2);
	put(end, &n, b->entries, 2);
	put(end, &n, b->nc, 4);
	put(end, &n, b->n, 4);
	put(end, &n, 0, 2);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, b->body, b->n), b->n);
	assert_int_equal(write(fd, b->central, b->nc), b->nc);
	assert_int_equal(write(fd, end, n), n);
	return fd;
}

static inline int raw_archive(const void *bytes, size_t size)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	return fd;
}

/* Takes `archive`. `reason` NULL: it must be accepted. */
static inline void expect(struct fixture *f, int archive, const char *reason)
{
	int r = unpack(archive, f->root, f->out, false);
	char *text = fixture_records(f, RECORD_ERROR, true);

	close_fd(archive);
	if (!reason) {
		if (text)
			fail_msg("refused: %s", text);
		assert_int_equal(r, 0);
		return;
	}
	if (!text)
		fail_msg("accepted, expected \"%s\"", reason);
	else if (!strstr(text, reason))
		fail_msg("\"%s\" does not hold \"%s\"", text, reason);
	assert_int_equal(r, 1);
	free(text);
}

static inline void expect_file(const struct fixture *f, const char *path, const char *content)
{
	char *text = fixture_read(f, path);

	assert_string_equal(text, content);
	free(text);
}
