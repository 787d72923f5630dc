/* SPDX-License-Identifier: MIT */

/*
 * sandbox-runner intake: moves what producers push into lists of Redis into the queue, and
 * publishes again what nobody had received. A process of its own, since looking up what a payload
 * does not say may wait for another database.
 */

#include <poll.h>

#include "fleet/compat/devforces.h"
#include "fleet/fleet.h"
#include "fleet/worker/control.h"
#include "fleet/worker/process.h"
#include "util/util.h"

#define TICK (100 * NSEC_PER_MSEC)
#define BATCH 16
#define BLIND NSEC_PER_SEC

struct intake {
	struct fleet_config config;
	struct log log;
	struct metrics *metrics;
	struct queue *queue;
	struct pg *devforces;    /* its database; NULL: compat is off */
	bool leave, away, blind; /* away: Redis; blind: DevForces' database */
	uint64_t look_ns;        /* when that is asked again */
};

static void listen_and_wait(struct intake *in, uint64_t ns)
{
	struct pollfd p = { .fd = CONTROL_FD, .events = POLLIN };
	struct control_packet packet;
	int r;

	(void)poll(&p, 1, (int)(ns / NSEC_PER_MSEC));
	while ((r = control_receive(CONTROL_FD, &packet)) > 0)
		in->leave |= packet.kind == CONTROL_DRAIN || packet.kind == CONTROL_STOP;
	in->leave |= r < 0;
}

static void heard(struct intake *in, int r, const struct sbx_error *err)
{
	if (r < 0 && !in->away)
		log_warning(&in->log, "intake: %s%s%s; asked again until it answers", err->item,
			    *err->item ? ": " : "", err->text);
	if (r >= 0 && in->away)
		log_info(&in->log, "intake: goes on");
	in->away = r < 0;
}

static void saw(struct intake *in, bool well, const struct sbx_error *err)
{
	if (!well && !in->blind)
		log_warning(&in->log,
			    "intake: DevForces' database: %s%s%s; payloads wait until it answers",
			    err->item, *err->item ? ": " : "", err->text);
	if (well && in->blind)
		log_info(&in->log, "intake: DevForces' database is back");
	in->blind = !well;
	in->look_ns = deadline_after(BLIND);
}

/* What DevForces' payload does not say is in its database. */
static int complete(struct queue_submission *s, char why[200], void *data)
{
	struct intake *in = data;
	struct sbx_error err = { 0 };
	int r;

	if (!in->devforces || !*s->channel)
		return 0;
	/* Each question may take as long as a statement: results are to be published meanwhile. */
	if (in->blind && now_ns() < in->look_ns)
		return -EAGAIN;
	r = devforces_complete(in->devforces, s, &err);
	/* A table that is not there, a right that was taken: no fault of the payload. */
	saw(in, r == 0 || r == -EINVAL || r == -ENOENT, &err);
	if (r == 0 || in->blind)
		return r == 0 ? 0 : -EAGAIN;
	(void)snprintf(why, 200, "%.190s", err.text);
	return -EINVAL;
}

/* Was there as much as is taken at once? */
static bool take(struct intake *in)
{
	struct sbx_error err = { 0 };
	bool more = false;
	int r = 0;

	for (char **list = in->config.queue.intake; *list && r >= 0; list++) {
		r = queue_intake(in->queue, *list, complete, in, &err);
		more |= r >= BATCH;
	}
	if (r >= 0)
		r = queue_republish(in->queue, &err);
	heard(in, r, &err);
	return more && r >= 0;
}

static int open_all(struct intake *in, struct sbx_error *err)
{
	struct queue_options q;
	int r;

	process_queue_options(&in->config, &q);
	r = queue_open(&in->queue, &q, err);
	if (r == 0 && in->config.compat.devforces != DEVFORCES_OFF)
		r = pg_open(&in->devforces, in->config.compat.database_url, "sandbox-runner", err);
	return r;
}

static void intake_done(struct intake *in)
{
	queue_free(in->queue);
	pg_free(in->devforces);
	metrics_close(in->metrics);
	config_done(&in->config);
}

int cmd_intake(int argc, char **argv)
{
	_cleanup_(intake_done) struct intake in = { .leave = false };
	struct control_packet ready = { .kind = CONTROL_READY, .ok = 1 };
	struct sbx_error err = { 0 };
	int code = process_begin(argc, argv, "intake", &in.config, &in.log, &in.metrics);

	if (code != EXIT_OK)
		return code;
	if (open_all(&in, &err) < 0) {
		log_error(&in.log, "%s: %s", err.item, err.text);
		return EXIT_FAILED;
	}
	(void)control_send(CONTROL_FD, &ready);
	while (!in.leave) {
		bool more = take(&in);

		listen_and_wait(&in, in.away ? MAX_OF(queue_backoff_ns(in.queue), TICK)
				     : more  ? 0
					     : TICK);
	}
	return EXIT_OK;
}
