/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run policy: policies without jails. Checking one compiles it, so whatever would refuse it
 * later refuses it here.
 */

#include "cli/options.h"
#include "json/json-config.h"
#include "run/run.h"
#include "pipeline/settings.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <util/util.h>

static struct {
	bool quiet;
} opt;

static const struct option_spec rows[] = {
	{ OPTION_FLAG, 'q', "quiet", NULL, &opt.quiet,
	  "check: say nothing of files without fault" },
	{ OPTION_END },
};

const struct command policy_command = {
	.name = "policy",
	.synopsis = "policy check [OPTIONS] NAME|FILE...\n"
		    "       sandbox-run policy show NAME|FILE\n"
		    "       sandbox-run policy list",
	.summary = "check reads and compiles policies and says where they are wrong; show prints\n"
		   "what a policy amounts to, its parents included: file tree, limits, ids and\n"
		   "system calls; list names the policies of the installation.",
	.examples = "  sandbox-run policy list\n"
		    "  sandbox-run policy show node-server\n"
		    "  sandbox-run policy show ./contest.json | less\n"
		    "  sandbox-run policy check ./contest.json\n"
		    "  sandbox-run policy check -q policies/*.json",
	.epilog = "Exit codes:\n"
		  "    0  done; check: all are well\n"
		  "    2  the command line is wrong, or a policy is",
	.options = rows,
};

static void complain(const struct sbx_error *e)
{
	fprintf(stderr, "sandbox-run policy: %s%s%s\n", e->item,
		e->item[0] && e->text[0] ? ": " : "", e->text);
}

static int load(const struct settings *s, const char *name, struct sbx_plan **ret,
		struct sbx_error *err)
{
	_cleanup_free_ char *path = NULL;
	struct sbx_policy *policy = NULL;
	int r = settings_policy(s, name, &path, err);

	if (r >= 0)
		r = sbx_policy_load(&policy, path, s->policy_dir, err);
	if (r >= 0)
		r = sbx_policy_compile(policy, ret, err);
	sbx_policy_free(policy);
	return r;
}

static int check(const struct settings *s, char **names)
{
	struct sbx_error err = { 0 };
	struct sbx_plan *plan;
	int code = EXIT_OK;

	for (; *names; names++) {
		if (load(s, *names, &plan, &err) < 0) {
			complain(&err);
			code = EXIT_USAGE;
			continue;
		}
		sbx_plan_unref(plan);
		if (!opt.quiet)
			printf("%s: no fault found\n", *names);
	}
	return code;
}

static int show(const struct settings *s, char **names)
{
	struct sbx_error err = { 0 };
	struct sbx_plan *plan;
	int r = load(s, names[0], &plan, &err);

	if (r >= 0) {
		r = sbx_plan_describe(plan, STDOUT_FILENO, &err);
		sbx_plan_unref(plan);
	}
	if (r < 0)
		complain(&err);
	return r < 0 ? EXIT_USAGE : EXIT_OK;
}

static int is_policy(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > 5 && e->d_name[0] != '.' && streq(e->d_name + len - 5, ".json");
}

/* "description" as the file itself has it; a file that cannot be read has none. */
static void print_entry(const char *dir, const char *file)
{
	struct json_config json = { 0 };
	char why[JSON_CONFIG_WHY], *text = NULL;
	_cleanup_free_ char *path = NULL;
	const char *description = NULL;
	size_t size = 0, stem = strlen(file) - 5;
	FILE *f;

	if (asprintf(&path, "%s/%s", dir, file) < 0)
		return;
	f = fopen(path, "re");
	if (f && getdelim(&text, &size, '\0', f) > 0 &&
	    json_config_parse(&json, file, text, strlen(text), why) == 0)
		description = cJSON_GetStringValue(
			cJSON_GetObjectItemCaseSensitive(json.root, "description"));
	/* Most begin with the policy's own name. */
	if (description && strncmp(description, file, stem) == 0 && description[stem] == ':')
		description += stem + 1 + strspn(description + stem + 1, " ");
	printf("%-14.*s%s%s\n", (int)stem, file, description ? "  " : "",
	       description ? description : "");
	json_config_done(&json);
	free(text);
	if (f)
		(void)fclose(f);
}

static int list(const struct settings *s)
{
	struct dirent **entries;
	int n = scandir(s->policy_dir, &entries, is_policy, alphasort);

	if (n < 0) {
		fprintf(stderr, "sandbox-run policy: %s: %s\n", s->policy_dir, strerror(errno));
		return EXIT_USAGE;
	}
	for (int i = 0; i < n; i++) {
		print_entry(s->policy_dir, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return EXIT_OK;
}

static int dispatch(const struct settings *s, int n, char **words)
{
	static const char *const verbs[] = { "check", "show", "list", NULL };
	const char *near;

	if (streq(words[0], "check"))
		return n > 1 ? check(s, words + 1)
			     : usage_error("policy", "check which? give names or files");
	if (streq(words[0], "show"))
		return n == 2 ? show(s, words + 1) : usage_error("policy", "show one policy");
	if (streq(words[0], "list"))
		return n == 1 ? list(s) : usage_error("policy", "list takes no names");
	near = suggest(words[0], verbs);
	return usage_error("policy", "\"%.64s\" is not one of check, show, list%s%s%s", words[0],
			   near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

int cmd_policy(int argc, char **argv)
{
	struct settings settings;
	struct sbx_error err = { 0 };
	int n, code = options_read(&policy_command, argc, argv, &n);

	if (code >= 0)
		return code;
	if (n == 0)
		return usage_error("policy", "check, show or list is missing");
	if (settings_find(&settings, NULL, &err) < 0) {
		complain(&err);
		return EXIT_USAGE;
	}
	code = dispatch(&settings, n, argv);
	settings_done(&settings);
	return code;
}
