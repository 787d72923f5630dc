/* SPDX-License-Identifier: MIT */
#pragma once

#include "fleet/ledger/ledger.h"
#include "fleet/queue/rank.h"

/*
 * Makes the leaderboard of a contest in Redis again from the ledger, while it is in use: student by
 * student, each in one step. A contest that the ledger does not know is taken out of Redis. How
 * many students; <0 as of either, and to be done again from the beginning after -EAGAIN.
 */
int64_t ledger_rank_rebuild(struct ledger *l, struct queue *q, const char *contest,
			    struct sbx_error *err);
