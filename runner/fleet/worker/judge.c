/* SPDX-License-Identifier: MIT */

/*
 * sandbox-runner judge: one submission after the other through the pipeline, for a slot
 * (judge-link.h). What is the same for all of them stays open: the library's context, the store,
 * loaded challenges. No submission leaves a trace in here but bounded records that were checked;
 * the slot replaces this process after a number of jobs, and after every failure of ours.
 */

#include <locale.h>
#include <math.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "cli/signals.h"
#include "fleet/fleet.h"
#include "fleet/worker/installation.h"
#include "fleet/worker/judge-challenges.h"
#include "fleet/worker/judge-link.h"
#include "pipeline/plans.h"
#include "pipeline/verdict.h"
#include "report/result.h"
#include "util/util.h"

/*
 * How long it may be idle before it makes jails for what may be another challenge than the next
 * one.
 */
#define SETTLE_MS 20

/* Jails and a database that wait for a submission of this challenge (pipeline_prepare). */
struct ahead {
	struct job
		*job; /* NULL: there are none; where it is, it stays, since its undo points to it */
	char folder[1024];
};

struct judge {
	struct installation installation;
	struct challenges challenges;
	struct plans plans;
	struct challenge *bare; /* for results of what could not be judged */
	struct log log;
	struct ahead ahead;
	bool prepares;     /* while it is idle */
	char folder[1024]; /* of the challenge that came last, or may come first; "": none */
	bool steady;       /* the one before it was the same */
	int keeper;        /* -1: databases are made here */
	uint32_t serial;   /* of the job at hand */
};

static int report(const struct judge *j, struct judge_packet *p, enum judge_kind kind, int fd)
{
	p->kind = kind;
	p->serial = j->serial;
	return judge_send(JUDGE_FD, p, fd);
}

/* ------------------------------------------------------------------ stages */

static void tell_stage(const struct job *job, const char *stage, bool done)
{
	struct judge *j = job->progress_data;
	struct judge_packet p = { .stage = { .done = done } };

	copy_string(p.stage.name, sizeof(p.stage.name), stage);
	if (done && job->n_times > 0) {
		const struct stage_time *t = &job->times[job->n_times - 1];

		p.stage.wall_ns = t->wall_ns;
		copy_string(p.stage.note, sizeof(p.stage.note), t->note);
	}
	log_stage(&j->log, done ? NULL : stage);
	/* Who does not hear it any more has closed the socket, which ends the job anyway. */
	(void)report(j, &p, JUDGE_STAGE, -1);
}

/* ------------------------------------------------------------------ result */

/* What is left out of a result that is too large, the least needed first. */
static bool leave_out(cJSON *root, unsigned int step)
{
	switch (step) {
	case 0:
		cJSON_DeleteItemFromObject(root, "samples");
		return true;
	case 1:
		cJSON_DeleteItemFromObject(root, "notes");
		cJSON_DeleteItemFromObject(root, "log");
		return true;
	case 2:
		cJSON_DeleteItemFromObject(cJSON_GetObjectItem(root, "tests"), "cases");
		return true;
	default:
		return false;
	}
}

/* NULL: out of memory, or nothing can be left out. */
static char *result_text(const struct job *job)
{
	cJSON *root = result_tree(job);
	char *text = root ? cJSON_PrintUnformatted(root) : NULL;

	for (unsigned int step = 0; text && strlen(text) > JUDGE_RESULT_MAX; step++) {
		free(text);
		text = leave_out(root, step) ? cJSON_PrintUnformatted(root) : NULL;
	}
	cJSON_Delete(root);
	return text;
}

static uint64_t thousandths(double points)
{
	return points > 0 ? (uint64_t)llround(points * 1000) : 0;
}

static void fill_verdict(const struct job *job, struct judge_verdict *v)
{
	copy_string(v->verdict, sizeof(v->verdict), verdict_name(job->verdict));
	for (uint32_t i = 0; i < job->n_cases; i++) {
		v->passed += job->cases[i].passed;
		v->skipped += !job->cases[i].passed && job->cases[i].skipped;
	}
	v->failed = job->n_cases - v->passed - v->skipped;
	v->total = job->challenge->n_cases;
	v->points = thousandths(job->score);
	v->max_points = thousandths(job->max_score);
	v->wall_ns = job->wall_ns;
	if (job->has_stats) {
		v->cpu_ns = job->stats.cpu_ns;
		v->memory_peak = job->stats.memory_peak;
	}
}

