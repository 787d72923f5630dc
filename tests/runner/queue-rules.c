/* SPDX-License-Identifier: MIT */

/* runner/fleet/queue: who is served when, caps, rejudging, pausing, publishing, the list of producers. */

#include "queue-fixture.h"

/* A script as it is, with some settings and these words. */
static redisReply *run_script(struct queue *q, enum redis_script script, const char *first, ...)
{
	static const char *const settings[] = { "1",   "3", "100", "60000", "3", "50",
						"100", "1", "1",   "1",     "1" };
	static struct redis_words w;
	redisReply *reply = NULL;
	va_list args;

	redis_words_init(&w);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		redis_add(&w, settings[i]);
	va_start(args, first);
	for (const char *word = first; word; word = va_arg(args, const char *))
		redis_add(&w, word);
	va_end(args);
	(void)OK(redis_script(queue_redis(q), script, NULL, &w, &reply, &err));
	return reply;
}

static void number_name(char name[16], char letter, int i)
{
	(void)snprintf(name, 16, "%c%d", letter, i);
}

/* 500 of one student, then 100 students with one each: the last of these is the 101st to be served. */
static void test_fairness(void **state)
{
	char prefix[64], id[16], student[16];
	struct queue_options o = fast();
	struct queue_place place;
	struct queue_job job;
	struct queue *q;
	int served = 0;

	(void)state;
	o.student_waiting_max = 1000;
	q = fresh(o, prefix);
	for (int i = 0; i < 500; i++) {
		number_name(id, 'f', i);
		assert_int_equal(submit(q, id, "flood", id), QUEUE_ACCEPTED);
	}
	for (int i = 0; i < 100; i++) {
		number_name(id, 's', i);
		number_name(student, 'u', 99 - i); /* their names do not matter */
		assert_int_equal(submit(q, id, student, "cars"), QUEUE_ACCEPTED);
	}
	assert_int_equal(OK(queue_place(q, "s99", &place, &err)), 1);
	assert_int_equal(place.position, 101);
	assert_int_equal(OK(queue_place(q, "s0", &place, &err)), 1);
	assert_int_equal(place.position, 2);
	assert_int_equal(OK(queue_place(q, "f1", &place, &err)), 1);
	assert_int_equal(place.position, 102);
	do {
		job = take(q, NULL);
		served++;
		if (served > 1 && served <= 101)
			number_name(id, 's', served - 2);
		else
			number_name(id, 'f', served == 1 ? 0 : served - 101);
		assert_string_equal(job.submission.id, id);
		assert_int_equal(finish(q, &job, "AC"), QUEUE_COMMITTED);
	} while (served < 110);
	queue_free(q);
}

/* What place says is what happens: with several priorities and students of many jobs. */
static void test_place(void **state)
{
	char prefix[64], id[16], student[16], order[60][QUEUE_ID_MAX + 1];
	uint64_t said[60];
	struct queue_options o = fast();
	struct queue_place place;
	struct queue_job job;
	struct queue *q;

	(void)state;
	o.student_waiting_max = 100;
	q = fresh(o, prefix);
	srand(7);
	for (int i = 0; i < 60; i++) {
		number_name(id, 'j', i);
		number_name(student, 'u', rand() % 7);
		submit_as(q, id, student, (enum queue_priority)(rand() % 3));
		if (i == 20 || i == 30) {
			job = take(q, NULL);
			finish(q, &job, "WA");
		}
	}
	for (int i = 0; i < 60; i++) {
		number_name(id, 'j', i);
		(void)OK(queue_place(q, id, &place, &err));
		said[i] = place.position;
	}
	for (int at = 1; at <= 58; at++) {
		job = take(q, NULL);
		copy_string(order[at], sizeof(order[at]), job.submission.id);
		finish(q, &job, "WA");
	}
	nothing_to_take(q);
	for (int at = 1; at <= 58; at++)
		assert_int_equal(said[strtol(order[at] + 1, NULL, 10)], at);
	queue_free(q);
}

