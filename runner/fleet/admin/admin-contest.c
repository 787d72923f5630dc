/* SPDX-License-Identifier: MIT */

/* admin migrate, and contest show and set: what is in the ledger beside results. */

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "fleet/admin/admin-json.h"
#include "fleet/admin/admin.h"
#include "util/util.h"

#define DEFAULT_PENALTY_S (20 * 60)

int admin_migrate(struct admin *a, int argc, char **argv)
{
	struct ledger *l = admin_ledger(a);
	int n;

	if (!l)
		return a->refused;
	n = ledger_migrate(l, &a->err);
	if (n < 0)
		return admin_failed(a);
	printf(n == 0 ? "the ledger is up to date\n"
		      : "the ledger was brought up to date in %d steps\n",
	       n);
	return EXIT_OK;
}

static const char *rules_name(enum contest_rules r)
{
	return r == CONTEST_ICPC ? "icpc" : "points";
}

static int show(struct admin *a, struct ledger *l, const char *id)
{
	struct contest c = { 0 };
	char starts[32], ends[32];
	int r = ledger_contest(l, id, &c, &a->err);
	cJSON *o;

	if (r < 0)
		return admin_failed(a);
	if (r == 0)
		return admin_complain(a, EXIT_FAILED, "there is no contest %s in the ledger", id);
	if (admin_opt.json) {
		o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "id", id);
		cJSON_AddStringToObject(o, "rules", rules_name(c.rules));
		admin_put(o, "starts_ms", c.starts_ms);
		admin_put(o, "ends_ms", c.ends_ms);
		admin_put(o, "penalty_s", c.penalty_s);
		return admin_print_json(o);
	}
	printf("%s: rules %s, from %s to %s UTC, penalty %u s\n", id, rules_name(c.rules),
	       admin_time(c.starts_ms, starts), admin_time(c.ends_ms, ends), c.penalty_s);
	return EXIT_OK;
}

/* "2026-11-23T18:00:00Z", or with an offset, "+02:00", instead of the Z. */
static int parse_time(const char *text, uint64_t *ret_ms)
{
	struct tm tm = { 0 };
	int hours = 0, minutes = 0, n = 0;
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	long long t;

	if (!rest)
		return -EINVAL;
	if (!streq(rest, "Z") &&
	    (sscanf(rest, "%3d:%2d%n", &hours, &minutes, &n) != 2 || n != 6 || rest[n] != '\0' ||
	     (rest[0] != '+' && rest[0] != '-') || hours < -14 || hours > 14 || minutes > 59))
		return -EINVAL;
	t = (long long)timegm(&tm) - hours * 3600LL - (rest[0] == '-' ? -minutes : minutes) * 60LL;
	if (t <= 0)
		return -EINVAL;
	*ret_ms = (uint64_t)t * 1000;
	return 0;
}

static int take_time(const char *option, const char *text, uint64_t *ret)
{
	if (!text)
		return usage_error("admin", "contest set needs --rules, --starts and --ends");
	if (parse_time(text, ret) < 0)
		return usage_error("admin",
				   "%s is a time like 2026-11-23T18:00:00Z or "
				   "2026-11-23T20:00:00+02:00, not \"%.40s\"",
				   option, text);
	return EXIT_OK;
}

static int set(struct admin *a, struct ledger *l, const char *id)
{
	struct contest c = { .penalty_s = DEFAULT_PENALTY_S };
	const char *rules = admin_opt.rules ? admin_opt.rules : "";
	int code = take_time("--starts", admin_opt.starts, &c.starts_ms);

	if (code == EXIT_OK)
		code = take_time("--ends", admin_opt.ends, &c.ends_ms);
	if (code != EXIT_OK)
		return code;
	if (!streq(rules, "icpc") && !streq(rules, "points"))
		return usage_error("admin", "--rules is icpc or points");
	if (c.ends_ms <= c.starts_ms)
		return usage_error("admin", "--ends is not after --starts");
	c.rules = streq(rules, "icpc") ? CONTEST_ICPC : CONTEST_POINTS;
	if (admin_opt.penalty.text)
		c.penalty_s = (uint32_t)(admin_opt.penalty.value / NSEC_PER_SEC);
	code = ledger_contest_set(l, id, &c, &a->err);
	if (code == -EINVAL)
		return admin_complain(a, EXIT_USAGE, "%s", a->err.text);
	if (code < 0)
		return admin_failed(a);
	printf("set; where results have been ranked already: sandbox-runner admin rank rebuild "
	       "%s\n",
	       id);
	return EXIT_OK;
}

int admin_contest(struct admin *a, int argc, char **argv)
{
	bool is_set = streq(argv[0], "set");
	struct ledger *l;

	if (!is_set && !streq(argv[0], "show"))
		return usage_error("admin", "contest takes show or set, and a CONTEST");
	l = admin_ledger(a);
	if (!l)
		return a->refused;
	return is_set ? set(a, l, argv[1]) : show(a, l, argv[1]);
}