static int send_result(struct judge *j, const struct job *job, const char *tests, const char *why)
{
	_cleanup_free_ char *text = result_text(job);
	_cleanup_close_ int fd = memfd_create("result", MFD_CLOEXEC);
	struct judge_packet p = { .verdict = { .json_size = text ? (uint32_t)strlen(text) : 0 } };
	int r;

	if (!text || fd < 0)
		return -ENOMEM;
	r = write_full(fd, text, p.verdict.json_size);
	if (r < 0)
		return r;
	fill_verdict(job, &p.verdict);
	if (job->verdict == VERDICT_IE) {
		p.verdict.error = -job->error.code;
		copy_string(p.verdict.step, sizeof(p.verdict.step), job->error.stage);
	}
	copy_string(p.verdict.reason, sizeof(p.verdict.reason), job->reason);
	copy_string(p.verdict.tests_sha256, sizeof(p.verdict.tests_sha256), tests);
	copy_string(p.verdict.why, sizeof(p.verdict.why), why);
	return report(j, &p, JUDGE_RESULT, fd);
}

/* --------------------------------------------------------------------- job */

static void fail_challenge(struct judge *j, struct job *job, int code)
{
	job->challenge = j->bare;
	if (code == -EINTR) {
		job_verdict(job, VERDICT_CANCELLED, "Interrupted.");
	} else {
		if (job->error.code == 0)
			(void)job_fail(job, code, "challenge", "%s",
				       code == -EINVAL ? "it cannot be used" : strerror(-code));
		job_verdict(job, VERDICT_IE,
			    "This is a failure of the platform, not of the submission: the "
			    "challenge cannot be used at the moment.");
	}
	verdict_decide(job);
}

/* What went wrong of ours, for the operator alone. */
static void tell_why(const struct job *job, const char *of_challenge, char ret[512])
{
	const struct sbx_error *e = &job->error;

	*ret = '\0';
	if (job->verdict == VERDICT_IE && *of_challenge)
		copy_string(ret, 512, of_challenge);
	else if (job->verdict == VERDICT_IE)
		(void)snprintf(ret, 512, "%s%s%s: %s", e->stage, *e->item ? ": " : "", e->item,
			       e->text);
}

static struct job new_job(struct judge *j)
{
	struct job job = JOB_NULL;

	job.settings = &j->installation.settings;
	job.ctx = j->installation.ctx;
	job.store = j->installation.store;
	job.plans = &j->plans;
	job.submission = "";
	job.cancel_fd = JUDGE_FD;
	job.keeper_fd = j->keeper;
	job.challenge = j->bare;
	job.began_ns = now_ns();
	return job;
}

static void take_challenge(struct job *job, const struct kept_challenge *kept)
{
	job->challenge = kept->challenge;
	job->reveal = kept->challenge->reveal;
}

static void free_job(struct job *job)
{
	if (!job)
		return;
	pipeline_drop(job);
	job->archive_fd = close_fd(job->archive_fd);
	job_done(job);
	free(job);
}

static void drop_ahead(struct judge *j)
{
	free_job(j->ahead.job);
	j->ahead = (struct ahead){ .job = NULL };
}

/*
 * Nobody waits: what a submission of the same challenge will need. That it cannot be had is told
 * then.
 */
static void prepare(struct judge *j)
{
	const struct kept_challenge *kept = NULL;
	char why[CHALLENGE_ERROR_SIZE];
	struct job *job = malloc(sizeof(*job));

	if (!job)
		return;
	*job = new_job(j);
	copy_string(j->ahead.folder, sizeof(j->ahead.folder), j->folder);
	if (challenges_get(&j->challenges, job, j->folder, &kept, why) == 0) {
		take_challenge(job, kept);
		if (pipeline_prepare(job) == 0) {
			j->ahead.job = job;
			return;
		}
		log_debug(&j->log, "nothing is prepared: %s: %s", job->error.stage,
			  job->error.text);
	}
	free_job(job);
	j->folder[0] = '\0';
}

/*
 * What was prepared if it still is what this submission needs; else a new one. NULL: out of memory.
 */
static struct job *job_for(struct judge *j, const char *folder)
{
	struct job *job = j->ahead.job;

	if (job && streq(j->ahead.folder, folder) && pipeline_is_fresh(job) &&
	    challenges_is_current(&j->challenges, folder)) {
		j->ahead.job = NULL;
		return job;
	}
	drop_ahead(j);
	job = malloc(sizeof(*job));
	if (job)
		*job = new_job(j);
	return job;
}

static int run_job(struct judge *j, struct job *job, const struct judge_order *o)
{
	const struct kept_challenge *kept = NULL;
	char challenge_why[CHALLENGE_ERROR_SIZE], why[512];
	int r;

	job->submission = o->id;
	job->progress = tell_stage;
	job->progress_data = j;
	r = challenges_get(&j->challenges, job, o->challenge, &kept, challenge_why);
	if (r < 0) {
		fail_challenge(j, job, r);
	} else {
		take_challenge(job, kept);
		(void)pipeline_run(job);
	}
	tell_why(job, challenge_why, why);
	return send_result(j, job, kept ? kept->tests : "", why);
}

