/* SPDX-License-Identifier: MIT */

/* See config-options.h. */

#include "fleet/config/config-options.h"

static struct config_flags flags;
static struct option_spec rows[OPTION_ROWS_MAX];
static char names[CONFIG_KEYS_MAX][CONFIG_NAME];

const struct option_spec *config_options(const struct option_spec *extra)
{
	size_t n = 0;

	for (; extra && extra->kind != OPTION_END; extra++)
		rows[n++] = *extra;
	rows[n++] = (struct option_spec){
		OPTION_STRING, 'c',         "config",
		"FILE",        &flags.file, "the configuration (default: $SANDBOX_RUNNER_CONFIG)"
	};
	rows[n++] = (struct option_spec){
		OPTION_GROUP, 0,    NULL,
		NULL,         NULL, "Instead of what the file says (sandbox-runner.conf(5))"
	};
	for (size_t i = 0; config_keys[i].path; i++) {
		config_option_name(&config_keys[i], names[i]);
		rows[n++] = (struct option_spec){ OPTION_STRING,  0,
						  names[i],       config_keys[i].argument,
						  &flags.text[i], config_keys[i].help };
	}
	rows[n] = (struct option_spec){ OPTION_END };
	return rows;
}

const struct config_flags *config_options_flags(void)
{
	return &flags;
}
