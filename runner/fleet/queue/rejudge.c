/* SPDX-License-Identifier: MIT */

/*
 * Judging again what is done. There is no index of challenges or contests: this is rare, so it
 * walks over all jobs, some at a time, and holds nobody up. All that match are gathered before the
 * first is queued, with the judge_rev they have: one that is found twice, or asked for again after
 * a lost answer, is judged once.
 */

#include "fleet/queue/queue-internal.h"

#define BATCH 100

struct match {
	char id[QUEUE_ID_MAX + 1];
	char rev[12];
	char state[16];
};

struct matches {
	struct match *list;
	size_t n, room;
};

static void matches_done(struct matches *m)
{
	free(m->list);
}

static int keep(struct matches *m, const redisReply *reply, struct sbx_error *err)
{
	for (size_t i = 0; i + 2 < reply->elements; i += 3) {
		if (m->n == m->room) {
			size_t room = m->room ? m->room * 2 : 256;
			struct match *list = reallocarray(m->list, room, sizeof(*list));

			if (!list)
				return redis_error(err, -ENOMEM, "rejudge", "out of memory");
			m->list = list;
			m->room = room;
		}
		queue_copy(m->list[m->n].id, redis_text(reply, i));
		queue_copy(m->list[m->n].rev, redis_text(reply, i + 1));
		queue_copy(m->list[m->n].state, redis_text(reply, i + 2));
		m->n++;
	}
	return 0;
}

/* `ids`: of the keys that SCAN returned, from `from` on, at most BATCH. */
static int select_some(struct queue *q, const struct queue_selection *s, const redisReply *keys,
		       size_t from, size_t skip, struct matches *m, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct redis_words *w = queue_args(q);
	int r;

	redis_add(w, s->challenge ? s->challenge : "*");
	redis_add(w, s->contest ? s->contest : "*");
	redis_add(w, s->student ? s->student : "*");
	for (size_t i = from; i < keys->elements && i < from + BATCH; i++)
		if (strlen(redis_text(keys, i)) > skip)
			redis_add(w, redis_text(keys, i) + skip);
	r = queue_call(q, SCRIPT_SELECT, 0, &reply, err);
	return r < 0 ? r : keep(m, reply, err);
}

static int scan(struct queue *q, const char *cursor, const char *pattern, redisReply **ret,
		struct sbx_error *err)
{
	struct redis_words *w = &q->args;
	int r;

	redis_words_init(w);
	redis_add(w, "SCAN");
	redis_add(w, cursor);
	redis_add(w, "MATCH");
	redis_add(w, pattern);
	redis_add(w, "COUNT");
	redis_add_number(w, 1000);
	r = redis_command(q->redis, w, 0, ret, err);
	if (r < 0)
		return r;
	if ((*ret)->type != REDIS_REPLY_ARRAY || (*ret)->elements != 2 ||
	    (*ret)->element[1]->type != REDIS_REPLY_ARRAY)
		return redis_error(err, -EPROTO, "scan", "SCAN answered something else");
	return 0;
}

static int gather(struct queue *q, const struct queue_selection *s, struct matches *m,
		  struct sbx_error *err)
{
	char key[QUEUE_KEY_MAX], pattern[QUEUE_KEY_MAX + 1], cursor[24] = "0";
	size_t skip = strlen(queue_key(q, "job:", key));
	int r;

	(void)snprintf(pattern, sizeof(pattern), "%s*", key);
	do {
		_cleanup_(redis_reply_freep) redisReply *reply = NULL;

		r = scan(q, cursor, pattern, &reply, err);
		if (r < 0)
			return r;
		queue_copy(cursor, redis_text(reply, 0));
		for (size_t at = 0; r == 0 && at < reply->element[1]->elements; at += BATCH)
			r = select_some(q, s, reply->element[1], at, skip, m, err);
	} while (r == 0 && !streq(cursor, "0"));
	return r;
}

static int gather_one(struct queue *q, const char *id, struct matches *m, struct sbx_error *err)
{
	static const struct queue_selection any = { 0 };
	redisReply word = { .type = REDIS_REPLY_STRING, .str = (char *)(uintptr_t)id };
	redisReply *words[] = { &word };
	redisReply keys = { .type = REDIS_REPLY_ARRAY, .elements = 1, .element = words };

	return select_some(q, &any, &keys, 0, 0, m, err);
}

static int by_id(const void *a, const void *b)
{
	const struct match *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static void count(const struct matches *m, bool one, struct queue_rejudged *ret)
{
	*ret = (struct queue_rejudged){ 0 };
	for (size_t i = 0; i < m->n; i++) {
		const char *state = m->list[i].state;

		if (i && streq(m->list[i].id, m->list[i - 1].id))
			continue;
		if (streq(state, "queued"))
			ret->waiting++;
		else if (streq(state, "running"))
			ret->running++;
		else if (one || !streq(state, "superseded"))
			ret->queued++;
	}
}

static int rejudge_some(struct queue *q, const struct queue_selection *s, const struct match *list,
			size_t n, struct queue_rejudged *ret, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct redis_words *w = queue_args(q);
	int r;

	redis_add(w, s->urgent ? "1" : "0");
	redis_add(w, s->id ? "1" : "0");
	for (size_t i = 0; i < n; i++) {
		if (i && streq(list[i].id, list[i - 1].id))
			continue;
		redis_add(w, list[i].id);
		redis_add(w, list[i].rev);
	}
	r = queue_call(q, SCRIPT_REJUDGE, 3, &reply, err);
	if (r < 0)
		return r;
	ret->queued += redis_number(reply, 0);
	ret->waiting += redis_number(reply, 1);
	ret->running += redis_number(reply, 2);
	return 0;
}

static int check(const struct queue_selection *s, struct sbx_error *err)
{
	const char *const words[] = { s->id, s->challenge, s->contest, s->student };
	int r = 0;
	size_t n = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(words); i++) {
		n += words[i] != NULL;
		r = words[i] ? queue_check_id(words[i], "selection", err) : 0;
	}
	if (r == 0 && n == 0)
		return redis_error(err, -EINVAL, "selection", "nothing is selected to be rejudged");
	return r;
}

int queue_rejudge(struct queue *q, const struct queue_selection *s, struct queue_rejudged *ret,
		  struct sbx_error *err)
{
	_cleanup_(matches_done) struct matches m = { 0 };
	struct queue_rejudged sum = { 0 };
	int r = check(s, err);

	if (r == 0)
		r = s->id ? gather_one(q, s->id, &m, err) : gather(q, s, &m, err);
	if (r < 0)
		return r;
	if (m.n)
		qsort(m.list, m.n, sizeof(*m.list), by_id);
	if (s->dry_run)
		count(&m, s->id, &sum);
	for (size_t at = 0; r == 0 && !s->dry_run && at < m.n; at += BATCH)
		r = rejudge_some(q, s, m.list + at, MIN_OF(m.n - at, (size_t)BATCH), &sum, err);
	if (r < 0)
		return r;
	*ret = sum;
	return 0;
}
