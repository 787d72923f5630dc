/* SPDX-License-Identifier: MIT */

/*
 * runner/fleet/queue: what ended without a judge is told until it is recorded; records of jobs that
 * somebody has written into end their job, and hold up nobody else.
 */

#include "queue-fixture.h"

static void job_key(char ret[128], const char *prefix, const char *id)
{
	(void)snprintf(ret, 128, "%sjob:%s", prefix, id);
}

/* `value` NULL: the field is deleted; `field` NULL: the whole record. */
static void spoil(struct queue *q, const char *prefix, const char *id, const char *field,
		  const char *value)
{
	char key[128];

	job_key(key, prefix, id);
	freeReplyObject(!field   ? ask(q, "DEL", key, NULL)
			: !value ? ask(q, "HDEL", key, field, NULL)
				 : ask(q, "HSET", key, field, value, NULL));
}

static void expect_letter(struct queue *q, const char *id, const char *reason)
{
	struct queue_letter letters[8];
	int n = OK(queue_dead_list(q, NULL, letters, 8, &err)), found = 0;

	for (int i = 0; i < n; i++) {
		if (!streq(letters[i].id, id))
			continue;
		found++;
		assert_string_equal(letters[i].kind, "job");
		assert_string_equal(letters[i].reason, reason);
	}
	assert_int_equal(found, 1);
}

static uint64_t unrecorded(struct queue *q)
{
	struct queue_status status;

	(void)OK(queue_status(q, &status, &err));
	return status.unrecorded;
}

static void test_ended(void **state)
{
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_submission s = make("a2", "ann", "cars");
	struct queue_place place;
	struct queue_end ends[4];
	struct queue_job job;

	(void)state;
	s.submitted_ms = 1700000000000;
	copy_string(s.id, sizeof(s.id), "a1");
	(void)OK(queue_enqueue(q, &s, &place, &err));
	submit(q, "a2", "ann", "cars");
	assert_int_equal(OK(queue_ended(q, ends, 4, &err)), 1);
	assert_string_equal(ends[0].id, "a1");
	assert_string_equal(ends[0].student, "ann");
	assert_string_equal(ends[0].contest, "c1");
	assert_string_equal(ends[0].challenge, "cars");
	assert_string_equal(ends[0].verdict, "SUPERSEDED");
	assert_int_equal(ends[0].judge_rev, 1);
	assert_int_equal(ends[0].submitted_ms, 1700000000000);
	/* what a judge has seen is not among them */
	job = take(q, "a2");
	assert_int_equal(OK(queue_cancel(q, "a2", &err)), QUEUE_CANCELLING);
	assert_int_equal(finish(q, &job, "CANCELLED"), QUEUE_COMMITTED);
	assert_int_equal(unrecorded(q), 1);
	/* it stays until it is recorded, and is forgotten once */
	assert_int_equal(OK(queue_ended(q, ends + 1, 1, &err)), 1);
	assert_string_equal(ends[1].entry, ends[0].entry);
	(void)OK(queue_ended_done(q, &ends[0], NULL, &err));
	(void)OK(queue_ended_done(q, &ends[0], "twice", &err));
	assert_int_equal(unrecorded(q), 0);
	assert_int_equal(OK(queue_dead_list(q, NULL, &(struct queue_letter){ 0 }, 1, &err)), 0);
	/* each judging has its own; no contest is none */
	copy_string(s.id, sizeof(s.id), "b1");
	copy_string(s.student, sizeof(s.student), "bob");
	s.contest[0] = '\0';
	(void)OK(queue_enqueue(q, &s, &place, &err));
	job = take(q, "b1");
	assert_int_equal(finish(q, &job, "AC"), QUEUE_COMMITTED);
	(void)OK(queue_rejudge(q, &(struct queue_selection){ .id = "b1" },
			       &(struct queue_rejudged){ 0 }, &err));
	assert_int_equal(OK(queue_cancel(q, "b1", &err)), QUEUE_CANCELLED);
	assert_int_equal(OK(queue_ended(q, ends, 4, &err)), 1);
	assert_int_equal(ends[0].judge_rev, 2);
	assert_string_equal(ends[0].contest, "");
	assert_string_equal(ends[0].verdict, "CANCELLED");
	(void)OK(queue_ended_done(q, &ends[0], "nobody takes it", &err));
	expect_letter(q, "b1", "nobody takes it");
	queue_free(q);
}

