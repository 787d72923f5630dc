/* SPDX-License-Identifier: MIT */

/*
 * sandbox-inside test: the native HTTP tests, in a jail beside the server. A thin user of the
 * engine (runner/hurl): it loads the files, waits for a byte if it was started ahead, runs them,
 * and writes what happened as JSON lines to the report fd. It connects to loopback addresses and
 * nothing else, holds no secrets but the tests, and prints nothing for people.
 *
 * What it has no power for (# @restart-server, # @sql, # @memory) it asks the host for: a packet
 * with the index of the line that says so, and never more than that; the answer is struct
 * hurl_answer.
 */

#include <signal.h>
#include <sys/socket.h>

#include "hurl/hurl.h"
#include "hurl/report-json.h"
#include "inside/inside.h"
#include "inside/timeout.h"
#include "util/util.h"

#define MAX_FILES 1024
#define MAX_VARIABLES 256
#define DEFAULT_TIMEOUT_MS 60000

#define EXIT_SOME_FAILED 1
#define EXIT_USAGE 2
#define EXIT_OURS 3

struct tester {
	const char *base;
	int report_fd;
	int go_fd;
	int ask_fd;			/* -1: there is no host that answers */
	unsigned int timeout_ms;
	struct hurl_variable variables[MAX_VARIABLES];
	size_t variable_count;
	struct hurl_file *files[MAX_FILES];
	size_t file_count;
	size_t cases;
	struct hurl_buf line;
	int error;			/* of the report: nobody would learn the results */
	volatile sig_atomic_t cancel;
};

static int usage(const char *what, const char *value)
{
	(void)fprintf(stderr,
		      "sandbox-inside test: %s%s%s\n"
		      "usage: sandbox-inside test --base URL --report-fd N [--go-fd N] [--ask-fd N]\n"
		      "       [--variable NAME=VALUE]... [--total-timeout 60s] FILE.hurl...\n",
		      what, value ? ": " : "", value ? value : "");
	return EXIT_USAGE;
}

static int parse_fd(const char *s, int *ret)
{
	size_t n = strspn(s, "0123456789");

	if (!n || n > 4 || s[n])
		return -EINVAL;
	*ret = atoi(s);
	return 0;
}

static int add_variable(struct tester *t, char *pair)
{
	char *eq = strchr(pair, '=');

	if (!eq || eq == pair || t->variable_count == MAX_VARIABLES)
		return -EINVAL;
	*eq = '\0';
	t->variables[t->variable_count++] = (struct hurl_variable){ .name = pair, .value = eq + 1 };
	return 0;
}

static int parse_option(struct tester *t, const char *name, char *value)
{
	if (streq(name, "--base")) {
		t->base = value;
		return 0;
	}
	if (streq(name, "--report-fd"))
		return parse_fd(value, &t->report_fd);
	if (streq(name, "--go-fd"))
		return parse_fd(value, &t->go_fd);
	if (streq(name, "--ask-fd"))
		return parse_fd(value, &t->ask_fd);
	if (streq(name, "--variable"))
		return add_variable(t, value);
	if (streq(name, "--total-timeout"))
		return parse_timeout(value, &t->timeout_ms);
	return -ENOENT;
}

/* Options come first. Returns the index of the first file, or <0 after usage(). */
static int parse_options(struct tester *t, int argc, char **argv)
{
	int i = 1;

	while (i < argc && starts_with(argv[i], "--")) {
		int r;

		if (i + 1 == argc)
			return -usage("this option needs a value", argv[i]);
		r = parse_option(t, argv[i], argv[i + 1]);
		if (r == -ENOENT)
			return -usage("unknown option", argv[i]);
		if (r < 0)
			return -usage("bad value of an option", argv[i]);
		i += 2;
	}
	if (!t->base)
		return -usage("--base is missing", NULL);
	if (t->report_fd < 0)
		return -usage("--report-fd is missing", NULL);
	if (i == argc)
		return -usage("no test file", NULL);
	if (argc - i > MAX_FILES)
		return -usage("too many test files", NULL);
	return i;
}

