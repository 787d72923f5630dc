/* SPDX-License-Identifier: MIT */
/*
 * A growing byte buffer with a limit. Errors are sticky: build with many calls, then ask once
 * (hurl_buf_error). The data is always terminated with a NUL that len does not count.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"

struct hurl_buf {
	char *data;
	size_t len;
	size_t cap;
	size_t limit;
	int error;
};

void hurl_buf_init(struct hurl_buf *b, size_t limit);
void hurl_buf_done(struct hurl_buf *b);
void hurl_buf_add(struct hurl_buf *b, const char *data, size_t len);
void hurl_buf_addc(struct hurl_buf *b, char c);
void hurl_buf_adds(struct hurl_buf *b, const char *s);
void hurl_buf_printf(struct hurl_buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
const char *hurl_buf_str(const struct hurl_buf *b);
/* 0, -ENOMEM, or -E2BIG: the limit was reached */
int hurl_buf_error(const struct hurl_buf *b);

/* Hands the bytes to the arena (terminated) and empties the buffer. NULL: error or no memory. */
char *hurl_buf_to_arena(struct hurl_buf *b, struct hurl_arena *a);

/* @code as UTF-8 */
void hurl_buf_add_utf8(struct hurl_buf *b, unsigned int code);

/*
 * Hostile bytes made fit to be shown: control bytes, invalid UTF-8 and the invisible characters
 * that reorder text become \n, \x1b, \u{202e}; after @max bytes of input the rest is counted.
 */
void hurl_buf_add_display(struct hurl_buf *b, const char *s, size_t len, size_t max);

/* A JSON string with its quotes; @s must be valid UTF-8. */
void hurl_buf_add_json(struct hurl_buf *b, const char *s, size_t len);
/* The same without the quotes. */
void hurl_buf_add_json_escaped(struct hurl_buf *b, const char *s, size_t len);

/* Percent-encodes all but unreserved characters and those in @keep. */
void hurl_buf_add_url(struct hurl_buf *b, const char *s, size_t len, const char *keep);

/* Bytes of the valid UTF-8 sequence at @s, 0 if there is none; the code point in *ret_code. */
size_t hurl_utf8_next(const char *s, size_t len, unsigned int *ret_code);
bool hurl_utf8_valid(const char *s, size_t len);
