/* SPDX-License-Identifier: MIT */
#pragma once

/* What npm prints when it fails, read for a verdict. All of it may hold bytes of a submission. */

#include <stdbool.h>
#include <stddef.h>

/* The value of npm's line "npm error code X"; "" if there is none. */
void npm_error_code(const char *log, char *ret, size_t size);

/* npm's sentences on one line, without prefixes and usage, cleaned. The caller's; NULL: -ENOMEM. */
char *npm_error_text(const char *log);

/* Codes that say that the dependencies cannot be had, whoever asks. All others are ours. */
bool npm_error_is_students(const char *code);

/* The package whose digest an EINTEGRITY names, cleaned. The caller's, or NULL. */
char *npm_package_of_digest(const char *lockfile, size_t size, const char *log);
