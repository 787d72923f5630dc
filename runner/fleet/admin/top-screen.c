/* SPDX-License-Identifier: MIT */

/*
 * Drawing: plain ANSI, one line at a place, cut at the last column. A frame is put together in
 * memory and written at once, so that it does not flicker.
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fleet/admin/top.h"
#include "util/util.h"

#define ALL INT32_MAX
#define BOLD "\033[1m"
#define INVERSE "\033[7m"
#define RED "\033[31m"
#define STAGE_LINES 3

struct screen {
	FILE *to;
	bool live, color;
	int rows, columns; /* ALL: as many as there are */
	int at;            /* the row that is drawn next, from 0 */
};

/* `style` for the first `styled` columns of the line. */
__attribute__((format(printf, 4, 5))) static void line(struct screen *s, const char *style,
						       int styled, const char *fmt, ...)
{
	char text[600];
	va_list args;
	int n = 0;

	if (s->at >= s->rows)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (s->live)
		fprintf(s->to, "\033[%d;1H", s->at + 1);
	styled = s->color ? styled : 0;
	if (styled > 0)
		fputs(style, s->to);
	for (; text[n] && n < s->columns; n++) {
		if (n > 0 && n == styled)
			fputs("\033[0m", s->to);
		fputc(text[n] >= ' ' && text[n] < 0x7f ? text[n] : '?', s->to);
	}
	if (styled > 0 && n <= styled)
		fputs("\033[0m", s->to);
	fputs(s->live ? "\033[K" : "\n", s->to);
	s->at++;
}

/* -------------------------------------------------------------------- rows */

int top_rows(const struct top *t, enum top_pane pane)
{
	if (pane == TOP_PANE_WORKERS)
		return t->n_workers;
	return pane == TOP_PANE_JOBS ? t->n_entries : (int)t->n_results;
}

/* The newest result comes first. */
static const struct top_result *result_of(const struct top *t, int row)
{
	return &t->results[t->n_results - 1 - (uint32_t)row];
}

const char *top_row_id(const struct top *t, enum top_pane pane, int row)
{
	if (row < 0 || row >= top_rows(t, pane))
		return "";
	if (pane == TOP_PANE_WORKERS)
		return t->workers[row].id;
	return pane == TOP_PANE_JOBS ? t->entries[row].id : result_of(t, row)->event.id;
}

int top_selected(const struct top *t, const struct top_view *v, enum top_pane pane)
{
	int n = top_rows(t, pane);

	for (int i = 0; i < n; i++) {
		if (streq(top_row_id(t, pane, i), v->selected[pane]))
			return i;
	}
	return 0;
}

static void draw_worker(struct screen *s, const struct queue_worker *w, bool selected)
{
	char beat[32];

	line(s, INVERSE, selected ? ALL : 0, "%-24.24s %3u / %-3u %-9s %-10.10s %s%s", w->id,
	     w->busy, w->slots, admin_duration(w->beat_ms + 1, beat), w->version,
	     w->draining ? "draining " : "", w->held);
}

static void draw_entry(struct screen *s, const struct queue_entry *e, bool selected)
{
	char time[32];

	line(s, INVERSE, selected ? ALL : 0, "%-24.24s %-14.14s %-14.14s %8s  %-9.9s %s", e->id,
	     e->student, e->challenge, admin_duration(e->ms + 1, time),
	     !*e->worker ? "waits"
	     : *e->stage ? e->stage
			 : "runs",
	     e->worker);
}

static void draw_result(struct screen *s, const struct top_result *r, bool selected)
{
	char tests[24], time[32];

	(void)snprintf(tests, sizeof(tests), "%u / %u", r->event.passed, r->event.total);
	line(s, selected ? INVERSE : verdict_color(r->event.verdict, s->color), selected ? ALL : 10,
	     "%-10.10s %-9.9s %8s  %-14.14s %-14.14s %s", r->event.verdict, tests,
	     r->wall_ms < 0 ? "-" : admin_duration((uint64_t)r->wall_ms, time), r->event.student,
	     r->event.challenge, r->event.id);
}

