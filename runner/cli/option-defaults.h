/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Options that the command line leaves out: from the environment, then from files of defaults.
 *
 *   environment  --cpu-time is SANDBOX_RUN_CPU_TIME. An empty variable is none. Flags are 1, true
 *                or yes, 0, false or no; lists have one item a line.
 *   files        JSON with comments, an object for each command:
 *                { "exec": { "memory": "256M", "ro": ["/data"], "quiet": true } }
 *                --config names the only file; --no-config reads none. Otherwise first
 *                $XDG_CONFIG_HOME/sandbox/run.json (or that of ~/.config), then
 *                /etc/sandbox/run.json for what that one leaves out. Each must belong to the caller
 *                or to root: defaults decide what a jail may see.
 *
 * A name that no option has is an error with a suggestion, so that a limit that was misspelt is not
 * a limit that was forgotten. (In the environment only if it is close to one: other commands' names
 * stand there, too.)
 */

#include "cli/options.h"

/* Which rows of a command have their value; by index. */
struct option_given {
	bool row[OPTION_ROWS_MAX];
};

/* Two options of every command, as the command line and the environment give them. */
struct option_sources {
	const char *config;
	bool no_config;
};

/*
 * From the environment and the files of `s`. 0, or -EINVAL and `error`. Values live until the
 * process ends.
 */
int options_defaults(const struct command *c, struct option_given *given,
		     const struct option_sources *s, char *error);
