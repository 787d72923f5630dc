/* SPDX-License-Identifier: MIT */
#pragma once

/* What the supervisor's processes have in common (control.h). */

#include "fleet/config/config.h"
#include "fleet/fetch/fetch.h"
#include "fleet/ops/log.h"
#include "fleet/ops/metrics.h"
#include "fleet/queue/queue.h"

/*
 * The beginning of such a process: takes configuration and metrics from their descriptors, opens
 * the log, leaves signals to the supervisor. argv[0] is its number. An exit code; 0 go on.
 */
int process_begin(int argc, char **argv, const char *what, struct fleet_config *ret,
		  struct log *ret_log, struct metrics **ret_metrics);
/* Both borrow from the configuration. */
void process_queue_options(const struct fleet_config *c, struct queue_options *ret);
void process_fetch_options(const struct fleet_config *c, struct fetch_options *ret);
void process_log(const struct fleet_config *c, struct log *ret);
