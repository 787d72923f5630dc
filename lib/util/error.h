/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What failed, as everybody outside the library tells it: the stage, the thing that it was about,
 * and a sentence. The library's own errors end with the name of the errno (lib/error.h).
 */

#include <sandbox/sandbox.h>
#include <stdarg.h>

#include "util/util.h"

/* Fills *err, where there is one, and returns `code`. `item` may be NULL. */
static inline int error_format(struct sbx_error *err, int code, const char *stage, const char *item,
			       const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static inline int error_format(struct sbx_error *err, int code, const char *stage, const char *item,
			       const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	*err = (struct sbx_error){ .code = code };
	copy_string(err->stage, sizeof(err->stage), stage);
	copy_string(err->item, sizeof(err->item), item ? item : "");
	va_start(args, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return code;
}
