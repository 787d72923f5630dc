/* SPDX-License-Identifier: MIT */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* "250ms", "10s", "2m"; from 1 ms to an hour. */
static inline int parse_timeout(const char *s, unsigned *ret_ms)
{
	unsigned long value, unit;
	char *end;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	value = strtoul(s, &end, 10);
	if (strcmp(end, "ms") == 0)
		unit = 1;
	else if (strcmp(end, "s") == 0)
		unit = 1000;
	else if (strcmp(end, "m") == 0)
		unit = 60000;
	else
		return -EINVAL;
	if (value == 0 || value > 3600000 / unit)
		return -ERANGE;
	*ret_ms = (unsigned)(value * unit);
	return 0;
}
