/* SPDX-License-Identifier: MIT */

/* See config-options.h. */

#include "fleet/config/config-options.h"

#include "cli/option-help.h"
#include "cli/program.h"
#include "util/util.h"

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

int config_options_read(const struct command *c, int argc, char **argv, int *ret_operands)
{
	char error[OPTIONS_ERROR_MAX] = "";
	int r = options_parse(c, argc, argv, ret_operands, error);

	if (r < 0)
		return usage_error(c->name, "%s", error);
	if (r > 0) {
		options_help(c);
		return EXIT_OK;
	}
	return -1;
}

const struct config_flags *config_options_flags(void)
{
	return &flags;
}
