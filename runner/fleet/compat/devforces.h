/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * DevForces' protocol, in front of which its backend runs unchanged (docs/devforces.md):
 *
 *   intake     it pushes {"id","challengeId","url"} into a Redis list; who handed in, for which
 *              contest and when is looked up in its Postgres
 *   challenge  a row of its table "Challenge": a Vitest file and the number of tests
 *   messages   JSON in JSON, published on the channel whose name is the submission's id: lines of
 *              log, then exactly one result
 *
 * Its Postgres is read, never written. <0 with *err as ledger.h says: -EAGAIN it is away.
 */

#include <sandbox/sandbox.h>
#include <stddef.h>
#include <stdint.h>

#include "fleet/ledger/pg.h"
#include "fleet/queue/queue.h"

/*
 * Completes what the payload did not say: student, contest, time of submission. 0; -ENOENT there is
 * no such challenge, for the dead letter.
 */
int devforces_complete(struct pg *db, struct queue_submission *s, struct sbx_error *err);

/* The contest of a submission, to rank it by: ICPC rules, 20 minutes for each failed attempt. */
int devforces_contest(struct pg *db, const char *id, struct contest *ret, struct sbx_error *err);

struct devforces_challenge {
	char *folder;   /* below the given one, with challenge.json and the tests */
	uint32_t total; /* what DevForces calls totalTestCases */
};
/*
 * The challenge as a folder that challenge_load() takes, made below `dir` (a descriptor; `path` is
 * its name) when it is not there: its name holds the hash of its content, so what changes in the
 * database is another folder. `fast`: its suite may be run without Vitest where that is proven to
 * agree. -ENOENT there is no such challenge; -EINVAL its row makes no sense; -ENOSPC its folder
 * cannot be written, for whatever reason; everything else is the database's or the memory's.
 */
int devforces_challenge(struct pg *db, const char *id, int dir, const char *path, bool fast,
			struct devforces_challenge *ret, struct sbx_error *err);
void devforces_challenge_done(struct devforces_challenge *c);

/*
 * What DevForces' page shall show: of `total` tests `passed` passed, all only if the submission was
 * accepted. Its front end calls it a success when failed is 0, so failed is always total - passed.
 */
uint32_t devforces_passed(uint32_t total, uint32_t passed, const char *verdict);

/* Messages, the caller's; NULL: out of memory. `kind` is "log" or "error"; `now_ms` since 1970. */
char *devforces_log_message(const char *kind, const char *text, uint64_t now_ms);
char *devforces_result_message(uint32_t passed, uint32_t total, uint64_t now_ms);
