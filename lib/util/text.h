/* SPDX-License-Identifier: MIT */
#pragma once

/* "Did you mean": the edit distance of two short names. */

#include "util.h"

#define TEXT_DISTANCE_MAX 48

/* Levenshtein; names of TEXT_DISTANCE_MAX bytes and more are far from everything. */
static inline unsigned int text_distance(const char *a, const char *b)
{
	unsigned int row[TEXT_DISTANCE_MAX];
	size_t n = strlen(a), m = strlen(b), i, j;
	unsigned int diagonal, above, least;

	if (n >= TEXT_DISTANCE_MAX || m >= TEXT_DISTANCE_MAX)
		return TEXT_DISTANCE_MAX;
	for (j = 0; j <= m; j++)
		row[j] = (unsigned int)j;
	for (i = 1; i <= n; i++) {
		diagonal = row[0];
		row[0] = (unsigned int)i;
		for (j = 1; j <= m; j++) {
			above = row[j];
			least = MIN_OF(row[j - 1], above) + 1;
			row[j] = MIN_OF(least, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[m];
}
