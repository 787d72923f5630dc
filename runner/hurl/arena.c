/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE (16 * 1024)
#define ALIGNMENT 16

struct hurl_arena_chunk {
	struct hurl_arena_chunk *next;
	size_t size;
	size_t used;
	_Alignas(ALIGNMENT) char data[];
};

struct hurl_arena_defer {
	struct hurl_arena_defer *next;
	void (*fn)(void *);
	void *ptr;
};

void hurl_arena_init(struct hurl_arena *a, size_t limit)
{
	*a = (struct hurl_arena){ .limit = limit };
}

void hurl_arena_done(struct hurl_arena *a)
{
	while (a->defers) {
		struct hurl_arena_defer *d = a->defers;

		a->defers = d->next;
		d->fn(d->ptr);
	}
	while (a->chunks) {
		struct hurl_arena_chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	a->used = 0;
}

int hurl_arena_charge(struct hurl_arena *a, size_t size)
{
	if (size > a->limit - a->used)
		return -ENOMEM;
	a->used += size;
	return 0;
}

static struct hurl_arena_chunk *chunk_new(struct hurl_arena *a, size_t size)
{
	struct hurl_arena_chunk *c;

	c = calloc(1, sizeof(*c) + size);
	if (!c)
		return NULL;
	c->size = size;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

void *hurl_arena_alloc(struct hurl_arena *a, size_t size)
{
	struct hurl_arena_chunk *c = a->chunks;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (hurl_arena_charge(a, size) < 0)
		return NULL;
	if (!c || size > c->size - c->used) {
		c = chunk_new(a, size > CHUNK_SIZE ? size : CHUNK_SIZE);
		if (!c)
			return NULL;
	}
	p = c->data + c->used;
	c->used += size;
	return p;
}

char *hurl_arena_strndup(struct hurl_arena *a, const char *s, size_t len)
{
	char *copy = hurl_arena_alloc(a, len + 1);

	if (copy && len)
		memcpy(copy, s, len);
	return copy;
}

int hurl_arena_defer(struct hurl_arena *a, void (*fn)(void *), void *ptr)
{
	struct hurl_arena_defer *d = hurl_arena_alloc(a, sizeof(*d));

	if (!d) {
		fn(ptr);
		return -ENOMEM;
	}
	*d = (struct hurl_arena_defer){ .next = a->defers, .fn = fn, .ptr = ptr };
	a->defers = d;
	return 0;
}

void *hurl_arena_push(struct hurl_arena *a, void *items_ptr, size_t *count, size_t size)
{
	void **items = items_ptr;
	size_t n = *count;

	/* capacities are the powers of two: full exactly when the count is one of them */
	if ((n & (n - 1)) == 0) {
		void *grown = hurl_arena_alloc(a, (n ? 2 * n : 1) * size);

		if (!grown)
			return NULL;
		if (n)
			memcpy(grown, *items, n * size);
		*items = grown;
	}
	*count = n + 1;
	return (char *)*items + n * size;
}
