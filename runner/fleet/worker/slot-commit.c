/* SPDX-License-Identifier: MIT */

/*
 * A result into the ledger, then what stands there into the queue. Either may be away for as long
 * as it likes: the result is held, and both are asked again, until it is committed or the job is
 * not ours any more. Whoever claims it next finds it in the ledger.
 *
 * The ledger remembers for longer than the queue. An id that the queue has forgotten and that is
 * handed in again has its newest result there, which is committed with the judge_rev that it has;
 * if that result is not of this student and challenge, the id was used twice, and nobody gets the
 * other's.
 */

#include "fleet/worker/slot.h"

#include "fleet/compat/devforces-slot.h"
#include "util/util.h"

/* 0; -EINTR stopped. */
static int fill_row(struct slot *s, const struct queue_job *job, const struct slot_result *r,
		    const char *sha256, struct ledger_result *ret)
{
	const struct queue_submission *sub = &job->submission;

	*ret = (struct ledger_result){ .judge_rev = job->judge_rev,
				       .attempt = job->attempt,
				       .submitted_ms = sub->submitted_ms,
				       .passed = r->v.passed,
				       .total = r->v.total,
				       .points = r->v.points,
				       .max_points = r->v.max_points,
				       .json = r->json };
	copy_string(ret->id, sizeof(ret->id), sub->id);
	copy_string(ret->student, sizeof(ret->student), sub->student);
	copy_string(ret->contest, sizeof(ret->contest), sub->contest);
	copy_string(ret->challenge, sizeof(ret->challenge), sub->challenge);
	copy_string(ret->verdict, sizeof(ret->verdict), r->v.verdict);
	copy_string(ret->archive_sha256, sizeof(ret->archive_sha256), sha256);
	copy_string(ret->tests_sha256, sizeof(ret->tests_sha256), r->v.tests_sha256);
	copy_string(ret->worker, sizeof(ret->worker), s->config.name);
	return devforces_is(s, job) ? devforces_slot_count(s, job, ret) : 0;
}

/* Asking again changes nothing: it takes no such result, or has what cannot be read. */
static bool is_final(int r)
{
	return r == -EINVAL || r == -EBADMSG;
}

/* 0 and *ret, the caller's; is_final(); -EINTR stopped. */
static int insert(struct slot *s, const struct ledger_result *row, struct ledger_result *ret)
{
	struct sbx_error err = { 0 };
	int r;

	for (;;) {
		r = ledger_insert(s->ledger, row, ret, &err);
		slot_heard_ledger(s, is_final(r) ? 0 : r, &err);
		if (r >= 0)
			return 0;
		if (is_final(r)) {
			log_error(&s->log, "the ledger takes no such result: %s", err.text);
			return r;
		}
		if (s->stop != SLOT_GO_ON)
			return -EINTR;
	}
}

static int find_contest(struct slot *s, const struct queue_job *job, struct contest *ret)
{
	struct sbx_error err = { 0 };
	int r;

	if (devforces_is(s, job))
		return devforces_slot_contest(s, job, ret);
	*ret = (struct contest){ .rules = CONTEST_NONE };
	while (*job->submission.contest) {
		r = ledger_contest(s->ledger, job->submission.contest, ret, &err);
		slot_heard_ledger(s, is_final(r) ? 0 : r, &err);
		if (r >= 0)
			return 0;
		if (is_final(r)) {
			log_error(&s->log,
				  "not ranked: %s; put it right, then: sandbox-runner admin rank "
				  "rebuild %s",
				  err.text, job->submission.contest);
			return 0;
		}
		if (s->stop != SLOT_GO_ON)
			return -EINTR;
	}
	return 0;
}

static const char *limit_of(const char *verdict)
{
	static const char *const names[][2] = { { "MLE", "memory" },
						{ "DLE", "disk" },
						{ "PLE", "pids" },
						{ "OLE", "output" },
						{ "TLE", "time" } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (streq(names[i][0], verdict))
			return names[i][1];
	}
	return NULL;
}

