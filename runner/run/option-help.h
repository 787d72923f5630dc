/* SPDX-License-Identifier: MIT */
#pragma once

#include "options.h"

/* What every command has: help, config, no-config, in this order. */
extern const struct option_spec option_common[];

void options_help(const struct command *c);
