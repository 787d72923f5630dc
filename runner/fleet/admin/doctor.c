/* SPDX-License-Identifier: MIT */

/*
 * sandbox-runner doctor: what the fleet has and lacks. (What the host has is sandbox-run doctor's.)
 * Nothing is changed.
 */

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "challenge/challenge.h"
#include "fleet/admin/admin-json.h"
#include "fleet/admin/admin.h"
#include "fleet/fleet.h"
#include "fleet/ledger/pg.h"
#include "util/util.h"

static struct {
	bool json, quiet;
} opt;

static const struct option_spec specs[] = {
	{ OPTION_FLAG, 0, "json", NULL, &opt.json, "as JSON on stdout" },
	{ OPTION_FLAG, 'q', "quiet", NULL, &opt.quiet, "only what does not pass" },
	ADMIN_FLEET_OPTIONS,
	{ OPTION_END },
};

static const struct command command = {
	.name = "doctor",
	.synopsis = "doctor [OPTIONS]",
	.summary =
		"Looks at what a worker with this configuration would find: Redis and whether it\n"
		"keeps what it is given, the ledger, the challenges, the students' databases.\n"
		"Says what is lost where something lacks. Whether jails can be made here is said\n"
		"by sandbox-run doctor. Changes nothing.",
	.examples = "  sandbox-runner doctor --config /etc/sandbox/runner.json\n"
		    "  sandbox-runner doctor --json | jq '.checks[] | select(.status != \"pass\")'",
	.epilog = "Exit codes:\n"
		  "    0  nothing fails (there may be warnings)\n"
		  "    1  something fails: a worker would not serve, or would lose submissions\n"
		  "    2  the command line or the configuration is wrong",
	.options = specs,
};

enum status {
	PASS,
	WARN,
	FAIL,
};
static const char *const status_names[] = { "pass", "warn", "fail" };

struct doctor {
	cJSON *checks;
	bool color, failed;
};

__attribute__((format(printf, 4, 5))) static void tell(struct doctor *d, enum status status,
						       const char *what, const char *fmt, ...)
{
	static const char *const colors[] = { "\033[32m", "\033[33m", "\033[31m" };
	static const char *const words[] = { "PASS", "WARN", "FAIL" };
	char text[1200];
	va_list args;
	cJSON *o;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	d->failed |= status == FAIL;
	if (d->checks) {
		o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "name", what);
		cJSON_AddStringToObject(o, "status", status_names[status]);
		cJSON_AddStringToObject(o, "text", text);
		cJSON_AddItemToArray(d->checks, o);
	} else if (!opt.quiet || status != PASS) {
		printf("%s%s%s  %-10s %s\n", d->color ? colors[status] : "", words[status],
		       COLOR_END(d->color), what, text);
	}
}

static void tell_error(struct doctor *d, const char *what, const struct sbx_error *err)
{
	tell(d, FAIL, what, "%s%s%s", err->item, *err->item ? ": " : "", err->text);
}

static void look_at_redis(struct doctor *d, struct admin *a)
{
	struct queue_finding findings[QUEUE_FINDINGS_MAX];
	int n = a->queue ? queue_requires(a->queue, findings, &a->err) : -EAGAIN;

	if (n < 0)
		tell_error(d, "redis", &a->err);
	for (int i = 0; i < n; i++)
		tell(d, findings[i].fatal ? FAIL : WARN, "redis", "%s", findings[i].text);
	if (n == 0)
		tell(d, PASS, "redis", "answers, keeps what it is given, and evicts nothing");
}

static void look_at_ledger(struct doctor *d, struct admin *a)
{
	if (!a->config.ledger.url)
		tell(d, FAIL, "ledger", "where it is has not been said: \"ledger\": { \"url\" }");
	else if (!a->ledger || ledger_check(a->ledger, &a->err) < 0)
		tell_error(d, "ledger", &a->err);
	else
		tell(d, PASS, "ledger", "answers, with the tables that this version knows");
}

/* Files that end in a message for whoever wrote them: as grade would say it. */
static bool look_at_challenge(struct doctor *d, const char *folder)
{
	struct challenge *c = NULL;
	char why[CHALLENGE_ERROR_SIZE] = "";
	int r = challenge_load(&c, folder, why);

	challenge_free(c);
	if (r < 0)
		tell(d, FAIL, "challenge", "%s", *why ? why : strerror(-r));
	return r == 0;
}

