/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What this host has left, for /readyz, /metrics, and for whoever decides whether to take more on.
 */

#include <stdbool.h>
#include <stdint.h>

struct metrics; /* metrics.h */

/*
 * The share of the last 10 s (0 to 1) in which some task waited for "cpu", "memory" or "io", as
 * /proc/pressure has it; -1: this kernel does not tell.
 */
double host_pressure(const char *resource);
/* All three into METRIC_PSI_SOME. */
void host_pressure_publish(struct metrics *m);

/* More than the limit; once it was, until it is below three quarters of it. */
static inline bool host_over(double value, double limit, bool was_over)
{
	return value > (was_over ? limit * 3 / 4 : limit);
}

/*
 * 0: the file system of `path` has that many bytes, and that share of its inodes, for us (once it
 * was short: a quarter more). Else -ENOSPC, or why it cannot be asked; `why` is a sentence for it.
 */
#define HOST_WHY 160
struct host_least {
	uint64_t bytes;
	uint32_t inodes_percent;
	bool was_short;
};
int host_disk(const char *path, const struct host_least *least, char why[static HOST_WHY]);
