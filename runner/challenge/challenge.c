/* SPDX-License-Identifier: MIT */

/*
 * challenge.json. A table says which keys there are; each has one function that checks its value.
 * The tests are found after all keys are known, since what may be wrong with them lies in other
 * files.
 */

#include "challenge/challenge.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "challenge/challenge-commands.h"
#include "challenge/challenge-hurl.h"
#include "challenge/challenge-limits.h"
#include "challenge/challenge-suite.h"
#include "challenge/challenge-tests.h"
#include "json/json-config.h"
#include "inside/records.h"
#include "pipeline/strv.h"
#include "util/util.h"

#define MAX_CONFIG (1u << 20)
#define MAX_TITLE 200
#define MAX_PATTERNS 64
#define MAX_ENV 64
#define MAX_ENV_BYTES (32u << 10)
#define MAX_POINTS 1e6
#define DATABASE_PORT 5432

struct load {
	struct challenge *c;
	const cJSON *tests, *port, *migrate, *suite_files;
};

static int dup_string(const cJSON *v, char **ret)
{
	char *copy = strdup(v->valuestring);

	if (!copy)
		return -ENOMEM;
	free(*ret);
	*ret = copy;
	return 0;
}

static bool has_control(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	}
	return false;
}

static int set_title(struct json_config *cfg, const cJSON *v, void *data)
{
	struct load *l = data;

	if (!cJSON_IsString(v) || !*v->valuestring || strlen(v->valuestring) > MAX_TITLE ||
	    has_control(v->valuestring))
		return json_config_error(
			cfg, v, "the title must be a text of 1 to %d bytes on one line", MAX_TITLE);
	return dup_string(v, &l->c->title);
}

static int set_tests(struct json_config *cfg, const cJSON *v, void *data)
{
	struct load *l = data;
	const cJSON *item;

	if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) == 0 || cJSON_GetArraySize(v) > MAX_PATTERNS)
		return json_config_error(cfg, v,
					 "this must be a list of 1 to %d file names or patterns, "
					 "like [\"tests/*.hurl\"]",
					 MAX_PATTERNS);
	cJSON_ArrayForEach(item, v)
	{
		if (!cJSON_IsString(item) ||
		    !path_is_clean(item->valuestring, strlen(item->valuestring)))
			return json_config_error(cfg, item,
						 "a file name or pattern inside the challenge "
						 "folder is needed: relative, without \"..\"");
	}
	l->tests = v;
	return 0;
}

static int set_install(struct json_config *cfg, const cJSON *v, void *data)
{
	struct challenge_command *c = &((struct load *)data)->c->install;
	int r = challenge_set_command(cfg, v, c, true);

	if (r < 0 || c->kind != COMMAND_ARGV || (streq(c->argv[0], "npm") && c->argv[1]))
		return r;
	return json_config_error(cfg, v,
				 "this must be \"auto\", null or a command of npm, like "
				 "[\"npm\", \"ci\", \"--legacy-peer-deps\"]");
}

static int set_build(struct json_config *cfg, const cJSON *v, void *data)
{
	return challenge_set_command(cfg, v, &((struct load *)data)->c->build, true);
}

static int set_start(struct json_config *cfg, const cJSON *v, void *data)
{
	return challenge_set_command(cfg, v, &((struct load *)data)->c->start, false);
}

static int set_migrate(struct json_config *cfg, const cJSON *v, void *data)
{
	struct load *l = data;

	l->migrate = v;
	return challenge_set_migrate(cfg, v, l->c);
}

static int set_node_modules(struct json_config *cfg, const cJSON *v, void *data)
{
	return challenge_set_node_modules(cfg, v, ((struct load *)data)->c);
}

static int set_lockfile(struct json_config *cfg, const cJSON *v, void *data)
{
	return challenge_set_lockfile(cfg, v, ((struct load *)data)->c);
}

