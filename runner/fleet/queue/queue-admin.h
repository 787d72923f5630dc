/* SPDX-License-Identifier: MIT */
#pragma once

/* The rest of queue.h, which includes this: what people look at and steer the queue with. */

/* At most `max` workers that were heard of within an hour; how many. */
int queue_workers(struct queue *q, struct queue_worker *ret, size_t max, struct sbx_error *err);
/* `worker` "*": all. The worker sees it at its next heartbeat. */
int queue_drain(struct queue *q, const char *worker, bool on, struct sbx_error *err);
/* Jobs of this contest are not handed out; "*": none at all. What runs goes on. */
int queue_pause(struct queue *q, const char *contest, bool on, struct sbx_error *err);

/* What queue_drain() and queue_pause() were told, and is not taken back; how many. */
struct queue_mark {
	char id[QUEUE_ID_MAX + 1]; /* "*": all */
};
int queue_drained(struct queue *q, struct queue_mark *ret, size_t max, struct sbx_error *err);
int queue_paused(struct queue *q, struct queue_mark *ret, size_t max, struct sbx_error *err);

struct queue_status {
	uint64_t now_ms;
	uint64_t depth; /* all that wait; per priority, without what is delayed or held: */
	uint64_t waiting[QUEUE_PRIORITIES];
	uint64_t delayed, held; /* retries whose time has not come; of paused contests */
	uint64_t oldest_ms;     /* how long the oldest of them has waited */
	uint64_t ready_students, running, rejudging;
	uint64_t dead, unheard, intake; /* unheard: results that nobody received yet */
	uint64_t unrecorded;            /* ended without a judge, not yet in the ledger */
	uint64_t workers, slots, busy;  /* alive, not draining */
	uint64_t p50_ms;                /* of what a job took lately; 0: not known */
	bool paused;
};
int queue_status(struct queue *q, struct queue_status *ret, struct sbx_error *err);

/* At most `max` of those that run, then of those that have waited longest; how many. */
struct queue_entry {
	char id[QUEUE_ID_MAX + 1], student[QUEUE_ID_MAX + 1];
	char contest[QUEUE_ID_MAX + 1], challenge[QUEUE_ID_MAX + 1];
	char worker[QUEUE_ID_MAX + 1]; /* "": it waits */
	char stage[24];                /* that began last; "": none yet */
	enum queue_priority priority;
	uint32_t attempt;
	uint64_t ms; /* since it was claimed, or else enqueued */
};
int queue_list(struct queue *q, struct queue_entry *ret, size_t max, struct sbx_error *err);

/* One job as it stands. `result` (sandbox-result/1; NULL: none yet) is the caller's to free. */
struct queue_view {
	struct queue_job job;
	char state[16]; /* queued, running, done, superseded, cancelled */
	char worker[QUEUE_ID_MAX + 1], verdict[16];
	uint32_t passed, total;
	uint64_t points, max_points;
	uint64_t enqueued_ms, claimed_ms, done_ms, receivers;
	bool cancelling;
	char *result;
};
int queue_job_get(struct queue *q, const char *id, struct queue_view *ret, struct sbx_error *err);

enum queue_cancelled {
	QUEUE_NO_SUCH_JOB,
	QUEUE_CANCELLED,
	QUEUE_CANCELLING, /* whoever runs it learns it when it renews */
	QUEUE_TOO_LATE,   /* it is done */
};
int queue_cancel(struct queue *q, const char *id, struct sbx_error *err);

/*
 * Judges again what is done, by one of these; the others are NULL. Rejudged jobs run on idle slots
 * only, unless `urgent`. With `dry_run` nothing is changed. *ret: how many were (would be) queued;
 * how many wait, so that they need nothing; how many run at this moment, by the old tests perhaps.
 */
struct queue_selection {
	const char *id, *challenge, *contest, *student;
	bool urgent, dry_run;
};
struct queue_rejudged {
	uint64_t queued, waiting, running;
};
int queue_rejudge(struct queue *q, const struct queue_selection *s, struct queue_rejudged *ret,
		  struct sbx_error *err);

/* Dead letters: payloads that made no sense, and jobs that were given up. */
struct queue_letter {
	char entry[40]; /* its id in the stream */
	char kind[16];  /* payload, job */
	char id[QUEUE_ID_MAX + 1];
	char reason[QUEUE_REASON_MAX + 1];
	char payload[256]; /* its beginning, what is not printable as dots */
};
/* At most `max` after `after` (NULL: from the first); how many. */
int queue_dead_list(struct queue *q, const char *after, struct queue_letter *ret, size_t max,
		    struct sbx_error *err);
/* 1; 0 there is no such letter, or its payload was not kept whole. */
int queue_dead_requeue(struct queue *q, const char *entry, struct sbx_error *err);
/* `entry` NULL: all. How many. */
int queue_dead_purge(struct queue *q, const char *entry, struct sbx_error *err);

/*
 * Removes what no job needs any more; with `dry` it only counts. Entries of the streams that are
 * older than that; and where keys of the queue have vanished: what refers to jobs that are not
 * there, jobs that wait and stand in no student's list (they do again), students of whom too many
 * or too few were said to wait or run, results kept to be published of jobs that are not there.
 */
struct queue_gc {
	uint64_t results, dead;
	uint64_t strays, lost, students, unheard;
};
int queue_gc(struct queue *q, uint64_t older_ms, bool dry, struct queue_gc *ret,
	     struct sbx_error *err);

/* An event of the stream of results: one for each submission and judge_rev. */
struct queue_event {
	char entry[40];
	char id[QUEUE_ID_MAX + 1], student[QUEUE_ID_MAX + 1];
	char contest[QUEUE_ID_MAX + 1], challenge[QUEUE_ID_MAX + 1];
	char verdict[16];
	uint32_t passed, total, judge_rev;
	uint64_t points, max_points, submitted_ms;
};
/*
 * Events after `after` ("0": from the first; "$": only new ones), waits at most wait_ms; how many.
 */
int queue_events(struct queue *q, const char *after, uint32_t wait_ms, struct queue_event *ret,
		 size_t max, struct sbx_error *err);

/* A line of a live log; kinds: log, error, stage, state ("running", "queued", "done AC"). */
struct queue_line {
	char entry[40];
	char kind[16];
	char text[QUEUE_LOG_MAX + 1];
};
int queue_log_read(struct queue *q, const char *id, const char *after, uint32_t wait_ms,
		   struct queue_line *ret, size_t max, struct sbx_error *err);

/* What is wrong with this Redis: how many findings. */
struct queue_finding {
	bool fatal; /* the queue does not work, or loses submissions in normal operation */
	char text[320];
};
#define QUEUE_FINDINGS_MAX 8
int queue_requires(struct queue *q, struct queue_finding ret[QUEUE_FINDINGS_MAX],
		   struct sbx_error *err);