/* What is no end is a dead letter, and holds up nothing. */
static void test_ended_garbage(void **state)
{
	static const char *const garbage[] = {
		"x",  "x/1/ann/c/ch/0/SUPERSEDED/more", "x/0/ann/c/ch/0/SUPERSEDED",
		"//", "x/1/a n/c/ch/0/SUPERSEDED",      "x/1/ann/c/ch/99999999999999999999/V",
	};
	char prefix[64], key[128];
	struct queue *q = fresh(fast(), prefix);
	struct queue_end ends[16];

	(void)state;
	(void)snprintf(key, sizeof(key), "%sended", prefix);
	for (size_t i = 0; i < ARRAY_SIZE(garbage); i++)
		freeReplyObject(ask(q, "ZADD", key, "1", garbage[i], NULL));
	submit(q, "b", "ann", "cars");
	submit(q, "a", "ann", "cars");
	submit(q, "c", "ann", "cars");
	assert_int_equal(OK(queue_ended(q, ends, 16, &err)), 2);
	assert_true(streq(ends[0].id, "b") != streq(ends[1].id, "b"));
	assert_int_equal(unrecorded(q), 2);
	assert_int_equal(ask_number(q, "XLEN", prefix, "dead"), ARRAY_SIZE(garbage));
	queue_free(q);
}

/* Who renews late learns that it was committed, not that it was lost. */
static void test_renewed_late(void **state)
{
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_lease lease = { .id = "a1" };
	struct queue_job job;

	(void)state;
	submit(q, "a1", "ann", "cars");
	job = take(q, "a1");
	assert_int_equal(finish(q, &job, "AC"), QUEUE_COMMITTED);
	lease.fence = job.fence;
	(void)OK(queue_renew(q, &lease, 1, &err));
	assert_int_equal(lease.state, 2);
	lease.fence--;
	(void)OK(queue_renew(q, &lease, 1, &err));
	assert_int_equal(lease.state, 0);
	queue_free(q);
}

/* A key of the rank that is none holds up no result. */
static void test_rank_damaged(void **state)
{
	char prefix[64], key[128];
	struct queue *q = fresh(fast(), prefix);
	struct queue_letter letter;
	struct queue_job job;

	(void)state;
	(void)snprintf(key, sizeof(key), "%satt:c1/ann", prefix);
	freeReplyObject(ask(q, "SET", key, "text", NULL));
	submit(q, "a1", "ann", "cars");
	job = take(q, "a1");
	assert_int_equal(finish(q, &job, "AC"), QUEUE_COMMITTED);
	expect_event(q, "a1", "AC");
	assert_int_equal(OK(queue_dead_list(q, NULL, &letter, 1, &err)), 1);
	assert_string_equal(letter.id, "a1");
	assert_non_null(strstr(letter.reason, "not ranked, see admin rank rebuild"));
	queue_free(q);
}

/* Somebody listens for its result: who makes the message of that has to end it. */
static void test_cancel_listened_to(void **state)
{
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_submission s = make("a1", "ann", "cars");
	struct queue_place place;
	struct queue_job job;

	(void)state;
	copy_string(s.channel, sizeof(s.channel), "a1");
	(void)OK(queue_enqueue(q, &s, &place, &err));
	assert_int_equal(OK(queue_cancel(q, "a1", &err)), QUEUE_CANCELLING);
	job = take(q, "a1");
	assert_int_equal(job.order, QUEUE_CANCEL);
	assert_int_equal(finish(q, &job, "CANCELLED"), QUEUE_COMMITTED);
	expect_event(q, "a1", "CANCELLED");
	assert_int_equal(unrecorded(q), 0);
	queue_free(q);
}

/* It is still known whose it is: handed out for its end, so that there is a result. */
static void expect_given_up(const char *field, const char *value, bool begun)
{
	char prefix[64], reason[100];
	struct queue *q = fresh(fast(), prefix);
	struct queue_job job;

	submit(q, "a1", "ann", "cars");
	submit(q, "b1", "bob", "cars");
	if (begun) {
		job = take(q, "a1");
		(void)OK(queue_release(q, "a1", job.fence, true, "no disk", &err));
		assert_int_equal(take(q, "b1").attempt, 1);
	}
	spoil(q, prefix, "a1", field, value);
	assert_int_equal(OK(queue_claim(q, "w1", WAIT_MS, &job, &err)), 1);
	assert_string_equal(job.submission.id, "a1");
	assert_int_equal(job.order, QUEUE_GIVE_UP);
	(void)snprintf(reason, sizeof(reason), "its record in Redis is damaged: %s", field);
	assert_string_equal(job.reason, reason);
	assert_string_equal(job.submission.student, "ann");
	assert_int_equal(finish(q, &job, "IE"), QUEUE_COMMITTED);
	expect_event(q, "a1", "IE");
	expect_letter(q, "a1", reason);
	if (!begun)
		(void)take(q, "b1");
	nothing_to_take(q);
	assert_int_equal(ask_number(q, "HLEN", prefix, "running"), 1);
	assert_int_equal(ask_number(q, "HLEN", prefix, "waits"), 0);
	assert_int_equal(ask_number(q, "HLEN", prefix, "count"), 0);
	queue_free(q);
}

static void test_given_up(void **state)
{
	static const char *const fields[] = { "seq",      "att", "fence",     "claims",
					      "enqueued", "url", "submitted", "state" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		expect_given_up(fields[i], NULL, false);
		if (!streq(fields[i], "url"))
			expect_given_up(fields[i], "-1e99", i % 2);
	}
	expect_given_up("sha256", "zz", false);
	expect_given_up("channel", "no channel", true);
}

