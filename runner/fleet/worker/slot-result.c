/* SPDX-License-Identifier: MIT */

/* Results of submissions that no judge has seen: made as those of the pipeline are. */

#include "fleet/worker/slot.h"

#include "pipeline/verdict.h"
#include "report/result.h"
#include "util/util.h"

static int result_of(struct job *job, struct slot_result *ret)
{
	struct slot_result result = { .json = NULL };
	cJSON *root;

	verdict_decide(job);
	root = result_tree(job);
	result.json = root ? cJSON_PrintUnformatted(root) : NULL;
	cJSON_Delete(root);
	if (!result.json)
		return -ENOMEM;
	result.v.json_size = (uint32_t)strlen(result.json);
	copy_string(result.v.verdict, sizeof(result.v.verdict), verdict_name(job->verdict));
	copy_string(result.v.reason, sizeof(result.v.reason), job->reason);
	*ret = result;
	return 0;
}

static struct job bare_job(const struct slot *s, const struct queue_job *job)
{
	struct job ret = JOB_NULL;

	ret.challenge = s->bare;
	ret.submission = job->submission.id;
	ret.began_ns = now_ns();
	return ret;
}

static int finish(struct job *job, struct slot_result *ret)
{
	int r = result_of(job, ret);

	job_done(job);
	return r;
}

int slot_result_ie(struct slot *s, const struct queue_job *job, const char *why,
		   struct slot_result *ret)
{
	struct job j = bare_job(s, job);
	int r;

	(void)job_fail(&j, -EIO, "worker", "%s", why);
	job_verdict(&j, VERDICT_IE, "This is a failure of the platform, not of the submission: %s.",
		    why);
	r = finish(&j, ret);
	if (r == 0)
		copy_string(ret->v.why, sizeof(ret->v.why), why);
	return r;
}

static void cancelled(struct job *j)
{
	job_verdict(j, VERDICT_CANCELLED, "Cancelled by whoever runs the contest.");
}

int slot_result_cancelled(struct slot *s, const struct queue_job *job, struct slot_result *ret)
{
	struct job j = bare_job(s, job);

	cancelled(&j);
	return finish(&j, ret);
}

int slot_result_superseded(struct slot *s, const struct queue_job *job, struct slot_result *ret)
{
	struct job j = bare_job(s, job);

	job_verdict(
		&j, VERDICT_SUPERSEDED,
		"The archive of this submission was overwritten before it was judged, by a newer "
		"one most likely. It does not count; the newer one does.");
	return finish(&j, ret);
}

int slot_result_ended(struct challenge *bare, const struct queue_end *e, struct slot_result *ret)
{
	struct job j = JOB_NULL;

	j.challenge = bare;
	j.submission = e->id;
	j.began_ns = now_ns();
	if (streq(e->verdict, "CANCELLED"))
		cancelled(&j);
	else if (streq(e->verdict, "SUPERSEDED"))
		job_verdict(&j, VERDICT_SUPERSEDED,
			    "A newer submission took its place before it was begun. It does not "
			    "count; the newer one does.");
	else
		return -EINVAL;
	return finish(&j, ret);
}

int slot_result_fetch(struct slot *s, const struct queue_job *job, enum fetch_outcome outcome,
		      const struct fetched *f, struct slot_result *ret)
{
	struct job j = bare_job(s, job);

	(void)fetch_verdict(&j, outcome, &s->fetch, f);
	return finish(&j, ret);
}
