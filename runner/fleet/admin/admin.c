/* SPDX-License-Identifier: MIT */

/* sandbox-runner admin: a verb for each thing to do. This file picks the verb. */

#include "fleet/admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "fleet/fleet.h"
#include "util/util.h"

struct admin_options admin_opt;

struct verb {
	const char *name;
	int (*run)(struct admin *a, int argc, char **argv);
	int min, max; /* operands */
	const char *usage;
};

static const struct verb verbs[] = {
	{ "status", admin_status, 0, 0, "" },
	{ "workers", admin_workers, 0, 0, "" },
	{ "drain", admin_drain, 1, 1, "WORKER" },
	{ "undrain", admin_undrain, 1, 1, "WORKER" },
	{ "pause", admin_pause, 0, 1, "[CONTEST]" },
	{ "resume", admin_resume, 0, 1, "[CONTEST]" },
	{ "job", admin_job, 1, 1, "ID" },
	{ "cancel", admin_cancel, 1, 1, "ID" },
	{ "retry", admin_retry, 1, 1, "ID" },
	{ "rejudge", admin_rejudge, 0, 1, "[ID]" },
	{ "dead", admin_dead, 1, 2, "ls | requeue ENTRY | purge [ENTRY]" },
	{ "migrate", admin_migrate, 0, 0, "" },
	{ "contest", admin_contest, 2, 2, "show CONTEST | set CONTEST" },
	{ "rank", admin_rank, 2, 2, "show CONTEST | rebuild CONTEST" },
	{ "bundle", admin_bundle, 1, 1, "ID" },
	{ "loadgen", admin_loadgen, 1, 1, "N" },
};

static const struct option_spec specs[] = {
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "What is meant" },
	{ OPTION_STRING, 0, "challenge", "ID", &admin_opt.challenge,
	  "rejudge, loadgen: of this one" },
	{ OPTION_STRING, 0, "contest", "ID", &admin_opt.contest, "rejudge, loadgen: of this one" },
	{ OPTION_STRING, 0, "student", "ID", &admin_opt.student, "rejudge: of this one" },
	{ OPTION_FLAG, 0, "all", NULL, &admin_opt.all, "dead purge: all dead letters" },
	{ OPTION_FLAG, 0, "dry-run", NULL, &admin_opt.dry_run,
	  "rejudge: say how many, and change nothing" },
	{ OPTION_FLAG, 0, "urgent", NULL, &admin_opt.urgent,
	  "rejudge: before the submissions of contests, not on idle slots only" },
	{ OPTION_FLAG, 0, "from-ledger", NULL, &admin_opt.from_ledger,
	  "rank show: as Postgres computes it, not as Redis has it" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "contest set" },
	{ OPTION_STRING, 0, "rules", "RULES", &admin_opt.rules, "icpc or points" },
	{ OPTION_STRING, 0, "starts", "TIME", &admin_opt.starts, "2026-11-23T18:00:00Z" },
	{ OPTION_STRING, 0, "ends", "TIME", &admin_opt.ends, "submissions before this time count" },
	{ OPTION_DURATION, 0, "penalty", "TIME", &admin_opt.penalty,
	  "for each failed attempt before the first accept (default: 20m)" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "loadgen" },
	{ OPTION_STRING, 0, "url", "URL", &admin_opt.url, "the archive that all hand in" },
	{ OPTION_NUMBER, 0, "students", "N", &admin_opt.students, "how many (default: 40)" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Output" },
	{ OPTION_FLAG, 0, "json", NULL, &admin_opt.json, "as JSON on stdout" },
	{ OPTION_NUMBER, 'n', "limit", "N", &admin_opt.limit,
	  "at most so many lines (default: 100)" },
	{ OPTION_STRING, 'o', "out", "DIR", &admin_opt.out, "bundle: the folder to make" },
	ADMIN_FLEET_OPTIONS,
	{ OPTION_END },
};

static const struct command command = {
	.name = "admin",
	.synopsis = "admin VERB [OPERANDS] [OPTIONS]",
	.summary = "Looks at a fleet and steers it, through its Redis and its ledger.\n\n"
		   "  status                     the queue in numbers\n"
		   "  workers                    who judges, and how busy\n"
		   "  drain W, undrain W         worker W (*: all) takes no more submissions\n"
		   "  pause [C], resume [C]      submissions of contest C (all) wait\n"
		   "  job ID                     one submission as it stands, with its log\n"
		   "  cancel ID                  it is not judged, or no further\n"
		   "  retry ID                   judged once more, at once\n"
		   "  rejudge                    all of a challenge, contest or student\n"
		   "  dead ls|requeue|purge      what could not be understood or judged\n"
		   "  migrate                    makes the ledger's tables, or brings them up to "
		   "date\n"
		   "  contest show|set C         rules and times of a contest\n"
		   "  rank show|rebuild C        the leaderboard; makes Redis's from the ledger "
		   "again\n"
		   "  bundle ID                  a folder with all of one submission, to judge it "
		   "by hand\n"
		   "  loadgen N                  hands in N submissions",
	.examples = "  sandbox-runner admin status --config /etc/sandbox/runner.json\n"
		    "  sandbox-runner admin contest set spring --rules icpc \\\n"
		    "      --starts 2026-11-23T18:00:00Z --ends 2026-11-23T21:00:00Z\n"
		    "  sandbox-runner admin rejudge --challenge todo --dry-run\n"
		    "  sandbox-runner admin rank show spring --json",
	.epilog = "Exit codes:\n"
		  "    0  done\n"
		  "    1  there is no such submission, contest, letter or worker\n"
		  "    2  the command line or the configuration is wrong\n"
		  "    4  Redis or Postgres is away, or refuses",
	.options = specs,
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (streq(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static int unknown_verb(const char *word)
{
	const char *names[ARRAY_SIZE(verbs) + 1] = { NULL }, *near;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		names[i] = verbs[i].name;
	near = suggest(word, names);
	if (near)
		return usage_error("admin", "there is no verb \"%.40s\"; did you mean %s?", word,
				   near);
	return usage_error("admin", "there is no verb \"%.40s\"", word);
}

int cmd_admin(int argc, char **argv)
{
	_cleanup_(admin_done) struct admin a = { 0 };
	const struct verb *v;
	int n, code = options_read_words(&command, argc, argv, &n);

	if (code >= 0)
		return code;
	if (n == 0)
		return usage_error("admin", "say what is to be done: status, workers, job ...");
	v = find_verb(argv[0]);
	if (!v)
		return unknown_verb(argv[0]);
	if (n - 1 < v->min || n - 1 > v->max)
		return usage_error("admin", "%s takes %s", v->name,
				   *v->usage ? v->usage : "no operands");
	code = admin_open(&a, "admin");
	return code != EXIT_OK ? code : v->run(&a, n - 1, argv + 1);
}