static int set_scripts(struct json_config *cfg, const cJSON *v, void *data)
{
	return challenge_set_scripts(cfg, v, &((struct load *)data)->c->install_scripts);
}

static int set_any_port(struct json_config *cfg, const cJSON *v, void *data)
{
	if (!cJSON_IsBool(v))
		return json_config_error(
			cfg, v,
			"this must be true (the server may listen on another port) "
			"or false");
	((struct load *)data)->c->any_port = cJSON_IsTrue(v);
	return 0;
}

static bool whole_number(const cJSON *v, double min, double max)
{
	return cJSON_IsNumber(v) && v->valuedouble >= min && v->valuedouble <= max &&
	       (double)(int64_t)v->valuedouble == v->valuedouble;
}

static int set_port(struct json_config *cfg, const cJSON *v, void *data)
{
	struct load *l = data;

	if (!whole_number(v, 1, 65535))
		return json_config_error(cfg, v, "the port must be a number from 1 to 65535");
	l->c->port = (uint16_t)v->valuedouble;
	l->port = v;
	return 0;
}

static int set_health(struct json_config *cfg, const cJSON *v, void *data)
{
	struct load *l = data;

	if (cJSON_IsNull(v))
		return 0;
	if (!cJSON_IsString(v) || v->valuestring[0] != '/' || strlen(v->valuestring) > MAX_TITLE ||
	    has_control(v->valuestring) || strpbrk(v->valuestring, " #"))
		return json_config_error(cfg, v,
					 "this must be null or a path that starts with /, "
					 "like \"/health\"");
	return dup_string(v, &l->c->health);
}

static int set_template(struct json_config *cfg, const cJSON *v, void *data)
{
	struct load *l = data;
	const char *s = cJSON_GetStringValue(v);

	if (!s || !*s || s[0] == '/' || strstr(s, "..") || has_control(s))
		return json_config_error(cfg, v,
					 "this must be a folder below the challenge, like "
					 "\"template\"");
	return dup_string(v, &l->c->template);
}

static int set_database(struct json_config *cfg, const cJSON *v, void *data)
{
	struct load *l = data;

	if (cJSON_IsNull(v))
		return 0;
	if (!cJSON_IsString(v) || !streq(v->valuestring, "postgres"))
		return json_config_error(cfg, v, "this must be \"postgres\", or null for none");
	l->c->postgres = true;
	return 0;
}

static int set_limits(struct json_config *cfg, const cJSON *v, void *data)
{
	return challenge_set_limits(cfg, v, &((struct load *)data)->c->limits);
}

static const char *const reveal_names[] = {
	[REVEAL_NONE] = "none",
	[REVEAL_NAMES] = "names",
	[REVEAL_MESSAGES] = "messages",
	[REVEAL_ALL] = "all",
};

