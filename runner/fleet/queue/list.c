/* SPDX-License-Identifier: MIT */

/* What runs and what waits, for whoever looks at it live. */

#include "fleet/queue/queue-internal.h"

#define STRINGS 9

/* {"stage":"deps","done":false}: the name, if it is one. */
static void stage_of(const char *text, char ret[static 24])
{
	static const char head[] = "\"stage\":\"";
	const char *name = strstr(text, head);
	size_t n;

	*ret = '\0';
	if (!name)
		return;
	name += sizeof(head) - 1;
	n = strspn(name, "abcdefghijklmnopqrstuvwxyz-_0123456789");
	if (n < 24 && name[n] == '"')
		(void)snprintf(ret, 24, "%.*s", (int)n, name);
}

int queue_list(struct queue *q, struct queue_entry *ret, size_t max, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	size_t n;
	int r;

	redis_add_number(queue_args(q), max);
	r = queue_call(q, SCRIPT_LIST, 0, &reply, err);
	if (r < 0)
		return r;
	n = MIN_OF(reply->elements / STRINGS, max);
	for (size_t i = 0; i < n; i++) {
		size_t at = i * STRINGS;

		ret[i] = (struct queue_entry){
			.priority = (enum queue_priority)MIN_OF(redis_number(reply, at + 4), 3u),
			.attempt = (uint32_t)redis_number(reply, at + 6),
			.ms = redis_number(reply, at + 7),
		};
		queue_copy(ret[i].id, redis_text(reply, at));
		queue_copy(ret[i].student, redis_text(reply, at + 1));
		queue_copy(ret[i].contest, redis_text(reply, at + 2));
		queue_copy(ret[i].challenge, redis_text(reply, at + 3));
		queue_copy(ret[i].worker, redis_text(reply, at + 5));
		stage_of(redis_text(reply, at + 8), ret[i].stage);
	}
	return (int)n;
}

static int read_set(struct queue *q, const char *set, struct queue_mark *ret, size_t max,
		    struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct redis_words *w = &q->args;
	char key[QUEUE_KEY_MAX];
	size_t n;
	int r;

	redis_words_init(w);
	redis_add(w, "SMEMBERS");
	redis_add(w, queue_key(q, set, key));
	r = redis_command(q->redis, w, 0, &reply, err);
	if (r < 0)
		return r;
	n = reply->type == REDIS_REPLY_ARRAY ? MIN_OF(reply->elements, max) : 0;
	for (size_t i = 0; i < n; i++)
		queue_copy(ret[i].id, redis_text(reply, i));
	return (int)n;
}

int queue_drained(struct queue *q, struct queue_mark *ret, size_t max, struct sbx_error *err)
{
	return read_set(q, "drain", ret, max, err);
}

int queue_paused(struct queue *q, struct queue_mark *ret, size_t max, struct sbx_error *err)
{
	return read_set(q, "paused", ret, max, err);
}
