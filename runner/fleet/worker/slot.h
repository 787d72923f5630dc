/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A slot: the process that judges one submission after the other. It holds the connections to Redis
 * and to the ledger, and looks at no byte of a submission: that is done by its judge
 * (judge-link.h), a process without any of this. Its code is straight and waits where it has to;
 * every wait ends when the supervisor says something.
 *
 * What was claimed ends in one of three ways: its result is in the ledger and committed to the
 * queue; it was given back; it was lost to somebody else (fenced off), and nothing is done any
 * more.
 */

#include <sys/types.h>

#include "database/keeper.h"
#include "fleet/config/config.h"
#include "fleet/fetch/fetch.h"
#include "fleet/ledger/ledger.h"
#include "fleet/ops/log.h"
#include "fleet/ops/metrics.h"
#include "fleet/queue/queue.h"
#include "fleet/worker/judge-link.h"

struct challenge;
struct devforces_slot; /* compat/devforces-slot.h */
struct job;

/* Why the job at hand is to be left; a later one stands only if it is stronger. */
enum slot_stop {
	SLOT_GO_ON,
	SLOT_CANCELLED, /* the submission was: commit that */
	SLOT_RELEASE,   /* we have to end: give it back */
	SLOT_FENCED,    /* it belongs to somebody else */
};

/* The child process; slot-judge.c. */
struct slot_judge {
	pid_t pid; /* 0: there is none */
	int pidfd, socket;
	bool ready;
	uint32_t serial;
	uint64_t jobs, started_ns;
};

struct slot {
	struct fleet_config config;
	struct log log;
	struct metrics *metrics;
	struct queue *queue;
	struct ledger *ledger;
	struct fetcher *fetcher;
	struct fetch_options fetch;
	struct slot_judge judge;
	struct keeper keeper; /* of database.provider "server": the judge gets a socket to it */
	struct devforces_slot *devforces;
	struct challenge *bare;
	char *keeper_program;

	char last_challenge[1024]; /* its folder; "": none yet */
	bool leave;                /* no more jobs */
	bool orphan;               /* the supervisor is gone */
	enum slot_stop stop;
	const struct queue_job *job; /* at hand; NULL: none */
	char verdict[16];            /* of that, once it is committed */
	uint64_t ledger_backoff_ns;  /* 0: it answers */
	bool redis_away, held; /* held: nothing is to be claimed */
	uint64_t quiet_until_ns; /* no live log: Redis did not take the last line */
	uint64_t log_bytes;      /* of the live log of the job at hand */
	uint64_t alive_ns;       /* when the supervisor is to hear of us again */
};

/* A result, until it is committed. `json` is freed by slot_result_done(). */
struct slot_result {
	struct judge_verdict v;
	char *json;
};
void slot_result_done(struct slot_result *r);

/* slot.c */
/*
 * Waits until the supervisor says something, at most for `ns`; what it said is in leave and stop.
 */
void slot_wait(struct slot *s, uint64_t ns);
void slot_listen(struct slot *s);
/* To be called by whatever waits or goes round: the supervisor kills a slot that hangs. */
void slot_alive(struct slot *s);
void slot_tell(struct slot *s, int kind, const char *text);
/*
 * After a call that failed (r < 0) says so, once, and waits for a while; after one that did not
 * says that.
 */
void slot_heard_ledger(struct slot *s, int r, const struct sbx_error *err);
void slot_heard_redis(struct slot *s, int r, const struct sbx_error *err);

/* slot-job.c */
void slot_run(struct slot *s, const struct queue_job *job);
/*
 * The folder of the job's challenge, the caller's. 0; -ENOENT and `why`: it is not here; -EINVAL
 * and `why`: nor anywhere else; -EINTR stopped meanwhile.
 */
int slot_challenge(struct slot *s, const struct queue_job *job, char **ret, char why[200]);

/* slot-commit.c: into the ledger, then into the queue; until it is done or the job is stopped. */
void slot_commit(struct slot *s, const struct queue_job *job, const struct slot_result *r,
		 const char *sha256);
/* 1: the ledger had a result, and the job is committed; 0: there is none; -EINTR stopped. */
int slot_commit_standing(struct slot *s, const struct queue_job *job);

/* slot-judge.c */
/* Starts one if there is none, and waits until it is ready. 0; -EAGAIN it cannot be now; -EINTR. */
int slot_judge_ready(struct slot *s);
/*
 * 0 and *ret; -ECANCELED stopped, see s->stop; -EIO the judge died, or made no sense: `why` says
 * it. `archive` is borrowed.
 */
int slot_judge_run(struct slot *s, const struct queue_job *job, const char *folder, int archive,
		   struct slot_result *ret, char why[200]);
void slot_judge_stop(struct slot *s);

/* slot-result.c: results of what was not judged. -ENOMEM. */
int slot_result_ie(struct slot *s, const struct queue_job *job, const char *why,
		   struct slot_result *ret);
int slot_result_cancelled(struct slot *s, const struct queue_job *job, struct slot_result *ret);
int slot_result_superseded(struct slot *s, const struct queue_job *job, struct slot_result *ret);
/* The same for who has no slot. -EINVAL: nothing ends like that. */
int slot_result_ended(struct challenge *bare, const struct queue_end *e, struct slot_result *ret);
int slot_result_fetch(struct slot *s, const struct queue_job *job, enum fetch_outcome outcome,
		      const struct fetched *f, struct slot_result *ret);

/* slot-log.c: what the student is shown while it runs. */
void slot_log_stage(struct slot *s, const struct judge_stage *stage);
/* The stage that is the slot's own; NULL: it begins. */
void slot_log_fetch(struct slot *s, const struct fetched *f);
void slot_log_reason(struct slot *s, const char *reason);
