/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run test: the hidden-test engine against any server, without a jail, so that students and
 * teachers see while they write what the judge will see. What is for people goes to stderr as it
 * happens; --json gives the events that the judge's own tester writes.
 */

#include "hurl/buf.h"
#include "hurl/hurl.h"
#include "hurl/report-json.h"
#include "cli/options.h"
#include "run/run.h"
#include "report/report-files.h"
#include "run/test-report.h"
#include "run/test-convert.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <util/util.h>

#define MAX_FILES 1024

static struct {
	const char *url;
	struct option_list variables;
	struct option_measure total;
	struct option_optional json;
	struct option_list reports;
	enum color color;
	bool quiet, skip_pragmas, to_json, to_hurl;
} opt;

static const struct option_spec specs[] = {
	{ OPTION_STRING, 'u', "url", "URL", &opt.url,
	  "the server: {{base}} and {{port}} of the tests" },
	{ OPTION_PAIRS, 0, "variable", "NAME=VALUE", &opt.variables, "set another variable" },
	{ OPTION_DURATION, 't', "total-timeout", "TIME", &opt.total,
	  "time for all tests together (default: 60s)" },
	{ OPTION_FLAG, 0, "skip-pragmas", NULL, &opt.skip_pragmas,
	  "leave out what only the judge can do: @restart-server, @sql, @memory" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Conversion, instead of a run" },
	{ OPTION_FLAG, 0, "to-json", NULL, &opt.to_json, "print FILE in its JSON form" },
	{ OPTION_FLAG, 0, "to-hurl", NULL, &opt.to_hurl, "print FILE as Hurl text" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Output" },
	{ OPTION_OPTIONAL, 0, "json", "FILE", &opt.json,
	  "events as lines of JSON, to FILE or to stdout" },
	{ OPTION_LIST, 0, "report", "FORMAT=FILE", &opt.reports,
	  "a report: html=FILE (a page), junit=FILE, ctrf=FILE, tap=FILE; several are joined by "
	  "commas, and - is stdout" },
	{ OPTION_COLOR, 0, "color", "WHEN", &opt.color, "auto, always or never" },
	{ OPTION_FLAG, 'q', "quiet", NULL, &opt.quiet, "only what failed, and the last line" },
	{ OPTION_END },
};

const struct command test_command = {
	.name = "test",
	.synopsis = "test --url URL [OPTIONS] FILE.hurl...",
	.summary = "Runs HTTP tests against a server that is running already. The files are a\n"
		   "subset of Hurl (docs/hurl.md); stock hurl runs them, too.",
	.examples = "  sandbox-run test --url http://localhost:8000 tests/*.hurl\n"
		    "  sandbox-run test -u http://localhost:8000 -q --json=result.jsonl a.hurl\n"
		    "  sandbox-run test -u http://localhost:8000 --variable user=ada a.hurl\n"
		    "  sandbox-run test --to-json a.hurl > a.json",
	.epilog = "Exit codes:\n"
		  "    0  all tests passed\n"
		  "    1  tests failed, or were not reached in time\n"
		  "    2  the command line or a test file is wrong\n"
		  "    4  the tests could not be run\n"
		  "  130, 143  interrupted by Ctrl-C or SIGTERM",
	.options = specs,
};

/* The signal that asks us to end; a handler can reach nothing but a global. */
static volatile sig_atomic_t caught;

static void on_signal(int signal)
{
	caught = signal;
}

struct output {
	bool color;
	int json_fd;			/* -1: none */
	int json_error;
	struct hurl_buf json;
	const char *file;		/* of the last case that was printed */
	size_t files;
	struct report_files reports;
	struct test_report report;
};

static const char *paint(const struct output *out, const char *code)
{
	return out->color ? code : "";
}

static void print_escaped(const char *text)
{
	struct hurl_buf b;

	hurl_buf_init(&b, 65536);
	hurl_buf_add_display(&b, text, strlen(text), 4096);
	(void)fputs(hurl_buf_str(&b), stderr);
	hurl_buf_done(&b);
}

static void print_source(const char *source, unsigned int line, unsigned int caret)
{
	if (!*source)
		return;
	(void)fprintf(stderr, "  %6u | %s\n         | %*s^\n", line, source, (int)caret, "");
}

static void print_failure(const struct output *out, const struct hurl_failure *f)
{
	(void)fprintf(stderr, "         %s%s:%u:%u%s: %s\n", paint(out, "\033[1m"), f->file,
		      f->line, f->column, paint(out, "\033[0m"), f->message);
	print_source(f->source, f->line, f->caret);
	if (*f->request)
		(void)fprintf(stderr, "         request:  %s\n", f->request);
	if (*f->expected)
		(void)fprintf(stderr, "         expected: %s\n", f->expected);
	if (*f->actual)
		(void)fprintf(stderr, "         actual:   %s\n", f->actual);
}

static void print_case(struct output *out, const struct hurl_case_result *r)
{
	static const char *const words[] = { "ok", "FAIL", "skip" };
	static const char *const colors[] = { "\033[32m", "\033[1;31m", "\033[33m" };

	if (opt.quiet && r->status == HURL_PASSED)
		return;
	if (out->files > 1 && out->file != r->info->file)
		(void)fprintf(stderr, "%s%s%s\n", paint(out, "\033[1m"), r->info->file,
			      paint(out, "\033[0m"));
	out->file = r->info->file;
	(void)fprintf(stderr, "  %s%-5s%s  ", paint(out, colors[r->status]), words[r->status],
		      paint(out, "\033[0m"));
	print_escaped(r->info->name);
	(void)fprintf(stderr, "  %s%.0f ms%s\n", paint(out, "\033[2m"), r->duration_ms,
		      paint(out, "\033[0m"));
	if (r->failure)
		print_failure(out, r->failure);
	if (r->failure && r->info->hint) {
		(void)fputs("         hint:     ", stderr);
		print_escaped(r->info->hint);
		(void)fputc('\n', stderr);
	}
}

static void flush_json(struct output *out)
{
	int r;

	if (out->json_fd < 0)
		return;
	r = hurl_report_flush(&out->json, out->json_fd);
	if (r < 0 && !out->json_error) {
		out->json_error = r;
		(void)fprintf(stderr, "sandbox-run test: cannot write the JSON: %s\n",
			      strerror(-r));
	}
}

static void on_case(void *userdata, const struct hurl_case_result *result)
{
	struct output *out = userdata;

	print_case(out, result);
	test_report_case(&out->report, result);
	if (out->json_fd >= 0)
		hurl_report_case(&out->json, result);
	flush_json(out);
}

static void print_summary(const struct output *out, const struct hurl_summary *s)
{
	bool good = s->passed == s->total;

	(void)fprintf(stderr, "%s%u of %u tests passed%s",
		      paint(out, good ? "\033[32m" : "\033[1;31m"), s->passed, s->total,
		      paint(out, "\033[0m"));
	if (s->failed)
		(void)fprintf(stderr, ", %u failed", s->failed);
	if (s->skipped)
		(void)fprintf(stderr, ", %u not run (%s)", s->skipped,
			      s->cancelled ? "interrupted" : "out of time");
	if (s->left_out)
		(void)fprintf(stderr, ", %u checks left out (--skip-pragmas)", s->left_out);
	(void)fprintf(stderr, "; %llu of %llu points, %.2f s\n", (unsigned long long)s->points,
		      (unsigned long long)s->max_points, s->duration_ms / 1000);
}

static void print_refusal(struct output *out, const struct hurl_error *err)
{
	char text[900];

	hurl_error_format(err, text, sizeof(text));
	(void)fprintf(stderr, "%s%s%s\n", paint(out, "\033[1m"), text, paint(out, "\033[0m"));
	print_source(err->source, err->line, err->caret);
	if (out->json_fd >= 0)
		hurl_report_error(&out->json, text);
	flush_json(out);
}

/* All files are read before the first request: a mistake in the last one should not cost a run. */
static int load(struct output *out, char **names, int count, struct hurl_file **files)
{
	int bad = 0;

	for (int i = 0; i < count; i++) {
		struct hurl_error err;

		if (hurl_file_load(&files[i], names[i], names[i], &err) >= 0)
			continue;
		print_refusal(out, &err);
		bad++;
	}
	return bad ? EXIT_USAGE : EXIT_OK;
}

static void catch_signals(void)
{
	/* without SA_RESTART: a waiting poll returns and the engine sees the flag */
	struct sigaction action = { .sa_handler = on_signal };

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

static int write_reports(struct output *out, const struct hurl_summary *s)
{
	_cleanup_(result_freep) struct result *v = NULL;
	const char *path = "";
	int r;

	if (out->reports.n == 0)
		return 0;
	r = test_report_end(&out->report, s, &v);
	if (r == 0)
		r = report_files_write(&out->reports, v, &path);
	if (r < 0)
		(void)fprintf(stderr, "sandbox-run test: cannot write the report %s: %s\n", path,
			      strerror(-r));
	return r;
}

static int run(struct output *out, struct hurl_file **files, size_t count)
{
	struct hurl_variable variables[OPTION_LIST_MAX];
	struct hurl_run_options options = {
		.base = opt.url,
		.variables = variables,
		.variable_count = opt.variables.n,
		.flags = HURL_ALLOW_HTTPS | (opt.skip_pragmas ? HURL_SKIP_ASKS : 0),
		.total_timeout_ms = opt.total.text ? opt.total.value / NSEC_PER_MSEC : 60000,
		.cancel = &caught,
		.on_case = on_case,
		.userdata = out,
	};
	struct hurl_summary summary;
	struct hurl_error err;
	size_t cases = 0;
	int r;

	for (uint32_t i = 0; i < opt.variables.n; i++) {
		char *pair = (char *)opt.variables.items[i], *eq = strchr(pair, '=');

		*eq = '\0';
		variables[i] = (struct hurl_variable){ .name = pair, .value = eq + 1 };
	}
	for (size_t i = 0; i < count; i++)
		cases += hurl_file_cases(files[i]);
	if (hurl_check_run(files, count, &options, &err) < 0) {
		print_refusal(out, &err);
		return EXIT_USAGE;
	}
	hurl_report_plan(&out->json, cases);
	flush_json(out);
	r = hurl_run(files, count, &options, &summary, &err);
	if (r < 0) {
		(void)fprintf(stderr, "sandbox-run test: %s\n", err.text);
		return EXIT_INFRASTRUCTURE;
	}
	hurl_report_end(&out->json, &summary);
	flush_json(out);
	print_summary(out, &summary);
	r = write_reports(out, &summary);
	if (caught)
		return caught == SIGTERM ? EXIT_TERMINATED : EXIT_INTERRUPTED;
	if (out->json_error || r < 0)
		return EXIT_INFRASTRUCTURE;
	return summary.passed == summary.total ? EXIT_OK : EXIT_FAILED;
}

static int open_json(struct output *out)
{
	out->json_fd = -1;
	if (!opt.json.given)
		return 0;
	if (!opt.json.value || streq(opt.json.value, "-")) {
		out->json_fd = STDOUT_FILENO;
		return 0;
	}
	out->json_fd = open(opt.json.value, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (out->json_fd >= 0)
		return 0;
	(void)fprintf(stderr, "sandbox-run test: cannot write %s: %s\n", opt.json.value,
		      strerror(errno));
	return EXIT_INFRASTRUCTURE;
}

static int open_reports(struct output *out)
{
	int r = report_files_open(&out->reports, &opt.reports, out->json_fd == STDOUT_FILENO,
				  "test");

	if (r == EXIT_OK && out->reports.n > 0 && test_report_begin(&out->report, opt.url) < 0)
		r = EXIT_INFRASTRUCTURE;
	return r;
}

static int check(int operands)
{
	bool convert = opt.to_json || opt.to_hurl;
	char why[256];

	if (convert && (operands != 1 || (opt.to_json && opt.to_hurl)))
		return usage_error("test", "--to-json or --to-hurl takes one test file");
	if (convert)
		return EXIT_OK;
	if (!opt.url)
		return usage_error("test", "--url is missing, as in --url http://localhost:8000");
	if (hurl_check_base(opt.url, HURL_ALLOW_HTTPS, why, sizeof(why)) < 0)
		return usage_error("test", "--url %s: %s", opt.url, why);
	if (!operands)
		return usage_error("test", "no test file");
	if (operands > MAX_FILES)
		return usage_error("test", "more than %d test files", MAX_FILES);
	return EXIT_OK;
}

int cmd_test(int argc, char **argv)
{
	struct output out = { .json_fd = -1 };
	struct hurl_file **files;
	int operands, r;

	r = options_read(&test_command, argc, argv, &operands);
	if (r < 0)
		r = check(operands);
	else
		return r;
	if (r == EXIT_OK && (opt.to_json || opt.to_hurl))
		return test_convert(argv[0], opt.to_json);
	if (r == EXIT_OK)
		r = open_json(&out);
	if (r == EXIT_OK)
		r = open_reports(&out);
	if (r != EXIT_OK)
		return r;
	files = calloc((size_t)operands, sizeof(*files));
	if (!files || hurl_global_init(strncasecmp(opt.url, "https:", 6) == 0) < 0) {
		free(files);
		(void)fprintf(stderr, "sandbox-run test: out of memory\n");
		return EXIT_INFRASTRUCTURE;
	}
	out.color = color_wanted(opt.color, STDERR_FILENO);
	out.files = (size_t)operands;
	hurl_buf_init(&out.json, HURL_MAX_REPORT_LINE);
	catch_signals();
	r = load(&out, argv, operands, files);
	if (r == EXIT_OK)
		r = run(&out, files, (size_t)operands);
	for (int i = 0; i < operands; i++)
		hurl_file_free(files[i]);
	free(files);
	hurl_buf_done(&out.json);
	test_report_done(&out.report);
	report_files_done(&out.reports);
	if (out.json_fd > STDERR_FILENO)
		(void)close(out.json_fd);
	return r;
}
