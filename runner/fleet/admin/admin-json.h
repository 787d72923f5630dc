/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the commands print with --json. Times are ms since 1970 or, where a name says so, durations.
 */

#include <cjson/cJSON.h>
#include <stdint.h>

#include "fleet/queue/queue.h"

/* Counts of a fleet are far below 2^53; what is not is a text. */
static inline void admin_put(cJSON *o, const char *key, uint64_t value)
{
	cJSON_AddNumberToObject(o, key, (double)value);
}

cJSON *admin_status_json(const struct queue_status *s);
cJSON *admin_workers_json(const struct queue_worker *w, size_t n);
cJSON *admin_event_json(const struct queue_event *e);

/* Prints and frees it; NULL: out of memory. The exit code. */
int admin_print_json(cJSON *o);
/* One line of JSON lines. */
int admin_print_json_line(cJSON *o);
