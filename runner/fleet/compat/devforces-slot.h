/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The submissions of a DevForces producer in a slot: those with a channel. Where their challenge
 * comes from, which lines and which result its page is shown, and what they are ranked by.
 */

#include "fleet/compat/devforces.h"
#include "fleet/worker/slot.h"

/* What a slot keeps for it; NULL where "compat" is off. */
struct devforces_slot;

/* 0, with *ret NULL when it is off; <0 and *err. */
int devforces_slot_open(const struct fleet_config *c, struct devforces_slot **ret,
			struct sbx_error *err);
struct devforces_slot *devforces_slot_free(struct devforces_slot *d);

/* Is this one of DevForces', and is it on? */
bool devforces_is(const struct slot *s, const struct queue_job *job);

/* As slot_challenge(). Waits for its database as for the ledger. */
int devforces_slot_challenge(struct slot *s, const struct queue_job *job, char **ret,
			     char why[200]);

/* A stage that has ended, as a line for its page. */
void devforces_slot_stage(struct slot *s, const struct judge_stage *stage);

/*
 * What its page counts: of totalTestCases, and a point for each test. Where the challenge cannot be
 * looked up any more (it was deleted) the row stays as it is. 0; -EINTR stopped.
 */
int devforces_slot_count(struct slot *s, const struct queue_job *job, struct ledger_result *row);

/* The contest that ranks it, unless `mode` is publish. 0; -EINTR stopped. */
int devforces_slot_contest(struct slot *s, const struct queue_job *job, struct contest *ret);

/* The verdict as a last line, and the message of the result for queue_commit(): the caller's. */
char *devforces_slot_result(struct slot *s, const struct queue_job *job,
			    const struct ledger_result *row);
