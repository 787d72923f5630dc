/* SPDX-License-Identifier: MIT */

/* runner/fleet/queue: every transition of a job, each of them asked for twice. */

#include "queue-fixture.h"

static void test_life(void **state)
{
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_submission s = make("a1", "ann", "cars");
	struct queue_place place;
	struct queue_view view;
	struct queue_job job;
	struct queue_lease lease = { .id = "a1" };

	(void)state;
	s.submitted_ms = 1700000000000;
	copy_string(s.traceparent, sizeof(s.traceparent),
		    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	copy_string(s.channel, sizeof(s.channel), "a1");
	assert_int_equal(OK(queue_enqueue(q, &s, &place, &err)), QUEUE_ACCEPTED);
	assert_int_equal(place.position, 1);
	assert_int_equal(place.depth, 1);
	expect_state(q, "a1", "queued");
	job = take(q, "a1");
	assert_memory_equal(&job.submission, &s, sizeof(s));
	assert_int_equal(job.attempt, 1);
	assert_int_equal(job.judge_rev, 1);
	assert_int_equal(job.order, QUEUE_RUN);
	assert_string_equal(job.reason, "");
	expect_state(q, "a1", "running");
	nothing_to_take(q);
	lease.fence = job.fence;
	assert_int_equal(OK(queue_renew(q, &lease, 1, &err)), 0);
	assert_int_equal(lease.state, 1);
	assert_int_equal(finish(q, &job, "AC"), QUEUE_COMMITTED);
	assert_int_equal(OK(queue_job_get(q, "a1", &view, &err)), 1);
	assert_string_equal(view.state, "done");
	assert_string_equal(view.verdict, "AC");
	assert_string_equal(view.result, "{}");
	assert_int_equal(view.passed, 3);
	assert_true(view.done_ms >= view.claimed_ms && view.claimed_ms >= view.enqueued_ms);
	free(view.result);
	expect_event(q, "a1", "AC");
	assert_int_equal(ask_number(q, "ZCARD", prefix, "lb:c1"), 1);
	assert_int_equal(ask_number(q, "ZCARD", prefix, "leases"), 0);
	assert_int_equal(ask_number(q, "EXISTS", prefix, "running"), 0);
	queue_free(q);
}

static void test_twice(void **state)
{
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_lease lease = { .id = "a1" };
	struct queue_job job, stale;

	(void)state;
	assert_int_equal(submit(q, "a1", "ann", "cars"), QUEUE_ACCEPTED);
	assert_int_equal(submit(q, "a1", "ann", "cars"), QUEUE_DUPLICATE);
	assert_int_equal(ask_number(q, "ZCARD", prefix, "queued"), 1);
	job = take(q, "a1");
	assert_int_equal(submit(q, "a1", "ann", "cars"), QUEUE_DUPLICATE);
	stale = job;
	stale.fence--;
	assert_int_equal(finish(q, &stale, "WA"), QUEUE_FENCED);
	lease.fence = stale.fence;
	(void)OK(queue_renew(q, &lease, 1, &err));
	assert_int_equal(lease.state, 0);
	assert_int_equal(OK(queue_release(q, "a1", stale.fence, true, "x", &err)),
			 QUEUE_RELEASE_FENCED);
	assert_int_equal(finish(q, &job, "AC"), QUEUE_COMMITTED);
	assert_int_equal(finish(q, &job, "AC"), QUEUE_ALREADY);
	assert_int_equal(finish(q, &job, "WA"), QUEUE_ALREADY);
	assert_int_equal(finish(q, &stale, "WA"), QUEUE_ALREADY);
	assert_int_equal(OK(queue_release(q, "a1", job.fence, true, "x", &err)),
			 QUEUE_RELEASE_FENCED);
	(void)OK(queue_renew(q, &lease, 1, &err));
	assert_int_equal(lease.state, 0);
	expect_event(q, "a1", "AC");
	assert_int_equal(submit(q, "a1", "ann", "cars"), QUEUE_DUPLICATE);
	expect_state(q, "a1", "done");
	nothing_to_take(q);
	copy_string(job.submission.id, sizeof(job.submission.id), "nobody");
	assert_int_equal(finish(q, &job, "AC"), QUEUE_FENCED);
	queue_free(q);
}

/* The lease is over when Redis says so; who waits for work is told without anybody's help. */
static void test_lost_worker(void **state)
{
	char prefix[64];
	struct queue_options o = fast();
	struct queue *q, *other;
	struct queue_job first, second = { 0 };
	struct queue_lease lease = { .id = "a1" };

	(void)state;
	o.lease_ms = 100;
	q = fresh(o, prefix);
	other = open_with(fast(), prefix);
	submit(q, "a1", "ann", "cars");
	first = take(q, "a1");
	assert_int_equal(OK(queue_claim(other, "w2", WAIT_MS, &second, &err)), 1);
	assert_string_equal(second.submission.id, "a1");
	assert_int_equal(second.attempt, 2);
	assert_int_equal(second.order, QUEUE_RUN);
	assert_string_equal(second.reason, "its worker was lost");
	assert_true(second.fence > first.fence);
	lease.fence = first.fence;
	(void)OK(queue_renew(q, &lease, 1, &err));
	assert_int_equal(lease.state, 0);
	assert_int_equal(finish(q, &first, "WA"), QUEUE_FENCED);
	assert_int_equal(OK(queue_release(q, "a1", first.fence, false, "", &err)),
			 QUEUE_RELEASE_FENCED);
	assert_int_equal(finish(other, &second, "AC"), QUEUE_COMMITTED);
	expect_event(q, "a1", "AC");
	queue_free(other);
	queue_free(q);
}

/* A job that kills its workers: given up, by a commit; a dead letter; judged again on request. */
static void test_poison(void **state)
{
	char prefix[64];
	struct queue_options o = fast();
	struct queue_letter letters[4];
	struct queue_job job = { 0 };
	struct queue *q;

	(void)state;
	o.lease_ms = 50;
	o.max_attempts = 2;
	q = fresh(o, prefix);
	submit(q, "a1", "ann", "cars");
	(void)take(q, "a1");
	assert_int_equal(OK(queue_claim(q, "w1", WAIT_MS, &job, &err)), 1);
	assert_int_equal(job.attempt, 2);
	assert_int_equal(job.order, QUEUE_RUN);
	for (int i = 0; i < 2; i++) { /* who is to give it up may be lost too */
		assert_int_equal(OK(queue_claim(q, "w1", WAIT_MS, &job, &err)), 1);
		assert_int_equal(job.order, QUEUE_GIVE_UP);
		assert_int_equal(job.attempt, 2);
		assert_string_equal(job.reason, "its worker was lost");
	}
	assert_int_equal(finish(q, &job, "IE"), QUEUE_COMMITTED);
	assert_int_equal(finish(q, &job, "IE"), QUEUE_ALREADY);
	expect_event(q, "a1", "IE");
	assert_int_equal(OK(queue_dead_list(q, NULL, letters, 4, &err)), 1);
	assert_string_equal(letters[0].kind, "job");
	assert_string_equal(letters[0].id, "a1");
	assert_string_equal(letters[0].reason, "its worker was lost");
	assert_int_equal(OK(queue_dead_list(q, letters[0].entry, letters + 1, 3, &err)), 0);
	assert_int_equal(OK(queue_dead_requeue(q, letters[0].entry, &err)), 1);
	assert_int_equal(OK(queue_dead_requeue(q, letters[0].entry, &err)), 0);
	assert_int_equal(OK(queue_claim(q, "w1", 0, &job, &err)), 1);
	assert_int_equal(job.judge_rev, 2);
	assert_int_equal(job.attempt, 1);
	assert_int_equal(job.submission.priority, QUEUE_CONTEST);
	assert_int_equal(finish(q, &job, "AC"), QUEUE_COMMITTED);
	assert_int_equal(events_of(q, "a1", NULL), 2);
	queue_free(q);
}

static void test_release(void **state)
{
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_letter letter;
	struct queue_job job;

	(void)state;
	submit(q, "a1", "ann", "cars");
	job = take(q, "a1");
	assert_int_equal(OK(queue_release(q, "a1", job.fence, false, "drain", &err)),
			 QUEUE_REQUEUED);
	assert_int_equal(OK(queue_release(q, "a1", job.fence, false, "drain", &err)),
			 QUEUE_RELEASE_FENCED);
	expect_state(q, "a1", "queued");
	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(OK(queue_claim(q, "w1", WAIT_MS, &job, &err)), 1);
		assert_int_equal(job.attempt, i);
		assert_string_equal(job.reason, i == 1 ? "" : "no disk");
		assert_int_equal(OK(queue_release(q, "a1", job.fence, true, "no disk", &err)),
				 i < 3 ? QUEUE_REQUEUED : QUEUE_DEAD);
	}
	assert_int_equal(OK(queue_release(q, "a1", job.fence, true, "again", &err)), QUEUE_DEAD);
	expect_state(q, "a1", "running");
	assert_int_equal(OK(queue_dead_list(q, NULL, &letter, 1, &err)), 0);
	assert_int_equal(finish(q, &job, "IE"), QUEUE_COMMITTED);
	assert_int_equal(OK(queue_dead_list(q, NULL, &letter, 1, &err)), 1);
	assert_string_equal(letter.reason, "no disk");
	assert_int_equal(OK(queue_dead_purge(q, letter.entry, &err)), 1);
	assert_int_equal(OK(queue_dead_purge(q, NULL, &err)), 0);
	queue_free(q);
}

