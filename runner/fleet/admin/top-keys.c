/* SPDX-License-Identifier: MIT */

/* What keys do to the view, and to the fleet. */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fleet/admin/admin-job.h"
#include "fleet/admin/top.h"
#include "util/util.h"

enum key {
	KEY_OTHER = 256,
	KEY_UP,
	KEY_DOWN,
	KEY_NEXT,
	KEY_BEFORE,
	KEY_BACK,
};

/* One key of `text`; *n bytes of it. Arrows are three bytes, an ESC alone is one. */
static int decode(const char *text, size_t size, size_t *n)
{
	static const char arrows[] = "ABCDZ";
	static const int keys[] = { KEY_UP, KEY_DOWN, KEY_NEXT, KEY_BEFORE, KEY_BEFORE };
	const char *arrow;

	*n = 1;
	if (text[0] == '\t')
		return KEY_NEXT;
	if (text[0] == 'k' || text[0] == 'j')
		return text[0] == 'k' ? KEY_UP : KEY_DOWN;
	if (text[0] != '\033')
		return (unsigned char)text[0];
	if (size < 3 || (text[1] != '[' && text[1] != 'O')) {
		*n = size;
		return KEY_BACK;
	}
	*n = 3;
	arrow = strchr(arrows, text[2]);
	return arrow && *arrow ? keys[arrow - arrows] : KEY_OTHER;
}

__attribute__((format(printf, 2, 3))) static void say(struct top_view *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(v->message, sizeof(v->message), fmt, args);
	va_end(args);
}

static void move(const struct top *t, struct top_view *v, int by)
{
	int n = top_rows(t, v->pane), row = top_selected(t, v, v->pane) + by;

	row = MAX_OF(MIN_OF(row, n - 1), 0);
	copy_string(v->selected[v->pane], sizeof(v->selected[0]), top_row_id(t, v->pane, row));
}

/* ----------------------------------------------------------------- actions */

static void ask(struct top_view *v, enum top_question question, const char *of)
{
	v->question = question;
	copy_string(v->asked, sizeof(v->asked), of);
}

static void drain(struct admin *a, struct top_view *v, const char *worker, bool on)
{
	if (queue_drain(a->queue, worker, on, &a->err) < 0)
		say(v, "%s", a->err.text);
	else
		say(v,
		    on ? "%s is asked to drain: it hears it within 5 s"
		       : "%s takes submissions again: it hears it within 5 s",
		    worker);
}

static void cancel(struct admin *a, struct top_view *v)
{
	int r = queue_cancel(a->queue, v->asked, &a->err);

	if (r < 0)
		say(v, "%s", a->err.text);
	else
		say(v, "%s %s", v->asked,
		    r == QUEUE_CANCELLED ? "is cancelled; it was waiting"
		    : r == QUEUE_CANCELLING
			    ? "is being cancelled; its worker hears it within a lease"
		    : r == QUEUE_TOO_LATE ? "is done already"
					  : "is not there any more");
}

static void answer(struct admin *a, struct top_view *v, int key)
{
	enum top_question question = v->question;

	v->question = TOP_NO_QUESTION;
	if (key != 'y' && key != 'Y')
		say(v, "nothing was done");
	else if (question == TOP_ASK_DRAIN)
		drain(a, v, v->asked, true);
	else if (question == TOP_ASK_CANCEL)
		cancel(a, v);
	else if (queue_pause(a->queue, "*", true, &a->err) < 0)
		say(v, "%s", a->err.text);
	else
		say(v, "paused: nothing is handed out; p again: it goes on");
}

/* ----------------------------------------------------------------- inspect */

static void tell_worker(const struct queue_worker *w, FILE *to)
{
	char started[32], beat[32];

	fprintf(to, "worker %s\n  on %s, version %s\n  started %s UTC, heard of %s ago\n", w->id,
		w->host, w->version, admin_time(w->started_ms, started),
		admin_duration(w->beat_ms + 1, beat));
	fprintf(to, "  %u of %u slots busy%s\n", w->busy, w->slots,
		w->draining ? ", draining" : "");
	if (*w->held)
		admin_put_line(to, "  claims nothing: ", w->held);
	fputs("\nOn it: curl http://LISTEN/readyz, /statusz, /debug/jobs; journalctl -u "
	      "sandbox-runner\n",
	      to);
}