static void count(struct slot *s, const struct queue_job *job, const struct ledger_result *row,
		  int outcome)
{
	static const char *const outcomes[] = {
		[QUEUE_COMMITTED] = "ok", [QUEUE_ALREADY] = "already", [QUEUE_FENCED] = "fenced"
	};
	uint64_t passed = row->passed;

	metrics_add(s->metrics, METRIC_COMMITS, 1, outcomes[outcome], NULL);
	if (outcome == QUEUE_FENCED)
		metrics_add(s->metrics, METRIC_LEASE_LOST, 1, NULL, NULL);
	if (outcome != QUEUE_COMMITTED)
		return;
	copy_string(s->verdict, sizeof(s->verdict), row->verdict);
	if (limit_of(row->verdict))
		metrics_add(s->metrics, METRIC_LIMIT_HITS, 1, limit_of(row->verdict), NULL);
	metrics_add(s->metrics, METRIC_JOBS_FINISHED, 1, row->verdict, NULL);
	metrics_add(s->metrics, METRIC_TESTS, passed, "passed", NULL);
	metrics_add(s->metrics, METRIC_TESTS, row->total > passed ? row->total - passed : 0,
		    "failed", NULL);
	metrics_observe(s->metrics, METRIC_QUEUE_WAIT_SECONDS, job->waited_ms * NSEC_PER_MSEC,
			NULL);
}

static void say(struct slot *s, const struct queue_job *job, const struct ledger_result *row,
		int outcome)
{
	if (outcome == QUEUE_FENCED)
		log_warning(&s->log, "the lease was lost before its result was committed: whoever "
				     "has it now finds it in the ledger");
	else
		log_write(&s->log, LOG_LEVEL_INFO,
			  LOG_FIELDS(LOG_TEXT("verdict", row->verdict),
				     LOG_NUMBER("passed", row->passed),
				     LOG_NUMBER("total", row->total),
				     LOG_NUMBER("attempt", job->attempt),
				     LOG_NUMBER("waited_ms", job->waited_ms)),
			  outcome == QUEUE_ALREADY ? "committed before" : "committed");
}

/* An enum queue_committed; -EINVAL Redis is not given such a result; -EINTR stopped. */
static int commit_to_queue(struct slot *s, const struct queue_job *job,
			   const struct contest *contest, const struct queue_result *result)
{
	struct sbx_error err = { 0 };
	uint64_t receivers;
	int r;

	for (;;) {
		r = queue_commit(s->queue, job, contest, result, &receivers, &err);
		slot_heard_redis(s, r == -EINVAL ? 0 : r, &err);
		if (r >= 0)
			return r;
		if (r == -EINVAL) {
			log_error(&s->log, "this result cannot be committed: %s", err.text);
			return r;
		}
		if (s->stop != SLOT_GO_ON)
			return -EINTR;
	}
}

/*
 * `why`: of an IE, for its dead letter, or NULL. 0 it is done, or another's; -EINTR stopped;
 * -EINVAL it is not done, and cannot be with this row.
 */
static int commit_row(struct slot *s, const struct queue_job *job, const struct ledger_result *row,
		      const char *why)
{
	struct queue_result result = { .verdict = row->verdict,
				       .passed = row->passed,
				       .total = row->total,
				       .points = row->points,
				       .max_points = row->max_points,
				       .json = row->json,
				       .json_size = row->json ? strlen(row->json) : 0,
				       .reason = why,
				       .judge_rev = row->judge_rev,
				       .submitted_ms = row->submitted_ms };
	_cleanup_free_ char *message = NULL;
	struct contest contest;
	int r = find_contest(s, job, &contest);

	if (r < 0)
		return r;
	if (devforces_is(s, job)) {
		message = devforces_slot_result(s, job, row);
		result.publish_channel = message ? job->submission.channel : NULL;
		result.publish_message = message;
	}
	r = commit_to_queue(s, job, &contest, &result);
	if (r < 0)
		return r;
	count(s, job, row, r);
	say(s, job, row, r);
	return 0;
}

static const char unreadable[] = "what the ledger has of it cannot be read";
static const char uncommitted[] = "what the ledger has of it cannot be committed";