/* An error of ours that no second attempt cures. */
static void test_ie_at_once(void **state)
{
	const struct contest contest = { .rules = CONTEST_NONE };
	const struct queue_result result = { .verdict = "IE", .reason = "not allowed" };
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_letter letters[2];
	struct queue_view view;
	struct queue_job job;
	uint64_t receivers;

	(void)state;
	submit(q, "a1", "ann", "cars");
	job = take(q, "a1");
	(void)OK(queue_commit(q, &job, &contest, &result, &receivers, &err));
	assert_int_equal(OK(queue_commit(q, &job, &contest, &result, &receivers, &err)),
			 QUEUE_ALREADY);
	assert_int_equal(OK(queue_dead_list(q, NULL, letters, 2, &err)), 1);
	assert_string_equal(letters[0].reason, "not allowed");
	assert_int_equal(OK(queue_job_get(q, "a1", &view, &err)), 1);
	assert_string_equal(view.job.reason, "not allowed");
	assert_null(view.result);
	queue_free(q);
}

/* Delayed by the wait of its attempt, by Redis's clock. */
static void test_delay(void **state)
{
	char prefix[64];
	struct queue_options o = fast();
	struct queue *q, *soon;
	struct queue_status status;
	struct queue_job job;

	(void)state;
	o.retry_ms[0] = 3600000;
	q = fresh(o, prefix);
	soon = open_with(fast(), prefix);
	submit(q, "a1", "ann", "cars");
	job = take(q, "a1");
	(void)OK(queue_release(q, "a1", job.fence, true, "no disk", &err));
	nothing_to_take(q);
	(void)OK(queue_status(q, &status, &err));
	assert_int_equal(status.delayed, 1);
	assert_int_equal(status.depth, 1);
	assert_int_equal(status.running, 0);
	assert_int_equal(OK(queue_cancel(q, "a1", &err)), QUEUE_CANCELLING);
	submit(q, "a2", "ann", "cars");
	job = take(soon, "a2");
	(void)OK(queue_release(soon, "a2", job.fence, true, "no disk", &err));
	assert_int_equal(OK(queue_claim(q, "w1", WAIT_MS, &job, &err)), 1);
	assert_string_equal(job.submission.id, "a2");
	queue_free(soon);
	queue_free(q);
}

