/* SPDX-License-Identifier: MIT */
#pragma once

/* Values of options, whoever gave them: a command line, the environment or a file. */

#include "cli/options.h"

/*
 * What is stored behind `o->dest`; `text` lives as long as it does. -EINVAL and *ret_why (static).
 */
int option_store(const struct option_spec *o, const char *text, const char **ret_why);

bool option_takes_value(const struct option_spec *o);
bool option_is_list(const struct option_spec *o);

/* The sentence for a value that option_store() refused; `said` is how it was given ("--wall"). */
int option_refuse(const char *said, const char *text, const char *why, char *error);
int option_fail(char *error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
