/* SPDX-License-Identifier: MIT */
#pragma once

#include "cli/options.h"

/* What every command has: help and, of a program with files of defaults, config and no-config. */
enum {
	OPTION_COMMON_HELP,
	OPTION_COMMON_CONFIG,
	OPTION_COMMON_NO_CONFIG,
};
extern const struct option_spec option_common[];
/* How many of them this program's commands have. */
size_t option_common_count(void);
/* Their names, for suggestions: at most 3 are written, returns how many. */
size_t option_common_names(const char **ret);

void options_help(const struct command *c);