static void test_cancel(void **state)
{
	char prefix[64];
	struct queue_options o = fast();
	struct queue_lease lease = { .id = "a2" };
	struct queue *q = fresh(o, prefix), *brief;
	struct queue_job job;

	(void)state;
	assert_int_equal(OK(queue_cancel(q, "a1", &err)), QUEUE_NO_SUCH_JOB);
	submit(q, "a1", "ann", "cars");
	assert_int_equal(OK(queue_cancel(q, "a1", &err)), QUEUE_CANCELLED);
	assert_int_equal(OK(queue_cancel(q, "a1", &err)), QUEUE_CANCELLED);
	expect_state(q, "a1", "cancelled");
	expect_event(q, "a1", "CANCELLED");
	nothing_to_take(q);
	submit(q, "a2", "ann", "cars");
	job = take(q, "a2");
	assert_int_equal(OK(queue_cancel(q, "a2", &err)), QUEUE_CANCELLING);
	assert_int_equal(OK(queue_cancel(q, "a2", &err)), QUEUE_CANCELLING);
	lease.fence = job.fence;
	(void)OK(queue_renew(q, &lease, 1, &err));
	assert_int_equal(lease.state, -1);
	assert_int_equal(finish(q, &job, "CANCELLED"), QUEUE_COMMITTED);
	assert_int_equal(OK(queue_cancel(q, "a2", &err)), QUEUE_TOO_LATE);
	expect_event(q, "a2", "CANCELLED");
	/* its worker is lost before it hears of it */
	o.lease_ms = 50;
	brief = open_with(o, prefix);
	submit(q, "a3", "ann", "cars");
	job = take(brief, "a3");
	assert_int_equal(OK(queue_cancel(q, "a3", &err)), QUEUE_CANCELLING);
	assert_int_equal(OK(queue_claim(q, "w2", WAIT_MS, &job, &err)), 1);
	assert_int_equal(job.order, QUEUE_CANCEL);
	assert_int_equal(job.attempt, 1);
	/* and the next one has to stop */
	assert_int_equal(OK(queue_release(q, "a3", job.fence, false, "", &err)), QUEUE_REQUEUED);
	job = take(q, "a3");
	assert_int_equal(job.order, QUEUE_CANCEL);
	assert_int_equal(finish(q, &job, "CANCELLED"), QUEUE_COMMITTED);
	expect_event(q, "a3", "CANCELLED");
	assert_int_equal(ask_number(q, "EXISTS", prefix, "lb:c1"), 0);
	queue_free(brief);
	queue_free(q);
}

