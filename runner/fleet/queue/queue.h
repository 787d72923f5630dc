/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The queue of submissions: a state machine in Lua on one Redis (6.2 or later), called by
 * enqueue(), claim(), renew() and so on. Each operation is one script, so each happens as a whole
 * or not at all, and each may be sent again after a lost answer. Time is Redis's, in milliseconds;
 * no clock of a worker is ever compared.
 *
 *   queued -> running -> done          the verdict is committed
 *                     -> queued        released (drain), or failed and tried again after a delay
 *   queued -> superseded, cancelled    if it was never claimed
 *   done, cancelled -> queued          rejudged, with the next judge_rev
 *
 * A claim gives a lease and a fence, a number that only grows. Whoever renews or commits names it;
 * after the lease has run out and another has claimed, the old fence moves nothing any more.
 *
 * Whatever was claimed ends by a commit, so that the ledger has it: a job that failed max_attempts
 * times, or was cancelled meanwhile, is handed out once more with an order to commit just that.
 *
 * Keys, and what is in them: docs/queue.md. One connection is used by one thread at a time, and not
 * across fork(2). Functions return >= 0, or <0 with *err filled: -EAGAIN Redis is away or not ready
 * (LOADING, READONLY, BUSY, out of memory, timeout), whatever was asked may or may not have
 * happened and is to be asked again, after queue_backoff_ns(); -EACCES Redis refuses us, which
 * asking again does not cure (password, permissions, a cluster); -EPROTO what Redis or a script
 * answered makes no sense; -ENOMEM; -EINVAL what was given is malformed. SIGPIPE is ignored by the
 * program.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_ID_MAX 64 /* of submissions, students, contests, challenges: [A-Za-z0-9_.:@-] */
#define QUEUE_URL_MAX 4096
#define QUEUE_SHA256_HEX 64
#define QUEUE_RESULT_MAX (1u << 20)
#define QUEUE_PAYLOAD_MAX 16384
#define QUEUE_REASON_MAX 200
#define QUEUE_LOG_MAX 2000 /* bytes of a line of the live log; more is cut */

bool queue_id_ok(const char *id);
bool queue_sha256_ok(const char *text); /* of 64 digits; "" is not */

enum queue_priority {
	QUEUE_ADMIN,
	QUEUE_CONTEST,
	QUEUE_PRACTICE,
	QUEUE_REJUDGE,
};
#define QUEUE_PRIORITIES 4

/* What a producer hands in. */
struct queue_submission {
	char id[QUEUE_ID_MAX + 1], student[QUEUE_ID_MAX + 1];
	char contest[QUEUE_ID_MAX + 1]; /* "": none, nothing is ranked */
	char challenge[QUEUE_ID_MAX + 1];
	char url[QUEUE_URL_MAX + 1];
	char sha256[QUEUE_SHA256_HEX + 1]; /* lower case; "": not known */
	char traceparent[56];              /* W3C; "": none */
	char channel[QUEUE_ID_MAX + 1];    /* where a DevForces producer listens; "": none */
	enum queue_priority priority;
	uint64_t submitted_ms; /* since 1970; 0, or later than now: when it is enqueued */
};

/* What is to be done with a claimed job. */
enum queue_order {
	QUEUE_RUN,     /* judge it, unless the ledger has its result already: then commit that */
	QUEUE_GIVE_UP, /* it cannot be judged (`reason`): commit verdict IE, do not run it */
	QUEUE_CANCEL,  /* somebody cancelled it: commit verdict CANCELLED, do not run it */
};

/* What a claim gives. The caller's; no pointer is in it. */
struct queue_job {
	struct queue_submission submission; /* sha256: given, or pinned at the first fetch */
	uint64_t fence;
	uint32_t attempt;   /* of this judging, from 1 */
	uint32_t judge_rev; /* from 1; one more for each rejudge */
	enum queue_order order;
	char reason[QUEUE_REASON_MAX + 1]; /* why the attempt before failed; "": it did not */
	uint64_t waited_ms;                /* since it was enqueued */
};

struct queue; /* queue.c */
struct redis; /* redis.h */

