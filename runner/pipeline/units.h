/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* Numbers as people read them; what they write is read by cli/options.h. */
#define UNITS_TEXT 32
/* "512 MiB", "1.5 MiB", "300 bytes"; "10 s", "250 ms", "1.5 s". Return `out`. */
const char *units_size(char out[UNITS_TEXT], uint64_t bytes);
const char *units_duration(char out[UNITS_TEXT], uint64_t ns);
