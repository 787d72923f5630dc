/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the commands share with which an operator looks at a fleet and steers it: admin, submit,
 * top.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/options.h"
#include "cli/program.h"
#include "fleet/config/config-options.h"
#include "fleet/ledger/ledger.h"
#include "fleet/queue/queue.h"

/* Rows of a struct command: which fleet is meant. What they leave out, config_load() finds. */
#define ADMIN_FLEET_OPTIONS                                                                        \
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Which fleet" },                                      \
		{ OPTION_STRING,     'c',                                                          \
		  "config",          "FILE",                                                       \
		  &admin_flags.file, "its configuration (default: $SANDBOX_RUNNER_CONFIG)" },      \
		{ OPTION_STRING,    0,                                                             \
		  "redis-url",      "URL",                                                         \
		  &admin_redis_url, "instead of what the configuration says" },                    \
	{                                                                                          \
		OPTION_STRING, 0, "ledger-url", "URL", &admin_ledger_url,                          \
			"instead of what the configuration says"                                   \
	}
extern struct config_flags admin_flags;
extern const char *admin_redis_url, *admin_ledger_url;

/* One call of one of the commands. */
struct admin {
	const char *command; /* "admin", for messages */
	bool flood;          /* what is handed in has no cap but the queue's */
	struct fleet_config config;
	struct queue *queue;
	struct ledger *ledger;
	int refused; /* the exit code, where admin_ledger() gave NULL: it may not be configured */
	struct sbx_error err;
};

/* Loads the configuration; 0 or an exit code after a message. */
int admin_open(struct admin *a, const char *command);
void admin_done(struct admin *a);

/* Opened when first asked for. NULL after a message: return EXIT_INFRASTRUCTURE, or a->refused. */
struct queue *admin_queue(struct admin *a);
struct ledger *admin_ledger(struct admin *a);

/* "sandbox-runner COMMAND: ..."; returns `code`. */
int admin_complain(const struct admin *a, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * The same of a->err, after a call to queue or ledger has failed: EXIT_INFRASTRUCTURE, or
 * EXIT_USAGE where what was given is malformed.
 */
int admin_failed(const struct admin *a);

/* "AC" in green and so on, where `color`; else as it is. Static texts. */
const char *verdict_color(const char *verdict, bool color);
#define COLOR_END(color) ((color) ? "\033[0m" : "")

/*
 * What others wrote (producers, submissions), without what a terminal would obey: after `head`, and
 * with a newline. _line: newlines are no more than spaces.
 */
void admin_put_text(FILE *to, const char *head, const char *text);
void admin_put_line(FILE *to, const char *head, const char *text);

/* "1.2 s", "3 min 5 s", "-" for 0; in buf. */
const char *admin_duration(uint64_t ms, char buf[static 32]);
/* "2026-11-23 05:30:12" in UTC; "-" for 0; in buf. */
const char *admin_time(uint64_t ms, char buf[static 32]);

/* The verbs of `admin`; each gets its operands and returns an exit code. */
struct admin_options {
	bool json, dry_run, urgent, all, from_ledger;
	const char *older;
	const char *challenge, *contest, *student;
	const char *rules, *starts, *ends;
	struct option_measure penalty, limit;
	const char *out;
	const char *url;
	struct option_measure students;
};
extern struct admin_options admin_opt;

int admin_status(struct admin *a, int argc, char **argv);
int admin_workers(struct admin *a, int argc, char **argv);
int admin_drain(struct admin *a, int argc, char **argv);
int admin_undrain(struct admin *a, int argc, char **argv);
int admin_pause(struct admin *a, int argc, char **argv);
int admin_resume(struct admin *a, int argc, char **argv);
int admin_job(struct admin *a, int argc, char **argv);
int admin_cancel(struct admin *a, int argc, char **argv);
int admin_retry(struct admin *a, int argc, char **argv);
int admin_rejudge(struct admin *a, int argc, char **argv);
int admin_dead(struct admin *a, int argc, char **argv);
int admin_migrate(struct admin *a, int argc, char **argv);
int admin_contest(struct admin *a, int argc, char **argv);
int admin_rank(struct admin *a, int argc, char **argv);
int admin_gc(struct admin *a, int argc, char **argv);
int admin_bundle(struct admin *a, int argc, char **argv);
int admin_loadgen(struct admin *a, int argc, char **argv);