static void look_at_challenges(struct doctor *d, const struct fleet_config *c)
{
	DIR *dir = c->challenges ? opendir(c->challenges) : NULL;
	unsigned int n = 0, well = 0;
	struct dirent *e;
	char path[4096];
	struct stat st;

	if (!dir && c->challenges)
		tell(d, FAIL, "challenges", "%s: %s", c->challenges, strerror(errno));
	else if (!dir)
		tell(d, c->compat.devforces ? PASS : FAIL, "challenges",
		     "no folder of challenges is configured%s",
		     c->compat.devforces ? "; they come from DevForces' database" : "");
	while (dir && (e = readdir(dir))) {
		(void)snprintf(path, sizeof(path), "%s/%s", c->challenges, e->d_name);
		if (e->d_name[0] == '.' || stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		n++;
		well += look_at_challenge(d, path);
	}
	if (dir)
		(void)closedir(dir);
	if (n > 0 && well == n)
		tell(d, PASS, "challenges", "%u, all of them well", n);
	else if (dir && n == 0)
		tell(d, WARN, "challenges", "%s has no folder with a challenge in it",
		     c->challenges);
}

static void look_at_fetch(struct doctor *d, const struct fleet_config *c)
{
	if (!c->fetch.hosts[0] && !c->fetch.file_root)
		tell(d, FAIL, "fetch",
		     "no archive can be fetched: neither \"fetch\": { \"hosts\" } nor { "
		     "\"file_root\" } "
		     "says from where");
	else if (c->fetch.file_root && access(c->fetch.file_root, R_OK | X_OK) < 0)
		tell(d, FAIL, "fetch", "%s: %s", c->fetch.file_root, strerror(errno));
	else
		tell(d, PASS, "fetch", "archives come from where the configuration allows");
}

/* Connects as the worker would; what its role may do is found out by the first submission. */
static void look_at_database(struct doctor *d, const char *what, const char *url)
{
	_cleanup_(pg_freep) struct pg *db = NULL;
	_cleanup_(pg_clear) PGresult *row = NULL;
	struct sbx_error err = { 0 };
	int r = pg_open(&db, url, "sandbox-runner doctor", &err);

	if (r == 0)
		r = pg_query(db, "SELECT current_setting('server_version')", 0, NULL, &row, &err);
	if (r < 0)
		tell_error(d, what, &err);
	else
		tell(d, PASS, what, "answers, Postgres %s", PQgetvalue(row, 0, 0));
}

/* What `run` would end with at once. */
static void look_at_config(struct doctor *d, const struct fleet_config *c)
{
	char why[CONFIG_WHY] = "";

	if (config_check(c, true, why) < 0)
		tell(d, FAIL, "config", "%s", why);
	else
		tell(d, PASS, "config", "a worker can be run with it");
}

static void look(struct doctor *d, struct admin *a)
{
	const struct fleet_config *c = &a->config;

	look_at_config(d, c);
	look_at_redis(d, a);
	look_at_ledger(d, a);
	look_at_challenges(d, c);
	look_at_fetch(d, c);
	if (c->database.provider == DATABASE_SERVER && c->database.url)
		look_at_database(d, "database", c->database.url);
	if (c->compat.devforces != DEVFORCES_OFF && c->compat.database_url)
		look_at_database(d, "devforces", c->compat.database_url);
}

int cmd_doctor(int argc, char **argv)
{
	_cleanup_(admin_done) struct admin a = { 0 };
	struct doctor d = { .color = color_wanted(COLOR_AUTO, STDOUT_FILENO) };
	int n, code = options_read_words(&command, argc, argv, &n);
	cJSON *root;

	if (code >= 0)
		return code;
	if (n > 0)
		return usage_error("doctor", "takes no operands");
	code = admin_open(&a, "doctor");
	if (code != EXIT_OK)
		return code;
	if (!admin_queue(&a) || (a.config.ledger.url && !admin_ledger(&a)))
		return EXIT_FAILED;
	d.checks = opt.json ? cJSON_CreateArray() : NULL;
	look(&d, &a);
	if (d.checks) {
		root = cJSON_CreateObject();
		cJSON_AddItemToObject(root, "checks", d.checks);
		code = admin_print_json(root);
	}
	return d.failed ? EXIT_FAILED : code;
}
