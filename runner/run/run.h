/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The commands of sandbox-run. Each gets the words after its own name (argv[argc] is NULL, the
 * words may be permuted), reads them with options.h, and returns the exit code of the process.
 * SIGPIPE is blocked and descriptors 0 to 2 are open by the time a command is called.
 */

/* Exit codes that every command shares; others are the command's own (see its --help). */
#define EXIT_OK 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_INFRASTRUCTURE 4 /* ours, of those that judge */
#define EXIT_INTERRUPTED 130
#define EXIT_TERMINATED 143

/* By main.c: the names of all commands, and the tables of those that are known there; both end with
 * NULL. */
struct command;
extern const char *const command_names[];
extern const struct command *const command_tables[];

extern const struct command deps_command, exec_command, explain_command, grade_all_command, grade_command,
	init_challenge_command, policy_command, shell_command, test_command, trace_command;

int cmd_deps(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_grade(int argc, char **argv);
int cmd_grade_all(int argc, char **argv);
int cmd_init_challenge(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_shell(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_trace(int argc, char **argv);
