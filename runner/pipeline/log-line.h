/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#define LOG_LINE 240

/*
 * The line of a program's output that says best why it ended, without colours, and with the place
 * in the project if it is known: "SyntaxError: Unexpected token '}' (src/a.js:12)". Of compilers
 * the first error, of Node the last one thrown, else the last line. "" when there is none. `log`
 * need not be terminated; bytes of it stay what they are, so clean the result where it is shown.
 */
void log_error_line(const char *log, size_t n, char ret[LOG_LINE]);

/*
 * What to do about a line as it was found above; "" or a sentence that continues it. `manifest` is
 * package.json (NULL: there is none).
 */
void log_error_hint(const char *line, const char *manifest, char ret[LOG_LINE]);
