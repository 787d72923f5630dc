/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What this host has left, for /readyz, /metrics, and for whoever decides whether to take more on.
 */

#include <stdint.h>

struct metrics; /* metrics.h */

/*
 * The share of the last 10 s (0 to 1) in which some task waited for "cpu", "memory" or "io", as
 * /proc/pressure has it; -1: this kernel does not tell.
 */
double host_pressure(const char *resource);
/* All three into METRIC_PSI_SOME. */
void host_pressure_publish(struct metrics *m);

/*
 * 0: the file system of `path` has `least` bytes and 1 % of its inodes for us. Else -ENOSPC, or why
 * it cannot be asked; `why` is a sentence for it.
 */
int host_disk(const char *path, uint64_t least, char why[static 160]);
