/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* Writes a line, or loses it. How many were lost since the last one that was written. */
unsigned int log_put(int fd, const char *line, size_t n);
