/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run grade: one submission against one challenge.
 *
 * Signals that would end us are blocked before anything is made and read from a descriptor; every
 * wait of the pipeline looks at it, so that Ctrl-C at any moment takes the way that removes all.
 */

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "report/report.h"
#include "store/store.h"
#include "deps/toolchain.h"
#include "pipeline/verdict.h"
#include "run/exec-options.h"
#include "run/options.h"
#include "run/run.h"
#include "run/settings.h"
#include "run/signals.h"
#include "util/util.h"

#define EXIT_INFRASTRUCTURE 4

static struct {
	const char *challenge, *store, *reveal, *log, *allow_unenforced;
	uint32_t unenforced; /* SBX_LIMIT_*, of the list */
	struct option_optional json;
	struct option_measure store_size;
	enum color color;
	bool quiet;
	int verbose;
} opt;

static const struct option_spec specs[] = {
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "What to judge" },
	{ OPTION_STRING, 'c', "challenge", "DIR", &opt.challenge,
	  "the folder with challenge.json and the hidden tests (required)" },
	{ OPTION_STRING, 0, "reveal", "WHAT", &opt.reveal,
	  "what is told about the tests: none, names, messages, or all (hidden ones too) "
	  "(default: the challenge's)" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Where things are" },
	{ OPTION_STRING, 0, "store", "DIR", &opt.store,
	  "runtimes and installed packages (default: $SANDBOX_STORE, " SETTINGS_STORE_HELP ")" },
	{ OPTION_SIZE, 0, "store-size", "SIZE", &opt.store_size,
	  "what installed packages may take on the disk (default: 10G)" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Where a host cannot enforce a limit" },
	{ OPTION_STRING, 0, "allow-unenforced", "LIST", &opt.allow_unenforced,
	  "go without these (memory, swap, pids, cpu, cpu-time, all) and say so in the result "
	  "(default: refuse)" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Output (for people on stderr)" },
	{ OPTION_OPTIONAL, 0, "json", "FILE", &opt.json,
	  "the result as JSON (docs/result.md), to FILE or to stdout" },
	{ OPTION_STRING, 0, "keep-logs", "FILE", &opt.log,
	  "write all that the server printed to FILE" },
	{ OPTION_COLOR, 0, "color", "WHEN", &opt.color, "auto, always or never (default: auto)" },
	{ OPTION_FLAG, 'q', "quiet", NULL, &opt.quiet, "only the verdict and its reason" },
	{ OPTION_COUNT, 'v', "verbose", NULL, &opt.verbose,
	  "the time of every test; twice: the library's log" },
	{ OPTION_END },
};

const struct command grade_command = {
	.name = "grade",
	.synopsis = "grade SUBMISSION --challenge DIR [OPTIONS]",
	.summary =
		"Judges SUBMISSION, a folder or zip with a server: unpacks it, installs its\n"
		"packages, gives it a database, starts it in a jail, runs the hidden tests of the\n"
		"challenge against it and says what the verdict is and why.",
	.examples = "  sandbox-run grade work.zip --challenge challenges/car-rental\n"
		    "  sandbox-run grade ./my-server --challenge challenges/car-rental -v\n"
		    "  sandbox-run grade work.zip -c car-rental --json=result.json\n"
		    "  sandbox-run grade work.zip -c car-rental --json -q | jq .verdict\n"
		    "  sandbox-run grade work.zip -c car-rental --reveal all --keep-logs log",
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

/* All that one call holds; released in reverse by grade_done(). */
struct grade {
	struct settings settings;
	struct challenge *challenge;
	struct sbx_ctx *ctx;
	struct store *store;
	FILE *json;
	int signals, log;
};

__attribute__((format(printf, 1, 2))) static int complain(const char *fmt, ...)
{
	va_list args;

	fputs("sandbox-run grade: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_INFRASTRUCTURE;
}

static int complain_error(const struct sbx_error *e)
{
	fprintf(stderr, "sandbox-run grade: %s%s%s: %s\n", e->stage, *e->item ? ": " : "", e->item,
		e->text);
	return EXIT_INFRASTRUCTURE;
}

static int open_outputs(struct grade *g)
{
	const char *json = opt.json.value;

	if (opt.json.given && (!json || streq(json, "-")))
		g->json = stdout;
	else if (opt.json.given)
		g->json = fopen(json, "we");
	if (opt.json.given && !g->json)
		return usage_error("grade", "%s: %s", json, strerror(errno));
	if (!opt.log)
		return 0;
	g->log = open(opt.log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
	return g->log < 0 ? usage_error("grade", "%s: %s", opt.log, strerror(errno)) : 0;
}

/* What is wrong with the call itself is found before anything is made: exit code 2. */
static int check_call(struct grade *g, const char *submission, enum reveal *reveal)
{
	char why[CHALLENGE_ERROR_SIZE];
	struct stat st;
	int r;

	if (!opt.challenge)
		return usage_error("grade",
				   "--challenge is missing: the folder with challenge.json");
	if (opt.reveal && reveal_parse(opt.reveal, reveal) < 0)
		return usage_error("grade",
				   "--reveal takes none, names, messages or all, not \"%.40s\"",
				   opt.reveal);
	if (opt.allow_unenforced) {
		r = exec_parse_limits("grade", "--allow-unenforced", opt.allow_unenforced,
				      &opt.unenforced);
		if (r >= 0)
			return r;
	}
	if (stat(submission, &st) < 0)
		return usage_error("grade", "%s: %s", submission, strerror(errno));
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return usage_error("grade", "%s is neither a folder nor a zip file", submission);
	r = challenge_load(&g->challenge, opt.challenge, why);
	if (r == -ENOMEM)
		return complain("out of memory");
	if (r < 0) {
		fprintf(stderr, "sandbox-run grade: %s\n", why);
		return EXIT_USAGE;
	}
	if (!opt.reveal)
		*reveal = g->challenge->reveal;
	return open_outputs(g);
}

static void log_line(void *data, int level, const char *line)
{
	(void)data;
	if (level <= SBX_LOG_WARNING || opt.verbose > 1)
		fprintf(stderr, "sandbox: %s\n", line);
}

/* What the host must have. */
static int open_installation(struct grade *g)
{
	struct sbx_ctx_options o = { .size = sizeof(o),
				     .flags = SBX_CTX_OWN_LEAF,
				     .log = log_line,
				     .allow_unenforced = opt.unenforced };
	struct toolchain toolchain = { 0 };
	struct sbx_error err = { 0 };

	if (settings_find(&g->settings, opt.store, &err) < 0)
		return complain_error(&err);
	if (access(g->settings.inside, X_OK) < 0)
		return complain("%s is not there: the installation is not whole (meson install)",
				g->settings.inside);
	if (!g->settings.node_dir && toolchain_find(&toolchain, g->settings.store_dir, &err) < 0)
		return complain_error(&err);
	if (!g->settings.node_dir)
		g->settings.node_dir = steal_ptr(toolchain.dir);
	toolchain_done(&toolchain);
	if (g->challenge->postgres && !g->settings.postgres_dir)
		return complain("the challenge needs Postgres, and none is installed; on Debian: "
				"apt-get install postgresql (no cluster is needed)");
	if (sbx_ctx_new(&g->ctx, &o, &err) < 0 ||
	    store_open(&g->store, g->settings.store_dir, opt.store_size.value, &err) < 0)
		return complain_error(&err);
	return 0;
}

static int write_json(struct grade *g, const struct job *job)
{
	_cleanup_free_ char *text = g->json ? result_json(job) : NULL;

	if (!g->json)
		return 0;
	if (!text || fprintf(g->json, "%s\n", text) < 0 || fflush(g->json) != 0)
		return complain("the result could not be written: %s", strerror(errno));
	return 0;
}

static int judge(struct grade *g, const char *submission, enum reveal reveal)
{
	struct report report = {
		.out = stderr,
		.color = color_wanted(opt.color, STDERR_FILENO),
		.live = isatty(STDERR_FILENO),
		.quiet = opt.quiet,
		.verbose = opt.verbose,
	};
	struct job job = JOB_NULL;
	int code;

	job.settings = &g->settings;
	job.challenge = g->challenge;
	job.submission = submission;
	job.reveal = reveal;
	job.ctx = g->ctx;
	job.store = g->store;
	job.cancel_fd = g->signals;
	job.keep_log = g->log;
	job.progress = report_progress;
	job.progress_data = &report;
	report_begin(&report, &job);
	(void)pipeline_run(&job);
	report_end(&report, &job);
	code = verdict_exit_code(&job);
	if (write_json(g, &job) != 0)
		code = EXIT_INFRASTRUCTURE;
	job_done(&job);
	return code;
}

static void grade_done(struct grade *g)
{
	if (g->json && g->json != stdout)
		(void)fclose(g->json);
	close_fd(g->log);
	store_free(g->store);
	sbx_ctx_free(g->ctx);
	challenge_free(g->challenge);
	settings_done(&g->settings);
	close_fd(g->signals);
}

int cmd_grade(int argc, char **argv)
{
	_cleanup_(grade_done) struct grade g = { .signals = -1, .log = -1 };
	enum reveal reveal = REVEAL_NAMES;
	int code, n;

	code = options_read(&grade_command, argc, argv, &n);
	if (code >= 0)
		return code;
	if (n != 1)
		return usage_error("grade", n == 0 ? "SUBMISSION is missing: a folder or a zip file"
						   : "one SUBMISSION at a time");
	/* File names in the zip of a folder are marked as UTF-8 only in a UTF-8 locale. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	g.signals = signals_open();
	if (g.signals < 0)
		return complain("signals cannot be blocked: %s", strerror(-g.signals));
	code = check_call(&g, argv[0], &reveal);
	if (code == 0)
		code = open_installation(&g);
	return code != 0 ? code : judge(&g, argv[0], reveal);
}
