/* SPDX-License-Identifier: MIT */

/*
 * sandbox-runner slot: see slot.h. Here are its beginning, its loop, and its ear for the
 * supervisor.
 */

#include "fleet/worker/slot.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "challenge/challenge.h"
#include "cli/signals.h"
#include "fleet/compat/devforces-slot.h"
#include "fleet/fleet.h"
#include "fleet/worker/control.h"
#include "fleet/worker/process.h"
#include "pipeline/settings.h"
#include "util/util.h"

/* As long as a claim waits, the supervisor is not heard. */
#define CLAIM_WAIT_MS 1000
#define HELD NSEC_PER_SEC /* the supervisor says when it is over */
#define BACKOFF_MIN (100 * NSEC_PER_MSEC)
#define BACKOFF_MAX (5 * NSEC_PER_SEC)

/* --------------------------------------------------------------- supervisor */

static bool is_at_hand(const struct slot *s, const struct control_packet *p)
{
	return s->job && p->fence == s->job->fence && streq(p->id, s->job->submission.id);
}

static void stop(struct slot *s, enum slot_stop why)
{
	s->stop = MAX_OF(s->stop, why);
}

static void hear(struct slot *s, const struct control_packet *p)
{
	switch (p->kind) {
	case CONTROL_DRAIN:
		s->leave = true;
		break;
	case CONTROL_STOP:
		s->leave = true;
		stop(s, SLOT_RELEASE);
		break;
	case CONTROL_HOLD:
		s->held = !p->ok;
		break;
	case CONTROL_FENCED:
		if (is_at_hand(s, p))
			stop(s, SLOT_FENCED);
		break;
	case CONTROL_CANCELLED:
		if (is_at_hand(s, p))
			stop(s, SLOT_CANCELLED);
		break;
	default:
		break;
	}
}

void slot_listen(struct slot *s)
{
	struct control_packet p;
	int r;

	while ((r = control_receive(CONTROL_FD, &p)) > 0)
		hear(s, &p);
	/* The supervisor has died, and with it the renewal of the lease. */
	if (r < 0) {
		s->leave = s->orphan = true;
		stop(s, SLOT_RELEASE);
	}
}

void slot_wait(struct slot *s, uint64_t ns)
{
	struct pollfd p = { .fd = CONTROL_FD, .events = POLLIN };

	slot_alive(s);
	ns = MIN_OF(ns, CONTROL_BEAT);
	(void)poll(&p, s->orphan ? 0 : 1, (int)(ns / NSEC_PER_MSEC + 1));
	slot_listen(s);
}

void slot_alive(struct slot *s)
{
	if (now_ns() < s->alive_ns)
		return;
	s->alive_ns = deadline_after(CONTROL_BEAT);
	slot_tell(s, CONTROL_ALIVE, "");
}

void slot_tell(struct slot *s, int kind, const char *text)
{
	struct control_packet p = { .kind = (uint32_t)kind, .ok = s->ledger_backoff_ns == 0 };

	if (s->job) {
		p.fence = s->job->fence;
		copy_string(p.id, sizeof(p.id), s->job->submission.id);
	}
	copy_string(p.text, sizeof(p.text), text);
	(void)control_send(CONTROL_FD, &p);
}

void slot_heard_ledger(struct slot *s, int r, const struct sbx_error *err)
{
	bool was_away = s->ledger_backoff_ns > 0;

	if (r >= 0) {
		s->ledger_backoff_ns = 0;
		if (was_away) {
			log_info(&s->log, "the ledger is back");
			slot_tell(s, CONTROL_LEDGER, "");
		}
		return;
	}
	metrics_add(s->metrics, METRIC_LEDGER_ERRORS, 1, NULL, NULL);
	s->ledger_backoff_ns = MIN_OF(MAX_OF(s->ledger_backoff_ns * 2, BACKOFF_MIN), BACKOFF_MAX);
	if (!was_away) {
		log_write(&s->log, r == -EAGAIN ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, NULL, 0,
			  "the ledger: %s%s%s; asked again until it answers", err->item,
			  *err->item ? ": " : "", err->text);
		slot_tell(s, CONTROL_LEDGER, err->text);
	}
	slot_wait(s, s->ledger_backoff_ns);
}

