/* SPDX-License-Identifier: MIT */

#include "pipeline/units.h"

#include "util/util.h"

/* One decimal where it says something: below 10 and not whole. */
static const char *print(char out[UNITS_TEXT], double value, const char *unit)
{
	double tenths = value * 10;
	bool whole = value >= 10 || (uint64_t)(tenths + 0.5) % 10 == 0;

	snprintf(out, UNITS_TEXT, "%.*f %s", whole ? 0 : 1, value, unit);
	return out;
}

const char *units_size(char out[UNITS_TEXT], uint64_t bytes)
{
	static const char *const names[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t i = 0;

	while (value >= 1024 && i + 1 < ARRAY_SIZE(names)) {
		value /= 1024;
		i++;
	}
	return print(out, value, names[i]);
}

const char *units_duration(char out[UNITS_TEXT], uint64_t ns)
{
	if (ns < NSEC_PER_SEC)
		return print(out, (double)ns / (double)NSEC_PER_MSEC, "ms");
	return print(out, (double)ns / (double)NSEC_PER_SEC, "s");
}