static void test_priorities(void **state)
{
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_job job;

	(void)state;
	submit_as(q, "practice", "ann", QUEUE_PRACTICE);
	submit_as(q, "rejudged", "bob", QUEUE_REJUDGE);
	submit_as(q, "contest", "cy", QUEUE_CONTEST);
	submit_as(q, "admin", "dan", QUEUE_ADMIN);
	job = take(q, "admin");
	job = take(q, "contest");
	job = take(q, "practice");
	job = take(q, "rejudged");
	finish(q, &job, "AC");
	queue_free(q);
}

static void test_waiting_cap(void **state)
{
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_submission s = make("a4", "ann", "x4");
	struct queue_place place;
	struct queue_job job;

	(void)state;
	assert_int_equal(submit(q, "a1", "ann", "x1"), QUEUE_ACCEPTED);
	assert_int_equal(submit(q, "a2", "ann", "x2"), QUEUE_ACCEPTED);
	assert_int_equal(submit(q, "a3", "ann", "x3"), QUEUE_ACCEPTED);
	assert_int_equal(OK(queue_enqueue(q, &s, &place, &err)), QUEUE_STUDENT_FULL);
	assert_in_range(place.retry_after_ms, 1000, 60000);
	assert_int_equal(OK(queue_place(q, "a4", &place, &err)), 0);
	assert_int_equal(submit(q, "b1", "bob", "x4"), QUEUE_ACCEPTED);
	/* taking the place of one's own is allowed */
	assert_int_equal(submit(q, "a5", "ann", "x3"), QUEUE_ACCEPTED);
	job = take(q, "a1");
	assert_int_equal(OK(queue_enqueue(q, &s, &place, &err)), QUEUE_ACCEPTED);
	finish(q, &job, "AC");
	queue_free(q);
}

static void test_depth_cap(void **state)
{
	char prefix[64];
	struct queue_options o = fast();
	struct queue_submission s = make("c1", "cy", "x1");
	struct queue_place place;
	struct queue_job job;
	struct queue *q;

	(void)state;
	o.depth_max = 2;
	q = fresh(o, prefix);
	/* what is judged again takes nobody's place in the queue */
	submit_as(q, "r1", "dan", QUEUE_REJUDGE);
	submit(q, "a1", "ann", "x1");
	submit(q, "b1", "bob", "x1");
	assert_int_equal(OK(queue_enqueue(q, &s, &place, &err)), QUEUE_FULL);
	assert_in_range(place.retry_after_ms, 1000, 60000);
	assert_int_equal(place.depth, 2);
	assert_int_equal(submit(q, "b2", "bob", "x1"), QUEUE_ACCEPTED);
	job = take(q, "a1");
	assert_int_equal(OK(queue_enqueue(q, &s, &place, &err)), QUEUE_ACCEPTED);
	finish(q, &job, "AC");
	queue_free(q);
}

static void test_running_cap(void **state)
{
	char prefix[64];
	struct queue_options o = fast();
	struct queue_job one, two;
	struct queue *q = fresh(o, prefix), *wider;

	(void)state;
	submit(q, "a1", "ann", "x1");
	submit(q, "a2", "ann", "x2");
	submit_as(q, "a3", "ann", QUEUE_PRACTICE);
	one = take(q, "a1");
	nothing_to_take(q);
	submit(q, "b1", "bob", "x1");
	two = take(q, "b1");
	nothing_to_take(q);
	finish(q, &two, "AC");
	nothing_to_take(q);
	finish(q, &one, "AC");
	one = take(q, "a2");
	nothing_to_take(q);
	(void)OK(queue_release(q, "a2", one.fence, false, "", &err));
	one = take(q, "a2");
	/* rejudged ones are not the student's */
	submit_as(q, "a4", "ann", QUEUE_REJUDGE);
	two = take(q, "a4");
	finish(q, &two, "AC");
	finish(q, &one, "AC");
	one = take(q, "a3");
	o.student_running_max = 2;
	wider = open_with(o, prefix);
	submit(wider, "a5", "ann", "x5");
	two = take(wider, "a5");
	submit(q, "a6", "ann", "x6");
	finish(wider, &two, "AC");
	nothing_to_take(q);
	finish(q, &one, "AC");
	take(q, "a6");
	queue_free(wider);
	queue_free(q);
}

