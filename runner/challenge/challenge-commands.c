/* SPDX-License-Identifier: MIT */

/*
 * The keys of challenge.json that say what is done with a submission before it is tested: its
 * commands, and what it may bring along.
 */

#include "challenge/challenge-commands.h"

#include "inside/records.h"
#include "util/util.h"

#define MAX_ARGUMENTS 64
#define MAX_SCRIPTS 64
#define MAX_PACKAGE 214 /* npm's own limit */

static int set_argv(struct json_config *cfg, const cJSON *v, struct challenge_command *ret)
{
	int n = cJSON_GetArraySize(v), i = 0;
	char **argv;
	const cJSON *item;

	if (n == 0 || n > MAX_ARGUMENTS)
		return json_config_error(cfg, v,
					 "a command has 1 to %d words, like "
					 "[\"node\", \"src/server.js\"]",
					 MAX_ARGUMENTS);
	argv = calloc((size_t)n + 1, sizeof(*argv));
	if (!argv)
		return -ENOMEM;
	ret->kind = COMMAND_ARGV;
	ret->argv = argv;
	cJSON_ArrayForEach(item, v)
	{
		if (!cJSON_IsString(item) || (i == 0 && !*item->valuestring))
			return json_config_error(cfg, item, "a word of the command must be a text");
		argv[i] = strdup(item->valuestring);
		if (!argv[i++])
			return -ENOMEM;
	}
	return 0;
}

int challenge_set_command(struct json_config *cfg, const cJSON *v, struct challenge_command *ret,
			  bool may_be_null)
{
	if (cJSON_IsString(v) && streq(v->valuestring, "auto"))
		return 0;
	if (cJSON_IsArray(v))
		return set_argv(cfg, v, ret);
	if (cJSON_IsNull(v) && may_be_null) {
		ret->kind = COMMAND_NONE;
		return 0;
	}
	return json_config_error(cfg, v,
				 "this must be \"auto\"%s or a list of words, like "
				 "[\"node\", \"server.js\"]",
				 may_be_null ? ", null (nothing to do)" : "");
}

/* { "run": ["knex", "migrate:latest"] } */
static int set_migrate_command(struct json_config *cfg, const cJSON *v, struct challenge *c)
{
	const cJSON *run = cJSON_GetObjectItemCaseSensitive(v, "run");

	if (!cJSON_IsArray(run) || cJSON_GetArraySize(v) != 1)
		return json_config_error(cfg, v,
					 "a command that migrates is written as "
					 "{ \"run\": [\"knex\", \"migrate:latest\"] }");
	c->migrate_runs = true;
	return set_argv(cfg, run, &c->migrate);
}

int challenge_set_migrate(struct json_config *cfg, const cJSON *v, struct challenge *c)
{
	const cJSON *item;
	int r;

	if (cJSON_IsObject(v))
		return set_migrate_command(cfg, v, c);
	if (!cJSON_IsArray(v) && !cJSON_IsNull(v) &&
	    !(cJSON_IsString(v) && streq(v->valuestring, "auto")))
		return json_config_error(
			cfg, v,
			"this must be \"auto\", null (nothing to do), a list of SQL "
			"files and folders, like [\"db/schema.sql\"], or "
			"{ \"run\": [\"knex\", \"migrate:latest\"] }");
	r = challenge_set_command(cfg, v, &c->migrate, true);
	if (r < 0 || c->migrate.kind != COMMAND_ARGV)
		return r;
	cJSON_ArrayForEach(item, v)
	{
		size_t n = strlen(item->valuestring);

		if (n > 1 && item->valuestring[n - 1] == '/')
			n--;
		if (item->valuestring[0] == '-' || !path_is_clean(item->valuestring, n))
			return json_config_error(cfg, item,
						 "an SQL file or folder (\"dir/\") of the "
						 "submission is needed: relative, without \"..\"");
	}
	return 0;
}

int challenge_set_node_modules(struct json_config *cfg, const cJSON *v, struct challenge *c)
{
	if (!cJSON_IsString(v) ||
	    (!streq(v->valuestring, "ignore") && !streq(v->valuestring, "use")))
		return json_config_error(cfg, v,
					 "this must be \"ignore\" or \"use\" (the folder of the "
					 "archive, when it has no lockfile)");
	c->use_node_modules = streq(v->valuestring, "use");
	return 0;
}

int challenge_set_lockfile(struct json_config *cfg, const cJSON *v, struct challenge *c)
{
	if (!cJSON_IsString(v) ||
	    (!streq(v->valuestring, "optional") && !streq(v->valuestring, "required")))
		return json_config_error(
			cfg, v,
			"this must be \"optional\" (versions are resolved once when "
			"it is missing or out of date) or \"required\"");
	c->lockfile_required = streq(v->valuestring, "required");
	return 0;
}

static int set_script_list(struct json_config *cfg, const cJSON *v, struct challenge_scripts *ret)
{
	const cJSON *item;
	size_t n = 0;

	if (cJSON_GetArraySize(v) > MAX_SCRIPTS)
		return json_config_error(cfg, v, "at most %d packages can be listed", MAX_SCRIPTS);
	ret->packages = calloc((size_t)cJSON_GetArraySize(v) + 1, sizeof(*ret->packages));
	if (!ret->packages)
		return -ENOMEM;
	ret->kind = SCRIPTS_LISTED;
	cJSON_ArrayForEach(item, v)
	{
		if (!cJSON_IsString(item) || !*item->valuestring ||
		    strlen(item->valuestring) > MAX_PACKAGE)
			return json_config_error(cfg, item,
						 "the name of a package is needed, like "
						 "\"esbuild\"");
		ret->packages[n] = strdup(item->valuestring);
		if (!ret->packages[n++])
			return -ENOMEM;
	}
	return 0;
}

int challenge_set_scripts(struct json_config *cfg, const cJSON *v, struct challenge_scripts *ret)
{
	if (cJSON_IsArray(v))
		return set_script_list(cfg, v, ret);
	if (cJSON_IsString(v) && streq(v->valuestring, "auto")) {
		ret->kind = SCRIPTS_AUTO;
		return 0;
	}
	if (cJSON_IsNull(v)) {
		ret->kind = SCRIPTS_NONE;
		return 0;
	}
	return json_config_error(cfg, v,
				 "this must be \"auto\", null (none are run) or a list of names of "
				 "packages");
}
