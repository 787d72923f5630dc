/* SPDX-License-Identifier: MIT */

/* See top-data.h. The stream of results is read on from where the last refresh ended. */

#include "fleet/admin/top-data.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "util/util.h"

#define EVENTS 200

static int stage_index(struct top *t, const char *name)
{
	for (uint32_t i = 0; i < t->n_stages; i++)
		if (streq(t->stages[i].name, name))
			return (int)i;
	if (t->n_stages == TOP_STAGES)
		return -1;
	copy_string(t->stages[t->n_stages].name, sizeof(t->stages[0].name), name);
	return (int)t->n_stages++;
}

static double number_of(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsNumber(v) ? v->valuedouble : -1;
}

static void take_stages(struct top *t, struct top_result *r, const char *json)
{
	cJSON *root = cJSON_Parse(json);
	const cJSON *stage;

	r->wall_ms = number_of(root, "wall_ms");
	cJSON_ArrayForEach(stage, cJSON_GetObjectItemCaseSensitive(root, "stages"))
	{
		const char *name = cJSON_GetStringValue(
			cJSON_GetObjectItemCaseSensitive(stage, "name"));
		int i = name ? stage_index(t, name) : -1;

		if (i >= 0)
			r->stage_ms[i] = number_of(stage, "wall_ms");
	}
	cJSON_Delete(root);
}

static int take_event(struct top *t, struct queue *q, const struct queue_event *e,
		      struct sbx_error *err)
{
	struct top_result *r;
	struct queue_view v = { 0 };
	int n = queue_job_get(q, e->id, &v, err);

	if (n < 0)
		return n;
	if (t->n_results == TOP_RESULTS) {
		memmove(t->results, t->results + 1, sizeof(t->results[0]) * (TOP_RESULTS - 1));
		t->n_results--;
	}
	r = &t->results[t->n_results++];
	r->event = *e;
	r->wall_ms = -1;
	for (size_t i = 0; i < TOP_STAGES; i++)
		r->stage_ms[i] = -1;
	if (n > 0 && v.result)
		take_stages(t, r, v.result);
	free(v.result);
	return 0;
}

/* Of a long stream only the end is looked at closely. */
static int take_events(struct top *t, struct queue *q, struct queue_event *events,
		       struct sbx_error *err)
{
	int n = EVENTS;

	while (n == EVENTS) {
		n = queue_events(q, *t->after ? t->after : "0", 0, events, EVENTS, err);
		if (n < 0)
			return n;
		for (int i = n == EVENTS ? EVENTS - TOP_RESULTS : 0; i < n; i++) {
			int r = take_event(t, q, &events[i], err);

			if (r < 0)
				return r;
		}
		t->seen += (uint64_t)n;
		if (n > 0)
			copy_string(t->after, sizeof(t->after), events[n - 1].entry);
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void percentiles(struct top *t, uint32_t stage)
{
	double values[TOP_RESULTS];
	struct top_stage *s = &t->stages[stage];

	s->n = 0;
	for (uint32_t i = 0; i < t->n_results; i++)
		if (t->results[i].stage_ms[stage] >= 0)
			values[s->n++] = t->results[i].stage_ms[stage];
	if (s->n == 0)
		return;
	qsort(values, s->n, sizeof(values[0]), compare);
	s->p50_ms = values[s->n / 2];
	s->p95_ms = values[MIN_OF(s->n - 1, s->n * 95 / 100)];
}

int top_refresh(struct top *t, struct queue *q, struct sbx_error *err)
{
	_cleanup_free_ struct queue_event *events = calloc(EVENTS, sizeof(*events));
	int r = events ? queue_status(q, &t->status, err) : -ENOMEM;

	if (r < 0)
		return r;
	r = queue_workers(q, t->workers, TOP_WORKERS, err);
	if (r < 0)
		return r;
	t->n_workers = r;
	r = queue_list(q, t->entries, TOP_ENTRIES, err);
	if (r < 0)
		return r;
	t->n_entries = r;
	r = take_events(t, q, events, err);
	for (uint32_t i = 0; i < t->n_stages; i++)
		percentiles(t, i);
	return r;
}
