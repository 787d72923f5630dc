/* SPDX-License-Identifier: MIT */
#pragma once

/* The commands of sandbox-runner; those that are not for people are the processes of a worker. */

#include "cli/program.h"

int cmd_admin(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_intake(int argc, char **argv);
int cmd_judge(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_self_test(int argc, char **argv);
int cmd_slot(int argc, char **argv);
int cmd_submit(int argc, char **argv);
int cmd_top(int argc, char **argv);
