/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The keys as options of a command: `extra` (ends with OPTION_END) come first, then --config, then
 * a row for each key. They are read without the environment, which config_load() asks by itself.
 */

#include "cli/options.h"
#include "fleet/config/config.h"

/* Rows for a struct command; static, made at the first call. */
const struct option_spec *config_options(const struct option_spec *extra);

/* What was said, once options_read_words() has read it. */
const struct config_flags *config_options_flags(void);