static struct queue_rejudged rejudge(struct queue *q, struct queue_selection s)
{
	struct queue_rejudged n;

	(void)OK(queue_rejudge(q, &s, &n, &err));
	return n;
}

static void judge_all(struct queue *q, const char *verdict)
{
	struct queue_job job;

	while (OK(queue_claim(q, "w1", 0, &job, &err)) == 1)
		finish(q, &job, verdict);
}

/* As it was sent for judge_rev `rev`: how many it queued. */
static uint64_t rejudge_sent_again(struct queue *q, const char *id, const char *rev)
{
	redisReply *reply = run_script(q, SCRIPT_REJUDGE, "0", "0", id, rev, NULL);
	uint64_t queued = redis_number(reply, 0);

	freeReplyObject(reply);
	return queued;
}

static void test_rejudge(void **state)
{
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_rejudged n;
	struct queue_view view;
	struct queue_job job;

	(void)state;
	submit(q, "a1", "ann", "cars");
	submit(q, "a2", "ann", "todo");
	submit(q, "b1", "bob", "cars");
	submit(q, "c0", "cy", "cars");
	submit(q, "c1", "cy", "cars"); /* c0 is superseded */
	judge_all(q, "WA");
	submit(q, "d1", "dan", "cars");
	job = take(q, "d1");
	submit(q, "e1", "eve", "cars");
	n = rejudge(q, (struct queue_selection){ .challenge = "cars", .dry_run = true });
	assert_int_equal(n.queued, 3);
	assert_int_equal(n.running, 1);
	assert_int_equal(n.waiting, 1);
	expect_state(q, "a1", "done");
	n = rejudge(q, (struct queue_selection){ .challenge = "cars" });
	assert_int_equal(n.queued, 3);
	assert_int_equal(n.running, 1);
	assert_int_equal(n.waiting, 1);
	n = rejudge(q, (struct queue_selection){ .challenge = "cars" });
	assert_int_equal(n.queued, 0);
	assert_int_equal(n.waiting, 4);
	finish(q, &job, "AC");
	job = take(q, "e1"); /* before those that are judged again */
	finish(q, &job, "AC");
	assert_int_equal(OK(queue_job_get(q, "a1", &view, &err)), 1);
	assert_string_equal(view.verdict, "WA"); /* until there is another */
	free(view.result);
	job = take(q, NULL);
	assert_int_equal(job.judge_rev, 2);
	assert_int_equal(job.attempt, 1);
	assert_int_equal(job.submission.priority, QUEUE_REJUDGE);
	finish(q, &job, "AC");
	judge_all(q, "AC");
	assert_int_equal(events_of(q, "a1", NULL), 2);
	assert_int_equal(events_of(q, "a2", NULL), 1);
	n = rejudge(q, (struct queue_selection){ .student = "ann", .contest = "c1" });
	assert_int_equal(n.queued, 2);
	judge_all(q, "WA");
	n = rejudge(q, (struct queue_selection){ .student = "ann", .contest = "other" });
	assert_int_equal(n.queued, 0);
	/* the same words once more, after a lost answer: not judged twice */
	assert_int_equal(rejudge_sent_again(q, "b1", "1"), 0);
	expect_state(q, "b1", "done");
	assert_int_equal(rejudge_sent_again(q, "b1", "2"), 1);
	expect_state(q, "b1", "queued");
	n = rejudge(q, (struct queue_selection){ .id = "c0" });
	assert_int_equal(n.queued, 1);
	n = rejudge(q, (struct queue_selection){ .id = "nobody" });
	assert_int_equal(n.queued + n.waiting + n.running, 0);
	queue_free(q);
}

