/* SPDX-License-Identifier: MIT */

/*
 * sandbox-runner top: the fleet at a glance, once a second; or once, as JSON, for scripts. However
 * it ends, by a key, a signal or Redis, the terminal is as it was.
 */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "cli/signals.h"
#include "fleet/admin/admin-json.h"
#include "fleet/admin/top.h"
#include "fleet/fleet.h"
#include "util/util.h"

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
	.summary =
		"Shows the queue by priority and age, the workers, what runs (with its stage) and\n"
		"waits, the last verdicts, and how long the stages of the last 100 took.\n\n"
		"Keys:\n"
		"  tab, left, right   the pane that keys are for: workers, submissions, verdicts\n"
		"  up, down, k, j     select in it\n"
		"  enter, i           inspect what is selected\n"
		"  d                  drain the selected worker, or end that (asks)\n"
		"  c                  cancel the selected submission (asks)\n"
		"  p                  pause the handing out of submissions, or end that (asks)\n"
		"  q, Ctrl-C          end",
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

static cJSON *entry_json(const struct queue_entry *e)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", e->id);
	cJSON_AddStringToObject(o, "state", *e->worker ? "running" : "queued");
	cJSON_AddStringToObject(o, "student", e->student);
	cJSON_AddStringToObject(o, "contest", e->contest);
	cJSON_AddStringToObject(o, "challenge", e->challenge);
	cJSON_AddStringToObject(o, "worker", e->worker);
	cJSON_AddStringToObject(o, "stage", e->stage);
	admin_put(o, "attempt", e->attempt);
	admin_put(o, "ms", e->ms);
	return o;
}

static int print_json(const struct top *t)
{
	cJSON *root = cJSON_CreateObject(), *list, *o;

	cJSON_AddItemToObject(root, "status", admin_status_json(&t->status));
	cJSON_AddItemToObject(root, "workers",
			      admin_workers_json(t->workers, (size_t)t->n_workers));
	admin_put(root, "results_seen", t->seen);
	list = cJSON_AddArrayToObject(root, "jobs");
	for (int i = 0; i < t->n_entries; i++)
		cJSON_AddItemToArray(list, entry_json(&t->entries[i]));
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

/* ---------------------------------------------------------------- terminal */

struct terminal {
	bool keys; /* they come one by one, and are not shown */
	struct termios before;
	int signals; /* of the terminal itself */
};

/* The other screen is used, so that nothing is overwritten; the cursor is hidden. */
static void terminal_take(struct terminal *t)
{
	struct termios raw;

	t->keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &t->before) == 0;
	raw = t->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	t->keys = t->keys && tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
	(void)write_full(STDOUT_FILENO, "\033[?1049h\033[?25l", 14);
}

static void terminal_release(struct terminal *t)
{
	(void)write_full(STDOUT_FILENO, "\033[?25h\033[?1049l", 14);
	if (t->keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
}

static int terminal_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGWINCH);
	(void)sigaddset(&set, SIGTSTP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A new size is asked for when it is drawn; Ctrl-Z has to find the terminal as it was. */
static void terminal_hear(struct terminal *t)
{
	struct signalfd_siginfo info;

	while (read(t->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGTSTP)
			continue;
		terminal_release(t);
		(void)raise(SIGSTOP);
		terminal_take(t);
	}
}

/* ------------------------------------------------------------------- watch */

static uint64_t interval(void)
{
	uint64_t ns = opt.interval.text ? opt.interval.value : NSEC_PER_SEC;

	return MIN_OF(ns, 3600 * NSEC_PER_SEC);
}

/* 0, or what ends it. With Redis away what was known is shown, and that. */
static int refresh(struct admin *a, struct top *t, struct top_view *v)
{
	int r = top_refresh(t, a->queue, &a->err);

	if (r < 0 && r != -EAGAIN)
		return r;
	if (r < 0 || v->trouble)
		copy_string(v->message, sizeof(v->message), r < 0 ? a->err.text : "");
	v->trouble = r < 0;
	return 0;
}

static int watch(struct admin *a, struct top *t)
{
	struct pollfd fds[] = { { .fd = signals_open(), .events = POLLIN },
				{ .fd = terminal_signals(), .events = POLLIN },
				{ .fd = STDIN_FILENO, .events = POLLIN } };
	struct terminal terminal = { .signals = fds[1].fd };
	struct top_view v = { .pane = TOP_PANE_WORKERS };
	bool on = fds[0].fd >= 0, changed = true;
	uint64_t next = 0, now;
	int r = 0;

	terminal_take(&terminal);
	fds[2].fd = terminal.keys ? STDIN_FILENO : -1;
	while (on) {
		if (changed || now_ns() >= next) {
			r = refresh(a, t, &v);
			next = deadline_after(interval());
		}
		if (r < 0)
			break;
		changed = false;
		top_draw(t, &v);
		now = now_ns();
		if (poll(fds, ARRAY_SIZE(fds),
			 next > now ? (int)((next - now) / NSEC_PER_MSEC + 1) : 0) <= 0)
			continue;
		terminal_hear(&terminal);
		on = fds[0].revents == 0;
		if (on && fds[2].revents)
			on = top_keys(a, t, &v, &changed);
	}
	terminal_release(&terminal);
	free(v.text);
	close_fd(fds[0].fd);
	close_fd(fds[1].fd);
	return r < 0 ? admin_failed(a) : EXIT_OK;
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
	top_draw(t, NULL);
	return EXIT_OK;
}
