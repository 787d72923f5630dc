/* SPDX-License-Identifier: MIT */

/*
 * The table of stages, and what holds on every path: times are taken, a failure of ours becomes IE,
 * Ctrl-C becomes CANCELLED, and all that was acquired is released in reverse.
 */

#include "pipeline/pipeline.h"

#include <sys/sendfile.h>

#include "pipeline/advice.h"
#include "pipeline/server-database.h"
#include "pipeline/units.h"
#include "pipeline/verdict.h"
#include "util/util.h"

#define STOP_TIMEOUT (5 * NSEC_PER_SEC)

static const struct stage stages[] = {
	{ "fetch", stage_fetch },	{ "unpack", stage_unpack }, { "deps", stage_deps },
	{ "generate", stage_generate },
	{ "database", stage_database }, { "build", stage_build },   { "migrate", stage_migrate },
	{ "start", stage_start },	{ "ready", stage_ready },   { "test", stage_test },
};

static struct stage_time *time_begin(struct job *job, const char *name)
{
	struct stage_time *t = &job->times[job->n_times++];

	*t = (struct stage_time){ .name = name, .start_ns = now_ns() - job->began_ns };
	return t;
}

static void time_end(struct job *job, struct stage_time *t)
{
	t->wall_ns = now_ns() - job->began_ns - t->start_ns;
}

/* What is made once for a machine is not the time of this submission: a line of its own, before. */
static void tell_template(struct job *job)
{
	struct stage_time *t = &job->times[job->n_times - 1];

	t[1] = t[0];
	t[0] = (struct stage_time){ .name = "template",
				    .start_ns = t[1].start_ns,
				    .wall_ns = MIN_OF(job->template_ns, t[1].wall_ns) };
	copy_string(t[0].note, sizeof(t[0].note), "for all databases, made once for this machine");
	t[1].start_ns += t[0].wall_ns;
	t[1].wall_ns -= t[0].wall_ns;
	job->template_ns = 0;
	if (job->progress)
		job->progress(job, t[0].name, true);
	job->n_times++;
}

static int run_stage(struct job *job, const struct stage *stage)
{
	struct stage_time *t = time_begin(job, stage->name);
	int r;

	if (job->progress)
		job->progress(job, stage->name, false);
	r = job_cancelled(job) ? -EINTR : stage->run(job);
	time_end(job, t);
	if (job->template_ns)
		tell_template(job);
	if (job->progress)
		job->progress(job, stage->name, true);
	return r;
}

static int run_stages(struct job *job)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(stages) && r == 0; i++) {
		r = run_stage(job, &stages[i]);
		if (job->last_stage && streq(stages[i].name, job->last_stage))
			break;
	}
	return MIN_OF(r, 0);
}

static void fill_error(struct job *job, int code)
{
	struct sbx_error *e = &job->error;

	if (e->code == 0)
		e->code = code;
	if (!*e->text)
		copy_string(e->text, sizeof(e->text), strerror(-code));
}

static int fail(struct job *job, int code)
{
	const struct sbx_error *e = &job->error;

	if (code == -EINTR && job_cancelled(job)) {
		job_verdict(job, VERDICT_CANCELLED, "Interrupted.");
		return 0;
	}
	fill_error(job, code);
	job_verdict(job, VERDICT_IE,
		    "This is a failure of the sandbox, not of the submission. %s%s%s: %s", e->stage,
		    *e->item ? ": " : "", e->item, e->text);
	return code;
}

/* A database that is gone or full is the student's doing, as far as its limits say so. */
static int judge_database(struct job *job)
{
	const struct challenge_limits *l = &job->challenge->limits;
	const struct sbx_result *p = &job->postgres_result;
	struct sbx_stats s = { .size = sizeof(s) };
	char text[UNITS_TEXT];

	if (job->database.server)
		return MIN_OF(server_database_judge(job), 0);
	if (!job->db || sbx_jail_stats(job->db, &s, NULL) < 0)
		return 0;
	if (job->postgres_ended && verdict_of(p, false, VERDICT_NONE) == VERDICT_MLE)
		job_verdict(job, VERDICT_MLE,
			    "The database needed more memory than its limit of %s. Are there many "
			    "connections at once, or huge results?",
			    units_size(text, l->database_memory));
	else if (job->postgres_ended && s.disk_full)
		job_verdict(job, VERDICT_DLE,
			    "The database filled its disk space of %s. Are rows inserted or "
			    "updated without end?",
			    units_size(text, l->database_disk));
	else if (job->postgres_ended && job->verdict != VERDICT_IE)
		return job_fail(job, -EIO, "database", "the database ended while it was in use");
	else if (s.oom_kills > 0)
		job_note(job, "The database met its memory limit of %s.",
			 units_size(text, l->database_memory));
	else if (s.disk_full)
		job_note(job, "The database's disk space of %s is full.",
			 units_size(text, l->database_disk));
	return 0;
}

static void keep_log(struct job *job)
{
	off_t at = 0;
	ssize_t n;

	if (job->keep_log < 0 || job->server_log < 0)
		return;
	do
		n = sendfile(job->keep_log, job->server_log, &at, 1 << 20);
	while (n > 0);
	if (n < 0)
		job_note(job, "The server's log could not be kept: %m.");
}

/* Evidence is taken while the jails still exist; the server is stopped for its own result. */
static void collect(struct job *job)
{
	struct sbx_result result = { .size = sizeof(result) };

	if (!job->app)
		return;
	job->stats = (struct sbx_stats){ .size = sizeof(job->stats) };
	job->has_stats = sbx_jail_stats(job->app, &job->stats, NULL) == 0;
	if (job->server && !job->server_ended) {
		(void)sbx_jail_kill(job->app, NULL);
		if (sbx_proc_wait(job->server, STOP_TIMEOUT, &result, NULL) == 0) {
			job->server_result = result;
			job->unenforced |= result.unenforced;
		}
	}
	keep_log(job);
}

static void unwind(struct job *job)
{
	while (job->n_undo > 0) {
		const struct undo *u = &job->undo[--job->n_undo];

		u->run(u->data);
	}
}

void pipeline_drop(struct job *job)
{
	unwind(job);
	job->prepared = false;
	job->n_testers = 0;
}

static bool has_ended(struct sbx_proc *p)
{
	return p && sbx_proc_dispatch(p, NULL) != 0;
}

bool pipeline_is_fresh(struct job *job)
{
	bool ended = has_ended(job->postgres);

	for (uint32_t i = 0; i < job->n_testers; i++)
		ended |= has_ended(job->testers[i].proc);
	return job->prepared && !ended && (!job->database.server || server_database_is_fresh(job));
}

int pipeline_prepare(struct job *job)
{
	int r = jails_launch(job);

	if (r == 0)
		r = database_launch(job);
	if (r == 0)
		r = testers_launch(job);
	/* Whoever waits now has a submission: it goes on from here. */
	if (r == 0)
		r = database_await(job);
	if (r == -EINTR && job_cancelled(job))
		r = 0;
	if (r < 0)
		pipeline_drop(job);
	job->prepared = r == 0;
	return r;
}

int pipeline_run(struct job *job)
{
	struct stage_time *t;
	int r;

	job->began_ns = now_ns();
	r = run_stages(job);
	t = time_begin(job, "teardown");
	if (r == 0)
		r = judge_database(job);
	collect(job);
	if (r < 0)
		r = fail(job, r);
	if (!job->last_stage)
		verdict_decide(job);
	advise(job);
	unwind(job);
	time_end(job, t);
	job->wall_ns = now_ns() - job->began_ns;
	return r;
}
