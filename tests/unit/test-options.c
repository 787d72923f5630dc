/* SPDX-License-Identifier: MIT */

/* The command line reader: runner/run/options.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

struct values {
	bool quiet;
	int verbose;
	const char *policy;
	struct option_optional json;
	struct option_list ro, env;
	struct option_measure memory, wall, cpu, pids;
	enum color color;
	int operands;
	char error[OPTIONS_ERROR_MAX];
};

static int parse(struct values *v, bool stop, int argc, char **argv)
{
	const struct option_spec specs[] = {
		{ OPTION_GROUP, 0, NULL, NULL, NULL, "Limits" },
		{ OPTION_SIZE, 'm', "memory", "SIZE", &v->memory, "memory" },
		{ OPTION_DURATION, 0, "wall", "TIME", &v->wall, "time" },
		{ OPTION_CPU, 0, "cpu", "N", &v->cpu, "processors" },
		{ OPTION_NUMBER, 0, "pids", "N", &v->pids, "tasks" },
		{ OPTION_GROUP, 0, NULL, NULL, NULL, "Others" },
		{ OPTION_STRING, 'p', "policy", "NAME", &v->policy, "policy" },
		{ OPTION_LIST, 0, "ro", "SRC", &v->ro, "mount" },
		{ OPTION_PAIRS, 'e', "env", "K=V", &v->env, "environment" },
		{ OPTION_OPTIONAL, 'j', "json", "FILE", &v->json, "json" },
		{ OPTION_COLOR, 0, "color", "WHEN", &v->color, "colour" },
		{ OPTION_FLAG, 'q', "quiet", NULL, &v->quiet, "quiet" },
		{ OPTION_COUNT, 'v', "verbose", NULL, &v->verbose, "more" },
		{ OPTION_END },
	};
	const struct command c = { "try", "try", "", "", "", specs, stop };

	v->error[0] = '\0';
	return options_parse(&c, argc, argv, &v->operands, v->error);
}

#define PARSE(v, stop, ...)                                                                        \
	({                                                                                         \
		static char *words[] = { __VA_ARGS__, NULL };                                      \
		_argv = words;                                                                     \
		parse(v, stop, (int)(sizeof(words) / sizeof(words[0])) - 1, words);                \
	})

static char **_argv;

static void assert_error(struct values *v, int r, const char *part)
{
	assert_int_equal(r, -EINVAL);
	if (!strstr(v->error, part))
		fail_msg("\"%s\" does not say \"%s\"", v->error, part);
}

static void test_forms(void **state)
{
	struct values v = { 0 };

	assert_int_equal(PARSE(&v, false, "--memory", "256M", "--policy=a.json", "-pother", "-p",
			       "last", "-qvv", "--json"),
			 0);
	assert_int_equal(v.memory.value, 256 << 20);
	assert_string_equal(v.memory.text, "256M");
	assert_string_equal(v.policy, "last");
	assert_true(v.quiet);
	assert_int_equal(v.verbose, 2);
	assert_true(v.json.given);
	assert_null(v.json.value);
	assert_int_equal(v.operands, 0);
	assert_null(v.wall.text);
}

static void test_operands(void **state)
{
	struct values v = { 0 };

	assert_int_equal(PARSE(&v, false, "one", "-q", "-", "--", "-v", "--nothing"), 0);
	assert_int_equal(v.operands, 4);
	assert_string_equal(_argv[0], "one");
	assert_string_equal(_argv[1], "-");
	assert_string_equal(_argv[2], "-v");
	assert_string_equal(_argv[3], "--nothing");
	assert_null(_argv[4]);
	assert_true(v.quiet);
	assert_int_equal(v.verbose, 0);
}

static void test_stop_at_operand(void **state)
{
	struct values v = { 0 };

	assert_int_equal(PARSE(&v, true, "-q", "ls", "-v", "--", "x"), 0);
	assert_int_equal(v.operands, 4);
	assert_string_equal(_argv[0], "ls");
	assert_string_equal(_argv[1], "-v");
	assert_string_equal(_argv[2], "--");
	assert_int_equal(v.verbose, 0);
	/* The separator itself is not the command. */
	assert_int_equal(PARSE(&v, true, "--", "ls", "--", "-v"), 0);
	assert_int_equal(v.operands, 3);
	assert_string_equal(_argv[0], "ls");
	assert_string_equal(_argv[1], "--");
}

