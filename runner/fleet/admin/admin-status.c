/* SPDX-License-Identifier: MIT */

/* admin status, workers, drain, undrain, pause, resume. */

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

#include "fleet/admin/admin-json.h"
#include "fleet/admin/admin.h"
#include "util/util.h"

#define WORKERS_MAX 1000

static const char *const priorities[QUEUE_PRIORITIES] = { "admin", "contest", "practice",
							  "rejudge" };

cJSON *admin_status_json(const struct queue_status *s)
{
	cJSON *root = cJSON_CreateObject(), *waiting;

	cJSON_AddBoolToObject(root, "paused", s->paused);
	admin_put(root, "depth", s->depth);
	waiting = cJSON_AddObjectToObject(root, "waiting");
	for (size_t i = 0; i < QUEUE_PRIORITIES; i++)
		admin_put(waiting, priorities[i], s->waiting[i]);
	admin_put(root, "delayed", s->delayed);
	admin_put(root, "held", s->held);
	admin_put(root, "oldest_ms", s->oldest_ms);
	admin_put(root, "ready_students", s->ready_students);
	admin_put(root, "running", s->running);
	admin_put(root, "rejudging", s->rejudging);
	admin_put(root, "dead", s->dead);
	admin_put(root, "unheard", s->unheard);
	admin_put(root, "intake", s->intake);
	admin_put(root, "workers", s->workers);
	admin_put(root, "slots", s->slots);
	admin_put(root, "busy", s->busy);
	admin_put(root, "p50_ms", s->p50_ms);
	return root;
}

int admin_status(struct admin *a, int argc, char **argv)
{
	struct queue *q = admin_queue(a);
	struct queue_status s = { 0 };
	char oldest[32], p50[32];

	if (!q)
		return EXIT_INFRASTRUCTURE;
	if (queue_status(q, &s, &a->err) < 0)
		return admin_failed(a);
	if (admin_opt.json)
		return admin_print_json(admin_status_json(&s));
	printf("waiting   %" PRIu64 " (admin %" PRIu64 ", contest %" PRIu64 ", practice %" PRIu64
	       ", rejudge %" PRIu64 "), the oldest for %s\n",
	       s.depth, s.waiting[QUEUE_ADMIN], s.waiting[QUEUE_CONTEST], s.waiting[QUEUE_PRACTICE],
	       s.waiting[QUEUE_REJUDGE], admin_duration(s.oldest_ms, oldest));
	if (s.delayed || s.held)
		printf("          %" PRIu64 " more before their next attempt, %" PRIu64
		       " of paused contests\n",
		       s.delayed, s.held);
	printf("students  %" PRIu64 " with something that may run\n"
	       "running   %" PRIu64 " (%" PRIu64 " rejudged)\n"
	       "workers   %" PRIu64 " with %" PRIu64 " slots, %" PRIu64 " busy; a job takes %s\n",
	       s.ready_students, s.running, s.rejudging, s.workers, s.slots, s.busy,
	       admin_duration(s.p50_ms, p50));
	if (s.dead)
		printf("dead      %" PRIu64 " letters: sandbox-runner admin dead ls\n", s.dead);
	if (s.unheard)
		printf("unheard   %" PRIu64 " results that nobody has received yet\n", s.unheard);
	if (s.intake)
		printf("intake    %" PRIu64 " payloads taken from a list, not yet queued\n",
		       s.intake);
	if (s.paused)
		printf("paused: nothing is handed out until sandbox-runner admin resume\n");
	return EXIT_OK;
}

static cJSON *worker_json(const struct queue_worker *w)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", w->id);
	cJSON_AddStringToObject(o, "host", w->host);
	cJSON_AddStringToObject(o, "version", w->version);
	admin_put(o, "slots", w->slots);
	admin_put(o, "busy", w->busy);
	cJSON_AddBoolToObject(o, "draining", w->draining);
	admin_put(o, "started_ms", w->started_ms);
	admin_put(o, "beat_ms", w->beat_ms);
	return o;
}

cJSON *admin_workers_json(const struct queue_worker *w, size_t n)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(list, worker_json(&w[i]));
	return list;
}

int admin_workers(struct admin *a, int argc, char **argv)
{
	_cleanup_free_ struct queue_worker *w = calloc(WORKERS_MAX, sizeof(*w));
	struct queue *q = admin_queue(a);
	char beat[32], started[32];
	int n;

	if (!q || !w)
		return EXIT_INFRASTRUCTURE;
	n = queue_workers(q, w, WORKERS_MAX, &a->err);
	if (n < 0)
		return admin_failed(a);
	if (admin_opt.json)
		return admin_print_json(admin_workers_json(w, (size_t)n));
	if (n == 0)
		printf("no worker was heard of within an hour\n");
	for (int i = 0; i < n; i++)
		printf("%-24s %2u of %2u slots busy, since %s, heard of %s ago%s, on %s, version "
		       "%s\n",
		       w[i].id, w[i].busy, w[i].slots, admin_time(w[i].started_ms, started),
		       admin_duration(w[i].beat_ms + 1, beat), w[i].draining ? ", draining" : "",
		       w[i].host, w[i].version);
	return EXIT_OK;
}

static int drain(struct admin *a, const char *worker, bool on)
{
	struct queue *q = admin_queue(a);
	int r;

	if (!q)
		return EXIT_INFRASTRUCTURE;
	r = queue_drain(q, worker, on, &a->err);
	if (r == -EINVAL)
		return admin_complain(a, EXIT_USAGE, "%s", a->err.text);
	return r < 0 ? admin_failed(a) : EXIT_OK;
}

int admin_drain(struct admin *a, int argc, char **argv)
{
	return drain(a, argv[0], true);
}

int admin_undrain(struct admin *a, int argc, char **argv)
{
	return drain(a, argv[0], false);
}

static int set_pause(struct admin *a, const char *contest, bool on)
{
	struct queue *q = admin_queue(a);
	int r;

	if (!q)
		return EXIT_INFRASTRUCTURE;
	r = queue_pause(q, contest ? contest : "*", on, &a->err);
	if (r == -EINVAL)
		return admin_complain(a, EXIT_USAGE, "%s", a->err.text);
	return r < 0 ? admin_failed(a) : EXIT_OK;
}

int admin_pause(struct admin *a, int argc, char **argv)
{
	return set_pause(a, argv[0], true);
}

int admin_resume(struct admin *a, int argc, char **argv)
{
	return set_pause(a, argv[0], false);
}
