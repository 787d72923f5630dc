/* SPDX-License-Identifier: MIT */

/* Streams: results, live logs, dead letters. An entry is [id, [name, value, name, value...]]. */

#include <ctype.h>

#include "fleet/queue/queue-internal.h"

/* "0", "$", "123-4": what XREAD and XRANGE take, and nothing else. */
static int check_entry(const char *entry, struct sbx_error *err)
{
	size_t n = strspn(entry, "0123456789"), m = entry[n] == '-' ? 1 : 0;

	if (streq(entry, "$") || streq(entry, "-"))
		return 0;
	if (n > 0 && n < 20 && (!m || strspn(entry + n + 1, "0123456789") > 0) &&
	    strspn(entry + n + m, "0123456789") + n + m == strlen(entry) && strlen(entry) < 40)
		return 0;
	return redis_error(err, -EINVAL, "entry", "the id of an entry is digits-digits");
}

static const char *member(const redisReply *entry, const char *name)
{
	const redisReply *fields = entry->element[1];

	for (size_t i = 0; i + 1 < fields->elements; i += 2)
		if (streq(redis_text(fields, i), name))
			return redis_text(fields, i + 1);
	return "";
}

static uint64_t member_number(const redisReply *entry, const char *name)
{
	return strtoull(member(entry, name), NULL, 10);
}

static bool is_entry(const redisReply *r)
{
	return r->type == REDIS_REPLY_ARRAY && r->elements == 2 &&
	       r->element[0]->type == REDIS_REPLY_STRING &&
	       r->element[1]->type == REDIS_REPLY_ARRAY;
}

/* *list: the entries in the answer, NULL if there are none. */
static int read_stream(struct queue *q, const char *name, const char *after, uint32_t wait_ms,
		       size_t max, redisReply **ret, const redisReply **list, struct sbx_error *err)
{
	struct redis_words *w = &q->args;
	char key[QUEUE_KEY_MAX];
	int r = check_entry(after, err);

	if (r < 0)
		return r;
	redis_words_init(w);
	redis_add(w, "XREAD");
	redis_add(w, "COUNT");
	redis_add_number(w, max);
	if (wait_ms) {
		redis_add(w, "BLOCK");
		redis_add_number(w, wait_ms);
	}
	redis_add(w, "STREAMS");
	redis_add(w, queue_key(q, name, key));
	redis_add(w, after);
	r = redis_command(q->redis, w, wait_ms * NSEC_PER_MSEC, ret, err);
	if (r < 0)
		return r;
	*list = NULL;
	if ((*ret)->type != REDIS_REPLY_ARRAY || (*ret)->elements == 0)
		return 0;
	if (!is_entry((*ret)->element[0]))
		return redis_error(err, -EPROTO, name, "XREAD answered something else");
	*list = (*ret)->element[0]->element[1];
	return 0;
}

static void to_event(const redisReply *entry, struct queue_event *ret)
{
	*ret = (struct queue_event){
		.passed = (uint32_t)member_number(entry, "passed"),
		.total = (uint32_t)member_number(entry, "total"),
		.judge_rev = (uint32_t)member_number(entry, "rev"),
		.points = member_number(entry, "points"),
		.max_points = member_number(entry, "max"),
		.submitted_ms = member_number(entry, "submitted"),
	};
	queue_copy(ret->entry, redis_text(entry, 0));
	queue_copy(ret->id, member(entry, "id"));
	queue_copy(ret->student, member(entry, "student"));
	queue_copy(ret->contest, member(entry, "contest"));
	queue_copy(ret->challenge, member(entry, "challenge"));
	queue_copy(ret->verdict, member(entry, "verdict"));
}

int queue_events(struct queue *q, const char *after, uint32_t wait_ms, struct queue_event *ret,
		 size_t max, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	const redisReply *list;
	size_t n = 0;
	int r = read_stream(q, "results", after, wait_ms, max, &reply, &list, err);

	if (r < 0 || !list)
		return r;
	for (size_t i = 0; i < list->elements && n < max; i++)
		if (is_entry(list->element[i]))
			to_event(list->element[i], &ret[n++]);
	return (int)n;
}