static void test_supersede(void **state)
{
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_submission s = make("a2", "ann", "cars");
	struct queue_place place;
	struct queue_job job;

	(void)state;
	submit(q, "a1", "ann", "cars");
	submit(q, "b1", "bob", "cars");
	submit(q, "a-other", "ann", "todo");
	assert_int_equal(OK(queue_enqueue(q, &s, &place, &err)), QUEUE_ACCEPTED);
	assert_string_equal(place.superseded, "a1");
	assert_int_equal(OK(queue_enqueue(q, &s, &place, &err)), QUEUE_DUPLICATE);
	assert_string_equal(place.superseded, "");
	expect_state(q, "a1", "superseded");
	expect_event(q, "a1", "SUPERSEDED");
	assert_int_equal(ask_number(q, "ZCARD", prefix, "queued"), 3);
	/* one that was handed in before what waits, and comes late, takes nobody's place */
	copy_string(s.id, sizeof(s.id), "a0");
	s.submitted_ms = 1000;
	assert_int_equal(OK(queue_enqueue(q, &s, &place, &err)), QUEUE_ACCEPTED);
	assert_string_equal(place.superseded, "");
	/* nor is what runs, or ran, superseded */
	job = take(q, "b1");
	(void)OK(queue_release(q, "b1", job.fence, false, "", &err));
	submit(q, "b2", "bob", "cars");
	expect_state(q, "b1", "queued");
	queue_free(q);
}

static void test_no_supersede(void **state)
{
	char prefix[64];
	struct queue_options o = fast();
	struct queue *q;

	(void)state;
	o.no_supersede = true;
	q = fresh(o, prefix);
	submit(q, "a1", "ann", "cars");
	submit(q, "a2", "ann", "cars");
	expect_state(q, "a1", "queued");
	expect_state(q, "a2", "queued");
	queue_free(q);
}

