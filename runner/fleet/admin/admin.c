/* SPDX-License-Identifier: MIT */

/* sandbox-runner admin: a verb for each thing to do. This file picks the verb. */

#include "fleet/admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "fleet/fleet.h"
#include "util/util.h"

struct admin_options admin_opt;

/* Which fleet is meant, any verb may be told. */
struct verb {
	const char *name;
	int (*run)(struct admin *a, int argc, char **argv);
	int min, max; /* operands */
	const char *usage;
	const char *options; /* what else it takes, " name name " */
};

static const struct verb verbs[] = {
	{ "status", admin_status, 0, 0, "", " json " },
	{ "workers", admin_workers, 0, 0, "", " json " },
	{ "drain", admin_drain, 1, 1, "WORKER", "" },
	{ "undrain", admin_undrain, 1, 1, "WORKER", "" },
	{ "pause", admin_pause, 0, 1, "[CONTEST]", "" },
	{ "resume", admin_resume, 0, 1, "[CONTEST]", "" },
	{ "job", admin_job, 1, 1, "ID", " json " },
	{ "cancel", admin_cancel, 1, 1, "ID", "" },
	{ "retry", admin_retry, 1, 1, "ID", " json " },
	{ "rejudge", admin_rejudge, 0, 1, "[ID]",
	  " challenge contest student dry-run urgent json " },
	{ "dead", admin_dead, 1, 2, "ls | requeue ENTRY | purge [ENTRY]", " all limit json " },
	{ "migrate", admin_migrate, 0, 0, "", "" },
	{ "contest", admin_contest, 2, 2, "show CONTEST | set CONTEST",
	  " rules starts ends penalty json " },
	{ "rank", admin_rank, 2, 2, "show CONTEST | rebuild CONTEST", " from-ledger limit json " },
	{ "gc", admin_gc, 0, 4, "[queue] [databases] [host] [store]", " dry-run older-than json " },
	{ "bundle", admin_bundle, 1, 1, "ID", " out " },
	{ "loadgen", admin_loadgen, 1, 1, "N", " challenge contest url students " },
};

static const struct option_spec specs[] = {
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "What is meant" },
	{ OPTION_STRING, 0, "challenge", "ID", &admin_opt.challenge,
	  "rejudge, loadgen: of this one" },
	{ OPTION_STRING, 0, "contest", "ID", &admin_opt.contest, "rejudge, loadgen: of this one" },
	{ OPTION_STRING, 0, "student", "ID", &admin_opt.student, "rejudge: of this one" },
	{ OPTION_FLAG, 0, "all", NULL, &admin_opt.all, "dead purge: all dead letters" },
	{ OPTION_FLAG, 0, "dry-run", NULL, &admin_opt.dry_run,
	  "rejudge, gc: say what would be done, and change nothing" },
	{ OPTION_STRING, 0, "older-than", "TIME", &admin_opt.older,
	  "gc: of what is kept for a time, what is older: 30d, 12h or 90m (default: 30d)" },
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
		   "Commands:\n"
		   "  status                     the queue in numbers\n"
		   "  workers                    who judges, and how busy\n"
		   "  drain W                    worker W (*: all) takes no more submissions\n"
		   "  undrain W                  it does again\n"
		   "  pause [C]                  submissions of contest C (all) wait\n"
		   "  resume [C]                 they are judged again\n"
		   "  job ID                     one submission as it stands, with its log\n"
		   "  cancel ID                  it is not judged, or no further\n"
		   "  retry ID                   judged once more, at once\n"
		   "  rejudge                    all of a challenge, contest or student\n"
		   "  dead ls|requeue|purge      what could not be understood or judged\n"
		   "  migrate                    makes or updates the tables of the ledger\n"
		   "  contest show|set C         rules and times of a contest\n"
		   "  rank show|rebuild C        the leaderboard; from the ledger again\n"
		   "  gc [PART ...]              removes what no job needs any more\n"
		   "  bundle ID                  a folder for sandbox-run grade --bundle\n"
		   "  loadgen N                  hands in N submissions",
	.examples = "  sandbox-runner admin status --config /etc/sandbox/runner.json\n"
		    "  sandbox-runner admin contest set spring --rules icpc \\\n"
		    "      --starts 2026-11-23T18:00:00Z --ends 2026-11-23T21:00:00Z\n"
		    "  sandbox-runner admin rejudge --challenge todo --dry-run\n"
		    "  sandbox-runner admin rank show spring --json\n"
		    "  sandbox-runner admin gc --dry-run",
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

static bool is_given(const struct option_spec *o)
{
	if (o->kind == OPTION_FLAG)
		return *(bool *)o->dest;
	if (o->kind == OPTION_STRING)
		return *(const char **)o->dest;
	return ((struct option_measure *)o->dest)->text;
}

/* Who says --dry-run to what takes none must not find it done. */
static int check_options(const struct verb *v)
{
	char word[32];

	for (const struct option_spec *o = specs; o->kind != OPTION_END; o++) {
		if (o->kind == OPTION_GROUP || o->dest == &admin_flags.file ||
		    o->dest == &admin_redis_url || o->dest == &admin_ledger_url || !is_given(o))
			continue;
		(void)snprintf(word, sizeof(word), " %s ", o->name);
		if (!strstr(v->options, word))
			return usage_error("admin", "%s does not take --%s", v->name, o->name);
	}
	return EXIT_OK;
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
	code = check_options(v);
	if (code == EXIT_OK)
		code = admin_open(&a, "admin");
	return code != EXIT_OK ? code : v->run(&a, n - 1, argv + 1);
}
