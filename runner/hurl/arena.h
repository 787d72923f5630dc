/* SPDX-License-Identifier: MIT */
/*
 * Memory with one lifetime: a loaded file, or one request with its asserts. Allocations are zeroed
 * and cannot be freed singly; objects that need more than free() (JSON trees, regular expressions)
 * are deferred to the arena's end. The limit makes hostile growth an -ENOMEM of one request.
 */
#pragma once

#include <stddef.h>

struct hurl_arena_chunk;
struct hurl_arena_defer;

struct hurl_arena {
	struct hurl_arena_chunk *chunks;
	struct hurl_arena_defer *defers;
	size_t used;
	size_t limit;
};

void hurl_arena_init(struct hurl_arena *a, size_t limit);
void hurl_arena_done(struct hurl_arena *a);

/* NULL: out of memory, or past the limit */
void *hurl_arena_alloc(struct hurl_arena *a, size_t size);
char *hurl_arena_strndup(struct hurl_arena *a, const char *s, size_t len);

/* Counts @size against the limit without allocating: for memory that a deferred object holds. */
int hurl_arena_charge(struct hurl_arena *a, size_t size);

/* fn(ptr) runs when the arena ends; at once if it cannot be remembered (-ENOMEM). */
int hurl_arena_defer(struct hurl_arena *a, void (*fn)(void *), void *ptr);

/* Appends a zeroed element to an array of the arena and returns it, or NULL. */
void *hurl_arena_push(struct hurl_arena *a, void *items_ptr, size_t *count, size_t size);
