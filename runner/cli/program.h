/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A program that has one command for each thing to do. Each gets the words after its own name
 * (argv[argc] is NULL, the words may be permuted), reads them with options.h, and returns the exit
 * code of the process. SIGPIPE is blocked and descriptors 0 to 2 are open by the time a command is
 * called.
 */

#include "cli/options.h"

/* Exit codes that every command shares; others are the command's own (see its --help). */
#define EXIT_OK 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_INFRASTRUCTURE 4 /* ours, of those that judge */
#define EXIT_INTERRUPTED 130
#define EXIT_TERMINATED 143

#define COMMANDS_MAX 32
struct program_command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;             /* a line of the program's --help; NULL: not for people */
	const struct command *table; /* NULL: it reads its words by itself */
};

struct program {
	const char *name;     /* "sandbox-run" */
	const char *variable; /* what options start with in the environment: "SANDBOX_RUN_" */
	const char *defaults; /* the name of its files of defaults, "run.json"; NULL: it has none */
	const char *summary;  /* of --help; lines */
	const char *examples;
	const struct program_command *commands; /* the last has no name */
};

/* Each executable has one, in its main.c. */
extern const struct program program;

int program_main(int argc, char **argv);
