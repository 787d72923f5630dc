/* SPDX-License-Identifier: MIT */

/* sandbox-runner config: what is configured, and whether it makes sense. */

#include "fleet/config/config-options.h"
#include "fleet/fleet.h"
#include "util/util.h"

static bool effective;

static const struct option_spec specs[] = {
	{ OPTION_FLAG, 0, "effective", NULL, &effective,
	  "print: all keys, those too that nobody has set" },
	{ OPTION_END },
};

static struct command command = {
	.name = "config",
	.synopsis = "config check [--config FILE] [OPTIONS]\n"
		    "       sandbox-runner config print [--effective] [--config FILE] [OPTIONS]",
	.summary = "check says whether a worker could be run with this configuration; print shows\n"
		   "what it comes to, as a file, with a comment that says where each value comes\n"
		   "from. Passwords are not shown.",
	.examples = "  sandbox-runner config check --config /etc/sandbox/runner.json\n"
		    "  sandbox-runner config print --effective --config runner.json --slots 4",
	.epilog = "Exit codes:\n"
		  "    0  the configuration is well\n"
		  "    2  it is not, or the command line is wrong",
	.options = NULL,
};

/* Values that are only defaults say nothing about an installation. */
static void drop_defaults(struct fleet_config *c)
{
	for (size_t i = 0; config_keys[i].path; i++) {
		if (c->values[i].rank != CONFIG_FROM_DEFAULT)
			continue;
		free(c->values[i].text);
		c->values[i].text = NULL;
	}
}

static int complain(const char *why)
{
	fprintf(stderr, "sandbox-runner config: %s\n", why);
	return EXIT_USAGE;
}

static int run(bool print)
{
	_cleanup_(config_done) struct fleet_config c = { 0 };
	char why[CONFIG_WHY] = "";

	if (config_load(&c, config_options_flags(), why) < 0)
		return complain(why);
	if (config_check(&c, !print, why) < 0)
		return complain(why);
	if (!print)
		return EXIT_OK;
	if (!effective)
		drop_defaults(&c);
	return config_write(stdout, &c, false, true) < 0 ? EXIT_FAILED : EXIT_OK;
}

int cmd_config(int argc, char **argv)
{
	static const char *const words[] = { "check", "print", NULL };
	int n, code;

	command.options = config_options(specs);
	code = options_read_words(&command, argc, argv, &n);
	if (code >= 0)
		return code;
	if (n == 1 && (streq(argv[0], "check") || streq(argv[0], "print")))
		return run(streq(argv[0], "print"));
	if (n == 1 && suggest(argv[0], words))
		return usage_error("config", "\"%.64s\" is neither; did you mean %s?", argv[0],
				   suggest(argv[0], words));
	return usage_error("config", "say what: check or print");
}
