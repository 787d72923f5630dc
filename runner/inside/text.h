/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_MAX 4096 /* the longest text that a record carries, its end included */

/*
 * Why a submission is refused, in words for its author. Functions that can find such a reason
 * return 0, a negative errno when the failure is ours, or 1 with the problem filled.
 */
struct problem {
	char text[TEXT_MAX];
};

/* Fills `p` (cut at its size) and returns 1. */
int problem_set(struct problem *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Length of the well-formed UTF-8 sequence at `s` (never overlong, a surrogate or above U+10FFFF),
 * or 0. */
size_t utf8_sequence(const uint8_t *s, size_t n, uint32_t *ret_code);
/* Offset of the first byte that is not well-formed UTF-8; `n` when all of it is. */
size_t utf8_valid_prefix(const char *s, size_t n);
/* Largest length <= `limit` that does not cut a sequence of `s`, which is `n` bytes long. */
size_t utf8_cut(const char *s, size_t n, size_t limit);

/* C0, C1, DEL, and the characters that break or reorder lines. */
bool code_is_control(uint32_t code);

/*
 * A hostile string made safe to show: well-formed, on one line, without control or direction
 * characters, at most 160 bytes of it. Returned by value so that two can stand in one sentence.
 */
struct quoted {
	char s[512];
};
struct quoted text_quote(const char *s, size_t n);
/* quote("x").s inside a printf argument list lives until the end of the full expression. */
#define QUOTE(str) (text_quote((str), strlen(str)).s)

/* Makes any string a text that a record accepts: malformed and control bytes become '?' and ' '. */
void text_scrub(char *s);

/* "1.5 MiB", "64 MiB", "200 bytes". */
struct quoted text_bytes(uint64_t bytes);
