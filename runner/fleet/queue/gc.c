/* SPDX-License-Identifier: MIT */

/*
 * What no job needs any more. Jobs and logs expire by themselves; streams keep a number of entries,
 * so that in a quiet fleet some would stay for years; and where keys have vanished that were not
 * ours to remove, what refers to them is left, and what was counted with them.
 */

#include "fleet/queue/queue-internal.h"

#include <inttypes.h>

#define PAGE 1000

/* "MS-0", the smallest id that an entry of that time can have. */
static void entry_of(uint64_t ms, char ret[32])
{
	(void)snprintf(ret, 32, "%" PRIu64 "-0", ms);
}

static int trim(struct queue *q, const char *stream, uint64_t before_ms, uint64_t *ret,
		struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct redis_words *w = &q->args;
	char key[QUEUE_KEY_MAX], least[32];
	int r;

	entry_of(before_ms, least);
	redis_words_init(w);
	redis_add(w, "XTRIM");
	redis_add(w, queue_key(q, stream, key));
	redis_add(w, "MINID");
	redis_add(w, least);
	r = redis_command(q->redis, w, 0, &reply, err);
	if (r < 0)
		return r;
	if (reply->type != REDIS_REPLY_INTEGER)
		return redis_error(err, -EPROTO, stream, "XTRIM answered no number");
	*ret = (uint64_t)reply->integer;
	return 0;
}

/* How many trim() would remove. */
static int count(struct queue *q, const char *stream, uint64_t before_ms, uint64_t *ret,
		 struct sbx_error *err)
{
	char key[QUEUE_KEY_MAX], from[64] = "-", to[33] = "(";
	size_t n = PAGE;
	uint64_t all = 0;

	entry_of(before_ms, to + 1);
	while (n == PAGE) {
		_cleanup_(redis_reply_freep) redisReply *reply = NULL;
		struct redis_words *w = &q->args;
		const redisReply *last;
		int r;

		redis_words_init(w);
		redis_add(w, "XRANGE");
		redis_add(w, queue_key(q, stream, key));
		redis_add(w, from);
		redis_add(w, to);
		redis_add(w, "COUNT");
		redis_add_number(w, PAGE);
		r = redis_command(q->redis, w, 0, &reply, err);
		if (r < 0)
			return r;
		n = reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
		all += n;
		if (n == 0)
			break;
		last = reply->element[n - 1];
		if (last->type != REDIS_REPLY_ARRAY || last->elements == 0 ||
		    last->element[0]->type != REDIS_REPLY_STRING)
			return redis_error(err, -EPROTO, stream, "XRANGE answered something else");
		(void)snprintf(from, sizeof(from), "(%.50s", last->element[0]->str);
	}
	*ret = all;
	return 0;
}

int queue_gc(struct queue *q, uint64_t older_ms, bool dry, struct queue_gc *ret,
	     struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct queue_status status;
	struct queue_gc g = { 0 };
	uint64_t before;
	int r = queue_status(q, &status, err);

	if (r < 0)
		return r;
	before = status.now_ms - MIN_OF(status.now_ms, older_ms);
	r = (dry ? count : trim)(q, "results", before, &g.results, err);
	if (r == 0)
		r = (dry ? count : trim)(q, "dead", before, &g.dead, err);
	if (r < 0)
		return r;
	redis_add(queue_args(q), dry ? "1" : "0");
	r = queue_call(q, SCRIPT_GC, 4, &reply, err);
	if (r < 0)
		return r;
	g.strays = redis_number(reply, 0);
	g.lost = redis_number(reply, 1);
	g.students = redis_number(reply, 2);
	g.unheard = redis_number(reply, 3);
	*ret = g;
	return 0;
}
