/* SPDX-License-Identifier: MIT */

/* sandbox-runner: its commands. */

#include "fleet/fleet.h"

static const struct program_command commands[] = {
	{ "run", cmd_run, "judge submissions: the worker", NULL },
	{ "submit", cmd_submit, "hand in one archive and follow it", NULL },
	{ "top", cmd_top, "the fleet at a glance: queue, workers, verdicts", NULL },
	{ "admin", cmd_admin, "look at a fleet and steer it", NULL },
	{ "config", cmd_config, "check a configuration, or show what it comes to", NULL },
	{ "doctor", cmd_doctor, "what the fleet has and lacks", NULL },
	{ "slot", cmd_slot, NULL, NULL },
	{ "judge", cmd_judge, NULL, NULL },
	{ "intake", cmd_intake, NULL, NULL },
	{ "self-test", cmd_self_test, NULL, NULL },
	{ NULL, NULL, NULL, NULL },
};

const struct program program = {
	.name = "sandbox-runner",
	.variable = "SANDBOX_RUNNER_",
	.summary =
		"Judges the submissions of a fleet: takes them from a queue in Redis, runs each\n"
		"in jails of its own, and writes every result once into a ledger in Postgres.\n",
	.examples = "  sandbox-runner config check --config /etc/sandbox/runner.json\n"
		    "  sandbox-runner run --config /etc/sandbox/runner.json\n",
	.commands = commands,
};

int main(int argc, char **argv)
{
	return program_main(argc, argv);
}
