/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run grade: one submission against one challenge. The options and their check; the work is
 * in grade-judge.c and, for --watch, in grade-watch.c.
 *
 * Signals that would end us are blocked before anything is made and read from a descriptor; every
 * wait of the pipeline looks at it, so that Ctrl-C at any moment takes the way that removes all.
 */

#include "run/grade.h"

#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>

#include "cli/signals.h"
#include "pipeline/settings.h"
#include "report/result.h"
#include "run/exec-options.h"
#include "run/run.h"
#include "store/store.h"
#include "util/util.h"

struct grade_options grade_opt;

static const struct option_spec specs[] = {
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "What to judge" },
	{ OPTION_STRING, 'c', "challenge", "DIR", &grade_opt.challenge,
	  "the folder with challenge.json and the hidden tests (required)" },
	{ OPTION_STRING, 0, "bundle", "DIR", &grade_opt.bundle,
	  "a folder that sandbox-runner admin bundle wrote, instead of SUBMISSION and --challenge; "
	  "says whether the verdict is the same" },
	{ OPTION_STRING, 0, "reveal", "WHAT", &grade_opt.reveal,
	  "what is told about the tests: none, names, messages, or all (hidden ones too) "
	  "(default: the challenge's)" },
	{ OPTION_FLAG, 'w', "watch", NULL, &grade_opt.watch,
	  "judge again whenever SUBMISSION or the challenge changes, until Ctrl-C; --reveal is "
	  "all by default then" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Where things are" },
	{ OPTION_STRING, 0, "store", "DIR", &grade_opt.store,
	  "runtimes and installed packages (default: $SANDBOX_STORE, " SETTINGS_STORE_HELP ")" },
	{ OPTION_SIZE, 0, "store-size", "SIZE", &grade_opt.store_size,
	  "what installed packages may take on the disk (default: 10G)" },
	{ OPTION_STRING, 0, "database", "URL", &grade_opt.database,
	  "an administrator's on a Postgres server: databases are made there, instead of a "
	  "server for each submission (docs/databases.md); better in $SANDBOX_RUN_DATABASE" },
	{ OPTION_STRING, 0, "database-shared", "NAME", &grade_opt.database_shared,
	  "a schema in this database of that server, instead of a database" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Where a host cannot enforce a limit" },
	{ OPTION_STRING, 0, "allow-unenforced", "LIST", &grade_opt.allow_unenforced,
	  "go without these (memory, swap, pids, cpu, cpu-time, all) and say so in the result "
	  "(default: refuse)" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Output (for people on stderr)" },
	{ OPTION_OPTIONAL, 0, "json", "FILE", &grade_opt.json,
	  "the result as JSON (docs/result.md), to FILE or to stdout" },
	{ OPTION_LIST, 0, "report", "FORMAT=FILE", &grade_opt.reports,
	  "a report, too: html=FILE (a page), junit=FILE, ctrf=FILE, tap=FILE; several are "
	  "joined by commas, and - is stdout" },
	{ OPTION_STRING, 0, "keep-logs", "FILE", &grade_opt.log,
	  "write all that the server printed to FILE" },
	{ OPTION_COLOR, 0, "color", "WHEN", &grade_opt.color,
	  "auto, always or never (default: auto)" },
	{ OPTION_FLAG, 'q', "quiet", NULL, &grade_opt.quiet, "only the verdict and its reason" },
	{ OPTION_COUNT, 'v', "verbose", NULL, &grade_opt.verbose,
	  "the time of every test; twice: the library's log" },
	{ OPTION_END },
};

const struct command grade_command = {
	.name = "grade",
	.synopsis = "grade SUBMISSION --challenge DIR [OPTIONS]\n"
		    "       sandbox-run grade --bundle DIR [OPTIONS]",
	.summary =
		"Judges SUBMISSION, a folder or zip with a server: unpacks it, installs its\n"
		"packages, gives it a database, starts it in a jail, runs the hidden tests of the\n"
		"challenge against it and says what the verdict is and why.",
	.examples = "  sandbox-run grade work.zip --challenge challenges/car-rental\n"
		    "  sandbox-run grade ./my-server --challenge challenges/car-rental -v\n"
		    "  sandbox-run grade work.zip -c car-rental --json=result.json\n"
		    "  sandbox-run grade work.zip -c car-rental --json -q | jq .verdict\n"
		    "  sandbox-run grade work.zip -c car-rental --report html=report.html\n"
		    "  sandbox-run grade ./solution --challenge . --watch\n"
		    "  sandbox-run grade work.zip -c car-rental --reveal all --keep-logs log\n"
		    "  sandbox-run grade --bundle bundle-7d0b",
	.epilog =
		"Verdicts: AC all tests passed, PARTIAL some, WA none; CE the archive, install,\n"
		"build or migration failed; BOOT the server never answered; CRASH it ended while\n"
		"tested; MLE, DLE, PLE, OLE, TLE it met the limit on memory, disk, processes,\n"
		"output or time; SEC a forbidden kind of system call; IE the sandbox failed.\n\n"
		"Exit codes:\n"
		"    0  all tests passed\n"
		"    1  tests failed, or the server crashed or met a limit while tested\n"
		"    2  the command line or the challenge is wrong\n"
		"    3  the submission failed before its tests\n"
		"    4  the sandbox failed; the submission is not to blame\n"
		"  130  interrupted (Ctrl-C, SIGTERM); nothing is left behind",
	.options = specs,
};

static int open_outputs(struct grade *g)
{
	bool to_stdout = false;
	int code = EXIT_OK;

	if (grade_opt.json.given) {
		const char *json = grade_opt.json.value ? grade_opt.json.value : "-";

		to_stdout = streq(json, "-");
		code = report_files_add_json(&g->reports, json, "grade");
	}
	if (code == EXIT_OK)
		code = report_files_open(&g->reports, &grade_opt.reports, to_stdout, "grade");
	if (code != EXIT_OK || !grade_opt.log)
		return code;
	g->log = open(grade_opt.log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
	return g->log < 0 ? usage_error("grade", "%s: %s", grade_opt.log, strerror(errno)) : 0;
}

/* What is wrong with the call itself is found before anything is made: exit code 2. */
static int check_call(struct grade *g)
{
	const char *list = grade_opt.allow_unenforced;
	struct stat st;
	int r;

	if (grade_opt.bundle && (grade_opt.challenge || grade_opt.watch))
		return usage_error("grade", "%s and --bundle: give one of them",
				   grade_opt.watch ? "--watch" : "--challenge");
	if (grade_opt.bundle) {
		r = grade_bundle_open(g);
		if (r != EXIT_OK)
			return r;
		list = grade_opt.allow_unenforced;
	}
	if (!grade_opt.challenge)
		return usage_error("grade",
				   "--challenge is missing: the folder with challenge.json");
	if (grade_opt.reveal && reveal_parse(grade_opt.reveal, &g->reveal) < 0)
		return usage_error("grade",
				   "--reveal takes none, names, messages or all, not \"%.40s\"",
				   grade_opt.reveal);
	if (list) {
		r = exec_parse_limits("grade", "--allow-unenforced", list, &grade_opt.unenforced);
		if (r >= 0)
			return r;
	}
	if (stat(g->submission, &st) < 0)
		return usage_error("grade", "%s: %s", g->submission, strerror(errno));
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return usage_error("grade", "%s is neither a folder nor a zip file", g->submission);
	return EXIT_OK;
}

static void grade_done(struct grade *g)
{
	report_files_done(&g->reports);
	close_fd(g->log);
	store_free(g->store);
	sbx_ctx_free(g->ctx);
	keeper_stop(&g->keeper);
	challenge_free(g->challenge);
	settings_done(&g->settings);
	close_fd(g->signals);
	grade_bundle_done(&g->bundle);
}

int cmd_grade(int argc, char **argv)
{
	_cleanup_(grade_done) struct grade g = {
		.signals = -1, .log = -1, .bundle.dir = -1, .keeper = KEEPER_NULL
	};
	_cleanup_(result_freep) struct result *result = NULL;
	int code, n;

	code = options_read(&grade_command, argc, argv, &n);
	if (code >= 0)
		return code;
	if (n > 0 && grade_opt.bundle)
		return usage_error(
			"grade", "the submission is in the bundle; \"%.64s\" is too many", argv[0]);
	if (n != 1 && !grade_opt.bundle)
		return usage_error("grade", n == 0 ? "SUBMISSION is missing: a folder or a zip file"
						   : "one SUBMISSION at a time");
	g.submission = argv[0];
	/* File names in the zip of a folder are marked as UTF-8 only in a UTF-8 locale. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	g.signals = signals_open();
	if (g.signals < 0)
		return grade_complain("signals cannot be blocked: %s", strerror(-g.signals));
	code = check_call(&g);
	/* With --watch a challenge that is wrong is shown, and watched until it is not. */
	if (code == EXIT_OK && !grade_opt.watch)
		code = grade_load_challenge(&g);
	if (code == EXIT_OK && grade_opt.bundle)
		code = grade_bundle_check(&g);
	if (code == EXIT_OK)
		code = open_outputs(&g);
	if (code == EXIT_OK && grade_opt.watch)
		return grade_watch(&g);
	if (code == EXIT_OK)
		code = grade_open_installation(&g);
	if (code != EXIT_OK)
		return code;
	code = grade_judge(&g, g.signals, &result);
	if (grade_opt.bundle && result && code != EXIT_INTERRUPTED)
		grade_bundle_compare(&g, result);
	return code;
}
