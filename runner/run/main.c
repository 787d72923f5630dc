/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run: one program with one command for each thing to do. This file picks the command and
 * puts the process into the state that all of them expect.
 */

#include "options.h"
#include "run.h"
#include <fcntl.h>
#include <sandbox/sandbox.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <util/util.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "exec", cmd_exec, "run any program in a jail" },
	{ "shell", cmd_shell, "look around in such a jail" },
	{ "grade", cmd_grade, "judge a submission: install, start, test, verdict" },
	{ "grade-all", cmd_grade_all, "judge a folder of submissions: table, resumable" },
	{ "explain", cmd_explain, "the report of a result, for people or as a page" },
	{ "init-challenge", cmd_init_challenge, "write a challenge that works, to be changed" },
	{ "test", cmd_test, "run hidden tests against any server, without a jail" },
	{ "trace", cmd_trace, "which system calls a command needs, and the policy lacks" },
	{ "deps", cmd_deps, "the content store: list, warm, verify, evict" },
	{ "policy", cmd_policy, "check, show and list policies" },
	{ "doctor", cmd_doctor, "what this host has and lacks, and how to repair it" },
};

const char *const command_names[] = { "exec",	 "shell", "grade", "grade-all",
				      "explain", "init-challenge", "test", "trace",
				      "policy",	 "deps",  "doctor", NULL };
const struct command *const command_tables[] = {
	&exec_command,		 &shell_command, &grade_command,  &grade_all_command,
	&explain_command,	 &init_challenge_command, &test_command, &policy_command,
	&trace_command,		 &deps_command, NULL,
};

static void print_help(FILE *to)
{
	fputs("usage: sandbox-run COMMAND [OPTIONS] [ARGUMENTS]\n\n"
	      "Runs untrusted programs, servers above all, in jails made of Linux namespaces,\n"
	      "cgroups, seccomp and Landlock.\n\n"
	      "Commands:\n",
	      to);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-14s  %s\n", commands[i].name, commands[i].help);
	fputs("  help            help COMMAND is COMMAND --help\n\n"
	      "Examples:\n"
	      "  sandbox-run doctor\n"
	      "  sandbox-run exec --memory 64M --wall 5s -- python3 program.py\n"
	      "  sandbox-run grade submission.zip --challenge challenges/car-rental\n"
	      "  sandbox-run test --url http://localhost:8000 tests/*.hurl\n\n"
	      "Options:\n"
	      "  -h, --help                print this help\n"
	      "  -V, --version             print the version\n\n"
	      "sandbox-run COMMAND --help lists the options of a command and its exit codes.\n",
	      to);
}

static int unknown(const char *word)
{
	const char *names[ARRAY_SIZE(commands) + 2] = { "help" };
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		names[i + 1] = commands[i].name;
	near = suggest(word, names);
	if (word[0] == '-')
		fprintf(stderr, "sandbox-run: unknown option %.64s; options follow the command\n",
			word);
	else if (near)
		fprintf(stderr, "sandbox-run: unknown command %.64s; did you mean %s?\n", word,
			near);
	else
		fprintf(stderr, "sandbox-run: unknown command %.64s\n", word);
	fputs("sandbox-run --help lists the commands.\n", stderr);
	return EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (streq(argv[0], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return unknown(argv[0]);
}

static int help(int argc, char **argv)
{
	static char option[] = "--help";
	char *words[] = { NULL, option, NULL };

	if (argc == 0) {
		print_help(stdout);
		return EXIT_OK;
	}
	words[0] = argv[0];
	return streq(argv[0], "help") ? help(0, NULL) : dispatch(2, words);
}

/*
 * A closed descriptor 0, 1 or 2 would be reused by the next open: what is meant for people would be
 * written into it. SIGPIPE is blocked, not ignored, since programs in jails inherit what is
 * ignored.
 */
static int prepare(void)
{
	sigset_t pipe;
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (fd <= 2 && fcntl(fd, F_SETFD, 0) < 0)
			return -errno;
	} while (fd <= 2);
	(void)close(fd);
	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	return sigprocmask(SIG_BLOCK, &pipe, NULL) < 0 ? -errno : 0;
}

int main(int argc, char **argv)
{
	int code;

	if (prepare() < 0)
		return EXIT_FAILED;
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (streq(argv[1], "--help") || streq(argv[1], "-h"))
		code = help(0, NULL);
	else if (streq(argv[1], "help"))
		code = help(argc - 2, argv + 2);
	else if (streq(argv[1], "--version") || streq(argv[1], "-V"))
		code = printf("sandbox-run %s\n", sbx_version()) < 0;
	else
		code = dispatch(argc - 1, argv + 1);
	if (fflush(stdout) != 0 && code == EXIT_OK) {
		fprintf(stderr, "sandbox-run: cannot write to stdout: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	return code;
}
