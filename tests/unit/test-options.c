/* SPDX-License-Identifier: MIT */

/* The command line reader and its defaults: runner/cli/option*.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/options.h"
#include "cli/program.h"

/* What a main.c has: another command with an option of its own. */
static const struct option_spec other_rows[] = {
	{ OPTION_STRING, 0, "policies", "DIR", NULL, "not of try" },
	{ OPTION_END },
};
static const struct command other = { .name = "other", .options = other_rows };
static const struct program_command commands[] = {
	{ "try", NULL, "", NULL },
	{ "other", NULL, "", &other },
	{ "exec", NULL, "", NULL },
	{ "shell", NULL, "", NULL },
	{ "grade", NULL, "", NULL },
	{ "test", NULL, "", NULL },
	{ "policy", NULL, "", NULL },
	{ "trace", NULL, "", NULL },
	{ "doctor", NULL, "", NULL },
	{ NULL, NULL, NULL, NULL },
};
const struct program program = {
	.name = "sandbox-run",
	.variable = "SANDBOX_RUN_",
	.defaults = "run.json",
	.commands = commands,
};

struct values {
	bool quiet;
	int verbose;
	const char *policy;
	struct option_optional json;
	struct option_list ro, env;
	struct option_measure memory, wall, cpu, pids, fd;
	enum color color;
	int operands;
	bool all; /* environment and files, too */
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
		{ OPTION_DESCRIPTOR, 0, "status-fd", "N", &v->fd, "descriptor" },
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
	return v->all ? options_parse_all(&c, argc, argv, &v->operands, v->error)
		      : options_parse(&c, argc, argv, &v->operands, v->error);
}

#define PARSE(v, stop, ...)                                                                        \
	({                                                                                         \
		static char *words[] = { __VA_ARGS__, NULL };                                      \
		_argv = words;                                                                     \
		parse(v, stop, (int)(sizeof(words) / sizeof(words[0])) - 1, words);                \
	})

static char **_argv;

/* In loops: the words of PARSE are moved, and are the same ones the next time. */
static int parse_one(struct values *v, const char *word)
{
	char *words[] = { (char *)word, NULL };

	return parse(v, false, 1, words);
}

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
	assert_error(&v, PARSE(&v, false, "--status-fd=1048576"), "descriptor");
	assert_error(&v, PARSE(&v, false, "--status-fd=-1"), "descriptor");
	assert_int_equal(PARSE(&v, false, "--status-fd=0"), 0);
	assert_error(&v, PARSE(&v, false, "--config"), "needs a value");
	assert_error(&v, PARSE(&v, false, "--config="), "is empty");
	assert_error(&v, PARSE(&v, false, "--no-config=1"), "takes no value");
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
		{ "1", 1000 },   { "1.5", 1500 },     { "0.25", 250 }, { "2.125", 2125 },
		{ "0.01", 10 },  { "1024", 1024000 }, { "0", 0 },      { "0.009", 0 },
		{ "1.", 0 },     { ".5", 0 },         { "1.2345", 0 }, { "1025", 0 },
		{ "1024.5", 0 }, { "1x", 0 },         { "-1", 0 },     { "nan", 0 },
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

/* ------------------------------------------------------------ environment */

