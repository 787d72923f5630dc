/* SPDX-License-Identifier: MIT */

/* What people look at and steer the queue with. */

#include "fleet/queue/queue-internal.h"

static int plain(struct queue *q, const char *command, const char *name, const char *member,
		 struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct redis_words *w = &q->args;
	char key[QUEUE_KEY_MAX];

	redis_words_init(w);
	redis_add(w, command);
	redis_add(w, queue_key(q, name, key));
	if (member)
		redis_add(w, member);
	return redis_command(q->redis, w, 0, &reply, err);
}

int queue_worker_gone(struct queue *q, const char *worker, struct sbx_error *err)
{
	char name[QUEUE_KEY_MAX];
	int r = queue_check_id(worker, "worker", err);

	if (r < 0)
		return r;
	(void)snprintf(name, sizeof(name), "worker:%s", worker);
	r = plain(q, "ZREM", "workers", worker, err);
	r = r < 0 ? r : plain(q, "SREM", "drain", worker, err);
	return r < 0 ? r : plain(q, "DEL", name, NULL, err);
}

int queue_workers(struct queue *q, struct queue_worker *ret, size_t max, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	size_t n;
	int r;

	(void)queue_args(q);
	r = queue_call(q, SCRIPT_WORKERS, 0, &reply, err);
	if (r < 0)
		return r;
	n = MIN_OF(reply->elements / 9, max);
	for (size_t i = 0; i < n; i++) {
		size_t at = i * 9;

		ret[i] = (struct queue_worker){
			.slots = (uint32_t)redis_number(reply, at + 3),
			.busy = (uint32_t)redis_number(reply, at + 4),
			.draining = streq(redis_text(reply, at + 5), "1"),
			.started_ms = redis_number(reply, at + 6),
			.beat_ms = redis_number(reply, at + 8),
		};
		queue_copy(ret[i].id, redis_text(reply, at));
		queue_copy(ret[i].version, redis_text(reply, at + 1));
		queue_copy(ret[i].host, redis_text(reply, at + 2));
		queue_copy(ret[i].held, redis_text(reply, at + 7));
	}
	return (int)n;
}

int queue_drain(struct queue *q, const char *worker, bool on, struct sbx_error *err)
{
	int r = streq(worker, "*") ? 0 : queue_check_id(worker, "worker", err);

	if (r < 0)
		return r;
	if (!on && streq(worker, "*"))
		return plain(q, "DEL", "drain", NULL, err);
	return plain(q, on ? "SADD" : "SREM", "drain", worker, err);
}

int queue_pause(struct queue *q, const char *contest, bool on, struct sbx_error *err)
{
	struct redis_words *w = queue_args(q);
	char word[16];
	int r = streq(contest, "*") ? 0 : queue_check_id(contest, "contest", err);

	if (r < 0)
		return r;
	redis_add(w, contest);
	redis_add(w, on ? "1" : "0");
	return queue_call_word(q, SCRIPT_PAUSE, word, err);
}

int queue_status(struct queue *q, struct queue_status *ret, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	int r;

	(void)queue_args(q);
	r = queue_call(q, SCRIPT_STATUS, 21, &reply, err);
	if (r < 0)
		return r;
	*ret = (struct queue_status){
		.now_ms = redis_number(reply, 0),
		.depth = redis_number(reply, 1),
		.delayed = redis_number(reply, 6),
		.held = redis_number(reply, 7),
		.oldest_ms = redis_number(reply, 8),
		.ready_students = redis_number(reply, 9),
		.running = redis_number(reply, 10),
		.rejudging = redis_number(reply, 11),
		.dead = redis_number(reply, 12),
		.unheard = redis_number(reply, 13),
		.intake = redis_number(reply, 14),
		.workers = redis_number(reply, 15),
		.slots = redis_number(reply, 16),
		.busy = redis_number(reply, 17),
		.p50_ms = redis_number(reply, 18),
		.paused = redis_number(reply, 19),
		.unrecorded = redis_number(reply, 20),
	};
	for (size_t p = 0; p < QUEUE_PRIORITIES; p++)
		ret->waiting[p] = redis_number(reply, 2 + p);
	return 0;
}

