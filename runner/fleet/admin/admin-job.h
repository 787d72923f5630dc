/* SPDX-License-Identifier: MIT */
#pragma once

#include <cjson/cJSON.h>
#include <stdio.h>

#include "fleet/queue/queue.h"

/* A submission as the queue has it, without the signature of its URL. */
cJSON *admin_job_json(const struct queue_view *v);
/* The same for people, with its log. 1; 0 there is no such submission; <0 as queue.h. */
int admin_job_text(struct queue *q, const char *id, FILE *to, struct sbx_error *err);
/*
 * A line of its log for people, without what a terminal would obey; a stage that only begins is
 * said where it is the last.
 */
void admin_put_log(FILE *to, const char *head, const struct queue_line *l, bool last);
cJSON *admin_line_json(const struct queue_line *l);
