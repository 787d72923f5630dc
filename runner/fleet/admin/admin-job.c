/* SPDX-License-Identifier: MIT */

/* admin job, cancel, retry, rejudge: single submissions, and sets of them. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fleet/admin/admin-job.h"
#include "fleet/admin/admin-json.h"
#include "fleet/admin/admin.h"
#include "fleet/fetch/fetch.h"
#include "util/util.h"

#define LINES_MAX 500

cJSON *admin_line_json(const struct queue_line *l)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "entry", l->entry);
	cJSON_AddStringToObject(o, "kind", l->kind);
	cJSON_AddStringToObject(o, "text", l->text);
	return o;
}

cJSON *admin_job_json(const struct queue_view *v)
{
	const struct queue_submission *s = &v->job.submission;
	char url[FETCH_DISPLAY_MAX];
	cJSON *o = cJSON_CreateObject();

	/* A presigned URL is a password. */
	fetch_url_display(s->url, url);
	cJSON_AddStringToObject(o, "id", s->id);
	cJSON_AddStringToObject(o, "state", v->state);
	cJSON_AddStringToObject(o, "student", s->student);
	cJSON_AddStringToObject(o, "contest", s->contest);
	cJSON_AddStringToObject(o, "challenge", s->challenge);
	cJSON_AddStringToObject(o, "url", url);
	cJSON_AddStringToObject(o, "sha256", s->sha256);
	cJSON_AddStringToObject(o, "worker", v->worker);
	cJSON_AddStringToObject(o, "verdict", v->verdict);
	cJSON_AddStringToObject(o, "reason", v->job.reason);
	admin_put(o, "judge_rev", v->job.judge_rev);
	admin_put(o, "attempt", v->job.attempt);
	admin_put(o, "passed", v->passed);
	admin_put(o, "total", v->total);
	cJSON_AddNumberToObject(o, "points", (double)v->points / 1000);
	cJSON_AddNumberToObject(o, "max_points", (double)v->max_points / 1000);
	admin_put(o, "submitted_ms", s->submitted_ms);
	admin_put(o, "enqueued_ms", v->enqueued_ms);
	admin_put(o, "claimed_ms", v->claimed_ms);
	admin_put(o, "done_ms", v->done_ms);
	admin_put(o, "receivers", v->receivers);
	return o;
}

static int print_job_json(const struct queue_view *v, const struct queue_line *lines, int n)
{
	cJSON *o = admin_job_json(v), *log = cJSON_AddArrayToObject(o, "log");

	for (int i = 0; i < n; i++)
		cJSON_AddItemToArray(log, admin_line_json(&lines[i]));
	if (v->result)
		cJSON_AddItemToObject(o, "result", cJSON_Parse(v->result));
	return admin_print_json(o);
}

/* {"stage":"deps","done":true,"ms":12.5,"note":"npm ci"}; whoever wrote it, it is only shown. */
static void put_stage(FILE *to, const char *head, const char *json, bool begun)
{
	cJSON *o = cJSON_Parse(json);
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "stage"));
	const char *note = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "note"));
	const cJSON *ms = cJSON_GetObjectItemCaseSensitive(o, "ms");
	char line[256];

	*line = '\0';
	if (name && cJSON_IsNumber(ms))
		(void)snprintf(line, sizeof(line), "%-10.40s %8.1f ms  %.150s", name,
			       ms->valuedouble, note ? note : "");
	else if (name && begun)
		(void)snprintf(line, sizeof(line), "%-10.40s has begun", name);
	if (*line)
		admin_put_line(to, head, line);
	cJSON_Delete(o);
}

void admin_put_log(FILE *to, const char *head, const struct queue_line *l, bool last)
{
	if (streq(l->kind, "stage"))
		put_stage(to, head, l->text, last);
	else
		admin_put_text(to, head, l->text);
}

static void print_job(FILE *to, const struct queue_view *v, const struct queue_line *lines, int n)
{
	const struct queue_submission *s = &v->job.submission;
	char url[FETCH_DISPLAY_MAX], time[32];

	fetch_url_display(s->url, url);
	fprintf(to, "%s: %s%s%s\n", s->id, v->state, *v->verdict ? ", " : "", v->verdict);
	fprintf(to, "  student %s, challenge %s%s%s\n", s->student, s->challenge,
		*s->contest ? ", contest " : "", s->contest);
	fprintf(to, "  archive %s\n", url);
	fprintf(to, "  submitted %s, judged %u times, attempt %u\n",
		admin_time(s->submitted_ms, time), v->job.judge_rev, v->job.attempt);
	if (*v->worker)
		fprintf(to, "  worker %s%s\n", v->worker, v->cancelling ? ", cancelling" : "");
	if (v->total)
		fprintf(to, "  %u of %u tests passed\n", v->passed, v->total);
	if (*v->job.reason)
		admin_put_line(to, "  last failure: ", v->job.reason);
	for (int i = 0; i < n; i++)
		admin_put_log(to, "  | ", &lines[i], i == n - 1);
}

int admin_job_text(struct queue *q, const char *id, FILE *to, struct sbx_error *err)
{
	_cleanup_free_ struct queue_line *lines = calloc(LINES_MAX, sizeof(*lines));
	struct queue_view v = { 0 };
	int r = lines ? queue_job_get(q, id, &v, err) : -ENOMEM, n;

	if (r <= 0)
		return r;
	n = queue_log_read(q, id, "0", 0, lines, LINES_MAX, err);
	if (n >= 0)
		print_job(to, &v, lines, n);
	free(v.result);
	return n < 0 ? n : 1;
}