/* On idle slots only: half of the fleet's, unless it is urgent; cancelling leaves the verdict. */
static void test_rejudge_share(void **state)
{
	char prefix[64], id[16], student[16];
	struct queue *q = fresh(fast(), prefix);
	struct queue_worker w = { .id = "w1", .slots = 4 };
	struct queue_flags flags;
	struct queue_view view;
	struct queue_job job;

	(void)state;
	(void)OK(queue_beat(q, &w, &flags, &err));
	for (int i = 0; i < 8; i++) {
		number_name(id, 'a', i);
		number_name(student, 'u', i);
		submit(q, id, student, "cars");
	}
	judge_all(q, "WA");
	rejudge(q, (struct queue_selection){ .challenge = "cars" });
	take(q, "a0");
	job = take(q, "a1");
	nothing_to_take(q);
	finish(q, &job, "AC");
	take(q, "a2");
	nothing_to_take(q);
	assert_int_equal(OK(queue_cancel(q, "a3", &err)), QUEUE_CANCELLED);
	assert_int_equal(OK(queue_job_get(q, "a3", &view, &err)), 1);
	assert_string_equal(view.state, "done");
	assert_string_equal(view.verdict, "WA");
	free(view.result);
	rejudge(q, (struct queue_selection){ .id = "a3", .urgent = true });
	job = take(q, "a3");
	assert_int_equal(job.judge_rev, 3);
	assert_int_equal(job.submission.priority, QUEUE_CONTEST);
	queue_free(q);
}

static void test_pause(void **state)
{
	char prefix[64], id[16], student[16];
	struct queue_options o = fast();
	struct queue_submission s = make("other", "zoe", "x");
	struct queue_flags flags;
	struct queue_status status;
	struct queue_worker w = { .id = "w1" };
	struct queue_place place;
	struct queue_job job;
	struct queue *q = fresh(o, prefix);

	(void)state;
	(void)OK(queue_pause(q, "c1", true, &err));
	for (int i = 0; i < 150; i++) {
		number_name(id, 'a', i);
		number_name(student, 'u', i);
		submit(q, id, student, "cars");
	}
	copy_string(s.contest, sizeof(s.contest), "c2");
	(void)OK(queue_enqueue(q, &s, &place, &err));
	assert_int_equal(OK(queue_claim(q, "w1", WAIT_MS, &job, &err)), 1);
	assert_string_equal(job.submission.id, "other");
	nothing_to_take(q);
	(void)OK(queue_status(q, &status, &err));
	assert_int_equal(status.depth, 150);
	assert_int_equal(status.held, 150);
	/* one that is held can still be superseded, or cancelled */
	submit(q, "b0", "u0", "cars");
	expect_state(q, "a0", "superseded");
	assert_int_equal(OK(queue_cancel(q, "a1", &err)), QUEUE_CANCELLED);
	(void)OK(queue_pause(q, "c1", false, &err));
	for (int i = 0; i < 149; i++)
		assert_int_equal(OK(queue_claim(q, "w1", WAIT_MS, &job, &err)), 1);
	nothing_to_take(q);
	(void)OK(queue_status(q, &status, &err));
	assert_int_equal(status.depth + status.held, 0);
	(void)OK(queue_pause(q, "*", true, &err));
	submit(q, "z1", "zed", "cars");
	nothing_to_take(q);
	(void)OK(queue_beat(q, &w, &flags, &err));
	assert_true(flags.paused);
	(void)OK(queue_pause(q, "*", false, &err));
	take(q, "z1");
	queue_free(q);
}

/* Something is due and may not be handed out: who waits for work is told to sleep on. */
static void test_paused_wait(void **state)
{
	char prefix[64];
	struct queue_options o = fast();
	redisReply *reply = NULL;
	struct queue_job job;
	struct queue *q;

	(void)state;
	o.lease_ms = 1;
	q = fresh(o, prefix);
	submit(q, "a1", "ann", "cars");
	take(q, "a1");
	assert_int_equal(OK(queue_cancel(q, "a1", &err)), QUEUE_CANCELLING);
	(void)OK(queue_pause(q, "*", true, &err));
	(void)poll(NULL, 0, 5); /* the lease is over */
	reply = run_script(q, SCRIPT_CLAIM, "w1", NULL);
	assert_string_equal(redis_text(reply, 0), "none");
	assert_string_equal(redis_text(reply, 1), "0");
	freeReplyObject(reply);
	(void)OK(queue_pause(q, "*", false, &err));
	assert_int_equal(OK(queue_claim(q, "w1", WAIT_MS, &job, &err)), 1);
	assert_int_equal(job.order, QUEUE_CANCEL);
	queue_free(q);
}

