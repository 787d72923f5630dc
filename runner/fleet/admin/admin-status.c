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
	admin_put(root, "unrecorded", s->unrecorded);
	admin_put(root, "intake", s->intake);
	admin_put(root, "workers", s->workers);
	admin_put(root, "slots", s->slots);
	admin_put(root, "busy", s->busy);
	admin_put(root, "p50_ms", s->p50_ms);
	return root;
}

#define MARKS_MAX 1000

/* "paused contests: a, b"; nothing where there are none. "*" is said elsewhere. */
static void print_marks(const char *head, const struct queue_mark *marks, int n)
{
	const char *sign = head;

	for (int i = 0; i < n; i++) {
		if (streq(marks[i].id, "*"))
			continue;
		fputs(sign, stdout);
		fputs(marks[i].id, stdout);
		sign = ", ";
	}
	if (sign != head)
		putchar('\n');
}

static void add_marks(cJSON *root, const char *key, const struct queue_mark *marks, int n)
{
	cJSON *list = cJSON_AddArrayToObject(root, key);

	for (int i = 0; i < n; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(marks[i].id));
}

struct marks {
	struct queue_mark paused[MARKS_MAX], drained[MARKS_MAX];
	int n_paused, n_drained;
};

static int read_marks(struct admin *a, struct queue *q, struct marks *m)
{
	m->n_paused = queue_paused(q, m->paused, MARKS_MAX, &a->err);
	m->n_drained = m->n_paused < 0 ? 0 : queue_drained(q, m->drained, MARKS_MAX, &a->err);
	return MIN_OF(m->n_paused, m->n_drained);
}

static int status_as_json(const struct queue_status *s, const struct marks *m)
{
	cJSON *root = admin_status_json(s);

	add_marks(root, "paused_contests", m->paused, m->n_paused);
	add_marks(root, "asked_to_drain", m->drained, m->n_drained);
	return admin_print_json(root);
}

int admin_status(struct admin *a, int argc, char **argv)
{
	_cleanup_free_ struct marks *m = calloc(1, sizeof(*m));
	struct queue *q = admin_queue(a);
	struct queue_status s = { 0 };
	char oldest[32], p50[32];

	if (!q || !m)
		return EXIT_INFRASTRUCTURE;
	if (queue_status(q, &s, &a->err) < 0 || read_marks(a, q, m) < 0)
		return admin_failed(a);
	if (admin_opt.json)
		return status_as_json(&s, m);
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
	if (s.unrecorded)
		printf("ledger    %" PRIu64 " ended before they were begun, not yet recorded\n",
		       s.unrecorded);
	if (s.intake)
		printf("intake    %" PRIu64 " payloads taken from a list, not yet queued\n",
		       s.intake);
	if (s.paused)
		printf("paused: nothing is handed out until sandbox-runner admin resume\n");
	print_marks("paused    contests ", m->paused, m->n_paused);
	print_marks("asked to drain: ", m->drained, m->n_drained);
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
	cJSON_AddStringToObject(o, "held", w->held);
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
	for (int i = 0; i < n; i++) {
		printf("%-24s %2u of %2u slots busy, since %s, heard of %s ago%s, on %s, version "
		       "%s\n",
		       w[i].id, w[i].busy, w[i].slots, admin_time(w[i].started_ms, started),
		       admin_duration(w[i].beat_ms + 1, beat), w[i].draining ? ", draining" : "",
		       w[i].host, w[i].version);
		if (*w[i].held)
			admin_put_line(stdout, "    claims nothing: ", w[i].held);
	}
	return EXIT_OK;
}

/* EXIT_OK, or what to say of a name that nobody has. */
static int check_worker(struct admin *a, struct queue *q, const char *worker)
{
	_cleanup_free_ struct queue_worker *w = calloc(WORKERS_MAX, sizeof(*w));
	int n = w ? queue_workers(q, w, WORKERS_MAX, &a->err) : -ENOMEM;

	if (n < 0)
		return admin_failed(a);
	for (int i = 0; i < n; i++) {
		if (streq(w[i].id, worker))
			return EXIT_OK;
	}
	return admin_complain(a, EXIT_FAILED,
			      "no worker %s was heard of within an hour: see sandbox-runner admin "
			      "workers",
			      worker);
}

static int drain(struct admin *a, const char *worker, bool on)
{
	struct queue *q = admin_queue(a);
	int r;

	if (!q)
		return EXIT_INFRASTRUCTURE;
	r = on && !streq(worker, "*") ? check_worker(a, q, worker) : EXIT_OK;
	if (r != EXIT_OK)
		return r;
	r = queue_drain(q, worker, on, &a->err);
	if (r == -EINVAL)
		return admin_complain(a, EXIT_USAGE, "%s", a->err.text);
	if (r < 0)
		return admin_failed(a);
	printf(on ? "asked to drain: it hears it within 5 s, finishes what it has, and takes no "
		    "more until undrain\n"
		  : "no longer asked to drain: it hears it within 5 s\n");
	return EXIT_OK;
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
	if (r < 0)
		return admin_failed(a);
	printf("%s%s %s\n", contest ? "submissions of contest " : "all submissions",
	       contest ? contest : "",
	       on ? "wait until resume; what runs goes on" : "are handed out again");
	return EXIT_OK;
}

int admin_pause(struct admin *a, int argc, char **argv)
{
	return set_pause(a, argv[0], true);
}

int admin_resume(struct admin *a, int argc, char **argv)
{
	return set_pause(a, argv[0], false);
}