static void test_pin(void **state)
{
	static const char one[] =
		"1111111111111111111111111111111111111111111111111111111111111111";
	static const char two[] =
		"2222222222222222222222222222222222222222222222222222222222222222";
	char prefix[64], pinned[QUEUE_SHA256_HEX + 1];
	struct queue *q = fresh(fast(), prefix);
	struct queue_job job;

	(void)state;
	submit(q, "a1", "ann", "cars");
	job = take(q, "a1");
	assert_int_equal(OK(queue_pin(q, &job, one, pinned, &err)), 0);
	assert_int_equal(OK(queue_pin(q, &job, one, pinned, &err)), 0);
	assert_int_equal(OK(queue_pin(q, &job, two, pinned, &err)), 1);
	assert_string_equal(pinned, one);
	(void)OK(queue_release(q, "a1", job.fence, false, "", &err));
	job = take(q, "a1");
	assert_string_equal(job.submission.sha256, one);
	assert_int_equal(queue_pin(q, &job, "not a hash", pinned, NULL), -EINVAL);
	/* a job that Redis has lost is not made again by this */
	copy_string(job.submission.id, sizeof(job.submission.id), "lost");
	assert_int_equal(OK(queue_pin(q, &job, one, pinned, &err)), 0);
	assert_int_equal(ask_number(q, "EXISTS", prefix, "job:lost"), 0);
	queue_free(q);
}

static void test_log(void **state)
{
	char prefix[64], *text = calloc(1, QUEUE_LOG_MAX + 100);
	static struct queue_line lines[20];
	struct queue *q = fresh(fast(), prefix);
	struct queue_job job;
	int n;

	(void)state;
	submit(q, "a1", "ann", "cars");
	job = take(q, "a1");
	(void)OK(queue_log(q, "a1", "stage", "build", &err));
	memset(text, 'x', QUEUE_LOG_MAX + 99);
	memcpy(text + QUEUE_LOG_MAX - 1, "\xc3\xa9", 2);
	(void)OK(queue_log(q, "a1", "log", text, &err));
	free(text);
	finish(q, &job, "AC");
	n = OK(queue_log_read(q, "a1", "0", 0, lines, 20, &err));
	assert_int_equal(n, 5);
	assert_string_equal(lines[0].text, "queued");
	assert_string_equal(lines[1].text, "running");
	assert_string_equal(lines[2].kind, "stage");
	assert_string_equal(lines[2].text, "build");
	assert_int_equal(strlen(lines[3].text), QUEUE_LOG_MAX - 1); /* no half of a character */
	assert_string_equal(lines[4].kind, "state");
	assert_string_equal(lines[4].text, "done AC");
	/* a tab that was closed goes on where it was */
	assert_int_equal(OK(queue_log_read(q, "a1", lines[3].entry, 0, lines, 20, &err)), 1);
	assert_true(ask_number(q, "TTL", prefix, "log:a1") > 3000);
	assert_true(ask_number(q, "TTL", prefix, "job:a1") > 600000);
	assert_int_equal(queue_log_read(q, "a1", "0 COUNT", 0, lines, 1, NULL), -EINVAL);
	queue_free(q);
}

static void test_malformed(void **state)
{
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_options o = fast();
	struct queue_place place;
	struct queue_submission s;
	struct sbx_error err;

	(void)state;
	s = make("a/1", "ann", "cars");
	assert_int_equal(queue_enqueue(q, &s, &place, &err), -EINVAL);
	s = make("a1", "", "cars");
	assert_int_equal(queue_enqueue(q, &s, &place, &err), -EINVAL);
	s = make("a1", "ann", "ca rs");
	assert_int_equal(queue_enqueue(q, &s, &place, &err), -EINVAL);
	s = make("a1", "ann", "cars");
	s.priority = (enum queue_priority)4;
	assert_int_equal(queue_enqueue(q, &s, &place, &err), -EINVAL);
	assert_int_equal(queue_job_get(q, "a\n", NULL, &err), -EINVAL);
	queue_free(q);
	o.prefix = "no-tag:";
	assert_int_equal(queue_open(&q, &o, &err), -EINVAL);
	o.prefix = "x*:{q}:";
	assert_int_equal(queue_open(&q, &o, &err), -EINVAL);
}

