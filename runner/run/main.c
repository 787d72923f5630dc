/* SPDX-License-Identifier: MIT */

/* sandbox-run: its commands. */

#include "run/run.h"

static const struct program_command commands[] = {
	{ "exec", cmd_exec, "run any program in a jail", &exec_command },
	{ "shell", cmd_shell, "look around in such a jail", &shell_command },
	{ "grade", cmd_grade, "judge a submission: install, start, test, verdict", &grade_command },
	{ "grade-all", cmd_grade_all, "judge a folder of submissions: table, resumable",
	  &grade_all_command },
	{ "explain", cmd_explain, "the report of a result, for people or as a page",
	  &explain_command },
	{ "init-challenge", cmd_init_challenge, "write a challenge that works, to be changed",
	  &init_challenge_command },
	{ "test", cmd_test, "run hidden tests against any server, without a jail", &test_command },
	{ "trace", cmd_trace, "which system calls a command needs, and the policy lacks",
	  &trace_command },
	{ "deps", cmd_deps, "the content store: list, warm, verify, evict", &deps_command },
	{ "policy", cmd_policy, "check, show and list policies", &policy_command },
	{ "doctor", cmd_doctor, "what this host has and lacks, and how to repair it", NULL },
	{ NULL, NULL, NULL, NULL },
};

const struct program program = {
	.name = "sandbox-run",
	.variable = "SANDBOX_RUN_",
	.defaults = "run.json",
	.summary =
		"Runs untrusted programs, servers above all, in jails made of Linux namespaces,\n"
		"cgroups, seccomp and Landlock.\n",
	.examples = "  sandbox-run doctor\n"
		    "  sandbox-run exec --memory 64M --wall 5s -- python3 program.py\n"
		    "  sandbox-run grade submission.zip --challenge challenges/car-rental\n"
		    "  sandbox-run test --url http://localhost:8000 tests/*.hurl\n",
	.commands = commands,
};

int main(int argc, char **argv)
{
	return program_main(argc, argv);
}
