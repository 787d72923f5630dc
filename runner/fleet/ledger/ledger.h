/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ledger: every result once, in Postgres (12 or later), in a schema of its own. A verdict is
 * inserted here before Redis hears of it; what stands here is what happened, and Redis can be made
 * again from it (`admin rank rebuild`).
 *
 * One connection, one thread. <0 with *err filled: -EAGAIN Postgres is away, whatever was asked may or
 * may not have happened and is to be asked again (every operation may be); -EPROTO the schema is not
 * what this version knows, `sandbox-runner admin migrate` is needed; -EINVAL; -ENOMEM.
 */

#include <sandbox/sandbox.h>
#include <stdint.h>

#include "fleet/queue/queue.h"

struct ledger; /* ledger.c */

/* `url` may carry what only Prisma knows (schema, connection_limit, ...): it is taken out. */
int ledger_open(struct ledger **ret, const char *url, const char *schema, struct sbx_error *err);
struct ledger *ledger_free(struct ledger *l);

/* Creates or brings up to date; one at a time for all processes. How many steps were made. */
int ledger_migrate(struct ledger *l, struct sbx_error *err);
int ledger_check(struct ledger *l, struct sbx_error *err);

/* A result as it is kept. Strings are the caller's; of a row that was read: freed by ledger_row_done. */
struct ledger_result {
	char id[QUEUE_ID_MAX + 1], student[QUEUE_ID_MAX + 1];
	char contest[QUEUE_ID_MAX + 1], challenge[QUEUE_ID_MAX + 1];
	uint32_t judge_rev, attempt;
	uint64_t submitted_ms;
	char verdict[16];
	uint32_t passed, total;
	uint64_t points, max_points; /* millipoints */
	char archive_sha256[QUEUE_SHA256_HEX + 1], tests_sha256[QUEUE_SHA256_HEX + 1];
	char worker[QUEUE_ID_MAX + 1];
	char *json; /* sandbox-result/1: stages, usage, cases */
};
void ledger_result_done(struct ledger_result *r);

/* 1 inserted; 0 there is one already, and *ret_standing (may be NULL) is that. */
int ledger_insert(struct ledger *l, const struct ledger_result *r,
		  struct ledger_result *ret_standing, struct sbx_error *err);
/* 1 and *ret, or 0. */
int ledger_find(struct ledger *l, const char *id, uint32_t judge_rev, struct ledger_result *ret,
		struct sbx_error *err);

/* 1 and *ret, or 0: there is no such contest, nothing is ranked. */
int ledger_contest(struct ledger *l, const char *id, struct contest *ret, struct sbx_error *err);
int ledger_contest_set(struct ledger *l, const char *id, const struct contest *c,
		       struct sbx_error *err);