/* The lease of one that is damaged while it runs ends; it is given up once, not for ever. */
static void test_given_up_running(void **state)
{
	char prefix[64];
	struct queue_options o = fast();
	struct queue_job job;
	struct queue *q;

	(void)state;
	o.lease_ms = 50;
	q = fresh(o, prefix);
	submit(q, "a1", "ann", "cars");
	(void)take(q, "a1");
	spoil(q, prefix, "a1", "url", NULL);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(OK(queue_claim(q, "w1", WAIT_MS, &job, &err)), 1);
		assert_int_equal(job.order, QUEUE_GIVE_UP);
		assert_string_equal(job.reason, i ? "its record in Redis is damaged: url"
						  : "its record in Redis is damaged: url");
	}
	assert_int_equal(finish(q, &job, "IE"), QUEUE_COMMITTED);
	expect_event(q, "a1", "IE");
	assert_int_equal(ask_number(q, "HLEN", prefix, "running"), 0);
	queue_free(q);
}

/* Nobody knows whose it was, or all of it is gone: a dead letter, and the others are served. */
static void expect_buried(const char *field, const char *value, bool running)
{
	char prefix[64], reason[100] = "its record in Redis is gone";
	struct queue_options o = fast();
	struct queue_job job;
	struct queue *q, *brief;

	o.student_running_max = 1;
	q = fresh(o, prefix);
	o.lease_ms = 1;
	brief = open_with(o, prefix);
	submit(q, "a1", "ann", "cars");
	submit(q, "a2", "ann", "todo");
	if (running)
		(void)take(brief, "a1");
	spoil(q, prefix, "a1", field, value);
	assert_int_equal(OK(queue_claim(q, "w1", WAIT_MS, &job, &err)), 1);
	assert_string_equal(job.submission.id, "a2");
	assert_int_equal(job.order, QUEUE_RUN);
	if (field)
		(void)snprintf(reason, sizeof(reason), "its record in Redis is damaged: %s", field);
	expect_letter(q, "a1", reason);
	if (field)
		expect_state(q, "a1", "done");
	assert_int_equal(finish(q, &job, "AC"), QUEUE_COMMITTED);
	nothing_to_take(q);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(ask_number(q, "HLEN", prefix, i ? "running" : "waits"), 0);
		assert_int_equal(ask_number(q, "ZCARD", prefix, i ? "leases" : "queued"), 0);
	}
	/* and their next one, of the same challenge, is not held up either */
	submit(q, "a3", "ann", "cars");
	(void)take(q, "a3");
	queue_free(brief);
	queue_free(q);
}

static void test_buried(void **state)
{
	(void)state;
	for (int running = 0; running < 2; running++) {
		expect_buried(NULL, NULL, running);
		expect_buried("student", NULL, running);
		expect_buried("student", "a b", running);
		expect_buried("challenge", "", running);
		expect_buried("contest", "\xff", running);
		expect_buried("rev", "0", running);
		expect_buried("pri", "7", running);
	}
}

/* Another type altogether; and one that stands where another's jobs are. */
static void test_buried_otherwise(void **state)
{
	char prefix[64], key[128], other[128];
	struct queue *q = fresh(fast(), prefix);

	(void)state;
	submit(q, "a1", "ann", "cars");
	submit(q, "b1", "bob", "cars");
	submit(q, "c1", "cid", "cars");
	job_key(key, prefix, "a1");
	freeReplyObject(ask(q, "SET", key, "text", NULL));
	spoil(q, prefix, "b1", "student", "cid");
	(void)take(q, "c1");
	expect_letter(q, "a1", "its record in Redis is damaged: pri");
	expect_letter(q, "b1", "its record in Redis is damaged: it stands in the place of another");
	expect_state(q, "a1", "done");
	expect_state(q, "b1", "done");
	/* what is no id */
	submit(q, "d1", "dan", "cars");
	job_key(key, prefix, "d1");
	job_key(other, prefix, "\x1b[2J");
	freeReplyObject(ask(q, "COPY", key, other, NULL));
	(void)snprintf(key, sizeof(key), "%su:1/dan", prefix);
	freeReplyObject(ask(q, "ZADD", key, "0", "\x1b[2J", NULL));
	(void)take(q, "d1");
	expect_letter(q, "?", "its record in Redis is damaged: id");
	nothing_to_take(q);
	queue_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ended),
		cmocka_unit_test(test_ended_garbage),
		cmocka_unit_test(test_renewed_late),
		cmocka_unit_test(test_rank_damaged),
		cmocka_unit_test(test_cancel_listened_to),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_given_up_running),
		cmocka_unit_test(test_buried),
		cmocka_unit_test(test_buried_otherwise),
	};

	return cmocka_run_group_tests_name("queue damage", tests, NULL, NULL);
}
