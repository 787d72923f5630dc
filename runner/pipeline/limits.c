/* SPDX-License-Identifier: MIT */

#include "pipeline/limits.h"

#include <errno.h>
#include <string.h>

#include "util/util.h"

static const struct {
	const char *name;
	uint32_t bits;
} limits[] = {
	{ "memory", SBX_LIMIT_MEMORY },
	{ "swap", SBX_LIMIT_SWAP },
	{ "pids", SBX_LIMIT_PIDS },
	{ "cpu", SBX_LIMIT_CPU },
	{ "cpu-time", SBX_LIMIT_CPU_TIME },
	/* Read, but not written. */
	{ "cpu_time", SBX_LIMIT_CPU_TIME },
	{ "all", LIMITS_ALL },
	{ "none", 0 },
};

#define WRITTEN 5

const char *limit_name(unsigned int index, uint32_t *ret_bit)
{
	if (index >= WRITTEN)
		return NULL;
	*ret_bit = limits[index].bits;
	return limits[index].name;
}

static bool limit_bits(const char *name, size_t len, uint32_t *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (strncmp(limits[i].name, name, len) == 0 && limits[i].name[len] == '\0') {
			*ret = limits[i].bits;
			return true;
		}
	}
	return false;
}

int limits_parse(const char *text, uint32_t *ret, const char **ret_word, size_t *ret_len)
{
	uint32_t all = 0, bits = 0;

	for (;; text++) {
		size_t len = strcspn(text, ",");

		if (!limit_bits(text, len, &bits)) {
			*ret_word = text;
			*ret_len = len;
			return -EINVAL;
		}
		all |= bits;
		text += len;
		if (!*text)
			break;
	}
	*ret = all;
	return 0;
}
