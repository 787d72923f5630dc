/* SPDX-License-Identifier: MIT */

/* What a worker does with jobs, from the claim to the commit. */

#include "fleet/queue/queue-internal.h"

/* As much as fits, without half a character at the end. */
static size_t cut(const char *text, size_t most)
{
	size_t n = strnlen(text, most);

	if (n == most)
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	return n;
}

static int order_of(const char *word, enum queue_order *ret)
{
	static const char *const words[] = {
		[QUEUE_RUN] = "run",
		[QUEUE_GIVE_UP] = "give-up",
		[QUEUE_CANCEL] = "cancel",
	};

	int r = queue_word_of(word, words, ARRAY_SIZE(words), "claim", NULL);

	if (r >= 0)
		*ret = (enum queue_order)r;
	return r;
}

static int claimed(const redisReply *reply, struct queue_job *ret, struct sbx_error *err)
{
	struct queue_submission *s = &ret->submission;

	*ret = (struct queue_job){
		.fence = redis_number(reply, 2),
		.attempt = (uint32_t)redis_number(reply, 3),
		.judge_rev = (uint32_t)redis_number(reply, 4),
		.waited_ms = redis_number(reply, 5),
	};
	queue_copy(s->id, redis_text(reply, 6));
	queue_copy(s->student, redis_text(reply, 7));
	queue_copy(s->contest, redis_text(reply, 8));
	queue_copy(s->challenge, redis_text(reply, 9));
	queue_copy(s->url, redis_text(reply, 10));
	queue_copy(s->sha256, redis_text(reply, 11));
	queue_copy(s->traceparent, redis_text(reply, 12));
	s->priority = (enum queue_priority)redis_number(reply, 13);
	s->submitted_ms = redis_number(reply, 14);
	queue_copy(ret->reason, redis_text(reply, 15));
	queue_copy(s->channel, redis_text(reply, 16));
	if (order_of(redis_text(reply, 1), &ret->order) < 0 || !ret->fence ||
	    queue_submission_check(s, NULL) < 0)
		return redis_error(err, -EPROTO, "claim", "a job in Redis is damaged");
	return 1;
}

/* 1; or 0 and *next_ms: when a lease or a delay ends, 0 never. */
static int claim(struct queue *q, const char *worker, struct queue_job *ret, uint64_t *next_ms,
		 struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	int r;

	redis_add(queue_args(q), worker);
	r = queue_call(q, SCRIPT_CLAIM, 2, &reply, err);
	if (r < 0)
		return r;
	*next_ms = redis_number(reply, 1);
	if (streq(redis_text(reply, 0), "none"))
		return 0;
	r = redis_expect(reply, 17, "claim", err);
	return r < 0 ? r : claimed(reply, ret, err);
}

/* Until somebody says that there is work, or wait_ms are over. */
static int wait_for_work(struct queue *q, uint64_t wait_ms, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct redis_words *w = &q->args;
	char key[QUEUE_KEY_MAX], seconds[32];

	(void)snprintf(seconds, sizeof(seconds), "%llu.%03llu",
		       (unsigned long long)(wait_ms / 1000), (unsigned long long)(wait_ms % 1000));
	redis_words_init(w);
	redis_add(w, "BLPOP");
	redis_add(w, queue_key(q, "wake", key));
	redis_add(w, seconds);
	return redis_command(q->redis, w, wait_ms * NSEC_PER_MSEC, &reply, err);
}

int queue_claim(struct queue *q, const char *worker, uint32_t wait_ms, struct queue_job *ret,
		struct sbx_error *err)
{
	uint64_t deadline = deadline_after(wait_ms * NSEC_PER_MSEC), next = 0, now, left;
	int r = queue_check_id(worker, "worker", err);