static int judge_one(struct judge *j, const struct judge_order *o, int archive)
{
	struct job *job = job_for(j, o->challenge);
	int r;

	if (!job) {
		close_fd(archive);
		return -ENOMEM;
	}
	log_job_begin(&j->log, o->id, o->student, o->traceparent);
	job->archive_fd = archive;
	r = run_job(j, job, o);
	free_job(job);
	log_job_end(&j->log);
	j->steady = streq(j->folder, o->challenge);
	copy_string(j->folder, sizeof(j->folder), o->challenge);
	return r;
}

/* ----------------------------------------------------------------- process */

static int fail_setup(struct judge *j, const struct sbx_error *err)
{
	struct judge_packet p = { .kind = JUDGE_FAILED };

	(void)snprintf(p.why, sizeof(p.why), "%s%s%s: %s", err->stage, *err->item ? ": " : "",
		       err->item, err->text);
	(void)report(j, &p, JUDGE_FAILED, -1);
	return EXIT_INFRASTRUCTURE;
}

static int set_up(struct judge *j, const struct judge_setup *s)
{
	struct installation_options o = { .store = s->store,
					  .policies = s->policies,
					  .store_size = s->store_size,
					  .allow_unenforced = s->allow_unenforced,
					  .log = &j->log };
	struct judge_packet ready = { .kind = JUDGE_READY };
	struct sbx_error err = { 0 };

	log_init(&j->log, STDOUT_FILENO, (enum log_format)s->log_format,
		 (enum log_level)s->log_level, s->worker);
	copy_string(j->log.slot, sizeof(j->log.slot), s->slot);
	copy_string(j->folder, sizeof(j->folder), s->challenge);
	j->prepares = s->ahead;
	j->bare = challenge_bare();
	if (!j->bare)
		return EXIT_INFRASTRUCTURE;
	if (installation_open(&j->installation, &o, &err) < 0)
		return fail_setup(j, &err);
	return report(j, &ready, JUDGE_READY, -1) < 0 ? EXIT_INFRASTRUCTURE : EXIT_OK;
}

/* 1 and *ret; 0 the slot is gone; <0. */
static int next_packet(struct judge_packet *ret, int *ret_fd)
{
	struct pollfd p = { .fd = JUDGE_FD, .events = POLLIN };
	int r;

	do {
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return -errno;
		r = judge_receive(JUDGE_FD, ret, ret_fd);
	} while (r == 0);
	return r == -EPIPE ? 0 : r;
}

/* Is there time to prepare something, and something to prepare? */
static bool is_idle(const struct judge *j)
{
	struct pollfd p = { .fd = JUDGE_FD, .events = POLLIN };

	return j->prepares && !j->ahead.job && *j->folder &&
	       poll(&p, 1, j->steady ? 0 : SETTLE_MS) == 0;
}

static int serve(struct judge *j)
{
	struct judge_packet p;
	int fd, r;

	for (;;) {
		if (is_idle(j))
			prepare(j);
		r = next_packet(&p, &fd);
		if (r <= 0)
			return r == 0 ? EXIT_OK : EXIT_INFRASTRUCTURE;
		if (p.kind == JUDGE_RUN && fd >= 0) {
			j->serial = p.serial;
			r = judge_one(j, &p.order, steal_fd(&fd));
		} else {
			close_fd(fd);
			r = p.kind == JUDGE_CANCEL ? 0 : -EPROTO;
		}
		if (r < 0)
			return r == -EPIPE ? EXIT_OK : EXIT_INFRASTRUCTURE;
	}
}

/* What descriptor 3 is when a slot has started us. */
static bool has_slot(void)
{
	int type = 0;
	socklen_t size = sizeof(type);

	return getsockopt(JUDGE_FD, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       type == SOCK_SEQPACKET && fcntl(JUDGE_FD, F_SETFD, FD_CLOEXEC) == 0;
}

int cmd_judge(int argc, char **argv)
{
	struct judge j = { .keeper = -1 };
	struct judge_packet p = { .kind = 0 };
	int code, signals = -1;

	(void)argc;
	(void)argv;
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)prctl(PR_SET_NAME, "runner-judge");
	if (has_slot()) {
		signals = signals_open();
		(void)next_packet(&p, &j.keeper);
	}
	if (p.kind != JUDGE_SETUP) {
		fputs("sandbox-runner judge: this is a part of sandbox-runner run\n", stderr);
		return EXIT_USAGE;
	}
	code = set_up(&j, &p.setup);
	if (code == EXIT_OK)
		code = serve(&j);
	drop_ahead(&j);
	challenges_done(&j.challenges);
	plans_done(&j.plans);
	challenge_free(j.bare);
	installation_done(&j.installation);
	close_fd(j.keeper);
	close_fd(signals);
	return code;
}