/* What is 0 has the value that is said. */
struct queue_options {
	const char *url;    /* redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], unix:///PATH[?db=N] */
	const char *prefix; /* of all keys; NULL: "sbx:{q}:" */
	uint64_t command_timeout_ns;  /* 5 s */
	uint32_t lease_ms;            /* 15,000 */
	uint32_t max_attempts;        /* 3 */
	uint32_t depth_max;           /* 10,000, of the queue; beyond it enqueue is refused */
	uint32_t student_waiting_max; /* 3, of one student, rejudged ones not counted */
	uint32_t student_running_max; /* 1, of one student, rejudged ones not counted */
	uint32_t retry_ms[3];         /* 1,000, 5,000, 25,000: waits after a failed attempt */
	uint32_t rejudge_percent;     /* 50: of the slots of the fleet, at least one */
	uint32_t keep_s;              /* 604,800: how long a job is known after it is done */
	bool no_supersede; /* a newer submission does not take the place of a waiting older one */
};

/* Connects lazily: with Redis away this succeeds and what follows returns -EAGAIN. */
int queue_open(struct queue **ret, const struct queue_options *o, struct sbx_error *err);
struct queue *queue_free(struct queue *q);
/* The same connection, for scripts that are not of the queue (ranking). Never NULL. */
struct redis *queue_redis(struct queue *q);
/*
 * After -EAGAIN: how long to wait before the next call; grows to 5 s, with jitter; 0 after success.
 */
uint64_t queue_backoff_ns(const struct queue *q);

enum queue_enqueued {
	QUEUE_ACCEPTED,
	QUEUE_DUPLICATE, /* the id is known: nothing was changed */
	QUEUE_FULL,      /* retry after retry_after_ms */
	QUEUE_STUDENT_FULL,
};
struct queue_place {
	uint64_t position; /* 1: next; 0: it does not wait (any more) */
	uint64_t depth, retry_after_ms;
	uint64_t eta_ms; /* until its result: ceil(position / slots) * p50; 0: not known yet */
	char superseded[QUEUE_ID_MAX + 1]; /* which older submission this one replaced; "": none */
};
int queue_enqueue(struct queue *q, const struct queue_submission *s, struct queue_place *ret,
		  struct sbx_error *err); /* an enum queue_enqueued */
/* 1 and *ret; 0 there is no such submission. */
int queue_place(struct queue *q, const char *id, struct queue_place *ret, struct sbx_error *err);

/*
 * Takes a payload as a producer pushes it into a list (a JSON object, docs/queue.md): hostile
 * bytes. 0; -EINVAL and `why` says what is wrong, a line for the dead letter.
 */
int queue_payload_parse(const char *text, size_t size, struct queue_submission *ret, char why[200]);

/*
 * Moves what producers pushed into the Redis list `list` ("submissions") into the queue, at most
 * 16, by way of a list of ours, so that a crash loses nothing; never waits. What is malformed
 * becomes a dead letter. While the queue is full everything stays in the list. Returns how many
 * were taken out of the list, malformed ones included. `enrich` (may be NULL) fills in what the
 * payload does not say: 0, or -EAGAIN: left where it is; or -EINVAL and `why`: a dead letter.
 */
typedef int (*queue_enrich_fn)(struct queue_submission *s, char why[200], void *data);
int queue_intake(struct queue *q, const char *list, queue_enrich_fn enrich, void *data,
		 struct sbx_error *err);

/*
 * 1 and *ret; 0 there is nothing that may run now. Waits at most wait_ms for something to come; a
 * signal does not end the wait.
 */
int queue_claim(struct queue *q, const char *worker, uint32_t wait_ms, struct queue_job *ret,
		struct sbx_error *err);

/*
 * For each of n: 1 renewed; 0 the fence is stale, stop; -1 cancelled, stop and commit CANCELLED; 2
 * it was committed under this fence: whoever did so has not yet said it.
 */
struct queue_lease {
	char id[QUEUE_ID_MAX + 1];
	uint64_t fence;
	int state;
};
int queue_renew(struct queue *q, struct queue_lease *leases, size_t n, struct sbx_error *err);

/* The archive's hash, once known. 0 pinned or equal; 1 another one is pinned: *ret says which. */
int queue_pin(struct queue *q, const struct queue_job *job, const char *sha256,
	      char ret[QUEUE_SHA256_HEX + 1], struct sbx_error *err);

/* The contest as the ledger has it: what the rank is computed by. Zeroed: nothing is ranked. */
enum contest_rules {
	CONTEST_NONE,
	CONTEST_ICPC,
	CONTEST_POINTS,
};
struct contest {
	enum contest_rules rules;
	uint64_t starts_ms, ends_ms; /* submissions of [starts, ends) count */
	uint32_t penalty_s;          /* for each failed attempt before the first accept */
	uint64_t version; /* of the ledger's row: an older copy does not undo a newer one */
};