static int flush(struct tester *t)
{
	int r = hurl_report_flush(&t->line, t->report_fd);

	if (r < 0 && t->error == 0) {
		t->error = r;
		t->cancel = 1;
	}
	return r;
}

static int report_refusal(struct tester *t, const struct hurl_error *err)
{
	char text[900];

	hurl_error_format(err, text, sizeof(text));
	hurl_report_error(&t->line, text);
	(void)flush(t);
	(void)fprintf(stderr, "%s\n", text);
	return EXIT_USAGE;
}

static int load(struct tester *t, char **names, int count)
{
	for (int i = 0; i < count; i++) {
		struct hurl_error err;
		int r = hurl_file_load(&t->files[t->file_count], names[i], names[i], &err);

		if (r < 0)
			return report_refusal(t, &err);
		t->cases += hurl_file_cases(t->files[t->file_count]);
		t->file_count++;
	}
	return 0;
}

/* 1: go; 0: nobody wants the tests any more; <0: error */
static int wait_for_go(struct tester *t)
{
	ssize_t n;
	char byte;

	if (t->go_fd < 0)
		return 1;
	hurl_report_ready(&t->line);
	if (flush(t) < 0)
		return t->error;
	do {
		n = read(t->go_fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n > 0;
}

static void on_case(void *userdata, const struct hurl_case_result *result)
{
	struct tester *t = userdata;

	hurl_report_case(&t->line, result);
	(void)flush(t);
}

static int ask(void *userdata, uint32_t index, struct hurl_answer *ret)
{
	struct tester *t = userdata;
	ssize_t n;

	do {
		n = send(t->ask_fd, &index, sizeof(index), MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	do {
		n = recv(t->ask_fd, ret, sizeof(*ret), 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(*ret) ? 0 : -ENOLINK;
}

static int run(struct tester *t)
{
	const struct hurl_run_options options = {
		.base = t->base,
		.variables = t->variables,
		.variable_count = t->variable_count,
		.flags = HURL_LOOPBACK_ONLY,
		.total_timeout_ms = t->timeout_ms,
		.cancel = &t->cancel,
		.on_case = on_case,
		.ask = t->ask_fd >= 0 ? ask : NULL,
		.userdata = t,
	};
	struct hurl_summary summary;
	struct hurl_error err;
	int r;

	hurl_report_plan(&t->line, t->cases);
	if (flush(t) < 0)
		return EXIT_OURS;
	r = hurl_run(t->files, t->file_count, &options, &summary, &err);
	if (r < 0) {
		char text[900];

		hurl_error_format(&err, text, sizeof(text));
		hurl_report_error(&t->line, text);
		(void)flush(t);
		return EXIT_OURS;
	}
	hurl_report_end(&t->line, &summary);
	if (flush(t) < 0 || t->error)
		return EXIT_OURS;
	return summary.passed == summary.total ? 0 : EXIT_SOME_FAILED;
}

static int prepared(struct tester *t, int argc, char **argv)
{
	struct hurl_error err = { 0 };
	int first = parse_options(t, argc, argv), r;

	if (first < 0)
		return -first;
	r = hurl_check_base(t->base, HURL_LOOPBACK_ONLY, err.text, sizeof(err.text));
	if (r < 0)
		return usage(err.text, t->base);
	r = load(t, argv + first, argc - first);
	if (r != 0)
		return r;
	r = wait_for_go(t);
	if (r < 0)
		return EXIT_OURS;
	return r == 0 ? 0 : run(t);
}

int inside_test(int argc, char **argv)
{
	struct tester *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return EXIT_OURS;
	t->report_fd = t->go_fd = t->ask_fd = -1;
	t->timeout_ms = DEFAULT_TIMEOUT_MS;
	hurl_buf_init(&t->line, HURL_MAX_REPORT_LINE);
	(void)signal(SIGPIPE, SIG_IGN);
	r = hurl_global_init(false) < 0 ? EXIT_OURS : prepared(t, argc, argv);
	for (size_t i = 0; i < t->file_count; i++)
		hurl_file_free(t->files[i]);
	hurl_buf_done(&t->line);
	free(t);
	return r;
}
