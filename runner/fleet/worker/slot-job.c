/* SPDX-License-Identifier: MIT */

/*
 * One claimed job, from the look into the ledger to the commit. What fails of ours gives the job
 * back with the attempt counted; when that was the last one its verdict is IE, so that there is
 * always one.
 */

#include "fleet/worker/slot.h"

#include "fleet/compat/devforces-slot.h"
#include "fleet/worker/control.h"
#include "util/util.h"

/* How long a job is offered back to a Redis that does not answer, before its lease does it. */
#define RELEASE_TIMEOUT (5 * NSEC_PER_SEC)

/* What is known of the job's archive. */
struct archive {
	int fd;
	char sha256[QUEUE_SHA256_HEX + 1];
};

static void archive_done(struct archive *a)
{
	a->fd = close_fd(a->fd);
}

/* ------------------------------------------------------------------ giving back */

/* An enum queue_released, or -EINTR. */
static int release(struct slot *s, const struct queue_job *job, bool attempt_counts,
		   const char *why)
{
	uint64_t deadline = deadline_after(RELEASE_TIMEOUT);
	struct sbx_error err = { 0 };
	int r;

	for (;;) {
		r = queue_release(s->queue, job->submission.id, job->fence, attempt_counts, why,
				  &err);
		slot_heard_redis(s, r, &err);
		if (r >= 0)
			return r;
		/* Asked to end: the lease runs out by itself. */
		if (s->stop == SLOT_FENCED || (s->stop == SLOT_RELEASE && now_ns() > deadline))
			return -EINTR;
	}
}

/* A failure of ours. `ie` (may be NULL) tells of it in more detail than `why`. */
static void give_back(struct slot *s, const struct queue_job *job, const char *reason,
		      const char *why, const struct slot_result *ie)
{
	struct slot_result made = { .json = NULL };
	int r;

	log_warning(&s->log, "attempt %u failed: %s", job->attempt, why);
	r = release(s, job, true, why);
	if (r == QUEUE_REQUEUED)
		metrics_add(s->metrics, METRIC_JOBS_RETRIED, 1, reason, NULL);
	if (r != QUEUE_DEAD)
		return;
	metrics_add(s->metrics, METRIC_DEAD, 1, NULL, NULL);
	log_error(&s->log, "given up after %u attempts: %s", job->attempt, why);
	if (!ie && slot_result_ie(s, job, why, &made) == 0)
		ie = &made;
	if (ie)
		slot_commit(s, job, ie, "");
	slot_result_done(&made);
}

/* Never possible, so there is no second attempt. */
static void commit_ie(struct slot *s, const struct queue_job *job, const char *why)
{
	struct slot_result result = { .json = NULL };

	log_error(&s->log, "not judged: %s", why);
	metrics_add(s->metrics, METRIC_DEAD, 1, NULL, NULL);
	if (slot_result_ie(s, job, why, &result) == 0)
		slot_commit(s, job, &result, "");
	slot_result_done(&result);
}

static void commit_cancelled(struct slot *s, const struct queue_job *job)
{
	struct slot_result result = { .json = NULL };

	metrics_add(s->metrics, METRIC_CANCELLED, 1, NULL, NULL);
	if (slot_result_cancelled(s, job, &result) == 0)
		slot_commit(s, job, &result, "");
	slot_result_done(&result);
}

/* The job was stopped, at whatever it was. */
static void leave_job(struct slot *s, const struct queue_job *job)
{
	if (s->stop == SLOT_CANCELLED) {
		s->stop = SLOT_GO_ON;
		commit_cancelled(s, job);
	}
	if (s->stop == SLOT_RELEASE && release(s, job, false, "the worker ends") == QUEUE_REQUEUED)
		log_info(&s->log, "given back: the worker ends");
	if (s->stop == SLOT_FENCED) {
		metrics_add(s->metrics, METRIC_LEASE_LOST, 1, NULL, NULL);
		log_warning(&s->log, "stopped: its lease was lost");
	}
}

/* -------------------------------------------------------------------- fetch */

