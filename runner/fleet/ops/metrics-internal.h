/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "fleet/ops/metrics.h"

#define LABEL_SIZE 32
#define SERIES_MAX 32  /* of one metric; the last takes what has no place */
#define BUCKETS_MAX 16 /* with the one that has no upper bound */

enum metric_kind {
	KIND_COUNTER,
	KIND_GAUGE,
	KIND_HISTOGRAM,
};

/* A row of the table of all metrics (metrics-table.c). */
struct metric_info {
	const char *name, *help;
	enum metric_kind kind;
	const char *labels[2]; /* NULL: none */
	const char *const
		*known; /* values of labels[0] that a counter shows from the start, or NULL */
	const uint64_t
		*bounds; /* of a histogram, ascending, 0-terminated; in what it is given in */
	uint64_t scale;  /* how many of these are one of what it shows */
};
extern const struct metric_info metric_infos[METRIC_COUNT_];

enum series_state {
	SERIES_FREE,
	SERIES_CLAIMED, /* its labels are being written; for ever, if its writer died */
	SERIES_READY,
};

struct series {
	_Atomic uint32_t state;
	uint32_t reserved;
	char labels[2][LABEL_SIZE];
	_Atomic uint64_t value; /* counter; bits of a gauge's double; sum of a histogram */
	_Atomic uint64_t buckets[BUCKETS_MAX]; /* each for itself, not cumulated */
};

struct metrics_shared {
	uint32_t magic, n_metrics;
	uint64_t size;
	struct series series[METRIC_COUNT_][SERIES_MAX];
};

struct metrics {
	struct metrics_shared *shared;
	int fd; /* -1: attached */
};

/* One series as it was read: labels checked, those that two processes made at once added up. */
struct reading {
	char labels[2][LABEL_SIZE];
	uint64_t value;
	double gauge;
	uint64_t buckets[BUCKETS_MAX], count;
};
/* The n-th series of a metric: 1 and *ret; 0 it is not in use, or counted with an earlier one. */
int metrics_read(const struct metrics *m, enum metric which, unsigned int n, struct reading *ret);
unsigned int metric_buckets(const struct metric_info *info); /* with the last */
