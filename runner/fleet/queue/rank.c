/* SPDX-License-Identifier: MIT */

/* Calls of the scripts rank-*.lua, which say what they take and answer. */

#include "fleet/queue/rank.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/queue/redis.h"
#include "util/util.h"

#define READ_MAX 1000
#define READ_WORDS 7

static int read_row(const redisReply *reply, size_t at, struct queue_rank *ret)
{
	const char *student = redis_text(reply, at + 1);
	struct queue_rank row = {
		.rank = redis_number(reply, at),
		.solved = (uint32_t)redis_number(reply, at + 2),
		.points = redis_number(reply, at + 3),
		.penalty_s = redis_number(reply, at + 4),
		.last_ms = redis_number(reply, at + 5),
		.attempts = (uint32_t)redis_number(reply, at + 6),
	};

	if (strlen(student) > QUEUE_ID_MAX)
		return -EPROTO;
	copy_string(row.student, sizeof(row.student), student);
	*ret = row;
	return 0;
}

int queue_rank_read(struct queue *q, const char *contest, uint64_t from, size_t max,
		    struct queue_rank *ret, uint64_t *ret_total, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct redis_words w;
	size_t n;
	int r;

	redis_words_init(&w);
	redis_add(&w, contest);
	redis_add_number(&w, from);
	redis_add_number(&w, MIN_OF(max, READ_MAX));
	r = redis_script(queue_redis(q), SCRIPT_RANK_READ, NULL, &w, &reply, err);
	if (r < 0)
		return r;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements % READ_WORDS != 1)
		return redis_error(err, -EPROTO, contest, "Redis's leaderboard makes no sense");
	n = MIN_OF(reply->elements / READ_WORDS, max);
	for (size_t i = 0; i < n; i++)
		if (read_row(reply, 1 + i * READ_WORDS, ret + i) < 0)
			return redis_error(err, -EPROTO, contest,
					   "Redis's leaderboard makes no sense");
	*ret_total = redis_number(reply, 0);
	return (int)n;
}

static int call_with_contest(struct queue *q, enum redis_script script, const char *contest,
			     redisReply **ret, struct sbx_error *err)
{
	struct redis_words w;

	redis_words_init(&w);
	redis_add(&w, contest);
	return redis_script(queue_redis(q), script, NULL, &w, ret, err);
}

int queue_rank_forget(struct queue *q, const char *contest, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;

	return call_with_contest(q, SCRIPT_RANK_FORGET, contest, &reply, err);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int read_students(const redisReply *set, struct queue_rank_begun *b)
{
	b->students = calloc(set->elements + 1, sizeof(*b->students));
	if (!b->students)
		return -ENOMEM;
	for (size_t i = 0; i < set->elements; i++) {
		const char *student = redis_text(set, i);

		if (strlen(student) > QUEUE_ID_MAX)
			return -EPROTO;
		copy_string(b->students[b->n++], sizeof(*b->students), student);
	}
	qsort(b->students, b->n, sizeof(*b->students), compare);
	return 0;
}

int queue_rank_begin(struct queue *q, const char *contest, struct queue_rank_begun *ret,
		     struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct queue_rank_begun b = { 0 };
	int r = call_with_contest(q, SCRIPT_RANK_BEGIN, contest, &reply, err);

	if (r < 0)
		return r;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[1]->type != REDIS_REPLY_ARRAY)
		return redis_error(err, -EPROTO, contest,
				   "Redis's list of students makes no sense");
	b.ms = redis_number(reply, 0);
	r = read_students(reply->element[1], &b);
	if (r < 0) {
		free(b.students);
		return redis_error(err, r, contest, "Redis's list of students cannot be read");
	}
	*ret = b;
	return 0;
}

/* A line for each; NULL: no memory. */
static char *attempts_text(const struct queue_rank_attempt *a, size_t n)
{
	/* spaces and numbers are below 80 bytes */
	size_t room = n * (sizeof(*a) + 80) + 1, at = 0;
	char *text = malloc(room);

	if (!text)
		return NULL;
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, room - at, "%s %u %llu %s %llu %s\n", a[i].id,
				       a[i].judge_rev, (unsigned long long)a[i].submitted_ms,
				       a[i].verdict, (unsigned long long)a[i].points,
				       a[i].challenge);
	return text;
}

int queue_rank_student(struct queue *q, const char *contest, const struct contest *c,
		       const char *student, uint64_t began_ms,
		       const struct queue_rank_attempt *attempts, size_t n, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	_cleanup_free_ char *text = attempts_text(attempts, n);
	struct redis_words w;

	if (!text)
		return redis_error(err, -ENOMEM, contest, "no memory");
	redis_words_init(&w);
	redis_add(&w, contest);
	redis_add(&w, c->rules == CONTEST_ICPC ? "icpc" : "points");
	redis_add_number(&w, c->starts_ms);
	redis_add_number(&w, c->ends_ms);
	redis_add_number(&w, c->penalty_s);
	redis_add_number(&w, c->version);
	redis_add(&w, student);
	redis_add_number(&w, began_ms);
	redis_add(&w, text);
	return redis_script(queue_redis(q), SCRIPT_RANK_STUDENT, NULL, &w, &reply, err);
}
