/* SPDX-License-Identifier: MIT */

/*
 * Producers that only know a Redis list. A payload goes from their list into ours, and stays there
 * until the script that enqueues it, or buries it, takes it out in the same step: whoever dies in
 * between has lost nothing, and two who work on the same payload enqueue it once.
 */

#include "fleet/queue/queue-internal.h"

#define AT_ONCE 16

static int bury(struct queue *q, const redisReply *item, const char *why, struct sbx_error *err)
{
	char word[16];
	struct redis_words *w = queue_args(q);

	redis_add_bytes(w, item->str, item->len);
	redis_add(w, why);
	return queue_call_word(q, SCRIPT_BURY, word, err);
}

/* 1: it is out of the list; 0: it stays there for now. */
static int take(struct queue *q, const redisReply *item, queue_enrich_fn enrich, void *data,
		struct sbx_error *err)
{
	_cleanup_free_ struct queue_submission *s = malloc(sizeof(*s));
	struct queue_place place;
	char why[200] = "";
	int r;

	if (!s)
		return redis_error(err, -ENOMEM, "intake", "out of memory");
	r = queue_payload_parse(item->str, item->len, s, why);
	if (r == 0 && enrich) {
		r = enrich(s, why, data);
		if (r == -EAGAIN)
			return 0;
	}
	if (r == 0 && queue_submission_check(s, err) < 0) {
		copy_string(why, sizeof(why), err ? err->text : "it is malformed");
		r = -EINVAL;
	}
	if (r < 0) {
		r = bury(q, item, why, err);
		return r < 0 ? r : 1;
	}
	r = queue_enqueue_raw(q, s, item->str, item->len, &place, err);
	return r < 0 ? r : r != QUEUE_FULL;
}

int queue_intake(struct queue *q, const char *list, queue_enrich_fn enrich, void *data,
		 struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct redis_words *w = queue_args(q);
	struct sbx_error own;
	int r, taken = 0;

	redis_add_number(w, AT_ONCE);
	redis_add_number(w, QUEUE_PAYLOAD_MAX);
	r = redis_script(q->redis, SCRIPT_INTAKE, list, w, &reply, err);
	if (r == 0)
		r = redis_expect(reply, 0, "a script", err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < reply->elements; i++) {
		r = take(q, reply->element[i], enrich, data, err ? err : &own);
		if (r < 0)
			return r;
		taken += r;
	}
	return taken;
}