int slot_challenge(struct slot *s, const struct queue_job *job, char **ret, char why[200])
{
	const char *id = job->submission.challenge;
	_cleanup_free_ char *path = NULL;

	if (devforces_is(s, job))
		return devforces_slot_challenge(s, job, ret, why);
	if (!s->config.challenges || streq(id, ".") || streq(id, "..") || strchr(id, '/') ||
	    asprintf(&path, "%s/%s", s->config.challenges, id) < 0)
		path = NULL;
	if (path && access(path, R_OK | X_OK) == 0) {
		*ret = steal_ptr(path);
		return 0;
	}
	(void)snprintf(why, 200, "there is no challenge %.80s", id);
	return -ENOENT;
}

/* Its outcome is the student's affair: a verdict. */
static void commit_outcome(struct slot *s, const struct queue_job *job, enum fetch_outcome outcome,
			   const struct fetched *f)
{
	struct slot_result result = { .json = NULL };
	int r;

	if (outcome == FETCH_CHANGED) {
		metrics_add(s->metrics, METRIC_SUPERSEDED, 1, NULL, NULL);
		r = slot_result_superseded(s, job, &result);
	} else {
		r = slot_result_fetch(s, job, outcome, f, &result);
	}
	if (r == 0)
		slot_commit(s, job, &result, f->sha256);
	slot_result_done(&result);
}

static void refuse(struct slot *s, const struct queue_job *job, const struct sbx_error *err)
{
	char url[FETCH_DISPLAY_MAX];

	fetch_url_display(job->submission.url, url);
	log_error(&s->log, "its archive may not be fetched from %s: %s", url, err->text);
	commit_ie(s, job, "its archive may not be fetched from where it is");
}

/* Asked again after what interrupts a fetch and does not stop the job. */
static int fetch_uncancelled(struct slot *s, const struct queue_job *job, struct fetched *f,
			     struct sbx_error *err)
{
	struct fetch_request request = { .url = job->submission.url,
					 .sha256 = job->submission.sha256,
					 .cancel_fd = CONTROL_FD };
	int r;

	do {
		r = fetch_archive(s->fetcher, &request, f, err);
		slot_listen(s);
	} while (r == -ECANCELED && s->stop == SLOT_GO_ON);
	return r;
}

static void count_fetch(struct slot *s, int r, const struct fetched *f)
{
	static const char *const names[] = { [FETCH_DONE] = "ok",
					     [FETCH_GONE] = "gone",
					     [FETCH_EMPTY] = "empty",
					     [FETCH_TOO_LARGE] = "too_large",
					     [FETCH_CHANGED] = "changed" };

	metrics_add(s->metrics, METRIC_FETCHES, 1,
		    r >= 0        ? names[r]
		    : r == -EPERM ? "refused"
				  : "retry",
		    NULL);
	if (r == FETCH_DONE)
		metrics_add(s->metrics, METRIC_ARTIFACT_BYTES, f->size, NULL, NULL);
}

/* 0 and *ret; 1 the job is done with; -EINTR stopped. */
static int get_archive(struct slot *s, const struct queue_job *job, struct archive *ret)
{
	struct fetched f = { .fd = -1 };
	struct sbx_error err = { 0 };
	int r = fetch_uncancelled(s, job, &f, &err);

	if (s->stop != SLOT_GO_ON) {
		close_fd(f.fd);
		return -EINTR;
	}
	count_fetch(s, r, &f);
	slot_log_fetch(s, &f);
	if (r > FETCH_DONE)
		commit_outcome(s, job, (enum fetch_outcome)r, &f);
	else if (r == -EPERM)
		refuse(s, job, &err);
	else if (r < 0)
		give_back(s, job, "fetch", err.text, NULL);
	if (r != FETCH_DONE)
		return 1;
	ret->fd = f.fd;
	copy_string(ret->sha256, sizeof(ret->sha256), f.sha256);
	return 0;
}