	if (r < 0)
		return r;
	for (;;) {
		r = claim(q, worker, ret, &next, err);
		now = now_ns();
		if (r != 0 || now >= deadline)
			return r;
		left = (deadline - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
		r = wait_for_work(q, next ? MIN_OF(next, left) : left, err);
		if (r < 0)
			return r;
	}
}

/* As many as one command takes. */
static int renew_some(struct queue *q, struct queue_lease *leases, size_t n, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct redis_words *w = queue_args(q);
	int r;

	for (size_t i = 0; i < n; i++) {
		redis_add(w, leases[i].id);
		redis_add_number(w, leases[i].fence);
	}
	r = queue_call(q, SCRIPT_RENEW, n, &reply, err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const char *state = redis_text(reply, i);

		leases[i].state = streq(state, "1")    ? 1
				  : streq(state, "-1") ? -1
				  : streq(state, "2")  ? 2
						       : 0;
	}
	return r;
}

int queue_renew(struct queue *q, struct queue_lease *leases, size_t n, struct sbx_error *err)
{
	const size_t most = 64; /* of REDIS_WORDS_MAX, and of what fits in its numbers */
	int r = 0;

	for (size_t at = 0; r == 0 && at < n; at += most)
		r = renew_some(q, leases + at, MIN_OF(n - at, most), err);
	return r;
}

int queue_pin(struct queue *q, const struct queue_job *job, const char *sha256,
	      char ret[QUEUE_SHA256_HEX + 1], struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct redis_words *w;
	int r;

	if (!queue_sha256_ok(sha256))
		return redis_error(err, -EINVAL, "sha256", "the sha256 is not 64 hex digits");
	w = queue_args(q);
	redis_add(w, job->submission.id);
	redis_add(w, sha256);
	r = redis_script(q->redis, SCRIPT_PIN, NULL, w, &reply, err);
	if (r < 0)
		return r;
	if (reply->type != REDIS_REPLY_STRING || !queue_sha256_ok(reply->str))
		return redis_error(err, -EPROTO, "pin", "what is pinned in Redis is no sha256");
	copy_string(ret, QUEUE_SHA256_HEX + 1, reply->str);
	return !streq(ret, sha256);
}

static void add_contest(struct redis_words *w, const struct contest *c)
{
	static const char *const rules[] = {
		[CONTEST_NONE] = "none",
		[CONTEST_ICPC] = "icpc",
		[CONTEST_POINTS] = "points",
	};

	redis_add(w, rules[c->rules]);
	redis_add_number(w, c->starts_ms);
	redis_add_number(w, c->ends_ms);
	redis_add_number(w, c->penalty_s);
	redis_add_number(w, c->version);
}

static int committed(const redisReply *reply, uint64_t *ret_receivers, struct sbx_error *err)
{
	static const char *const words[] = {
		[QUEUE_COMMITTED] = "committed",
		[QUEUE_ALREADY] = "already",
		[QUEUE_FENCED] = "fenced",
	};

	int r = queue_word_of(redis_text(reply, 0), words, ARRAY_SIZE(words), "commit", err);

	if (r >= 0)
		*ret_receivers = redis_number(reply, 1);
	return r;
}

static int check_result(const struct queue_result *r, struct sbx_error *err)
{
	if (!queue_id_ok(r->verdict) || strlen(r->verdict) > 15)
		return redis_error(err, -EINVAL, "verdict", "the verdict is malformed");
	if (r->json_size > QUEUE_RESULT_MAX)
		return redis_error(err, -EINVAL, "result", "the result has more than %u bytes",
				   QUEUE_RESULT_MAX);
	if (r->publish_channel && !queue_id_ok(r->publish_channel))
		return redis_error(err, -EINVAL, "channel", "the channel is malformed");
	return 0;
}

int queue_commit(struct queue *q, const struct queue_job *job, const struct contest *contest,
		 const struct queue_result *r, uint64_t *ret_receivers, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct redis_words *w = queue_args(q);
	int e = check_result(r, err);

	if (e < 0)
		return e;
	redis_add(w, job->submission.id);
	redis_add_number(w, job->fence);
	redis_add_number(w, job->judge_rev);
	redis_add(w, r->verdict);
	redis_add_number(w, r->passed);
	redis_add_number(w, r->total);
	redis_add_number(w, r->points);
	redis_add_number(w, r->max_points);
	redis_add_bytes(w, r->json ? r->json : "", r->json ? r->json_size : 0);
	redis_add(w, r->publish_channel ? r->publish_channel : "");
	redis_add(w, r->publish_channel ? r->publish_message : "");
	add_contest(w, contest);
	redis_add_bytes(w, r->reason ? r->reason : "",
			r->reason ? cut(r->reason, QUEUE_REASON_MAX) : 0);
	redis_add_number(w, r->judge_rev ? r->judge_rev : job->judge_rev);
	redis_add_number(w, r->submitted_ms ? r->submitted_ms : job->submission.submitted_ms);
	e = queue_call(q, SCRIPT_COMMIT, 2, &reply, err);
	return e < 0 ? e : committed(reply, ret_receivers, err);
}

int queue_republish(struct queue *q, struct sbx_error *err)
{
	char word[16];
	int r;

	(void)queue_args(q);
	r = queue_call_word(q, SCRIPT_REPUBLISH, word, err);
	return r < 0 ? r : (int)strtol(word, NULL, 10);
}

int queue_release(struct queue *q, const char *id, uint64_t fence, bool attempt_counts,
		  const char *reason, struct sbx_error *err)
{
	struct redis_words *w = queue_args(q);
	char word[16];
	int r;

	redis_add(w, id);
	redis_add_number(w, fence);
	redis_add(w, attempt_counts ? "1" : "0");
	redis_add_bytes(w, reason, cut(reason, QUEUE_REASON_MAX));
	r = queue_call_word(q, SCRIPT_RELEASE, word, err);
	if (r < 0)
		return r;
	if (streq(word, "requeued"))
		return QUEUE_REQUEUED;
	return streq(word, "dead") ? QUEUE_DEAD : QUEUE_RELEASE_FENCED;
}

int queue_log(struct queue *q, const char *id, const char *kind, const char *text,
	      struct sbx_error *err)
{
	struct redis_words *w = queue_args(q);
	char word[16];

