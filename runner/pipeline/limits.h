/* SPDX-License-Identifier: MIT */
#pragma once

/* The limits that a host may be unable to enforce, by the names that people give and get. */

#include <sandbox/sandbox.h>
#include <stddef.h>
#include <stdint.h>

#define LIMITS_ALL                                                                                 \
	(SBX_LIMIT_MEMORY | SBX_LIMIT_SWAP | SBX_LIMIT_PIDS | SBX_LIMIT_CPU | SBX_LIMIT_CPU_TIME)

/* The name of the limit with this index, its SBX_LIMIT_* bit in *ret_bit; NULL beyond the last. */
const char *limit_name(unsigned int index, uint32_t *ret_bit);

/*
 * "memory,cpu-time", "all" or "none" as SBX_LIMIT_* bits. -EINVAL: *ret_word, of *ret_len bytes of
 * `text`, is no limit.
 */
int limits_parse(const char *text, uint32_t *ret, const char **ret_word, size_t *ret_len);