static void test_optional_value(void **state)
{
	struct values v = { 0 };

	/* The next word is never taken: it may be the operand. */
	assert_int_equal(PARSE(&v, false, "--json", "file"), 0);
	assert_null(v.json.value);
	assert_int_equal(v.operands, 1);
	assert_int_equal(PARSE(&v, false, "--json=out.json"), 0);
	assert_string_equal(v.json.value, "out.json");
	assert_error(&v, PARSE(&v, false, "--json="), "is empty");
}

static void test_lists(void **state)
{
	struct values v = { 0 };

	assert_int_equal(PARSE(&v, false, "--ro", "a", "--ro=b:c", "-e", "A=1", "--env=B_2="), 0);
	assert_int_equal(v.ro.n, 2);
	assert_string_equal(v.ro.items[1], "b:c");
	assert_int_equal(v.env.n, 2);
	assert_string_equal(v.env.items[1], "B_2=");
	assert_error(&v, PARSE(&v, false, "-e", "1A=1"), "NAME=VALUE");
	assert_error(&v, PARSE(&v, false, "-e", "A"), "NAME=VALUE");
	assert_error(&v, PARSE(&v, false, "-e", "=1"), "NAME=VALUE");
	assert_error(&v, PARSE(&v, false, "-e", "A-B=1"), "NAME=VALUE");
}

static void test_list_limit(void **state)
{
	static char *words[2 * OPTION_LIST_MAX + 3];
	struct values v = { 0 };

	for (int n = 2 * OPTION_LIST_MAX; n <= 2 * OPTION_LIST_MAX + 2; n += 2) {
		int r;

		for (int i = 0; i < n; i += 2) {
			words[i] = (char *)"--ro";
			words[i + 1] = (char *)"x";
		}
		v.ro.n = 0;
		r = parse(&v, false, n, words);
		if (n == 2 * OPTION_LIST_MAX)
			assert_int_equal(r, 0);
		else
			assert_error(&v, r, "one too many");
		assert_int_equal(v.ro.n, OPTION_LIST_MAX);
	}
}

static void test_errors(void **state)
{
	struct values v = { 0 };

	assert_error(&v, PARSE(&v, false, "--memroy", "1M"), "did you mean --memory?");
	assert_error(&v, PARSE(&v, false, "--mem=1M"), "did you mean --memory?");
	assert_error(&v, PARSE(&v, false, "--hlep"), "did you mean --help?");
	assert_error(&v, PARSE(&v, false, "--zzzzzz"), "unknown option --zzzzzz");
	assert_null(strstr(v.error, "mean"));
	assert_error(&v, PARSE(&v, false, "-z"), "unknown option -z");
	assert_error(&v, PARSE(&v, false, "-\x1b"), "unknown option -?");
	assert_error(&v, PARSE(&v, false, "--memory"), "needs a value: --memory SIZE");
	assert_error(&v, PARSE(&v, false, "-qm"), "-m needs a value");
	assert_error(&v, PARSE(&v, false, "--quiet=1"), "takes no value");
	assert_error(&v, PARSE(&v, false, "--memory=64"), "has no unit");
	assert_error(&v, PARSE(&v, false, "--policy="), "is empty");
	assert_error(&v, PARSE(&v, false, "--color=blue"), "auto, always, never");
	assert_error(&v, PARSE(&v, false, "--pids=0"), "whole number");
}

