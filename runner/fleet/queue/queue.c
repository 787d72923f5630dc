/* SPDX-License-Identifier: MIT */

/* Handing in, and what all operations share. The rules of the queue are in scripts/. */

#include "fleet/queue/queue-internal.h"

static void queue_freep(struct queue **q)
{
	queue_free(*q);
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

static void fill_defaults(struct queue_options *o)
{
	static const uint32_t retry_ms[] = { 1000, 5000, 25000 };

	if (!o->command_timeout_ns)
		o->command_timeout_ns = 5 * NSEC_PER_SEC;
	o->lease_ms = or_default(o->lease_ms, 15000);
	o->max_attempts = or_default(o->max_attempts, 3);
	o->depth_max = or_default(o->depth_max, 10000);
	o->student_waiting_max = or_default(o->student_waiting_max, 3);
	o->student_running_max = or_default(o->student_running_max, 1);
	o->rejudge_percent = or_default(o->rejudge_percent, 50);
	o->keep_s = or_default(o->keep_s, 7 * 24 * 3600);
	for (size_t i = 0; i < ARRAY_SIZE(retry_ms); i++)
		o->retry_ms[i] = or_default(o->retry_ms[i], retry_ms[i]);
}

/* It becomes part of keys and of a pattern of SCAN; the hash tag keeps all keys in one slot. */
static bool prefix_ok(const char *prefix)
{
	const char *open = strchr(prefix, '{'), *close = open ? strchr(open, '}') : NULL;
	size_t n = strspn(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789_.:-{}");

	return n == strlen(prefix) && n <= 64 && close && close > open + 1;
}

int queue_open(struct queue **ret, const struct queue_options *o, struct sbx_error *err)
{
	_cleanup_(queue_freep) struct queue *q = calloc(1, sizeof(*q));
	const char *prefix = o->prefix ? o->prefix : "sbx:{q}:";
	int r;

	if (!q)
		return redis_error(err, -ENOMEM, "queue", "out of memory");
	if (!prefix_ok(prefix))
		return redis_error(err, -EINVAL, "prefix",
				   "the prefix of keys needs a hash tag, and letters, digits and "
				   "_.:- only: \"sbx:{q}:\"");
	q->o = *o;
	fill_defaults(&q->o);
	q->o.url = q->o.prefix = NULL;
	r = redis_open(&q->redis, o->url, prefix, q->o.command_timeout_ns, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(q);
	return 0;
}

struct queue *queue_free(struct queue *q)
{
	if (!q)
		return NULL;
	redis_free(q->redis);
	free(q);
	return NULL;
}

struct redis *queue_redis(struct queue *q)
{
	return q->redis;
}

uint64_t queue_backoff_ns(const struct queue *q)
{
	return redis_backoff_ns(q->redis);
}

struct redis_words *queue_args(struct queue *q)
{
	struct redis_words *w = &q->args;

	redis_words_init(w);
	redis_add_number(w, q->o.student_running_max);
	redis_add_number(w, q->o.student_waiting_max);
	redis_add_number(w, q->o.depth_max);
	redis_add_number(w, q->o.lease_ms);
	redis_add_number(w, q->o.max_attempts);
	redis_add_number(w, q->o.rejudge_percent);
	redis_add_number(w, q->o.keep_s);
	for (size_t i = 0; i < ARRAY_SIZE(q->o.retry_ms); i++)
		redis_add_number(w, q->o.retry_ms[i]);
	redis_add(w, q->o.no_supersede ? "0" : "1");
	return w;
}

int queue_call(struct queue *q, enum redis_script script, size_t n, redisReply **ret,
	       struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	int r = redis_script(q->redis, script, NULL, &q->args, &reply, err);

	if (r < 0)
		return r;
	r = redis_expect(reply, n, "a script", err);
	if (r < 0)
		return r;
	*ret = steal_ptr(reply);
	return 0;
}

int queue_call_word(struct queue *q, enum redis_script script, char ret[16], struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	int r = redis_script(q->redis, script, NULL, &q->args, &reply, err);

	if (r < 0)
		return r;
	if (reply->type != REDIS_REPLY_STRING || reply->len >= 16)
		return redis_error(err, -EPROTO, "script", "a script answered something else");
	copy_string(ret, 16, reply->str);
	return 0;
}

int queue_word_of(const char *word, const char *const *words, size_t n, const char *script,
		  struct sbx_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (streq(word, words[i]))
			return (int)i;
	return redis_error(err, -EPROTO, script, "the script answered a word that is not known");
}

const char *queue_key(const struct queue *q, const char *name, char buffer[QUEUE_KEY_MAX])
{
	(void)snprintf(buffer, QUEUE_KEY_MAX, "%s%s", redis_prefix(q->redis), name);
	return buffer;
}

int queue_check_id(const char *id, const char *what, struct sbx_error *err)
{
	if (queue_id_ok(id))
		return 0;
	return redis_error(err, -EINVAL, what,
			   "the %s is malformed: 1 to %d letters, digits and _.:@- are allowed",
			   what, QUEUE_ID_MAX);
}

int queue_submission_check(const struct queue_submission *s, struct sbx_error *err)
{
	int r = queue_check_id(s->id, "id", err);

	r = r < 0 ? r : queue_check_id(s->student, "student", err);
	r = r < 0 || !s->contest[0] ? r : queue_check_id(s->contest, "contest", err);
	r = r < 0 ? r : queue_check_id(s->challenge, "challenge", err);
	r = r < 0 || !s->channel[0] ? r : queue_check_id(s->channel, "channel", err);
	if (r < 0)
		return r;
	if (s->sha256[0] && !queue_sha256_ok(s->sha256))
		return redis_error(err, -EINVAL, "sha256", "the sha256 is not 64 hex digits");
	if ((unsigned int)s->priority >= QUEUE_PRIORITIES)
		return redis_error(err, -EINVAL, "priority", "the priority is not 0 to 3");
	return 0;
}

static int enqueued(const redisReply *reply, struct queue_place *ret, struct sbx_error *err)
{
	static const char *const words[] = {
		[QUEUE_ACCEPTED] = "accepted",
		[QUEUE_DUPLICATE] = "duplicate",
		[QUEUE_FULL] = "full",
		[QUEUE_STUDENT_FULL] = "student-full",
	};

	int r = queue_word_of(redis_text(reply, 0), words, ARRAY_SIZE(words), "enqueue", err);

	if (r < 0)
		return r;
	*ret = (struct queue_place){
		.position = redis_number(reply, 2),
		.depth = redis_number(reply, 3),
		.eta_ms = redis_number(reply, 4),
		.retry_after_ms = redis_number(reply, 5),
	};
	queue_copy(ret->superseded, redis_text(reply, 1));
	return r;
}

int queue_enqueue_raw(struct queue *q, const struct queue_submission *s, const char *raw,
		      size_t raw_size, struct queue_place *ret, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	int r = queue_submission_check(s, err);
	struct redis_words *w;

	if (r < 0)
		return r;
	w = queue_args(q);
	redis_add(w, s->id);
	redis_add(w, s->student);
	redis_add(w, s->contest);
	redis_add(w, s->challenge);
	redis_add(w, s->url);
	redis_add(w, s->sha256);
	redis_add(w, s->traceparent);
	redis_add_number(w, s->priority);
	redis_add_number(w, s->submitted_ms);
	redis_add(w, s->channel);
	redis_add_bytes(w, raw, raw_size);
	r = queue_call(q, SCRIPT_ENQUEUE, 6, &reply, err);
	return r < 0 ? r : enqueued(reply, ret, err);
}

int queue_enqueue(struct queue *q, const struct queue_submission *s, struct queue_place *ret,
		  struct sbx_error *err)
{
	return queue_enqueue_raw(q, s, "", 0, ret, err);
}

int queue_place(struct queue *q, const char *id, struct queue_place *ret, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	int r = queue_check_id(id, "id", err);

	if (r < 0)
		return r;
	redis_add(queue_args(q), id);
	r = queue_call(q, SCRIPT_PLACE, 0, &reply, err);
	if (r < 0 || reply->elements == 0)
		return r;
	*ret = (struct queue_place){
		.position = redis_number(reply, 0),
		.depth = redis_number(reply, 1),
		.eta_ms = redis_number(reply, 2),
	};
	return 1;
}
