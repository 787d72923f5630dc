/* SPDX-License-Identifier: MIT */

/* Which fleet, its Redis and its ledger; what is told when they are away. */

#include "fleet/admin/admin.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "fleet/worker/process.h"
#include "pipeline/clean.h"
#include "util/util.h"

struct config_flags admin_flags;
const char *admin_redis_url, *admin_ledger_url;

int admin_complain(const struct admin *a, int code, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "sandbox-runner %s: ", a->command);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}

int admin_failed(const struct admin *a)
{
	int code = a->err.code == -EINVAL ? EXIT_USAGE : EXIT_INFRASTRUCTURE;

	return admin_complain(a, code, "%s%s%s", a->err.item, *a->err.item ? ": " : "",
			      *a->err.text ? a->err.text : strerror(-a->err.code));
}

int admin_open(struct admin *a, const char *command)
{
	char why[CONFIG_WHY] = "";

	a->command = command;
	admin_flags.text[config_key_index("redis.url")] = admin_redis_url;
	admin_flags.text[config_key_index("ledger.url")] = admin_ledger_url;
	if (config_load(&a->config, &admin_flags, why) < 0 ||
	    config_check(&a->config, false, why) < 0)
		return admin_complain(a, EXIT_USAGE, "%s", why);
	return EXIT_OK;
}

void admin_done(struct admin *a)
{
	queue_free(a->queue);
	ledger_free(a->ledger);
	config_done(&a->config);
}

struct queue *admin_queue(struct admin *a)
{
	struct queue_options o;

	process_queue_options(&a->config, &o);
	if (a->flood) {
		o.no_supersede = true;
		o.student_waiting_max = UINT32_MAX;
	}
	if (!a->queue && queue_open(&a->queue, &o, &a->err) < 0)
		a->refused = admin_failed(a);
	return a->queue;
}

struct ledger *admin_ledger(struct admin *a)
{
	if (a->ledger)
		return a->ledger;
	if (!a->config.ledger.url)
		a->refused = admin_complain(
			a, EXIT_USAGE,
			"where the ledger is has not been said: --ledger-url, "
			"$SANDBOX_RUNNER_LEDGER_URL, or \"ledger\": { \"url\" } in --config");
	else if (ledger_open(&a->ledger, a->config.ledger.url, a->config.ledger.schema, &a->err) <
		 0)
		a->refused = admin_failed(a);
	else
		ledger_set_timeout(a->ledger, a->config.ledger.timeout_ns);
	return a->ledger;
}

const char *verdict_color(const char *verdict, bool color)
{
	if (!color)
		return "";
	if (streq(verdict, "AC"))
		return "\033[32m";
	if (streq(verdict, "IE"))
		return "\033[35m";
	return streq(verdict, "PARTIAL") ? "\033[33m" : "\033[31m";
}

/* A byte becomes \u{NNNN} at the longest. */
#define CLEAN_MAX(n) (8 * (n) + 16)

void admin_put_text(FILE *to, const char *head, const char *text)
{
	size_t n = strlen(text);
	_cleanup_free_ char *clean = clean_text(text, n, CLEAN_MAX(n));

	fprintf(to, "%s%s\n", head, clean ? clean : "");
}

void admin_put_line(FILE *to, const char *head, const char *text)
{
	size_t n = strlen(text);
	_cleanup_free_ char *clean = clean_line(text, n, CLEAN_MAX(n));

	fprintf(to, "%s%s\n", head, clean ? clean : "");
}

const char *admin_duration(uint64_t ms, char buf[static 32])
{
	if (ms == 0)
		return "-";
	if (ms < 1000)
		(void)snprintf(buf, 32, "%u ms", (unsigned int)ms);
	else if (ms < 60000)
		(void)snprintf(buf, 32, "%.1f s", (double)ms / 1000);
	else if (ms < 3600000)
		(void)snprintf(buf, 32, "%u min %u s", (unsigned int)(ms / 60000),
			       (unsigned int)(ms / 1000 % 60));
	else
		(void)snprintf(buf, 32, "%llu h %u min", (unsigned long long)(ms / 3600000),
			       (unsigned int)(ms / 60000 % 60));
	return buf;
}

const char *admin_time(uint64_t ms, char buf[static 32])
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	if (ms == 0 || !gmtime_r(&t, &tm))
		return "-";
	(void)strftime(buf, 32, "%Y-%m-%d %H:%M:%S", &tm);
	return buf;
}
