/* SPDX-License-Identifier: MIT */
#pragma once

#include "fleet/config/config.h"
#include "fleet/ledger/pg.h"
#include "fleet/ops/log.h"
#include "fleet/ops/metrics.h"

/*
 * How many databases (or schemas) of submissions there are on the server of the students'
 * databases: a number that should go up and down with the slots, and back to what waits ahead.
 */
struct schemas {
	struct pg *db; /* NULL: not connected yet */
	uint64_t next_ns;
};

/* Into METRIC_SCHEMAS_OPEN, when it is time. Waits seconds where that server does not answer. */
void schemas_count(struct schemas *s, const struct fleet_config *c, struct metrics *m,
		   const struct log *log);
void schemas_done(struct schemas *s);
