/* SPDX-License-Identifier: MIT */
#pragma once

/* What `top` shows: the queue, the workers, the last results, and how long their stages took. */

#include "fleet/admin/admin.h"

#define TOP_WORKERS 64
#define TOP_ENTRIES 64
#define TOP_RESULTS 100 /* of these are the percentiles */
#define TOP_STAGES 20

struct top_result {
	struct queue_event event;
	double wall_ms;
	double stage_ms[TOP_STAGES]; /* by the index of the stage; < 0: it was not run */
};

struct top_stage {
	char name[24];
	uint32_t n;
	double p50_ms, p95_ms;
};

struct top {
	struct queue_status status;
	struct queue_worker workers[TOP_WORKERS];
	int n_workers;
	struct queue_entry entries[TOP_ENTRIES]; /* what runs, then what waits */
	int n_entries;
	struct top_result results[TOP_RESULTS]; /* the newest last */
	uint32_t n_results;
	uint64_t seen; /* results since the beginning of the stream */
	struct top_stage stages[TOP_STAGES];
	uint32_t n_stages;
	char after[40];
};

/* Asks for what is new. <0 as queue.h. */
int top_refresh(struct top *t, struct queue *q, struct sbx_error *err);