static bool is_of(const struct ledger_result *row, const struct queue_job *job)
{
	const struct queue_submission *sub = &job->submission;

	return streq(row->student, sub->student) && streq(row->challenge, sub->challenge) &&
	       streq(row->contest, sub->contest);
}

/*
 * What the ledger cannot have, since something else is in its place: a result all the same, in the
 * queue.
 */
static int commit_unrecorded(struct slot *s, const struct queue_job *job, const char *why)
{
	struct slot_result ie = { .json = NULL };
	struct ledger_result row;
	int r = slot_result_ie(s, job, why, &ie);

	if (r < 0)
		return r;
	r = fill_row(s, job, &ie, "", &row);
	if (r == 0)
		r = commit_row(s, job, &row, ie.v.why);
	slot_result_done(&ie);
	return r;
}

static int commit_id_taken(struct slot *s, const struct queue_job *job,
			   const struct ledger_result *row)
{
	log_error(&s->log, "not judged: the ledger has a result of %s's for this id (challenge %s)",
		  row->student, row->challenge);
	return commit_unrecorded(s, job, "another submission has the same id");
}

/* `why`: see commit_row(). */
static int commit_standing(struct slot *s, const struct queue_job *job,
			   const struct ledger_result *row, const char *why)
{
	int r = is_of(row, job) ? commit_row(s, job, row, why) : commit_id_taken(s, job, row);

	/* Somebody has written into the ledger what is no result: asking again changes nothing. */
	return r == -EINVAL ? commit_unrecorded(s, job, uncommitted) : r;
}

int slot_commit_standing(struct slot *s, const struct queue_job *job)
{
	_cleanup_(ledger_result_done) struct ledger_result row = { .json = NULL };
	struct sbx_error err = { 0 };
	int r;

	for (;;) {
		r = ledger_latest(s->ledger, job->submission.id, &row, &err);
		slot_heard_ledger(s, is_final(r) ? 0 : r, &err);
		if (r >= 0 || is_final(r))
			break;
		if (s->stop != SLOT_GO_ON)
			return -EINTR;
	}
	if (is_final(r)) {
		log_error(&s->log, "not judged: %s", err.text);
		r = commit_unrecorded(s, job, unreadable);
		return r < 0 ? r : 1;
	}
	if (r == 0 || (is_of(&row, job) && row.judge_rev < job->judge_rev))
		return 0;
	if (is_of(&row, job))
		log_info(&s->log, "its result is in the ledger already: it is not judged again");
	r = commit_standing(s, job, &row, NULL);
	return r < 0 ? r : 1;
}

/* What the ledger refuses is a fault of ours, and is told as one: there is always a result. */
static int insert_some(struct slot *s, const struct queue_job *job, const struct slot_result *r,
		       const char *sha256, struct ledger_result *ret)
{
	struct slot_result ie = { .json = NULL };
	struct ledger_result row;
	int code;

	code = fill_row(s, job, r, sha256, &row);
	if (code == 0)
		code = insert(s, &row, ret);
	if (code != -EINVAL || slot_result_ie(s, job, "its result cannot be kept", &ie) < 0)
		return code;
	code = fill_row(s, job, &ie, "", &row);
	if (code == 0)
		code = insert(s, &row, ret);
	slot_result_done(&ie);
	return code;
}

void slot_commit(struct slot *s, const struct queue_job *job, const struct slot_result *r,
		 const char *sha256)
{
	_cleanup_(ledger_result_done) struct ledger_result standing = { .json = NULL };
	uint64_t began = now_ns();
	int code;

	log_stage(&s->log, "commit");
	slot_log_reason(s, r->v.reason);
	code = insert_some(s, job, r, sha256, &standing);
	if (is_final(code))
		(void)commit_unrecorded(s, job, unreadable);
	if (code < 0)
		return;
	if (commit_standing(s, job, &standing, *r->v.why ? r->v.why : NULL) == 0)
		metrics_observe(s->metrics, METRIC_STAGE_SECONDS, now_ns() - began, "commit");
}
