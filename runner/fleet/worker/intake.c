/* SPDX-License-Identifier: MIT */

/*
 * sandbox-runner intake: moves what producers push into lists of Redis into the queue, publishes
 * again what nobody had received, and writes into the ledger what ended without a judge. A process
 * of its own, since this may wait for a database; what need not wait is done in between.
 */

#include <poll.h>

#include "challenge/challenge.h"
#include "fleet/compat/devforces.h"
#include "fleet/fleet.h"
#include "fleet/worker/control.h"
#include "fleet/worker/process.h"
#include "fleet/worker/schemas.h"
#include "fleet/worker/slot.h"
#include "util/util.h"

#define TICK (100 * NSEC_PER_MSEC)
#define IDLE_TICK (500 * NSEC_PER_MSEC)
#define BATCH 16
#define BLIND NSEC_PER_SEC
#define BLIND_SHARE 10 /* a ledger that is away is waited for one part in so many of the time */

struct intake {
	struct fleet_config config;
	struct log log;
	struct metrics *metrics;
	struct queue *queue;
	struct pg *devforces;    /* its database; NULL: compat is off */
	bool leave, away, blind; /* away: Redis; blind: DevForces' database */
	uint64_t look_ns;        /* when that is asked again */
	struct ledger *ledger;
	struct challenge *bare;
	bool unrecorded;    /* the ledger did not answer */
	uint64_t record_ns; /* when that is asked again */
	struct schemas schemas;
};

/* Where no producer pushes into a list, nothing is in a hurry. */
static uint64_t tick(const struct intake *in)
{
	return in->config.queue.intake[0] || in->devforces ? TICK : IDLE_TICK;
}

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

/* ------------------------------------------------------------------ ended */

static void recorded(struct intake *in, int r, uint64_t took_ns, const struct sbx_error *err)
{
	bool away = r < 0;

	if (away)
		metrics_add(in->metrics, METRIC_LEDGER_ERRORS, 1, NULL, NULL);
	if (away && !in->unrecorded)
		log_warning(&in->log,
			    "intake: the ledger: %s%s%s; what ended without a judge waits until it "
			    "answers",
			    err->item, *err->item ? ": " : "", err->text);
	if (!away && in->unrecorded)
		log_info(&in->log, "intake: the ledger is back");
	in->unrecorded = away;
	in->record_ns = away ? deadline_after(MAX_OF(BLIND, took_ns * BLIND_SHARE)) : 0;
}

static int insert(struct intake *in, const struct queue_end *e, struct sbx_error *err)
{
	struct ledger_result row = { .judge_rev = e->judge_rev, .submitted_ms = e->submitted_ms };
	struct slot_result result = { .json = NULL };
	int r = slot_result_ended(in->bare, e, &result);

	if (r < 0) {
		copy_string(err->text, sizeof(err->text),
			    r == -EINVAL ? "nothing ends like that" : "out of memory");
		return r;
	}
	row.json = result.json;
	copy_string(row.id, sizeof(row.id), e->id);
	copy_string(row.student, sizeof(row.student), e->student);
	copy_string(row.contest, sizeof(row.contest), e->contest);
	copy_string(row.challenge, sizeof(row.challenge), e->challenge);
	copy_string(row.verdict, sizeof(row.verdict), e->verdict);
	copy_string(row.worker, sizeof(row.worker), in->config.name);
	r = ledger_insert(in->ledger, &row, NULL, err);
	slot_result_done(&result);
	return r;
}

/*
 * What the ledger has stands; what it will never take, or has in a shape that cannot be read, is
 * left to an operator. 0; -EAGAIN the ledger is away; -EPIPE Redis is, and *err.
 */
static int record(struct intake *in, const struct queue_end *e, struct sbx_error *err)
{
	struct sbx_error why = { 0 };
	uint64_t began = now_ns();
	int r = insert(in, e, &why);
	bool final = r == -EINVAL || r == -EBADMSG;

	recorded(in, final ? 0 : r, now_ns() - began, &why);
	if (final)
		log_error(&in->log, "%s was %s, which the ledger does not take: %s", e->id,
			  e->verdict, why.text);
	if (r < 0 && !final)
		return -EAGAIN;
	return queue_ended_done(in->queue, e, final ? why.text : NULL, err) < 0 ? -EPIPE : 0;
}

/* Was there as much as is taken at once? <0: Redis is away, and *err. */
static int record_ended(struct intake *in, struct sbx_error *err)
{
	static struct queue_end ended[BATCH];
	int n, r = 0;

	if (in->unrecorded && now_ns() < in->record_ns)
		return 0;
	n = queue_ended(in->queue, ended, BATCH, err);
	for (int i = 0; i < n && r == 0; i++)
		r = record(in, &ended[i], err);
	if (n < 0 || r == -EPIPE)
		return MIN_OF(n, r);
	return r == 0 && n == BATCH;
}

/* -------------------------------------------------------------------- turn */

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
	if (r >= 0)
		r = record_ended(in, &err);
	more |= r > 0;
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
	if (r == 0)
		r = ledger_open(&in->ledger, in->config.ledger.url, in->config.ledger.schema, err);
	if (r < 0)
		return r;
	ledger_set_timeout(in->ledger, in->config.ledger.timeout_ns);
	in->bare = challenge_bare();
	return in->bare ? 0 : -ENOMEM;
}

static void intake_done(struct intake *in)
{
	queue_free(in->queue);
	pg_free(in->devforces);
	schemas_done(&in->schemas);
	ledger_free(in->ledger);
	challenge_free(in->bare);
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

		schemas_count(&in.schemas, &in.config, in.metrics, &in.log);
		listen_and_wait(&in, in.away ? MAX_OF(queue_backoff_ns(in.queue), TICK)
				     : more  ? 0
					     : tick(&in));
	}
	return EXIT_OK;
}