int reveal_parse(const char *s, enum reveal *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(reveal_names); i++) {
		if (streq(s, reveal_names[i])) {
			*ret = (enum reveal)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *reveal_name(enum reveal r)
{
	return reveal_names[r];
}

static int set_reveal(struct json_config *cfg, const cJSON *v, void *data)
{
	struct load *l = data;

	if (!cJSON_IsString(v) || streq(v->valuestring, "all") ||
	    reveal_parse(v->valuestring, &l->c->reveal) < 0)
		return json_config_error(
			cfg, v,
			"this must be \"none\" (how many tests passed), \"names\" "
			"(which ones) or \"messages\" (and why the others failed)");
	return 0;
}

static int set_points(struct json_config *cfg, const cJSON *v, void *data)
{
	struct load *l = data;

	if (!cJSON_IsNumber(v) || !(v->valuedouble > 0) || v->valuedouble > MAX_POINTS)
		return json_config_error(cfg, v, "points must be a number above 0, at most %.0f",
					 MAX_POINTS);
	l->c->points = v->valuedouble;
	return 0;
}

/* What the pipeline itself sets; a challenge that set it would break every submission. */
static bool env_is_ours(const char *name)
{
	static const char *const ours[] = { "PORT",   "API_PORT", "DATABASE_URL", "PGHOST",
					    "PGPORT", "PGUSER",   "PGPASSWORD",   "PGDATABASE",
					    "PATH",   "HOME",     "TMPDIR" };

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		if (streq(name, ours[i]))
			return true;
	}
	return false;
}

static bool env_name(const char *s)
{
	if (!*s || (*s >= '0' && *s <= '9'))
		return false;
	return s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")] ==
	       '\0';
}

static int check_env(struct json_config *cfg, const cJSON *v)
{
	const cJSON *item;
	size_t bytes = 0;
	int r;

	if (!cJSON_IsObject(v) || cJSON_GetArraySize(v) > MAX_ENV)
		return json_config_error(cfg, v,
					 "this must be an object of at most %d texts, like "
					 "{ \"KEY\": \"value\" }",
					 MAX_ENV);
	r = json_config_unique(cfg, v);
	if (r < 0)
		return r;
	cJSON_ArrayForEach(item, v)
	{
		if (!env_name(item->string))
			return json_config_error(cfg, item,
						 "\"%s\" is no name of a variable: letters, "
						 "digits and _ only",
						 item->string);
		if (env_is_ours(item->string))
			return json_config_error(cfg, item,
						 "%s is set by the sandbox itself: "
						 "leave it out",
						 item->string);
		if (!cJSON_IsString(item))
			return json_config_error(cfg, item,
						 "the value must be a text: put it in quotes");
		bytes += strlen(item->string) + strlen(item->valuestring) + 2;
		if (bytes > MAX_ENV_BYTES)
			return json_config_error(cfg, item,
						 "all variables together must stay below %u KiB",
						 MAX_ENV_BYTES >> 10);
	}
	return 0;
}

static int set_env(struct json_config *cfg, const cJSON *v, void *data)
{
	struct load *l = data;
	const cJSON *item;
	char **env;
	int r, i = 0;

	r = check_env(cfg, v);
	if (r < 0)
		return r;
	env = calloc((size_t)cJSON_GetArraySize(v) + 1, sizeof(*env));
	if (!env)
		return -ENOMEM;
	strv_free(l->c->env);
	l->c->env = env;
	cJSON_ArrayForEach(item, v)
	{
		if (asprintf(&env[i], "%s=%s", item->string, item->valuestring) < 0) {
			env[i] = NULL;
			return -ENOMEM;
		}
		i++;
	}
	return 0;
}

static int set_suite(struct json_config *cfg, const cJSON *v, void *data)
{
	struct load *l = data;

	return challenge_set_suite(cfg, v, l->c, &l->suite_files);
}

static const struct json_key challenge_keys[] = {
	{ "title", set_title },
	{ "tests", set_tests },
	{ "install", set_install },
	{ "build", set_build },
	{ "migrate", set_migrate },
	{ "start", set_start },
	{ "port", set_port },
	{ "health", set_health },
	{ "database", set_database },
	{ "limits", set_limits },
	{ "reveal", set_reveal },
	{ "points", set_points },
	{ "env", set_env },
	{ "any_port", set_any_port },
	{ "lockfile", set_lockfile },
	{ "node_modules", set_node_modules },
	{ "install_scripts", set_scripts },
	{ "suite", set_suite },
	{ "template", set_template },
};

static int check_whole(struct json_config *cfg, const struct load *l)
{
	if (!l->c->title)
		return json_config_error(cfg, cfg->root, "\"title\" is missing: a text for people");
	if (!l->tests)
		return json_config_error(cfg, cfg->root,
					 "\"tests\" is missing, like "
					 "\"tests\": [\"tests/*.hurl\"]");
	if (!l->port)
		return json_config_error(cfg, cfg->root,
					 "\"port\" is missing: the one that the server "
					 "must listen on, like \"port\": 8000");
	if (!l->c->postgres && l->c->migrate.kind == COMMAND_ARGV)
		return json_config_error(cfg, l->migrate,
					 "there is no database to migrate: add "
					 "\"database\": \"postgres\"");
	if (l->c->postgres && l->c->port == DATABASE_PORT)
		return json_config_error(cfg, l->port,
					 "the database listens on port %d; choose another "
					 "one for the server",
					 DATABASE_PORT);
	return 0;
}

static struct challenge *challenge_new(const char *dir)
{
	struct challenge *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->limits = challenge_default_limits;
	c->reveal = REVEAL_NAMES;
	c->suite.points = 1;
	c->dir = strdup(dir);
	c->env = calloc(1, sizeof(*c->env));
	if (!c->dir || !c->env)
		return challenge_free(c);
	return c;
}

struct challenge *challenge_bare(void)
{
	return challenge_new(".");
}

struct challenge *challenge_free(struct challenge *c)
{
	if (!c)
		return NULL;
	free(c->dir);
	free(c->title);
	free(c->health);
	free(c->template);
	strv_free(c->install.argv);
	strv_free(c->build.argv);
	strv_free(c->migrate.argv);
	strv_free(c->start.argv);
	strv_free(c->env);
	strv_free(c->install_scripts.packages);
	for (uint32_t i = 0; i < c->n_cases; i++) {
		free(c->cases[i].name);
		free(c->cases[i].group);
		free(c->cases[i].hint);
	}
	free(c->cases);
	for (uint32_t i = 0; i < c->n_tests; i++) {
		free(c->tests[i].name);
		free(c->tests[i].mount);
		free(c->tests[i].text);
	}
	free(c->tests);
	challenge_hurl_done(c);
	challenge_suite_done(&c->suite);
	free(c);
	return NULL;
}

static int parse(struct json_config *cfg, struct challenge *c)
{
	struct load l = { .c = c };
	int r;

	r = json_config_object(cfg, cfg->root, challenge_keys, ARRAY_SIZE(challenge_keys), &l);
	if (r == 0)
		r = check_whole(cfg, &l);
	if (r == 0)
		r = challenge_load_tests(c, cfg, l.tests);
	return r < 0 ? r : challenge_load_suite_files(c, cfg, l.suite_files);
}

int challenge_parse(struct challenge **ret, const char *dir, const char *text, size_t size,
		    char *why)
{
	_cleanup_(challenge_freep) struct challenge *c = challenge_new(dir);
	_cleanup_free_ char *name = NULL;
	struct json_config cfg;
	int r;

	if (!c || asprintf(&name, "%s/challenge.json", dir) < 0)
		return -ENOMEM;
	r = json_config_parse(&cfg, name, text, size, why);
	if (r == 0)
		r = parse(&cfg, c);
	json_config_done(&cfg);
	if (r < 0)
		return r;
	*ret = steal_ptr(c);
	return 0;
}

static int why_not(char *why, const char *path, int error)
{
	struct stat st;

	if (error == ENOENT)
		snprintf(why, CHALLENGE_ERROR_SIZE,
			 "%s: there is no such file: a challenge is a folder with "
			 "challenge.json in it",
			 path);
	else if (error == ENOTDIR && stat(path, &st) < 0)
		snprintf(why, CHALLENGE_ERROR_SIZE,
			 "%s: --challenge takes the folder that challenge.json "
			 "is in, not a file",
			 path);
	else
		snprintf(why, CHALLENGE_ERROR_SIZE, "%s: %s", path, strerror(error));
	return -EINVAL;
}

int challenge_load(struct challenge **ret, const char *dir, char *why)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	size_t size;
	int r;

	if (asprintf(&path, "%s/challenge.json", dir) < 0)
		return -ENOMEM;
	r = challenge_read_file(path, MAX_CONFIG, &text, &size);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return why_not(why, path, -r);
	return challenge_parse(ret, dir, text, size, why);
}