static void set(const char *name, const char *value)
{
	assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void test_environment(void **state)
{
	struct values v = { .all = true };

	set("SANDBOX_RUN_MEMORY", "64M");
	set("SANDBOX_RUN_STATUS_FD", "7");
	set("SANDBOX_RUN_RO", "/a\n\n/b c\n");
	set("SANDBOX_RUN_ENV", "A=1\nB=");
	set("SANDBOX_RUN_QUIET", "yes");
	set("SANDBOX_RUN_VERBOSE", "2");
	set("SANDBOX_RUN_JSON", "-");
	set("SANDBOX_RUN_POLICY", "");    /* as if it were not there */
	set("SANDBOX_RUN_POLICIES", "x"); /* another command's */
	assert_int_equal(PARSE(&v, false, "--no-config", "--memory", "32M", "--env=C=3"), 0);
	assert_string_equal(v.memory.text, "32M"); /* the command line wins, */
	assert_int_equal(v.env.n, 1);              /* with lists as a whole */
	assert_string_equal(v.env.items[0], "C=3");
	assert_int_equal(v.fd.value, 7);
	assert_int_equal(v.ro.n, 2);
	assert_string_equal(v.ro.items[1], "/b c");
	assert_true(v.quiet);
	assert_int_equal(v.verbose, 2);
	assert_string_equal(v.json.value, "-");
	assert_null(v.policy);
}

static void clear_environment(void)
{
	static const char *const names[] = { "MEMORY",  "STATUS_FD", "RO",     "ENV",      "QUIET",
					     "VERBOSE", "JSON",      "POLICY", "POLICIES", "CONFIG",
					     "MEMROY",  "NO_CONFIG", "WALL",   "COLOR" };
	char name[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(name, sizeof(name), "SANDBOX_RUN_%s", names[i]);
		set(name, NULL);
	}
}

static void test_environment_errors(void **state)
{
	static const struct {
		const char *name, *value, *part;
	} rows[] = {
		{ "SANDBOX_RUN_MEMORY", "64", "SANDBOX_RUN_MEMORY: \"64\" has no unit" },
		{ "SANDBOX_RUN_QUIET", "maybe", "neither yes nor no" },
		{ "SANDBOX_RUN_VERBOSE", "22", "neither yes nor no" },
		{ "SANDBOX_RUN_ENV", "A=1\n2", "SANDBOX_RUN_ENV: \"2\" is not NAME=VALUE" },
		{ "SANDBOX_RUN_COLOR", "blue", "auto, always, never" },
		{ "SANDBOX_RUN_MEMROY", "64M", "did you mean SANDBOX_RUN_MEMORY?" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct values v = { .all = true };

		clear_environment();
		set(rows[i].name, rows[i].value);
		assert_error(&v, parse_one(&v, "--no-config"), rows[i].part);
		/* Help is given whatever the environment says. */
		assert_int_equal(parse_one(&v, "--help"), 1);
	}
	clear_environment();
}

/* ------------------------------------------------------------------- files */

static char directory[] = "/tmp/test-options-XXXXXX";
static char config[128];

static void write_config(const char *text)
{
	FILE *f = fopen(config, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int make_config(void **state)
{
	char path[96];

	if (!mkdtemp(directory))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/sandbox", directory);
	(void)snprintf(config, sizeof(config), "%s/run.json", path);
	clear_environment();
	set("XDG_CONFIG_HOME", directory);
	return mkdir(path, 0700);
}

static int remove_config(void **state)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/sandbox", directory);
	(void)unlink(config);
	(void)rmdir(path);
	return rmdir(directory);
}

static void test_config(void **state)
{
	struct values v = { .all = true };

	write_config("// defaults\n{ \"try\": { \"memory\": \"64M\", \"cpu\": 1.5, \"pids\": 9,\n"
		     "  \"ro\": [\"/a\", \"/b\"], /* and */ \"env\": { \"A\": \"1\" }, \"quiet\": "
		     "true,\n"
		     "  \"json\": true, \"policy\": \"p\", \"wall\": \"1s\", \"verbose\": 1 },\n"
		     "  \"other\": { \"nothing of ours\": 1 } }");
	set("SANDBOX_RUN_WALL", "2s");
	assert_int_equal(PARSE(&v, false, "--policy", "q", "--ro=/c"), 0);
	assert_string_equal(v.policy, "q");
	assert_string_equal(v.wall.text, "2s"); /* the environment before the file */
	assert_int_equal(v.memory.value, 64 << 20);
	assert_int_equal(v.cpu.value, 1500);
	assert_int_equal(v.pids.value, 9);
	assert_int_equal(v.ro.n, 1);
	assert_string_equal(v.env.items[0], "A=1");
	assert_true(v.quiet);
	assert_true(v.json.given);
	assert_null(v.json.value);
	assert_int_equal(v.verbose, 1);
	clear_environment();
}

static void test_config_choice(void **state)
{
	struct values v = { .all = true };

	write_config("{ \"try\": { \"memory\": \"64M\" } }");
	assert_int_equal(PARSE(&v, false, "--no-config"), 0);
	assert_null(v.memory.text);
	set("SANDBOX_RUN_CONFIG", "/no/such/file");
	assert_error(&v, PARSE(&v, false, "x"), "/no/such/file: No such file");
	assert_int_equal(PARSE(&v, false, "--no-config"), 0); /* the command line wins */
	set("SANDBOX_RUN_CONFIG", NULL);
	assert_error(&v, PARSE(&v, false, "--config=/"), "is not a file");
	set("XDG_CONFIG_HOME", "/no/such/directory");
	assert_int_equal(PARSE(&v, false, "x"), 0); /* need not be there */
	assert_int_equal(PARSE(&v, false, "--config", config), 0);
	assert_string_equal(v.memory.text, "64M");
	set("XDG_CONFIG_HOME", directory);
}

static void test_config_errors(void **state)
{
	static const struct {
		const char *text, *part;
	} rows[] = {
		{ "{\n \"try\": { \"memroy\": \"64M\" } }",
		  "run.json:2:21: try has no option \"memroy\"; did you mean \"memory\"?" },
		{ "{ \"tri\": {} }", "there is no command \"tri\"; did you mean \"try\"?" },
		{ "{ \"memory\": \"64M\" }", "options stand in the object of their command" },
		{ "{ \"try\": { \"memory\": 64 } }", "has no unit" },
		{ "{ \"try\": { \"memory\": [] } }", "\"memory\" is a string here" },
		{ "{ \"try\": { \"quiet\": \"so\" } }", "neither yes nor no" },
		{ "{ \"try\": { \"quiet\": {} } }", "true or false" },
		{ "{ \"try\": { \"env\": { \"1\": \"2\" } } }", "NAME=VALUE" },
		{ "{ \"try\": { \"env\": { \"A\": 2 } } }", "a variable is a string" },
		{ "{ \"try\": { \"ro\": [[]] } }", "\"ro\" is a string here" },
		{ "{ \"try\": { \"pids\": 1, \"pids\": 2 } }", "comes twice" },
		{ "{ \"try\": {}, \"try\": {} }", "comes twice" },
		{ "{ \"try\": [] }", "must be an object" },
		{ "[]", "one object" },
		{ "{ \"try\": }", "is not JSON" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct values v = { .all = true };

		write_config(rows[i].text);
		assert_error(&v, parse_one(&v, "x"), rows[i].part);
	}
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
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_environment_errors),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_config_choice),
		cmocka_unit_test(test_config_errors),
	};

	return cmocka_run_group_tests(tests, make_config, remove_config);
}