struct queue_result {
	const char *verdict; /* "AC", as in docs/result.md */
	uint32_t passed, total;
	uint64_t points, max_points; /* millipoints */
	const char *json;            /* sandbox-result/1, at most QUEUE_RESULT_MAX */
	size_t json_size;
	const char *publish_channel; /* NULL, or PUBLISH message there in the same step */
	const char *publish_message;
	const char
		*reason; /* of verdict IE, for the dead letter; NULL: why the last attempt failed */
	/*
	 * What the ledger has of a submission that the queue had forgotten: a later judging, the
	 * time at which it was handed in first. 0: the job's.
	 */
	uint32_t judge_rev;
	uint64_t submitted_ms;
};
enum queue_committed {
	QUEUE_COMMITTED,
	QUEUE_ALREADY, /* done by an earlier call, with the same judge_rev */
	QUEUE_FENCED,
};
/* *ret_receivers: of the PUBLISH, when it was committed. With 0 queue_republish() goes on. */
int queue_commit(struct queue *q, const struct queue_job *job, const struct contest *contest,
		 const struct queue_result *r, uint64_t *ret_receivers, struct sbx_error *err);

/*
 * PUBLISHes results again that nobody received, those whose time has come: after 0.25 s, 0.5 s, 1 s
 * and so on for 30 s; never after there was a receiver. Any worker may call it, about every 0.25 s.
 * Returns how many were published.
 */
int queue_republish(struct queue *q, struct sbx_error *err);

/*
 * Back into the queue. `attempt_counts`: after a failure of ours; else (drain) it was no attempt.
 */
enum queue_released {
	QUEUE_REQUEUED,
	QUEUE_DEAD, /* it was the last attempt: still the caller's, who commits verdict IE */
	QUEUE_RELEASE_FENCED,
};
int queue_release(struct queue *q, const char *id, uint64_t fence, bool attempt_counts,
		  const char *reason, struct sbx_error *err);

/*
 * What ended without a judge, superseded or cancelled before it was begun: the oldest of what is
 * not known to be in the ledger. It stays until queue_ended_done() is called for it; with `why`
 * (may be NULL) it becomes a dead letter. How many.
 */
struct queue_end {
	char id[QUEUE_ID_MAX + 1], student[QUEUE_ID_MAX + 1];
	char contest[QUEUE_ID_MAX + 1], challenge[QUEUE_ID_MAX + 1];
	char verdict[16];
	uint32_t judge_rev;
	uint64_t submitted_ms;
	char entry[5 * QUEUE_ID_MAX]; /* as it stands in Redis */
};
int queue_ended(struct queue *q, struct queue_end *ret, size_t max, struct sbx_error *err);
int queue_ended_done(struct queue *q, const struct queue_end *e, const char *why,
		     struct sbx_error *err);

/*
 * A line of the submission's live log: `kind` is "log", "error" or "stage". Lost when Redis is
 * away.
 */
int queue_log(struct queue *q, const char *id, const char *kind, const char *text,
	      struct sbx_error *err);
/* PUBLISH of what is no result, log lines of DevForces' protocol. *ret_receivers may be NULL. */
int queue_publish(struct queue *q, const char *channel, const char *message,
		  uint64_t *ret_receivers, struct sbx_error *err);

/* One worker, as it says about itself; a heartbeat every 5 s or so. */
struct queue_worker {
	char token[QUEUE_ID_MAX + 1]; /* of one run of it; "": two with the same id go unnoticed */
	char id[QUEUE_ID_MAX + 1], version[32], host[64];
	uint32_t slots, busy;
	bool draining;
	char held[200]; /* why it claims nothing though it serves; "": it does claim */
	uint64_t started_ms; /* of Redis; filled in by the list */
	uint64_t beat_ms;    /* how long ago; filled in by the list */
};
struct queue_flags {
	bool shared; /* a worker with another token has taken this id since our last beat */
	bool drain;  /* somebody asked this worker to drain (admin) */
	bool paused; /* nothing is handed out at all */
	uint64_t now_ms;
};
int queue_beat(struct queue *q, const struct queue_worker *w, struct queue_flags *ret,
	       struct sbx_error *err);
int queue_worker_gone(struct queue *q, const char *worker, struct sbx_error *err);

#include "fleet/queue/queue-admin.h"