/* Times and numbers as long as they may be come back as they were; the future does not. */
static void test_numbers(void **state)
{
	const struct contest contest = { .rules = CONTEST_NONE };
	struct queue_result result = { .verdict = "AC",
				       .passed = UINT32_MAX,
				       .total = UINT32_MAX,
				       .points = 9007199254740991,
				       .max_points = UINT64_MAX };
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_submission s = make("a1", "ann", "cars");
	struct queue_flags flags;
	struct queue_event event;
	struct queue_worker w = { .id = "w1" };
	struct queue_place place;
	struct queue_job job;
	uint64_t receivers;

	(void)state;
	s.submitted_ms = 253402300799999;
	(void)OK(queue_enqueue(q, &s, &place, &err));
	job = take(q, "a1");
	(void)OK(queue_beat(q, &w, &flags, &err));
	assert_true(job.submission.submitted_ms <= flags.now_ms);
	assert_true(job.submission.submitted_ms + 60000 > flags.now_ms);
	assert_true(job.fence > 1000000000000000);
	assert_int_equal(OK(queue_commit(q, &job, &contest, &result, &receivers, &err)),
			 QUEUE_COMMITTED);
	assert_int_equal(OK(queue_events(q, "0", 0, &event, 1, &err)), 1);
	assert_int_equal(event.points, 9007199254740991);
	assert_true(event.max_points == UINT64_MAX);
	assert_int_equal(event.total, UINT32_MAX);
	assert_int_equal(event.submitted_ms, job.submission.submitted_ms);
	queue_free(q);
}

static void delete_job(struct queue *q, const char *prefix, const char *id)
{
	char key[256];

	(void)snprintf(key, sizeof(key), "%sjob:%s", prefix, id);
	freeReplyObject(ask(q, "DEL", key, NULL));
}

/* Somebody deletes jobs by hand, wherever they are: the others go on. */
static void test_deleted(void **state)
{
	char prefix[64];
	struct queue_options o = fast();
	struct queue_status status;
	struct queue_lease lease = { .id = "run" };
	struct queue_job job;
	struct queue *q;

	(void)state;
	o.lease_ms = 1;
	q = fresh(o, prefix);
	submit(q, "run", "a", "x");
	job = take(q, "run");
	lease.fence = job.fence;
	delete_job(q, prefix, "run");
	(void)OK(queue_renew(q, &lease, 1, &err));
	assert_int_equal(lease.state, 0);
	submit(q, "late", "b", "x");
	job = take(q, "late");
	(void)OK(queue_release(q, "late", job.fence, true, "no disk", &err));
	delete_job(q, prefix, "late");
	(void)OK(queue_pause(q, "c1", true, &err));
	submit(q, "held", "c", "x");
	nothing_to_take(q);
	delete_job(q, prefix, "held");
	submit(q, "next", "d", "x");
	delete_job(q, prefix, "next");
	(void)OK(queue_pause(q, "c1", false, &err));
	submit(q, "good", "e", "x");
	(void)poll(NULL, 0, 30); /* the lease and the delay are over */
	take(q, "good");
	(void)OK(queue_status(q, &status, &err));
	assert_int_equal(status.depth, 0);
	assert_int_equal(status.delayed + status.held, 0);
	assert_int_equal(OK(queue_cancel(q, "run", &err)), QUEUE_NO_SUCH_JOB);
	queue_free(q);
}

static void test_script_flush(void **state)
{
	char prefix[64];
	struct queue *q = fresh(fast(), prefix);
	struct queue_job job;

	(void)state;
	submit(q, "a1", "ann", "cars");
	freeReplyObject(ask(q, "SCRIPT", "FLUSH", NULL));
	job = take(q, "a1");
	freeReplyObject(ask(q, "SCRIPT", "FLUSH", NULL));
	assert_int_equal(finish(q, &job, "AC"), QUEUE_COMMITTED);
	expect_event(q, "a1", "AC");
	queue_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),        cmocka_unit_test(test_twice),
		cmocka_unit_test(test_lost_worker), cmocka_unit_test(test_poison),
		cmocka_unit_test(test_release),     cmocka_unit_test(test_ie_at_once),
		cmocka_unit_test(test_delay),       cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_supersede),   cmocka_unit_test(test_no_supersede),
		cmocka_unit_test(test_pin),         cmocka_unit_test(test_log),
		cmocka_unit_test(test_malformed),   cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_deleted),     cmocka_unit_test(test_script_flush),
	};

	return cmocka_run_group_tests_name("states", tests, NULL, NULL);
}
