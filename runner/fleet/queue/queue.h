/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The queue of submissions: a state machine in Lua on one Redis (6.2 or later), called by enqueue(),
 * claim(), renew() and so on. Each operation is one script, so each happens as a whole or not at all,
 * and each may be sent again after a lost answer. Time is Redis's, in milliseconds; no clock of a
 * worker is ever compared.
 *
 *   queued -> running -> done          the verdict is committed
 *                     -> queued        released (drain), or failed and tried again after a delay
 *                     -> dead          failed max_attempts times: verdict IE, visible to the student
 *   queued -> superseded, cancelled
 *
 * A claim gives a lease and a fence, a number that only grows. Whoever renews or commits names it; after
 * the lease has run out and another has claimed, the old fence moves nothing any more.
 *
 * Keys, and what is in them: docs/queue.md. One connection is used by one thread at a time. Functions
 * return >= 0, or <0 with *err filled: -EAGAIN Redis is away or not ready (LOADING, READONLY, BUSY,
 * timeout), whatever was asked may or may not have happened and is to be asked again; -EPROTO what
 * Redis or a script answered makes no sense; -ENOMEM; -EINVAL what was given is malformed.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_ID_MAX 64 /* of submissions, students, contests, challenges: [A-Za-z0-9_.:@-] */
#define QUEUE_URL_MAX 4096
#define QUEUE_SHA256_HEX 64
#define QUEUE_RESULT_MAX (1u << 20)

enum queue_priority {
	QUEUE_ADMIN,
	QUEUE_CONTEST,
	QUEUE_PRACTICE,
	QUEUE_REJUDGE,
};

/* What a producer hands in. */
struct queue_submission {
	char id[QUEUE_ID_MAX + 1], student[QUEUE_ID_MAX + 1];
	char contest[QUEUE_ID_MAX + 1]; /* "": none, nothing is ranked */
	char challenge[QUEUE_ID_MAX + 1];
	char url[QUEUE_URL_MAX + 1];
	char sha256[QUEUE_SHA256_HEX + 1]; /* lower case; "": not known */
	char traceparent[56];		   /* W3C; "": none */
	enum queue_priority priority;
	uint64_t submitted_ms; /* since 1970; 0: when it is enqueued */
};

/* What a claim gives. The caller's; no pointer is in it. */
struct queue_job {
	struct queue_submission submission; /* sha256: given, or pinned at the first fetch */
	uint64_t fence;
	uint32_t attempt;   /* of this judging, from 1 */
	uint32_t judge_rev; /* from 1; one more for each rejudge */
};

struct queue; /* queue.c */

struct queue_options {
	const char *url;    /* redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], unix:///PATH[?db=N] */
	const char *prefix; /* of all keys; "sbx:{q}:" */
	uint64_t command_timeout_ns;
	uint32_t lease_ms, max_attempts;
	uint32_t depth_max;	      /* of the queue; beyond it enqueue is refused */
	uint32_t student_waiting_max; /* of one student */
	uint32_t student_running_max;
};

/* Connects lazily: with Redis away this succeeds and what follows returns -EAGAIN. */
int queue_open(struct queue **ret, const struct queue_options *o, struct sbx_error *err);
struct queue *queue_free(struct queue *q);

enum queue_enqueued {
	QUEUE_ACCEPTED,
	QUEUE_DUPLICATE, /* the id is known: nothing was changed */
	QUEUE_FULL,	 /* retry after retry_after_ms */
	QUEUE_STUDENT_FULL,
};
struct queue_place {
	uint64_t position; /* 1: next */
	uint64_t depth, retry_after_ms;
	char superseded[QUEUE_ID_MAX + 1]; /* which older submission this one replaced; "": none */
};
int queue_enqueue(struct queue *q, const struct queue_submission *s, struct queue_place *ret,
		  struct sbx_error *err); /* an enum queue_enqueued */

/*
 * Takes a payload as a producer pushes it into a list (a JSON object, docs/queue.md): hostile bytes.
 * 0; -EINVAL and `why` says what is wrong, a line for the dead letter.
 */
int queue_payload_parse(const char *text, size_t size, struct queue_submission *ret, char why[200]);

/* 1 and *ret; 0 there is nothing that may run now. Waits at most wait_ms for something to come. */
int queue_claim(struct queue *q, const char *worker, uint32_t wait_ms, struct queue_job *ret,
		struct sbx_error *err);

/* For each of n: 1 renewed; 0 the fence is stale, stop; -1 cancelled, stop. */
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
	uint32_t penalty_s;	     /* for each failed attempt before the first accept */
};

struct queue_result {
	const char *verdict; /* "AC", as in docs/result.md */
	uint32_t passed, total;
	uint64_t points, max_points; /* millipoints */
	const char *json;	     /* sandbox-result/1, at most QUEUE_RESULT_MAX */
	size_t json_size;
	const char *publish_channel; /* NULL, or PUBLISH message there in the same step */
	const char *publish_message;
};
enum queue_committed {
	QUEUE_COMMITTED,
	QUEUE_ALREADY, /* done by an earlier call, with the same judge_rev */
	QUEUE_FENCED,
};
/* *ret_receivers: of the PUBLISH, when it was committed. */
int queue_commit(struct queue *q, const struct queue_job *job, const struct contest *contest,
		 const struct queue_result *r, uint64_t *ret_receivers, struct sbx_error *err);

/* Back into the queue. `attempt_counts`: after a failure of ours; else (drain) it was no attempt. */
enum queue_released {
	QUEUE_REQUEUED,
	QUEUE_DEAD, /* it was the last attempt: the caller commits verdict IE, which is visible */
	QUEUE_RELEASE_FENCED,
};
int queue_release(struct queue *q, const char *id, uint64_t fence, bool attempt_counts,
		  const char *reason, struct sbx_error *err);

/* A line of the submission's live log: `kind` is "log", "error" or "stage". Lost when Redis is away. */
int queue_log(struct queue *q, const char *id, const char *kind, const char *text,
	      struct sbx_error *err);
