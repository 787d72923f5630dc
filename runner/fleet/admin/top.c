/* SPDX-License-Identifier: MIT */

/*
 * sandbox-runner top: the fleet at a glance, once a second, in plain ANSI; or once, as JSON, for
 * scripts. What students wrote is not shown here, only ids, verdicts and numbers.
 */

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/signals.h"
#include "fleet/admin/admin-json.h"
#include "fleet/admin/top-data.h"
#include "fleet/fleet.h"
#include "util/util.h"

#define SHOWN 20

static struct {
	bool once, json;
	struct option_measure interval;
} opt;

static const struct option_spec specs[] = {
	{ OPTION_FLAG, 0, "once", NULL, &opt.once, "print it once, and end" },
	{ OPTION_FLAG, 0, "json", NULL, &opt.json, "with --once: as JSON" },
	{ OPTION_DURATION, 0, "interval", "TIME", &opt.interval,
	  "between two looks (default: 1s)" },
	ADMIN_FLEET_OPTIONS,
	{ OPTION_END },
};

static const struct command command = {
	.name = "top",
	.synopsis = "top [--once [--json]] [OPTIONS]",
	.summary = "Shows the queue by priority and age, the workers and their slots, the last\n"
		   "verdicts, and how long the stages of the last 100 submissions took.\n"
		   "Keys: q ends, p pauses and resumes the handing out of submissions.",
	.examples = "  sandbox-runner top --config /etc/sandbox/runner.json\n"
		    "  sandbox-runner top --once --json | jq .status.depth",
	.epilog = "Exit codes:\n"
		  "    0  ended\n"
		  "    2  the command line or the configuration is wrong\n"
		  "    4  Redis is away (with --once), or refuses",
	.options = specs,
};

/* ------------------------------------------------------------------ once */

static cJSON *stage_json(const struct top_stage *s)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "name", s->name);
	admin_put(o, "n", s->n);
	cJSON_AddNumberToObject(o, "p50_ms", s->p50_ms);
	cJSON_AddNumberToObject(o, "p95_ms", s->p95_ms);
	return o;
}

static int print_json(const struct top *t)
{
	cJSON *root = cJSON_CreateObject(), *list, *o;

	cJSON_AddItemToObject(root, "status", admin_status_json(&t->status));
	cJSON_AddItemToObject(root, "workers",
			      admin_workers_json(t->workers, (size_t)t->n_workers));
	admin_put(root, "results_seen", t->seen);
	list = cJSON_AddArrayToObject(root, "results");
	for (uint32_t i = t->n_results; i-- > 0;) {
		o = admin_event_json(&t->results[i].event);
		if (t->results[i].wall_ms >= 0)
			cJSON_AddNumberToObject(o, "wall_ms", t->results[i].wall_ms);
		cJSON_AddItemToArray(list, o);
	}
	list = cJSON_AddArrayToObject(root, "stages");
	for (uint32_t i = 0; i < t->n_stages; i++)
		cJSON_AddItemToArray(list, stage_json(&t->stages[i]));
	return admin_print_json(root);
}

/* ---------------------------------------------------------------- screen */

struct screen {
	bool color;
	int rows; /* that are left; what does not fit is not printed */
};

__attribute__((format(printf, 2, 3))) static void line(struct screen *s, const char *fmt, ...)
{
	va_list args;

	if (s->rows-- <= 0)
		return;
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	fputs(s->color ? "\033[K\n" : "\n", stdout);
}

static void show_queue(struct screen *s, const struct top *t)
{
	const struct queue_status *q = &t->status;
	char oldest[32], p50[32];

	line(s,
	     "waiting %" PRIu64 "  (admin %" PRIu64 "  contest %" PRIu64 "  practice %" PRIu64
	     "  rejudge %" PRIu64 ")  oldest %s%s",
	     q->depth, q->waiting[QUEUE_ADMIN], q->waiting[QUEUE_CONTEST],
	     q->waiting[QUEUE_PRACTICE], q->waiting[QUEUE_REJUDGE],
	     admin_duration(q->oldest_ms, oldest), q->paused ? "  PAUSED" : "");
	line(s,
	     "running %" PRIu64 "  slots %" PRIu64 " of %" PRIu64 " busy on %" PRIu64
	     " workers  p50 %s  done %" PRIu64 "  dead %" PRIu64 "  unheard %" PRIu64,
	     q->running, q->busy, q->slots, q->workers, admin_duration(q->p50_ms, p50), t->seen,
	     q->dead, q->unheard);
}

static void show_workers(struct screen *s, const struct top *t)
{
	char beat[32];

	line(s, "%s", "");
	line(s, "%-28s %-9s %-10s %s", "WORKER", "BUSY", "HEARD OF", "VERSION");
	for (int i = 0; i < t->n_workers; i++)
		line(s, "%-28.28s %3u / %-3u %-10s %s%s", t->workers[i].id, t->workers[i].busy,
		     t->workers[i].slots, admin_duration(t->workers[i].beat_ms + 1, beat),
		     t->workers[i].version, t->workers[i].draining ? "  draining" : "");
}

