/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdlib.h>

/* NULL-terminated lists of strings, both of malloc(3). */

static inline char **strv_free(char **v)
{
	for (char **s = v; s && *s; s++)
		free(*s);
	free(v);
	return NULL;
}

static inline void strv_freep(char ***v)
{
	strv_free(*v);
}