int queue_log_read(struct queue *q, const char *id, const char *after, uint32_t wait_ms,
		   struct queue_line *ret, size_t max, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	const redisReply *list;
	char name[QUEUE_ID_MAX + 8];
	size_t n = 0;
	int r = queue_check_id(id, "id", err);

	if (r < 0)
		return r;
	(void)snprintf(name, sizeof(name), "log:%s", id);
	r = read_stream(q, name, after, wait_ms, max, &reply, &list, err);
	if (r < 0 || !list)
		return r;
	for (size_t i = 0; i < list->elements && n < max; i++) {
		if (!is_entry(list->element[i]))
			continue;
		queue_copy(ret[n].entry, redis_text(list->element[i], 0));
		queue_copy(ret[n].kind, member(list->element[i], "kind"));
		queue_copy(ret[n].text, member(list->element[i], "text"));
		n++;
	}
	return (int)n;
}

static void to_letter(const redisReply *entry, struct queue_letter *ret)
{
	*ret = (struct queue_letter){ 0 };
	queue_copy(ret->entry, redis_text(entry, 0));
	queue_copy(ret->kind, member(entry, "kind"));
	queue_copy(ret->id, member(entry, "id"));
	queue_copy(ret->reason, member(entry, "reason"));
	queue_copy(ret->payload, member(entry, "payload"));
	for (char *c = ret->payload; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '.';
}

static int read_dead(struct queue *q, const char *from, size_t max, redisReply **ret,
		     struct sbx_error *err)
{
	struct redis_words *w = &q->args;
	char key[QUEUE_KEY_MAX];
	int r;

	redis_words_init(w);
	redis_add(w, "XRANGE");
	redis_add(w, queue_key(q, "dead", key));
	redis_add(w, from);
	redis_add(w, "+");
	redis_add(w, "COUNT");
	redis_add_number(w, max);
	r = redis_command(q->redis, w, 0, ret, err);
	if (r == 0 && (*ret)->type != REDIS_REPLY_ARRAY)
		return redis_error(err, -EPROTO, "dead", "XRANGE answered something else");
	return r;
}

int queue_dead_list(struct queue *q, const char *after, struct queue_letter *ret, size_t max,
		    struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	char from[44] = "-";
	size_t n = 0;
	int r = after ? check_entry(after, err) : 0;

	if (r < 0)
		return r;
	if (after)
		(void)snprintf(from, sizeof(from), "(%s", after);
	r = read_dead(q, from, max, &reply, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < reply->elements && n < max; i++)
		if (is_entry(reply->element[i]))
			to_letter(reply->element[i], &ret[n++]);
	return (int)n;
}

int queue_dead_requeue(struct queue *q, const char *entry, struct sbx_error *err)
{
	char word[16];
	int r = check_entry(entry, err);

	if (r < 0)
		return r;
	redis_add(queue_args(q), entry);
	r = queue_call_word(q, SCRIPT_DEAD_REQUEUE, word, err);
	return r < 0 ? r : streq(word, "1");
}

/* XTRIM keeps the stream's last id, so that an entry's id is never given twice. */
int queue_dead_purge(struct queue *q, const char *entry, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct redis_words *w = &q->args;
	char key[QUEUE_KEY_MAX];
	int r = entry ? check_entry(entry, err) : 0;

	if (r < 0)
		return r;
	redis_words_init(w);
	redis_add(w, entry ? "XDEL" : "XTRIM");
	redis_add(w, queue_key(q, "dead", key));
	redis_add(w, entry ? entry : "MAXLEN");
	if (!entry)
		redis_add(w, "0");
	r = redis_command(q->redis, w, 0, &reply, err);
	if (r < 0)
		return r;
	if (reply->type != REDIS_REPLY_INTEGER)
		return redis_error(err, -EPROTO, "dead", "Redis answered no number");
	return (int)reply->integer;
}