static void show_stages(struct screen *s, const struct top *t)
{
	line(s, "%s", "");
	line(s, "%-12s %8s %8s   of the last %u", "STAGE", "P50 ms", "P95 ms", t->n_results);
	for (uint32_t i = 0; i < t->n_stages; i++)
		line(s, "%-12s %8.1f %8.1f", t->stages[i].name, t->stages[i].p50_ms,
		     t->stages[i].p95_ms);
}

static void show_results(struct screen *s, const struct top *t)
{
	line(s, "%s", "");
	line(s, "%-10s %-10s %9s  %-20s %-20s %s", "VERDICT", "TESTS", "TIME", "STUDENT",
	     "CHALLENGE", "SUBMISSION");
	for (uint32_t i = t->n_results, shown = 0; i-- > 0 && shown < SHOWN; shown++) {
		const struct top_result *r = &t->results[i];
		char tests[24], time[32];

		(void)snprintf(tests, sizeof(tests), "%u / %u", r->event.passed, r->event.total);
		line(s, "%s%-10s%s %-10s %9s  %-20.20s %-20.20s %s",
		     verdict_color(r->event.verdict, s->color), r->event.verdict,
		     COLOR_END(s->color), tests,
		     r->wall_ms < 0 ? "-" : admin_duration((uint64_t)r->wall_ms, time),
		     r->event.student, r->event.challenge, r->event.id);
	}
}

static void show(const struct top *t, bool live, const char *trouble)
{
	struct screen s = { .color = live || color_wanted(COLOR_AUTO, STDOUT_FILENO),
			    .rows = 10000 };
	struct winsize size;

	if (live) {
		if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1)
			s.rows = size.ws_row - 1;
		fputs("\033[H", stdout);
	}
	if (trouble)
		line(&s, "\033[31m%s\033[0m", trouble);
	show_queue(&s, t);
	show_workers(&s, t);
	show_stages(&s, t);
	show_results(&s, t);
	if (live)
		fputs("\033[J", stdout);
	(void)fflush(stdout);
}

/* -------------------------------------------------------------- keyboard */

/*
 * Keys come one by one and are not shown; the other screen is used, so that nothing is overwritten.
 */
static bool keyboard_take(struct termios *before)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, before) < 0)
		return false;
	raw = *before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	return tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

/* False: q. */
static bool key(struct queue *q, const struct top *t, struct sbx_error *err)
{
	char c = 0;

	if (read(STDIN_FILENO, &c, 1) != 1 || c == 'q')
		return false;
	if (c == 'p')
		(void)queue_pause(q, "*", !t->status.paused, err);
	return true;
}

static int watch(struct admin *a, struct top *t)
{
	uint64_t interval = opt.interval.text ? opt.interval.value : NSEC_PER_SEC;
	struct pollfd fds[] = { { .fd = signals_open(), .events = POLLIN },
				{ .fd = STDIN_FILENO, .events = POLLIN } };
	struct termios before;
	bool keys = keyboard_take(&before), on = fds[0].fd >= 0;

	fds[1].fd = keys ? STDIN_FILENO : -1;
	fputs("\033[?1049h\033[?25l", stdout);
	while (on) {
		int r = top_refresh(t, a->queue, &a->err);

		show(t, true, r < 0 ? a->err.text : NULL);
		if (r < 0 && r != -EAGAIN)
			break;
		if (poll(fds, ARRAY_SIZE(fds), (int)MIN_OF(interval / NSEC_PER_MSEC, 3600000u)) > 0)
			on = fds[0].revents == 0 && key(a->queue, t, &a->err);
	}
	fputs("\033[?25h\033[?1049l", stdout);
	if (keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
	close_fd(fds[0].fd);
	return on ? admin_failed(a) : EXIT_OK;
}

int cmd_top(int argc, char **argv)
{
	_cleanup_(admin_done) struct admin a = { 0 };
	_cleanup_free_ struct top *t = calloc(1, sizeof(*t));
	int n, code = options_read_words(&command, argc, argv, &n);

	if (code >= 0)
		return code;
	if (n > 0)
		return usage_error("top", "takes no operands");
	if (opt.json && !opt.once)
		return usage_error("top", "--json needs --once");
	if (!opt.once && !isatty(STDOUT_FILENO))
		return usage_error("top", "stdout is no terminal: use --once");
	code = admin_open(&a, "top");
	if (code != EXIT_OK)
		return code;
	if (!t || !admin_queue(&a))
		return EXIT_INFRASTRUCTURE;
	if (!opt.once)
		return watch(&a, t);
	if (top_refresh(t, a.queue, &a.err) < 0)
		return admin_failed(&a);
	if (opt.json)
		return print_json(t);
	show(t, false, NULL);
	return EXIT_OK;
}
