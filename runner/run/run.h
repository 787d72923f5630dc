/* SPDX-License-Identifier: MIT */
#pragma once

/* The commands of sandbox-run. */

#include "cli/program.h"

extern const struct command deps_command, exec_command, explain_command, grade_all_command,
	grade_command, init_challenge_command, policy_command, shell_command, test_command,
	trace_command;

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