static void test_help(void **state)
{
	struct values v = { 0 };

	assert_int_equal(PARSE(&v, false, "--help"), 1);
	assert_int_equal(PARSE(&v, false, "-qh"), 1);
	/* Not when it is the command's own. */
	assert_int_equal(PARSE(&v, true, "ls", "--help"), 0);
	assert_int_equal(PARSE(&v, false, "--", "--help"), 0);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes; /* 0: refused */
	} rows[] = {
		{ "1K", 1024 },
		{ "256M", 256ull << 20 },
		{ "3G", 3ull << 30 },
		{ "64", 0 },
		{ "0", 0 },
		{ "0M", 0 },
		{ "", 0 },
		{ "M", 0 },
		{ "-1M", 0 },
		{ "+1M", 0 },
		{ " 1M", 0 },
		{ "1.5G", 0 },
		{ "1MB", 0 },
		{ "1m", 0 },
		{ "1M ", 0 },
		{ "0x1M", 0 },
		{ "9999999999G", 0 },
		{ "99999999999999999999999M", 0 },
		{ "1e3K", 0 },
	};
	const char *why;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t n = 7;
		int r = parse_size(rows[i].text, &n, &why);

		if (r != (rows[i].bytes ? 0 : -EINVAL) || n != (rows[i].bytes ? rows[i].bytes : 7))
			fail_msg("\"%s\": %d, %llu", rows[i].text, r, (unsigned long long)n);
	}
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} rows[] = {
		{ "10s", 10000000000ull },
		{ "500ms", 500000000ull },
		{ "2m", 120000000000ull },
		{ "10", 0 },
		{ "0s", 0 },
		{ "", 0 },
		{ "s", 0 },
		{ "1.5s", 0 },
		{ "1h", 0 },
		{ "1sec", 0 },
		{ "-1s", 0 },
		{ "99999999999999m", 0 },
	};
	const char *why;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t n = 7;
		int r = parse_duration(rows[i].text, &n, &why);

		if (r != (rows[i].ns ? 0 : -EINVAL) || n != (rows[i].ns ? rows[i].ns : 7))
			fail_msg("\"%s\": %d, %llu", rows[i].text, r, (unsigned long long)n);
	}
}

static void test_cpus(void **state)
{
	static const struct {
		const char *text;
		uint32_t milli;
	} rows[] = {
		{ "1", 1000 },	 { "1.5", 1500 },     { "0.25", 250 }, { "2.125", 2125 },
		{ "0.01", 10 },	 { "1024", 1024000 }, { "0", 0 },      { "0.009", 0 },
		{ "1.", 0 },	 { ".5", 0 },	      { "1.2345", 0 }, { "1025", 0 },
		{ "1024.5", 0 }, { "1x", 0 },	      { "-1", 0 },     { "nan", 0 },
		{ "", 0 },
	};
	const char *why;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t n = 7;
		int r = parse_cpu(rows[i].text, &n, &why);

		if (r != (rows[i].milli ? 0 : -EINVAL) || n != (rows[i].milli ? rows[i].milli : 7))
			fail_msg("\"%s\": %d, %u", rows[i].text, r, n);
	}
}

static void test_color(void **state)
{
	assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
	assert_true(color_wanted(COLOR_ALWAYS, -1));
	assert_false(color_wanted(COLOR_NEVER, -1));
	assert_false(color_wanted(COLOR_AUTO, -1));
	assert_int_equal(unsetenv("NO_COLOR"), 0);
	assert_false(color_wanted(COLOR_AUTO, -1)); /* no terminal */
}

static void test_suggest(void **state)
{
	static const char *const names[] = { "exec", "grade", "test", "doctor", "help", NULL };

	assert_string_equal(suggest("exce", names), "exec");
	assert_string_equal(suggest("gradee", names), "grade");
	assert_string_equal(suggest("doc", names), "doctor");
	assert_string_equal(suggest("tset", names), "test");
	assert_null(suggest("x", names));
	assert_null(suggest("frobnicate", names));
	assert_null(suggest("a-very-long-word-that-is-longer-than-any-option-may-be", names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_stop_at_operand),
		cmocka_unit_test(test_optional_value),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_list_limit),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_color),
		cmocka_unit_test(test_suggest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
