/* SPDX-License-Identifier: MIT */
#pragma once

/* What the drivers of test-queue.sh share: a queue under a prefix of its own, and short words for it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fleet/queue/queue.h"
#include "fleet/queue/redis.h"
#include "util/util.h"

#define WAIT_MS 20000 /* for what comes soon; on a busy machine, later */

static inline const char *redis_of_test(void)
{
	const char *url = getenv("SANDBOX_TEST_REDIS");

	assert_non_null(url);
	return url;
}

static inline struct queue_options fast(void)
{
	/* a lease that nobody loses by accident, retries that come at once */
	return (struct queue_options){ .url = redis_of_test(),
				       .lease_ms = 60000,
				       .retry_ms = { 20, 20, 20 } };
}

static int tests_opened;

static inline struct queue *open_with(struct queue_options o, const char *prefix)
{
	struct queue *q = NULL;
	struct sbx_error err = { 0 };

	o.prefix = prefix;
	if (queue_open(&q, &o, &err) < 0)
		fail_msg("%s", err.text);
	return q;
}

/* A queue that nobody has used. */
static inline struct queue *fresh(struct queue_options o, char prefix[64])
{
	(void)snprintf(prefix, 64, "t%d-%d:{q}:", (int)getpid(), tests_opened++);
	return open_with(o, prefix);
}

/* The result of a call of the queue; an error ends the test and says why. */
#define OK(call)                                                                                   \
	({                                                                                         \
		struct sbx_error err = { 0 };                                                      \
		int _r = call;                                                                     \
		if (_r < 0)                                                                        \
			fail_msg("%s: %s (%s)", #call, err.text, err.item);                        \
		_r;                                                                                \
	})

static inline struct queue_submission make(const char *id, const char *student,
					   const char *challenge)
{
	struct queue_submission s = { .priority = QUEUE_CONTEST };

	copy_string(s.id, sizeof(s.id), id);
	copy_string(s.student, sizeof(s.student), student);
	copy_string(s.contest, sizeof(s.contest), "c1");
	copy_string(s.challenge, sizeof(s.challenge), challenge);
	copy_string(s.url, sizeof(s.url), "https://zips.example/a.zip");
	return s;
}

static inline int submit(struct queue *q, const char *id, const char *student,
			 const char *challenge)
{
	struct queue_submission s = make(id, student, challenge);
	struct queue_place place;

	return OK(queue_enqueue(q, &s, &place, &err));
}

static inline int submit_as(struct queue *q, const char *id, const char *student,
			    enum queue_priority priority)
{
	struct queue_submission s = make(id, student, id);
	struct queue_place place;

	s.priority = priority;
	return OK(queue_enqueue(q, &s, &place, &err));
}

/* The next job, which is there now. */
static inline struct queue_job take(struct queue *q, const char *expected)
{
	struct queue_job job = { 0 };

	assert_int_equal(OK(queue_claim(q, "w1", 0, &job, &err)), 1);
	if (expected)
		assert_string_equal(job.submission.id, expected);
	return job;
}

static inline void nothing_to_take(struct queue *q)
{
	struct queue_job job = { 0 };

	assert_int_equal(OK(queue_claim(q, "w1", 0, &job, &err)), 0);
}

static inline int finish(struct queue *q, const struct queue_job *job, const char *verdict)
{
	const struct contest contest = { .rules = CONTEST_ICPC,
					 .starts_ms = 1,
					 .ends_ms = 4000000000000,
					 .penalty_s = 1200,
					 .version = 1 };
	const struct queue_result result = { .verdict = verdict,
					     .passed = streq(verdict, "AC") ? 3 : 1,
					     .total = 3,
					     .points = streq(verdict, "AC") ? 1000 : 333,
					     .max_points = 1000,
					     .json = "{}",
					     .json_size = 2 };
	uint64_t receivers;

	return OK(queue_commit(q, job, &contest, &result, &receivers, &err));
}

/* A command of Redis, as words; the caller frees the reply. */
static inline redisReply *ask(struct queue *q, const char *first, ...)
{
	static struct redis_words w;
	redisReply *reply = NULL;
	va_list args;

	redis_words_init(&w);
	va_start(args, first);
	for (const char *word = first; word; word = va_arg(args, const char *))
		redis_add(&w, word);
	va_end(args);
	(void)OK(redis_command(queue_redis(q), &w, 0, &reply, &err));
	return reply;
}

static inline long long ask_number(struct queue *q, const char *command, const char *prefix,
				   const char *name)
{
	char key[256];
	long long n;

	(void)snprintf(key, sizeof(key), "%s%s", prefix, name);
	redisReply *reply = ask(q, command, key, NULL);
	n = reply->integer;
	freeReplyObject(reply);
	return n;
}

static inline void expect_state(struct queue *q, const char *id, const char *state)
{
	struct queue_view view;

	assert_int_equal(OK(queue_job_get(q, id, &view, &err)), 1);
	assert_string_equal(view.state, state);
	free(view.result);
}

/* How many events of `id` are in the stream, and of the last one the verdict. */
static inline int events_of(struct queue *q, const char *id, char verdict[16])
{
	static struct queue_event events[1000];
	int n = OK(queue_events(q, "0", 0, events, ARRAY_SIZE(events), &err)), found = 0;

	for (int i = 0; i < n; i++) {
		if (!streq(events[i].id, id))
			continue;
		found++;
		if (verdict)
			copy_string(verdict, 16, events[i].verdict);
	}
	return found;
}

static inline void expect_event(struct queue *q, const char *id, const char *verdict)
{
	char last[16] = "";

	assert_int_equal(events_of(q, id, last), 1);
	assert_string_equal(last, verdict);
}