	redis_add(w, id);
	redis_add(w, kind);
	redis_add_bytes(w, text, cut(text, QUEUE_LOG_MAX));
	return queue_call_word(q, SCRIPT_LOG, word, err);
}

int queue_publish(struct queue *q, const char *channel, const char *message,
		  uint64_t *ret_receivers, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct redis_words *w = &q->args;
	int r;

	redis_words_init(w);
	redis_add(w, "PUBLISH");
	redis_add(w, channel);
	redis_add(w, message);
	r = redis_command(q->redis, w, 0, &reply, err);
	if (r < 0)
		return r;
	if (reply->type != REDIS_REPLY_INTEGER)
		return redis_error(err, -EPROTO, "publish", "PUBLISH answered no number");
	if (ret_receivers)
		*ret_receivers = (uint64_t)reply->integer;
	return 0;
}

int queue_beat(struct queue *q, const struct queue_worker *worker, struct queue_flags *ret,
	       struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct redis_words *w = queue_args(q);
	int r = queue_check_id(worker->id, "worker", err);

	if (r < 0)
		return r;
	redis_add(w, worker->id);
	redis_add(w, worker->version);
	redis_add(w, worker->host);
	redis_add_number(w, worker->slots);
	redis_add_number(w, worker->busy);
	redis_add(w, worker->draining ? "1" : "0");
	redis_add(w, worker->token);
	redis_add(w, q->beaten ? "0" : "1");
	redis_add(w, worker->held);
	r = queue_call(q, SCRIPT_BEAT, 4, &reply, err);
	if (r < 0)
		return r;
	*ret = (struct queue_flags){
		.drain = streq(redis_text(reply, 0), "1"),
		.paused = streq(redis_text(reply, 1), "1"),
		.now_ms = redis_number(reply, 2),
		.shared = *worker->token && streq(redis_text(reply, 3), "1"),
	};
	q->beaten = true;
	return 0;
}