/* What the queue has forgotten. */
static int job_of_ledger(struct admin *a, const char *id)
{
	struct ledger_result r = { 0 };
	char submitted[32], judged[32];
	int n = 0;

	if (a->config.ledger.url) {
		if (!admin_ledger(a))
			return EXIT_INFRASTRUCTURE;
		n = ledger_latest(a->ledger, id, &r, &a->err);
	}
	if (n < 0)
		return admin_failed(a);
	if (n == 0)
		return admin_complain(
			a, EXIT_FAILED, "there is no submission %s in the queue%s", id,
			a->config.ledger.url ? ", nor in the ledger"
					     : "; the ledger may have it (--ledger-url)");
	if (admin_opt.json) {
		printf("%s\n", r.json);
	} else {
		printf("%s: %s, as the ledger has it (the queue has forgotten it)\n", r.id,
		       r.verdict);
		printf("  student %s, challenge %s%s%s\n", r.student, r.challenge,
		       *r.contest ? ", contest " : "", r.contest);
		printf("  submitted %s, judged %u times, the last time %s by %s\n",
		       admin_time(r.submitted_ms, submitted), r.judge_rev,
		       admin_time(r.judged_ms, judged), r.worker);
		printf("  %u of %u tests passed\n", r.passed, r.total);
	}
	ledger_result_done(&r);
	return EXIT_OK;
}

int admin_job(struct admin *a, int argc, char **argv)
{
	_cleanup_free_ struct queue_line *lines = calloc(LINES_MAX, sizeof(*lines));
	struct queue *q = admin_queue(a);
	struct queue_view v = { 0 };
	int r, n, code = EXIT_OK;

	if (!q || !lines)
		return EXIT_INFRASTRUCTURE;
	r = queue_job_get(q, argv[0], &v, &a->err);
	if (r < 0)
		return admin_failed(a);
	if (r == 0)
		return job_of_ledger(a, argv[0]);
	n = queue_log_read(q, argv[0], "0", 0, lines, LINES_MAX, &a->err);
	if (n < 0)
		code = admin_failed(a);
	else if (admin_opt.json)
		code = print_job_json(&v, lines, n);
	else
		print_job(stdout, &v, lines, n);
	free(v.result);
	return code;
}

int admin_cancel(struct admin *a, int argc, char **argv)
{
	struct queue *q = admin_queue(a);
	int r = q ? queue_cancel(q, argv[0], &a->err) : -EAGAIN;

	if (!q)
		return EXIT_INFRASTRUCTURE;
	if (r < 0)
		return admin_failed(a);
	if (r == QUEUE_NO_SUCH_JOB)
		return admin_complain(a, EXIT_FAILED, "there is no submission %s", argv[0]);
	if (r == QUEUE_TOO_LATE)
		return admin_complain(a, EXIT_FAILED, "%s is done already", argv[0]);
	printf("%s\n", r == QUEUE_CANCELLED
			       ? "cancelled; it was waiting"
			       : "being cancelled; its worker learns it within a lease");
	return EXIT_OK;
}

static int rejudge(struct admin *a, const struct queue_selection *s)
{
	struct queue *q = admin_queue(a);
	struct queue_rejudged n = { 0 };
	cJSON *o;

	if (!q)
		return EXIT_INFRASTRUCTURE;
	if (queue_rejudge(q, s, &n, &a->err) < 0)
		return admin_failed(a);
	if (admin_opt.json) {
		o = cJSON_CreateObject();
		cJSON_AddBoolToObject(o, "dry_run", s->dry_run);
		admin_put(o, "queued", n.queued);
		admin_put(o, "waiting", n.waiting);
		admin_put(o, "running", n.running);
		return admin_print_json(o);
	}
	if (n.queued + n.waiting + n.running == 0)
		return admin_complain(
			a, EXIT_FAILED,
			"nothing to be judged again: the queue has no such submission "
			"(it keeps what is done for queue.keep)");
	printf("%" PRIu64 " %s judged again; %" PRIu64 " wait for their first time, %" PRIu64
	       " run right now%s\n",
	       n.queued, s->dry_run ? "would be" : "will be", n.waiting, n.running,
	       n.running ? " (by the tests as they were when they began)" : "");
	return EXIT_OK;
}

int admin_retry(struct admin *a, int argc, char **argv)
{
	struct queue *q = admin_queue(a);
	struct queue_view v = { 0 };
	int r = q ? queue_job_get(q, argv[0], &v, &a->err) : -EAGAIN;

	free(v.result);
	if (r < 0)
		return q ? admin_failed(a) : EXIT_INFRASTRUCTURE;
	if (r == 0)
		return admin_complain(a, EXIT_FAILED,
				      "there is no submission %s in the queue; hand it in again",
				      argv[0]);
	return rejudge(a, &(struct queue_selection){ .id = argv[0], .urgent = true });
}

int admin_rejudge(struct admin *a, int argc, char **argv)
{
	const struct queue_selection s = {
		.id = argc > 0 ? argv[0] : NULL,
		.challenge = admin_opt.challenge,
		.contest = admin_opt.contest,
		.student = admin_opt.student,
		.urgent = admin_opt.urgent,
		.dry_run = admin_opt.dry_run,
	};

	if (!!s.id + !!s.challenge + !!s.contest + !!s.student != 1)
		return usage_error("admin", "rejudge takes one of ID, --challenge, --contest and "
					    "--student");
	return rejudge(a, &s);
}