/* Where job.lua has what; FIELDS first, then MORE. */
enum {
	J_STATE,
	J_STUDENT,
	J_CONTEST,
	J_CHALLENGE,
	J_PRI,
	J_PRI0,
	J_SEQ,
	J_ATT,
	J_FENCE,
	J_CLAIMS,
	J_REV,
	J_CANCEL,
	J_PLACE,
	J_ENQUEUED,
	J_CLAIMED,
	J_SUBMITTED,
	J_REASON,
	J_VERDICT,
	J_DEAD,
	J_URL,
	J_SHA256,
	J_TRACEPARENT,
	J_OWNER,
	J_PASSED,
	J_TOTAL,
	J_POINTS,
	J_MAX,
	J_DONE,
	J_RECEIVERS,
	J_CHANNEL,
	J_RESULT,
	J_FIELDS,
};

static void view_job(const redisReply *reply, const char *id, struct queue_job *job)
{
	struct queue_submission *s = &job->submission;

	queue_copy(s->id, id);
	queue_copy(s->student, redis_text(reply, J_STUDENT));
	queue_copy(s->contest, redis_text(reply, J_CONTEST));
	queue_copy(s->challenge, redis_text(reply, J_CHALLENGE));
	queue_copy(s->url, redis_text(reply, J_URL));
	queue_copy(s->sha256, redis_text(reply, J_SHA256));
	queue_copy(s->traceparent, redis_text(reply, J_TRACEPARENT));
	queue_copy(s->channel, redis_text(reply, J_CHANNEL));
	s->priority = (enum queue_priority)redis_number(reply, J_PRI);
	s->submitted_ms = redis_number(reply, J_SUBMITTED);
	job->fence = redis_number(reply, J_FENCE);
	job->attempt = (uint32_t)redis_number(reply, J_ATT);
	job->judge_rev = (uint32_t)redis_number(reply, J_REV);
	queue_copy(job->reason, redis_text(reply, J_REASON));
}

int queue_job_get(struct queue *q, const char *id, struct queue_view *ret, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	int r = queue_check_id(id, "id", err);

	if (r < 0)
		return r;
	redis_add(queue_args(q), id);
	r = queue_call(q, SCRIPT_JOB, 0, &reply, err);
	if (r < 0 || reply->elements == 0)
		return r;
	r = redis_expect(reply, J_FIELDS, "job", err);
	if (r < 0)
		return r;
	*ret = (struct queue_view){
		.passed = (uint32_t)redis_number(reply, J_PASSED),
		.total = (uint32_t)redis_number(reply, J_TOTAL),
		.points = redis_number(reply, J_POINTS),
		.max_points = redis_number(reply, J_MAX),
		.enqueued_ms = redis_number(reply, J_ENQUEUED),
		.claimed_ms = redis_number(reply, J_CLAIMED),
		.done_ms = redis_number(reply, J_DONE),
		.receivers = redis_number(reply, J_RECEIVERS),
		.cancelling = redis_text(reply, J_CANCEL)[0],
	};
	view_job(reply, id, &ret->job);
	queue_copy(ret->state, redis_text(reply, J_STATE));
	queue_copy(ret->worker, redis_text(reply, J_OWNER));
	queue_copy(ret->verdict, redis_text(reply, J_VERDICT));
	if (redis_text(reply, J_RESULT)[0]) {
		ret->result = strdup(redis_text(reply, J_RESULT));
		if (!ret->result)
			return redis_error(err, -ENOMEM, "job", "out of memory");
	}
	return 1;
}

int queue_cancel(struct queue *q, const char *id, struct sbx_error *err)
{
	static const char *const words[] = {
		[QUEUE_NO_SUCH_JOB] = "none",
		[QUEUE_CANCELLED] = "cancelled",
		[QUEUE_CANCELLING] = "cancelling",
		[QUEUE_TOO_LATE] = "late",
	};
	char word[16];
	int r = queue_check_id(id, "id", err);

	if (r < 0)
		return r;
	redis_add(queue_args(q), id);
	r = queue_call_word(q, SCRIPT_CANCEL, word, err);
	return r < 0 ? r : queue_word_of(word, words, ARRAY_SIZE(words), "cancel", err);
}
