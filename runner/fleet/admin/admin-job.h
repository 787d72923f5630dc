/* SPDX-License-Identifier: MIT */
#pragma once

#include <cjson/cJSON.h>

#include "fleet/queue/queue.h"

/* A submission as the queue has it, without the signature of its URL. */
cJSON *admin_job_json(const struct queue_view *v);
cJSON *admin_line_json(const struct queue_line *l);