static int heard(redisContext *c)
{
	redisReply *reply = NULL;

	assert_int_equal(redisGetReply(c, (void **)&reply), REDIS_OK);
	assert_string_equal(reply->element[0]->str, "message");
	assert_string_equal(reply->element[2]->str, "{\"type\":\"result\"}\nx");
	freeReplyObject(reply);
	return 1;
}

/* Somebody who listens at `channel`. */
static redisContext *subscribe(const char *channel)
{
	redisContext *c = redisConnectUnix(redis_of_test() + strlen("unix://"));
	redisReply *reply = redisCommand(c, "SUBSCRIBE %s", channel);

	assert_non_null(reply);
	freeReplyObject(reply);
	return c;
}

/* Once somebody has heard it, never again; until then again and again. */
static void test_publish(void **state)
{
	const struct contest contest = { .rules = CONTEST_NONE };
	struct queue_result r = { .verdict = "AC",
				  .publish_channel = "a1",
				  .publish_message = "{\"type\":\"result\"}\nx" };
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_status status;
	struct queue_view view;
	struct queue_job job;
	uint64_t receivers = 7;
	redisContext *c;

	(void)state;
	submit(q, "a1", "ann", "cars");
	job = take(q, "a1");
	assert_int_equal(OK(queue_commit(q, &job, &contest, &r, &receivers, &err)),
			 QUEUE_COMMITTED);
	assert_int_equal(receivers, 0);
	(void)OK(queue_status(q, &status, &err));
	assert_int_equal(status.unheard, 1);
	assert_int_equal(OK(queue_republish(q, &err)), 0); /* not yet */
	c = subscribe("a1");
	while (OK(queue_republish(q, &err)) == 0)
		(void)poll(NULL, 0, 10);
	heard(c);
	assert_int_equal(OK(queue_republish(q, &err)), 0);
	(void)OK(queue_status(q, &status, &err));
	assert_int_equal(status.unheard, 0);
	(void)OK(queue_job_get(q, "a1", &view, &err));
	assert_int_equal(view.receivers, 1);
	assert_int_equal(OK(queue_commit(q, &job, &contest, &r, &receivers, &err)), QUEUE_ALREADY);
	assert_int_equal(receivers, 1);
	redisFree(c);
	/* and with somebody there at once */
	submit(q, "a2", "ann", "cars");
	job = take(q, "a2");
	r.publish_channel = "a2";
	c = subscribe("a2");
	(void)OK(queue_commit(q, &job, &contest, &r, &receivers, &err));
	assert_int_equal(receivers, 1);
	heard(c);
	(void)OK(queue_commit(q, &job, &contest, &r, &receivers, &err));
	(void)OK(queue_publish(q, "a2", "{\"type\":\"result\"}\nx", &receivers, &err));
	assert_int_equal(receivers, 1);
	heard(c); /* that one: the second commit said nothing */
	redisFree(c);
	queue_free(q);
}

static int postgres_is_away;

static int enrich(struct queue_submission *s, char why[200], void *data)
{
	(void)data;
	if (postgres_is_away)
		return -EAGAIN;
	if (streq(s->id, "unknown")) {
		copy_string(why, 200, "there is no such challenge");
		return -EINVAL;
	}
	copy_string(s->contest, sizeof(s->contest), "enriched");
	return 0;
}

static void push(struct queue *q, const char *list, const char *payload)
{
	freeReplyObject(ask(q, "LPUSH", list, payload, NULL));
}