void slot_heard_redis(struct slot *s, int r, const struct sbx_error *err)
{
	if (r >= 0) {
		if (s->redis_away)
			log_info(&s->log, "Redis is back");
		s->redis_away = false;
		return;
	}
	metrics_add(s->metrics, METRIC_REDIS_ERRORS, 1, NULL, NULL);
	if (!s->redis_away)
		log_write(&s->log, r == -EAGAIN ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, NULL, 0,
			  "Redis: %s%s%s; asked again until it answers", err->item,
			  *err->item ? ": " : "", err->text);
	s->redis_away = true;
	slot_wait(s, MAX_OF(queue_backoff_ns(s->queue), BACKOFF_MIN));
}

/* --------------------------------------------------------------------- loop */

/* A job is not claimed while its result could not be kept. */
static bool ledger_answers(struct slot *s)
{
	struct sbx_error err = { 0 };
	int r;

	if (s->ledger_backoff_ns == 0)
		return true;
	r = ledger_check(s->ledger, &err);
	slot_heard_ledger(s, r, &err);
	return r >= 0;
}

static void claim(struct slot *s)
{
	struct sbx_error err = { 0 };
	struct queue_job job;
	int r = queue_claim(s->queue, s->config.name, CLAIM_WAIT_MS, &job, &err);

	slot_heard_redis(s, r, &err);
	if (r <= 0)
		return;
	slot_listen(s);
	/* It was said while we waited for this one: nothing of it is to be run here. */
	if (s->held && job.order == QUEUE_RUN)
		slot_heard_redis(s,
				 queue_release(s->queue, job.submission.id, job.fence, false,
					       "its worker claims nothing", &err),
				 &err);
	else
		slot_run(s, &job);
}

static void serve(struct slot *s)
{
	struct sbx_error err = { 0 };
	int r = ledger_check(s->ledger, &err);

	slot_heard_ledger(s, r, &err);
	slot_tell(s, CONTROL_READY, "");
	while (!s->leave) {
		slot_alive(s);
		slot_listen(s);
		r = s->leave ? -EINTR : slot_judge_ready(s);
		if (r == -EAGAIN)
			slot_wait(s, BACKOFF_MAX);
		else if (r == 0 && s->held)
			slot_wait(s, HELD);
		else if (r == 0 && ledger_answers(s) && !s->leave)
			claim(s);
	}
}

/* -------------------------------------------------------------------- begin */

static int open_fetcher(struct slot *s, struct sbx_error *err)
{
	process_fetch_options(&s->config, &s->fetch);
	return fetcher_new(&s->fetcher, &s->fetch, err);
}

static int find_keeper(struct slot *s, struct sbx_error *err)
{
	struct settings settings = { 0 };
	int r;

	if (s->config.database.provider != DATABASE_SERVER)
		return 0;
	r = settings_find(&settings, s->config.store, err);
	if (r == 0)
		s->keeper_program = steal_ptr(settings.keeper);
	settings_done(&settings);
	return r;
}

static int open_all(struct slot *s, struct sbx_error *err)
{
	const struct fleet_config *c = &s->config;
	struct queue_options q;
	int r;

	process_queue_options(c, &q);
	r = queue_open(&s->queue, &q, err);
	if (r == 0)
		r = ledger_open(&s->ledger, c->ledger.url, c->ledger.schema, err);
	if (r == 0)
		ledger_set_timeout(s->ledger, c->ledger.timeout_ns);
	if (r == 0)
		r = open_fetcher(s, err);
	if (r == 0)
		r = find_keeper(s, err);
	if (r == 0)
		r = devforces_slot_open(c, &s->devforces, err);
	if (r < 0)
		return r;
	s->bare = challenge_bare();
	return s->bare ? 0 : -ENOMEM;
}

static void slot_done(struct slot *s)
{
	slot_judge_stop(s);
	keeper_stop(&s->keeper);
	devforces_slot_free(s->devforces);
	free(s->keeper_program);
	fetcher_free(s->fetcher);
	ledger_free(s->ledger);
	queue_free(s->queue);
	challenge_free(s->bare);
	metrics_close(s->metrics);
	config_done(&s->config);
}

int cmd_slot(int argc, char **argv)
{
	_cleanup_(slot_done) struct slot s = { .judge = { .pidfd = -1, .socket = -1 },
					       .keeper = KEEPER_NULL };
	struct sbx_error err = { 0 };
	int code = process_begin(argc, argv, "slot", &s.config, &s.log, &s.metrics);

	if (code != EXIT_OK)
		return code;
	if (open_all(&s, &err) < 0) {
		log_error(&s.log, "%s%s%s", err.item, *err.item ? ": " : "", err.text);
		slot_tell(&s, CONTROL_FAILED, err.text);
		return EXIT_FAILED;
	}
	serve(&s);
	return EXIT_OK;
}
