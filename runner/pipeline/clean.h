/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* What an untrusted text may take when it is shown. */
#define CLEAN_LINE 400
#define CLEAN_LINES 20

/*
 * A copy of `s` for people and JSON: well-formed UTF-8 (bad bytes become U+FFFD), control and
 * direction characters as \xNN or \u{NNNN}, newlines and tabs kept, at most `max` bytes and then
 * "...". NULL: -ENOMEM.
 */
char *clean_text(const char *s, size_t n, size_t max);

/* The same on one line: newlines become a space. */
char *clean_line(const char *s, size_t n, size_t max);

/*
 * The last `lines` lines of `s`, cleaned, each at most CLEAN_LINE bytes. A line that was
 * overwritten with a carriage return shows its last state, and colour sequences are dropped. NULL:
 * -ENOMEM.
 */
char *clean_tail(const char *s, size_t n, unsigned int lines);
