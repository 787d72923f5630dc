/* SPDX-License-Identifier: MIT */
#pragma once

/* Filling the caller's struct sbx_error; see sandbox.h for what its members mean. */

#include <sandbox/sandbox.h>

#define SBX_PUBLIC __attribute__((visibility("default")))

/*
 * Fills `err` (may be NULL) and returns `code`, a negative errno, so that a failing function can
 * end with `return error_set(...)`. `item` may be NULL. The text is cut to fit; it is a sentence
 * without the errno's own message, which error_set() appends in parentheses where `code` is set.
 */
int error_set(struct sbx_error *err, int code, const char *stage, const char *item, const char *fmt,
	      ...) __attribute__((format(printf, 5, 6)));

/* Public name of an enum step of protocol.h ("mount", "seccomp", "exec" ...). */
const char *step_name(int step);

/*
 * One sentence on what the step does and, where it is known, the usual cause and remedy of `code`.
 */
const char *step_advice(int step, int code);

/*
 * Every options struct passes through here: copies min(size, known) bytes of `from` into the
 * zeroed `to` and refuses (-E2BIG) set bytes beyond what this library knows; -EINVAL if `size` is
 * smaller than 8. `from` NULL leaves all 0.
 */
int options_copy(void *to, size_t known, const void *from);
