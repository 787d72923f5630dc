/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The command line of isolate 2, and of isolate 1.x where it had more (--cg-timing). Read by
 * getopt_long(3) as there: names may be abbreviated, options may follow operands up to "--".
 */

#include "rules.h"

enum command {
	COMMAND_NONE,
	COMMAND_INIT,
	COMMAND_RUN,
	COMMAND_CLEANUP,
	COMMAND_VERSION,
	COMMAND_PRINT_CG_ROOT,
};

/* Sizes in KB, as they are written; 0: no limit. */
struct options {
	enum command command;
	struct box_request box;
	bool wait;
	bool silent;
	int verbose;
	const char *meta;
	uint64_t time_ns, wall_ns, extra_ns;
	uint32_t mem, cg_mem, stack, fsize, core;
	uint32_t open_files, processes;
	bool quota;
	uint32_t quota_blocks, quota_inodes;
	const char *stdin_path, *stdout_path, *stderr_path, *chdir;
	bool stderr_to_stdout;
	bool share_net, inherit_fds, tty_hack, special_files, no_cg_timing;
	struct rules rules;
	char **argv; /* of the program, NULL-terminated */
};

/* -1: go on; otherwise the exit code to return. */
int options_parse(struct options *o, int argc, char **argv);
