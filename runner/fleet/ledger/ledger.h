/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ledger: every result once, in Postgres (12 or later), in a schema of its own. A verdict is
 * inserted here before Redis hears of it; what stands here is what happened, and Redis can be made
 * again from it (`admin rank rebuild`).
 *
 * One connection, one thread. No call hangs, whatever Postgres or the network does; each
 * returns >= 0, or <0 with *err filled:
 *   -EAGAIN  Postgres is away, starting, full or busy: whatever was asked may or may not have
 *            happened and is to be asked again (every operation may be), after a pause of the
 *            caller's. The next call connects anew.
 *   -EACCES  Postgres is there and refuses: password, no such database, a right that is missing
 *   -EPROTO  the schema is missing, or older or newer than this version knows
 *   -EINVAL  what was given is malformed, or Postgres refuses this one row for what is in it
 *   -EIO     Postgres answered what makes no sense
 *   -EBADMSG a result or contest is there that is not as we write it
 *   -ENOMEM
 * All but -EAGAIN stay as they are until somebody does something.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fleet/queue/queue.h"

#define LEDGER_SCHEMA "sandbox"
/* No time of a submission or contest is later: the end of the year 9999, in ms since 1970. */
#define LEDGER_TIME_MAX 253402300799999ull
/* Points of a result, in thousandths. */
#define LEDGER_POINTS_MAX 1000000000000ull

struct ledger; /* ledger.c */

/*
 * Connects lazily: with Postgres away this succeeds and what follows returns -EAGAIN. `url`:
 * postgresql://... or "key=value ..."; it may carry what only Prisma knows (url.h). `schema` NULL:
 * LEDGER_SCHEMA.
 */
int ledger_open(struct ledger **ret, const char *url, const char *schema, struct sbx_error *err);
struct ledger *ledger_free(struct ledger *l);
static inline void ledger_freep(struct ledger **l)
{
	ledger_free(*l);
}

/* How long a statement may take; 8 s if nothing is said. A connection is waited for 5 s. */
void ledger_set_timeout(struct ledger *l, uint64_t ns);

/* Creates or brings up to date; one at a time for all processes. How many steps were made. */
int ledger_migrate(struct ledger *l, struct sbx_error *err);
/* 0: Postgres is there, and the schema is the one this version knows. */
int ledger_check(struct ledger *l, struct sbx_error *err);

/* A result as it is kept; `json` is to be freed by ledger_result_done if it was read. */
struct ledger_result {
	char id[QUEUE_ID_MAX + 1], student[QUEUE_ID_MAX + 1];
	char contest[QUEUE_ID_MAX + 1]; /* "": none */
	char challenge[QUEUE_ID_MAX + 1];
	uint32_t judge_rev, attempt;
	uint64_t submitted_ms;
	char verdict[16];
	uint32_t passed, total;
	uint64_t points, max_points; /* thousandths of score and max_score of the result */
	char archive_sha256[QUEUE_SHA256_HEX + 1], tests_sha256[QUEUE_SHA256_HEX + 1]; /* or "" */
	char worker[QUEUE_ID_MAX + 1];
	uint64_t judged_ms; /* when it was inserted, by Postgres's clock; only read */
	/*
	 * sandbox-result/1, an object of at most QUEUE_RESULT_MAX bytes. What no jsonb takes
	 * (\u0000, half surrogates) is kept as \ufffd, malformed UTF-8 as question marks.
	 */
	char *json;
};
void ledger_result_done(struct ledger_result *r);

/*
 * 1 inserted; 0 there is one already. *ret_standing (may be NULL) is what stands, in both cases:
 * this is what is to be committed to the queue, whoever judged it.
 */
int ledger_insert(struct ledger *l, const struct ledger_result *r,
		  struct ledger_result *ret_standing, struct sbx_error *err);
/* 1 and *ret, or 0. */
int ledger_find(struct ledger *l, const char *id, uint32_t judge_rev, struct ledger_result *ret,
		struct sbx_error *err);
/* The same for the highest judge_rev that there is. */
int ledger_latest(struct ledger *l, const char *id, struct ledger_result *ret,
		  struct sbx_error *err);

/* Which results: NULL or "" is any. */
struct ledger_filter {
	const char *contest, *challenge, *student;
};
/* Called for each; <0 ends it and is returned. No other call with the same ledger from inside. */
typedef int (*ledger_each_fn)(const struct ledger_result *r, void *data);
/*
 * All of them without `json`, ordered by student, id and judge_rev; thousands at a time, so what is
 * inserted meanwhile may be seen or not. How many there were.
 */
int64_t ledger_each(struct ledger *l, const struct ledger_filter *filter, ledger_each_fn fn,
		    void *data, struct sbx_error *err);

/* 1 and *ret, or 0: there is no such contest, nothing is ranked. */
int ledger_contest(struct ledger *l, const char *id, struct contest *ret, struct sbx_error *err);
/*
 * `version` of *c is not looked at; it is one more than before if anything has changed: then the
 * rank is to be rebuilt (rank.h).
 */
int ledger_contest_set(struct ledger *l, const char *id, const struct contest *c,
		       struct sbx_error *err);

/* One line of the standings as Postgres computes them from the results (docs/ranking.md). */
struct ledger_standing {
	uint64_t rank; /* from 1; equals share one */
	char student[QUEUE_ID_MAX + 1];
	uint32_t solved;
	uint64_t points;    /* thousandths */
	uint64_t penalty_s; /* whole minutes for icpc */
	uint64_t last_ms;   /* time of submission of what counts last; 0: nothing does */
};
typedef int (*ledger_standing_fn)(const struct ledger_standing *s, void *data);
/* In order of rank, then of student. How many. */
int64_t ledger_standings(struct ledger *l, const char *contest, ledger_standing_fn fn, void *data,
			 struct sbx_error *err);