/* The same archive for every attempt: 0; 1 it is another one, which is done with; -EINTR. */
static int pin(struct slot *s, const struct queue_job *job, const struct archive *a)
{
	struct fetched f = { .fd = -1 };
	struct sbx_error err = { 0 };
	char pinned[QUEUE_SHA256_HEX + 1];
	int r;

	for (;;) {
		r = queue_pin(s->queue, job, a->sha256, pinned, &err);
		slot_heard_redis(s, r, &err);
		if (r == 0)
			return 0;
		if (r > 0)
			break;
		if (s->stop != SLOT_GO_ON)
			return -EINTR;
	}
	copy_string(f.sha256, sizeof(f.sha256), a->sha256);
	commit_outcome(s, job, FETCH_CHANGED, &f);
	return 1;
}

/* -------------------------------------------------------------------- judge */

static void take_verdict(struct slot *s, const struct queue_job *job, const struct slot_result *r,
			 const char *sha256)
{
	if (streq(r->v.verdict, "IE")) {
		metrics_add(s->metrics, METRIC_SANDBOX_FAILURES, 1, r->v.step,
			    strerrorname_np(r->v.error));
		give_back(s, job, "sandbox", *r->v.why ? r->v.why : "the sandbox failed", r);
		return;
	}
	metrics_observe(s->metrics, METRIC_JOB_CPU_SECONDS, r->v.cpu_ns, NULL);
	metrics_observe(s->metrics, METRIC_JOB_MEMORY_PEAK, r->v.memory_peak, NULL);
	slot_commit(s, job, r, sha256);
}

static void judge_archive(struct slot *s, const struct queue_job *job, const char *folder,
			  const struct archive *a)
{
	struct slot_result result = { .json = NULL };
	char why[200] = "no judging process can be started";
	int r = slot_judge_ready(s);

	if (r == 0)
		r = slot_judge_run(s, job, folder, a->fd, &result, why);
	if (r == 0)
		take_verdict(s, job, &result, a->sha256);
	else if (r != -ECANCELED && r != -EINTR)
		give_back(s, job, "judge", why, NULL);
	slot_result_done(&result);
}

static void judge_job(struct slot *s, const struct queue_job *job)
{
	_cleanup_(archive_done) struct archive archive = { .fd = -1 };
	_cleanup_free_ char *folder = NULL;
	char why[200];
	int r = slot_challenge(s, job, &folder, why);

	if (r == -ENOENT)
		give_back(s, job, "challenge", why, NULL);
	else if (r == -EINVAL)
		commit_ie(s, job, why);
	if (r < 0)
		return;
	slot_log_fetch(s, NULL);
	if (get_archive(s, job, &archive) != 0 || pin(s, job, &archive) != 0)
		return;
	judge_archive(s, job, folder, &archive);
}

/* ---------------------------------------------------------------------- job */

static void give_up(struct slot *s, const struct queue_job *job)
{
	commit_ie(s, job, *job->reason ? job->reason : "it was lost with its worker");
}

static void do_order(struct slot *s, const struct queue_job *job)
{
	if (slot_commit_standing(s, job) != 0)
		return;
	switch (job->order) {
	case QUEUE_RUN:
		judge_job(s, job);
		break;
	case QUEUE_GIVE_UP:
		give_up(s, job);
		break;
	case QUEUE_CANCEL:
		commit_cancelled(s, job);
		break;
	}
}

void slot_run(struct slot *s, const struct queue_job *job)
{
	const struct queue_submission *sub = &job->submission;
	uint64_t began = now_ns();

	s->job = job;
	s->stop = SLOT_GO_ON;
	s->verdict[0] = '\0';
	s->log_bytes = 0;
	metrics_add(s->metrics, METRIC_JOBS_CLAIMED, 1, NULL, NULL);
	log_job_begin(&s->log, sub->id, sub->student, sub->traceparent);
	slot_tell(s, CONTROL_CLAIMED, "");
	log_debug(&s->log, "claimed, attempt %u", job->attempt);
	do_order(s, job);
	if (s->stop != SLOT_GO_ON)
		leave_job(s, job);
	if (*s->verdict)
		metrics_observe(s->metrics, METRIC_JOB_SECONDS, now_ns() - began, s->verdict);
	metrics_observe(s->metrics, METRIC_LOG_BYTES, s->log_bytes, NULL);
	slot_tell(s, CONTROL_DONE, s->verdict);
	log_job_end(&s->log);
	s->job = NULL;
}
