/* SPDX-License-Identifier: MIT */

/* Picks the command and puts the process into the state that all of them expect. */

#include "cli/program.h"

#include <errno.h>
#include <fcntl.h>
#include <sandbox/sandbox.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/util.h"

static void print_help(FILE *to)
{
	fprintf(to, "usage: %s COMMAND [OPTIONS] [ARGUMENTS]\n\n%s\nCommands:\n", program.name,
		program.summary);
	for (const struct program_command *c = program.commands; c->name; c++)
		if (c->help)
			fprintf(to, "  %-14s  %s\n", c->name, c->help);
	fprintf(to,
		"  help            help COMMAND is COMMAND --help\n\n"
		"Examples:\n%s\n"
		"Options:\n"
		"  -h, --help                print this help\n"
		"  -V, --version             print the version\n\n"
		"%s COMMAND --help lists the options of a command and its exit codes.\n",
		program.examples, program.name);
}

static int unknown(const char *word)
{
	const char *names[COMMANDS_MAX + 2] = { "help" }, *near;
	size_t n = 1;

	for (const struct program_command *c = program.commands; c->name && n <= COMMANDS_MAX; c++)
		if (c->help)
			names[n++] = c->name;
	near = suggest(word, names);
	if (word[0] == '-')
		fprintf(stderr, "%s: unknown option %.64s; options follow the command\n",
			program.name, word);
	else if (near)
		fprintf(stderr, "%s: unknown command %.64s; did you mean %s?\n", program.name, word,
			near);
	else
		fprintf(stderr, "%s: unknown command %.64s\n", program.name, word);
	fprintf(stderr, "%s --help lists the commands.\n", program.name);
	return EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
	for (const struct program_command *c = program.commands; c->name; c++)
		if (streq(argv[0], c->name))
			return c->run(argc - 1, argv + 1);
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

int program_main(int argc, char **argv)
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
		code = printf("%s %s\n", program.name, sbx_version()) < 0;
	else
		code = dispatch(argc - 1, argv + 1);
	if (fflush(stdout) != 0 && code == EXIT_OK) {
		fprintf(stderr, "%s: cannot write to stdout: %s\n", program.name, strerror(errno));
		return EXIT_FAILED;
	}
	return code;
}
