/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The leaderboards in Redis (docs/ranking.md): reading them, and making them again from the ledger
 * (fleet/ledger/rebuild.h). What a commit does to them is in queue_commit(). Results as in queue.h.
 */

#include "fleet/queue/queue.h"

/* A line of a leaderboard. */
struct queue_rank {
	uint64_t rank; /* from 1; equals share one */
	char student[QUEUE_ID_MAX + 1];
	uint32_t solved, attempts;
	uint64_t points;    /* thousandths */
	uint64_t penalty_s; /* icpc: whole minutes */
	uint64_t last_ms;   /* time of submission of what counts last; 0: nothing does */
};
/* At most `max` from place `from` (0: the best) on, equals in any order; how many. */
int queue_rank_read(struct queue *q, const char *contest, uint64_t from, size_t max,
		    struct queue_rank *ret, uint64_t *ret_total, struct sbx_error *err);

/* The contest is ranked no more. */
int queue_rank_forget(struct queue *q, const char *contest, struct sbx_error *err);

/* Begins to make a leaderboard again: when, and which students have attempts in it. */
struct queue_rank_begun {
	uint64_t ms; /* Redis's time */
	size_t n;
	char (*students)[QUEUE_ID_MAX + 1]; /* sorted, byte by byte; the caller's to free */
};
int queue_rank_begin(struct queue *q, const char *contest, struct queue_rank_begun *ret,
		     struct sbx_error *err);

struct queue_rank_attempt {
	char id[QUEUE_ID_MAX + 1], challenge[QUEUE_ID_MAX + 1], verdict[16];
	uint32_t judge_rev;
	uint64_t submitted_ms, points;
};
/*
 * These, read from the ledger after `began_ms`, take the place of all that this student has in the
 * contest but what was committed since; one step.
 */
int queue_rank_student(struct queue *q, const char *contest, const struct contest *c,
		       const char *student, uint64_t began_ms,
		       const struct queue_rank_attempt *attempts, size_t n, struct sbx_error *err);