static void test_intake(void **state)
{
	char prefix[64], list[80], *big = calloc(1, 40000);
	struct queue *q = fresh(fast(), prefix);
	struct queue_letter letters[8];
	struct queue_status status;
	struct queue_job job;

	(void)state;
	(void)snprintf(list, sizeof(list), "submissions-%s", prefix);
	memset(big, '[', 39999);
	push(q, list,
	     "{\"id\":\"a1\",\"challengeId\":\"ch\",\"url\":\"https://b/ann-challenge-ch\"}");
	push(q, list,
	     "{\"id\":\"a1\",\"challengeId\":\"ch\",\"url\":\"https://b/ann-challenge-ch\"}");
	push(q, list, "not json");
	push(q, list, big);
	push(q, list, "{\"id\":\"unknown\",\"challengeId\":\"ch\",\"url\":\"x\"}");
	push(q, list, "{\"id\":\"b1\",\"student\":\"bob\",\"challenge\":\"ch\",\"url\":\"x\"}");
	free(big);
	postgres_is_away = 1;
	assert_int_equal(OK(queue_intake(q, list, enrich, NULL, &err)), 1); /* "not json" */
	(void)OK(queue_status(q, &status, &err));
	assert_int_equal(status.intake, 4);
	postgres_is_away = 0;
	assert_int_equal(OK(queue_intake(q, list, enrich, NULL, &err)), 4);
	assert_int_equal(OK(queue_intake(q, list, enrich, NULL, &err)), 0);
	job = take(q, "a1");
	assert_string_equal(job.submission.contest, "enriched");
	assert_string_equal(job.submission.channel, "a1");
	job = take(q, "b1");
	assert_string_equal(job.submission.channel, "");
	nothing_to_take(q);
	(void)OK(queue_status(q, &status, &err));
	assert_int_equal(status.intake, 0);
	assert_int_equal(OK(queue_dead_list(q, NULL, letters, 8, &err)), 3);
	assert_string_equal(letters[0].reason, "it has 39999 bytes, more than 16384");
	assert_string_equal(letters[0].kind, "payload");
	assert_string_equal(letters[1].payload, "not json");
	assert_string_equal(letters[2].reason, "there is no such challenge");
	assert_int_equal(OK(queue_dead_requeue(q, letters[0].entry, &err)), 0);
	assert_int_equal(OK(queue_dead_requeue(q, letters[1].entry, &err)), 1);
	assert_int_equal(OK(queue_intake(q, list, enrich, NULL, &err)), 1);
	assert_int_equal(OK(queue_dead_list(q, NULL, letters, 8, &err)), 3);
	queue_free(q);
}

/* While the queue is full, producers' list is left alone: nothing is refused, nothing lost. */
static void test_intake_full(void **state)
{
	char prefix[64], list[80], text[200];
	struct queue_options o = fast();
	struct queue_job job;
	struct queue *q;

	(void)state;
	o.depth_max = 2;
	o.student_waiting_max = 1; /* holds for those who hear a refusal */
	q = fresh(o, prefix);
	(void)snprintf(list, sizeof(list), "submissions-%s", prefix);
	for (int i = 0; i < 4; i++) {
		(void)snprintf(
			text, sizeof(text),
			"{\"id\":\"a%d\",\"student\":\"s%d\",\"challenge\":\"c%d\",\"url\":\"x\"}",
			i, i / 2, i);
		push(q, list, text);
	}
	assert_int_equal(OK(queue_intake(q, list, NULL, NULL, &err)), 2);
	assert_int_equal(OK(queue_intake(q, list, NULL, NULL, &err)), 0);
	job = take(q, "a0");
	assert_int_equal(OK(queue_intake(q, list, NULL, NULL, &err)), 1);
	finish(q, &job, "AC");
	job = take(q, "a2"); /* the other student's first */
	assert_int_equal(OK(queue_intake(q, list, NULL, NULL, &err)), 1);
	finish(q, &job, "AC");
	job = take(q, "a1");
	finish(q, &job, "AC");
	take(q, "a3");
	queue_free(q);
}