static void draw_head(struct screen *s, enum top_pane pane, bool focus)
{
	static const char *const heads[] = {
		[TOP_PANE_WORKERS] = "WORKER                       BUSY HEARD OF  VERSION",
		[TOP_PANE_JOBS] = "SUBMISSION               STUDENT        CHALLENGE          TIME "
				  " STAGE     "
				  "WORKER",
		[TOP_PANE_RESULTS] =
			"VERDICT    TESTS         TIME  STUDENT        CHALLENGE      SUBMISSION",
	};

	line(s, BOLD, focus ? ALL : 0, "%s%s", heads[pane], focus ? "  <" : "");
}

static void draw_pane(struct screen *s, const struct top *t, const struct top_view *v,
		      enum top_pane pane, int height)
{
	bool focus = v && v->pane == pane;
	int n = top_rows(t, pane), chosen = focus ? top_selected(t, v, pane) : -1;
	int first = MAX_OF(chosen - height + 1, 0);

	draw_head(s, pane, focus);
	for (int i = first; i < n && i < first + height; i++) {
		if (pane == TOP_PANE_WORKERS)
			draw_worker(s, &t->workers[i], i == chosen);
		else if (pane == TOP_PANE_JOBS)
			draw_entry(s, &t->entries[i], i == chosen);
		else
			draw_result(s, result_of(t, i), i == chosen);
	}
}

/* ------------------------------------------------------------------ around */

static void draw_queue(struct screen *s, const struct top *t)
{
	const struct queue_status *q = &t->status;
	char oldest[32], p50[32];

	line(s, RED, q->paused ? 7 : 0,
	     "%swaiting %" PRIu64 " (admin %" PRIu64 " contest %" PRIu64 " practice %" PRIu64
	     " rejudge %" PRIu64 ")  oldest %s",
	     q->paused ? "PAUSED  " : "", q->depth, q->waiting[QUEUE_ADMIN],
	     q->waiting[QUEUE_CONTEST], q->waiting[QUEUE_PRACTICE], q->waiting[QUEUE_REJUDGE],
	     admin_duration(q->oldest_ms, oldest));
	line(s, "", 0,
	     "running %" PRIu64 "  slots %" PRIu64 "/%" PRIu64 "  workers %" PRIu64
	     "  p50 %s  done %" PRIu64 "  dead %" PRIu64 "  unheard %" PRIu64,
	     q->running, q->busy, q->slots, q->workers, admin_duration(q->p50_ms, p50), t->seen,
	     q->dead, q->unheard);
}

static void draw_stage_table(struct screen *s, const struct top *t)
{
	line(s, "", 0, "%-12s %8s %8s   of the last %u", "STAGE", "P50 ms", "P95 ms", t->n_results);
	for (uint32_t i = 0; i < t->n_stages; i++)
		line(s, "", 0, "%-12s %8.1f %8.1f", t->stages[i].name, t->stages[i].p50_ms,
		     t->stages[i].p95_ms);
}

/* "p50/p95 ms: fetch 1/2 ..." in lines that fit; with a NULL screen only how many. */
static int draw_stages(struct screen *s, const struct top *t, int columns, int max)
{
	char text[512] = "p50/p95 ms", one[80];
	int lines = 0;

	if (t->n_stages == 0)
		return 0;
	for (uint32_t i = 0; i < t->n_stages && lines < max; i++) {
		(void)snprintf(one, sizeof(one), "  %.20s %.0f/%.0f", t->stages[i].name,
			       t->stages[i].p50_ms, t->stages[i].p95_ms);
		if (strlen(text) + strlen(one) > (size_t)MIN_OF(columns, 500)) {
			if (s)
				line(s, "", 0, "%s", text);
			lines++;
			copy_string(text, sizeof(text), "          ");
		}
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", one);
	}
	if (lines < max && s)
		line(s, "", 0, "%s", text);
	return MIN_OF(lines + 1, max);
}

static void draw_question(struct screen *s, const struct top_view *v)
{
	static const char answers[] = "  y: yes, any other key: no";

	if (v->question == TOP_ASK_PAUSE)
		line(s, RED, ALL, "pause: hand out no submissions at all?%s", answers);
	else if (v->question == TOP_ASK_DRAIN)
		line(s, RED, ALL, "drain %.24s: it takes no more submissions?%s", v->asked,
		     answers);
	else
		line(s, RED, ALL, "cancel %.24s: it will not be judged?%s", v->asked, answers);
}

