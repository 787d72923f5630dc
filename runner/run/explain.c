/* SPDX-License-Identifier: MIT */

/* sandbox-run explain: what a result that --json or grade-all wrote says, and reports of it. */

#include "report/report-files.h"
#include "report/report.h"
#include "cli/options.h"
#include "run/run.h"
#include "util/util.h"

static struct {
	struct option_list reports;
	enum color color;
	bool quiet;
	int verbose;
} opt;

static const struct option_spec specs[] = {
	{ OPTION_LIST, 0, "report", "FORMAT=FILE", &opt.reports,
	  "a report: html=FILE (a page), junit=FILE, ctrf=FILE, tap=FILE; several are joined by "
	  "commas, and - is stdout" },
	{ OPTION_COLOR, 0, "color", "WHEN", &opt.color, "auto, always or never (default: auto)" },
	{ OPTION_FLAG, 'q', "quiet", NULL, &opt.quiet, "only the verdict and its reason" },
	{ OPTION_COUNT, 'v', "verbose", NULL, &opt.verbose, "the time of every test" },
	{ OPTION_END },
};

const struct command explain_command = {
	.name = "explain",
	.synopsis = "explain RESULT.json [OPTIONS]",
	.summary = "Prints the report of a result that `grade --json` or `grade-all` wrote, on\n"
		   "stdout, and makes reports of it. Nothing is judged again. - is stdin.",
	.examples = "  sandbox-run explain result.json\n"
		    "  sandbox-run explain week3.results/ada.json --report html=ada.html\n"
		    "  sandbox-run explain result.json --report junit=- -q 2>/dev/null",
	.epilog = "Exit codes:\n"
		  "    0  done, whatever the verdict was\n"
		  "    2  the command line is wrong, or the file is no result\n"
		  "    4  a report could not be written",
	.options = specs,
};

static bool writes_stdout(const struct report_files *files)
{
	for (uint32_t i = 0; i < files->n; i++) {
		if (streq(files->items[i].path, "-"))
			return true;
	}
	return false;
}

static int explain(const struct result *v, const struct report_files *files)
{
	/* Here the report is what was asked for: it goes to stdout unless another one does. */
	FILE *out = writes_stdout(files) ? stderr : stdout;
	struct report report = {
		.out = out,
		.color = color_wanted(opt.color, fileno(out)),
		.quiet = opt.quiet,
		.verbose = opt.verbose,
	};
	const char *path = "";
	int r;

	report_whole(&report, v);
	r = report_files_write(files, v, &path);
	if (r < 0)
		fprintf(stderr, "sandbox-run explain: %s: %s\n", path, strerror(-r));
	return r < 0 ? EXIT_INFRASTRUCTURE : EXIT_OK;
}

int cmd_explain(int argc, char **argv)
{
	_cleanup_(result_freep) struct result *v = NULL;
	struct report_files files = { 0 };
	char why[RESULT_WHY];
	int n, code = options_read(&explain_command, argc, argv, &n);

	if (code >= 0)
		return code;
	if (n != 1)
		return usage_error("explain",
				   n == 0 ? "RESULT.json is missing" : "one result at a time");
	if (result_load(&v, argv[0], why) < 0) {
		fprintf(stderr, "sandbox-run explain: %s: %s\n", argv[0], why);
		return EXIT_USAGE;
	}
	code = report_files_open(&files, &opt.reports, false, "explain");
	if (code == EXIT_OK)
		code = explain(v, &files);
	report_files_done(&files);
	return code;
}