static void inspect(struct admin *a, const struct top *t, struct top_view *v, const char *id)
{
	size_t size;
	FILE *to = open_memstream(&v->text, &size);
	int r = 1;

	if (!to)
		return;
	if (v->pane == TOP_PANE_WORKERS)
		tell_worker(&t->workers[top_selected(t, v, v->pane)], to);
	else
		r = admin_job_text(a->queue, id, to, &a->err);
	(void)fclose(to);
	v->scroll = 0;
	if (r > 0)
		return;
	free(steal_ptr(v->text));
	if (r < 0)
		say(v, "%s", a->err.text);
	else
		say(v, "%s is not in the queue any more; what is done is in the ledger", id);
}

static void read_on(struct top_view *v, int key)
{
	int lines = 0;

	for (const char *p = v->text; *p; p++)
		lines += *p == '\n';
	if (key == KEY_UP || key == KEY_DOWN)
		v->scroll = MAX_OF(MIN_OF(v->scroll + (key == KEY_UP ? -1 : 1), lines - 1), 0);
	else
		free(steal_ptr(v->text));
}

/* -------------------------------------------------------------------- keys */

static void act(struct admin *a, const struct top *t, struct top_view *v, int key)
{
	int row = top_selected(t, v, v->pane);
	const char *id = top_row_id(t, v->pane, row);

	if (key == 'p' && t->status.paused) {
		if (queue_pause(a->queue, "*", false, &a->err) < 0)
			say(v, "%s", a->err.text);
		else
			say(v, "no longer paused");
	} else if (key == 'p') {
		ask(v, TOP_ASK_PAUSE, "");
	} else if (!*id) {
		say(v, "nothing is selected");
	} else if (key == 'd' && v->pane != TOP_PANE_WORKERS) {
		say(v, "d drains a worker: tab selects their pane");
	} else if (key == 'd' && t->workers[row].draining) {
		drain(a, v, id, false);
	} else if (key == 'd') {
		ask(v, TOP_ASK_DRAIN, id);
	} else if (key == 'c' && v->pane != TOP_PANE_JOBS) {
		say(v, "c cancels a submission that waits or runs: tab selects their pane");
	} else if (key == 'c') {
		ask(v, TOP_ASK_CANCEL, id);
	} else {
		inspect(a, t, v, id);
	}
}

/* False: end. */
static bool press(struct admin *a, const struct top *t, struct top_view *v, int key,
		  bool *ret_changed)
{
	v->message[0] = '\0';
	v->trouble = false;
	if (v->question != TOP_NO_QUESTION) {
		answer(a, v, key);
		*ret_changed = true;
	} else if (v->text) {
		read_on(v, key);
	} else if (key == 'q') {
		return false;
	} else if (key == KEY_UP || key == KEY_DOWN) {
		move(t, v, key == KEY_UP ? -1 : 1);
	} else if (key == KEY_NEXT || key == KEY_BEFORE) {
		v->pane = (v->pane + (key == KEY_NEXT ? 1 : TOP_PANES - 1)) % TOP_PANES;
	} else if (key < KEY_OTHER && key != 0 && strchr("pdci\r\n", key)) {
		act(a, t, v, key);
		*ret_changed = key == 'p' || key == 'd';
	}
	return true;
}

bool top_keys(struct admin *a, const struct top *t, struct top_view *v, bool *ret_changed)
{
	char text[64];
	ssize_t size = read(STDIN_FILENO, text, sizeof(text));
	size_t n;

	if (size <= 0)
		return size < 0 && (errno == EINTR || errno == EAGAIN);
	for (size_t at = 0; at < (size_t)size; at += n) {
		int key = decode(text + at, (size_t)size - at, &n);

		if (!press(a, t, v, key, ret_changed))
			return false;
	}
	return true;
}