static void draw_foot(struct screen *s, const struct top_view *v)
{
	s->at = s->rows - 1;
	if (v->question != TOP_NO_QUESTION)
		draw_question(s, v);
	else if (*v->message)
		line(s, RED, v->trouble ? ALL : 0, "%s", v->message);
	else
		line(s, INVERSE, ALL, "%s",
		     v->text ? "up/down: scroll  any other key: back"
			     : "tab: pane  arrows: select  enter: inspect  d: drain  c: cancel  "
			       "p: pause  q: end");
}

/* How many rows each pane gets: a third each, what is left where it is wanted. */
static void share(const struct top *t, const struct top_view *v, int rows, int ret[TOP_PANES])
{
	const enum top_pane order[] = { v->pane, TOP_PANE_RESULTS, TOP_PANE_JOBS,
					TOP_PANE_WORKERS };
	int left = MAX_OF(rows, 0);

	for (int i = 0; i < TOP_PANES; i++) {
		ret[i] = MIN_OF(top_rows(t, (enum top_pane)i), MAX_OF(rows, 0) / TOP_PANES);
		left -= ret[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		int more = MIN_OF(top_rows(t, order[i]) - ret[order[i]], left);

		ret[order[i]] += more;
		left -= more;
	}
}

static void draw_panes(struct screen *s, const struct top *t, const struct top_view *v)
{
	int stages = s->rows >= 18 ? draw_stages(NULL, t, s->columns, STAGE_LINES) : 0;
	int left = s->rows - s->at - 1 - stages - TOP_PANES, heights[TOP_PANES];

	/* A screen that is too low for all has room for the one that is looked at. */
	if (left < TOP_PANES) {
		draw_pane(s, t, v, v->pane, MAX_OF(s->rows - s->at - 2, 0));
		return;
	}
	share(t, v, left, heights);
	for (int i = 0; i < TOP_PANES; i++)
		draw_pane(s, t, v, (enum top_pane)i, heights[i]);
	(void)draw_stages(s, t, s->columns, stages);
}

static void draw_text(struct screen *s, const struct top_view *v)
{
	const char *p = v->text;
	int skip = v->scroll;

	while (*p && s->at < s->rows - 1) {
		size_t n = strcspn(p, "\n");

		if (skip-- <= 0)
			line(s, "", 0, "%.*s", (int)MIN_OF(n, 590u), p);
		p += n + (p[n] == '\n');
	}
}

static void draw_live(struct screen *s, const struct top *t, const struct top_view *v)
{
	struct winsize size;

	s->rows = 24;
	s->columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
		s->rows = size.ws_row;
		s->columns = size.ws_col;
	}
	if (v->text) {
		draw_text(s, v);
	} else {
		draw_queue(s, t);
		draw_panes(s, t, v);
	}
	while (s->at < s->rows - 1)
		line(s, "", 0, "%s", "");
	draw_foot(s, v);
}

static void draw_once(struct screen *s, const struct top *t)
{
	draw_queue(s, t);
	line(s, "", 0, "%s", "");
	draw_pane(s, t, NULL, TOP_PANE_WORKERS, ALL / 2);
	line(s, "", 0, "%s", "");
	draw_pane(s, t, NULL, TOP_PANE_JOBS, 20);
	line(s, "", 0, "%s", "");
	draw_stage_table(s, t);
	line(s, "", 0, "%s", "");
	draw_pane(s, t, NULL, TOP_PANE_RESULTS, 20);
}

void top_draw(const struct top *t, const struct top_view *v)
{
	_cleanup_free_ char *frame = NULL;
	struct screen s = { .live = v,
			    .color = v || color_wanted(COLOR_AUTO, STDOUT_FILENO),
			    .rows = ALL,
			    .columns = ALL };
	size_t size = 0;

	s.to = open_memstream(&frame, &size);
	if (!s.to)
		return;
	if (v)
		draw_live(&s, t, v);
	else
		draw_once(&s, t);
	if (fclose(s.to) == 0)
		(void)write_full(STDOUT_FILENO, frame, size);
}