static void test_workers(void **state)
{
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_worker w = {
		.id = "w1", .version = "0.1.0", .host = "h", .slots = 4, .busy = 1
	};
	struct queue_worker list[4];
	struct queue_flags flags;
	struct queue_status status;
	struct queue_place place;
	struct queue_job job;

	(void)state;
	(void)OK(queue_beat(q, &w, &flags, &err));
	assert_false(flags.drain || flags.paused);
	copy_string(w.id, sizeof(w.id), "w2");
	(void)OK(queue_beat(q, &w, &flags, &err));
	(void)OK(queue_status(q, &status, &err));
	assert_int_equal(status.workers, 2);
	assert_int_equal(status.slots, 8);
	assert_int_equal(status.busy, 2);
	(void)OK(queue_drain(q, "w2", true, &err));
	(void)OK(queue_beat(q, &w, &flags, &err));
	assert_true(flags.drain);
	w.draining = true;
	(void)OK(queue_beat(q, &w, &flags, &err));
	(void)OK(queue_status(q, &status, &err));
	assert_int_equal(status.slots, 4);
	assert_int_equal(OK(queue_workers(q, list, 4, &err)), 2);
	assert_string_equal(list[1].id, "w2");
	assert_true(list[1].draining);
	assert_true(list[1].started_ms > 0);
	(void)OK(queue_drain(q, "w2", false, &err));
	(void)OK(queue_beat(q, &w, &flags, &err));
	assert_false(flags.drain);
	(void)OK(queue_drain(q, "*", true, &err));
	(void)OK(queue_beat(q, &w, &flags, &err));
	assert_true(flags.drain);
	(void)OK(queue_drain(q, "*", false, &err));
	(void)OK(queue_worker_gone(q, "w2", &err));
	assert_int_equal(OK(queue_workers(q, list, 4, &err)), 1);
	/* what a job took, and the place of the next */
	submit(q, "a1", "ann", "cars");
	job = take(q, "a1");
	(void)poll(NULL, 0, 3);
	finish(q, &job, "AC");
	submit(q, "b1", "bob", "cars");
	(void)OK(queue_place(q, "b1", &place, &err));
	(void)OK(queue_status(q, &status, &err));
	assert_true(status.p50_ms > 0);
	assert_int_equal(place.eta_ms, status.p50_ms);
	assert_int_equal(OK(queue_place(q, "a1", &place, &err)), 1);
	assert_int_equal(place.position, 0);
	assert_int_equal(status.waiting[QUEUE_CONTEST], 1);
	assert_int_equal(status.ready_students, 1);
	queue_free(q);
}

static void test_many_leases(void **state)
{
	char prefix[64], student[16];
	struct queue *q = fresh(fast(), prefix);
	static struct queue_lease leases[200];
	struct queue_job job;

	(void)state;
	for (int i = 0; i < 200; i++) {
		number_name(leases[i].id, 'a', i);
		number_name(student, 'u', i);
		submit(q, leases[i].id, student, "cars");
		job = take(q, leases[i].id);
		leases[i].fence = i % 3 ? job.fence : job.fence + 1;
	}
	(void)OK(queue_cancel(q, "a100", &err));
	(void)OK(queue_renew(q, leases, 200, &err));
	for (int i = 0; i < 200; i++)
		assert_int_equal(leases[i].state, i == 100 ? -1 : i % 3 ? 1 : 0);
	queue_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fairness),    cmocka_unit_test(test_place),
		cmocka_unit_test(test_priorities),  cmocka_unit_test(test_waiting_cap),
		cmocka_unit_test(test_depth_cap),   cmocka_unit_test(test_running_cap),
		cmocka_unit_test(test_rejudge),     cmocka_unit_test(test_rejudge_share),
		cmocka_unit_test(test_pause),       cmocka_unit_test(test_paused_wait),
		cmocka_unit_test(test_publish),     cmocka_unit_test(test_intake),
		cmocka_unit_test(test_intake_full), cmocka_unit_test(test_workers),
		cmocka_unit_test(test_many_leases),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
