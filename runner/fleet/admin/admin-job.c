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

static void print_job(const struct queue_view *v, const struct queue_line *lines, int n)
{
	const struct queue_submission *s = &v->job.submission;
	char url[FETCH_DISPLAY_MAX], time[32];

	fetch_url_display(s->url, url);
	printf("%s: %s%s%s\n", s->id, v->state, *v->verdict ? ", " : "", v->verdict);
	printf("  student %s, challenge %s%s%s\n", s->student, s->challenge,
	       *s->contest ? ", contest " : "", s->contest);
	printf("  archive %s\n", url);
	printf("  submitted %s, judged %u times, attempt %u\n", admin_time(s->submitted_ms, time),
	       v->job.judge_rev, v->job.attempt);
	if (*v->worker)
		printf("  worker %s%s\n", v->worker, v->cancelling ? ", cancelling" : "");
	if (v->total)
		printf("  %u of %u tests passed\n", v->passed, v->total);
	if (*v->job.reason)
		admin_put_line(stdout, "  last failure: ", v->job.reason);
	for (int i = 0; i < n; i++) {
		char line[sizeof(lines->kind) + sizeof(lines->text) + 8];

		(void)snprintf(line, sizeof(line), "%-5s %s", lines[i].kind, lines[i].text);
		admin_put_text(stdout, "  | ", line);
	}
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
		return admin_complain(
			a, EXIT_FAILED,
			"there is no submission %s in the queue; what is done is kept "
			"there for a week, and in the ledger",
			argv[0]);
	n = queue_log_read(q, argv[0], "0", 0, lines, LINES_MAX, &a->err);
	if (n < 0)
		code = admin_failed(a);
	else if (admin_opt.json)
		code = print_job_json(&v, lines, n);
	else
		print_job(&v, lines, n);
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
	printf("%" PRIu64 " %s judged again; %" PRIu64 " wait for their first time, %" PRIu64
	       " run right now%s\n",
	       n.queued, s->dry_run ? "would be" : "will be", n.waiting, n.running,
	       n.running ? " (by the tests as they were when they began)" : "");
	return n.queued + n.waiting + n.running == 0 ? EXIT_FAILED : EXIT_OK;
}

int admin_retry(struct admin *a, int argc, char **argv)
{
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
