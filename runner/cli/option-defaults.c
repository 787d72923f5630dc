/* SPDX-License-Identifier: MIT */

/*
 * See option-defaults.h. Texts are kept in one list until the process ends: options point to them,
 * as those of the command line point into argv.
 */

#include "cli/option-defaults.h"
#include "cli/option-help.h"
#include "cli/option-values.h"
#include "json/json-config.h"
#include "cli/program.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <util/util.h>

#define CONFIG_MAX (1u << 20)
#define NAME_BYTES 64

static struct kept {
	struct kept *next;
	char text[];
} * kept;

static char *keep(const char *text, size_t n)
{
	struct kept *k = malloc(sizeof(*k) + n + 1);

	if (!k)
		return NULL;
	memcpy(k->text, text, n);
	k->text[n] = '\0';
	k->next = kept;
	kept = k;
	return k->text;
}

/* ------------------------------------------------------------- environment */

static void variable_name(const char *option, char ret[NAME_BYTES])
{
	size_t n = (size_t)snprintf(ret, NAME_BYTES, "%s%s", program.variable, option);

	for (size_t i = strlen(program.variable); i < MIN_OF(n, (size_t)NAME_BYTES - 1); i++)
		ret[i] = (char)(ret[i] == '-' ? '_' : toupper((unsigned char)ret[i]));
}

static int parse_flag(const char *text, bool *ret)
{
	static const char *const yes[] = { "1", "true", "yes" }, *const no[] = { "0", "false",
										 "no" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (streq(text, yes[i]) || streq(text, no[i])) {
			*ret = streq(text, yes[i]);
			return 0;
		}
	return -EINVAL;
}

/* Flags and counts, which have no value on a command line. */
static int store_switch(const struct option_spec *o, const char *text, const char **ret_why)
{
	bool on;

	if (o->kind == OPTION_COUNT && isdigit((unsigned char)text[0]) && text[1] == '\0') {
		*(int *)o->dest = text[0] - '0';
		return 0;
	}
	*ret_why = "is neither yes nor no";
	if (parse_flag(text, &on) < 0)
		return -EINVAL;
	if (o->kind == OPTION_COUNT)
		*(int *)o->dest = on;
	else
		*(bool *)o->dest = on;
	return 0;
}

static int store_text(const struct option_spec *o, const char *text, const char *said, char *error)
{
	const char *why = "";
	int r = option_takes_value(o) ? option_store(o, text, &why) : store_switch(o, text, &why);

	return r < 0 ? option_refuse(said, text, why, error) : 0;
}

static int store_lines(const struct option_spec *o, const char *lines, const char *said,
		       char *error)
{
	int r = 0;

	for (size_t n; *lines && r == 0; lines += n + (lines[n] == '\n')) {
		const char *line;

		n = strcspn(lines, "\n");
		if (n == 0)
			continue;
		line = keep(lines, n);
		r = line ? store_text(o, line, said, error) : option_fail(error, "out of memory");
	}
	return r;
}

/* One variable, two options: the one that has a value (grade --database URL) is meant. */
static bool is_value_of_another(const struct option_spec *o)
{
	if (option_takes_value(o))
		return false;
	for (const struct program_command *c = program.commands; c->name; c++)
		for (const struct option_spec *p = c->table ? c->table->options : NULL;
		     p && p->kind != OPTION_END; p++)
			if (p->name && streq(p->name, o->name) && option_takes_value(p))
				return true;
	return false;
}

static int environment_row(const struct option_spec *o, bool *given, char *error)
{
	char name[NAME_BYTES];
	const char *value;
	int r;

	variable_name(o->name, name);
	value = getenv(name);
	if (!value || !*value || is_value_of_another(o))
		return 0;
	r = option_is_list(o) ? store_lines(o, value, name, error)
			      : store_text(o, value, name, error);
	*given = r == 0;
	return r;
}

/* "CPU_TIME" to "cpu-time". */
static bool option_name(const char *variable, size_t len, char ret[NAME_BYTES])
{
	if (len >= NAME_BYTES)
		return false;
	for (size_t i = 0; i < len; i++)
		ret[i] = (char)(variable[i] == '_' ? '-' : tolower((unsigned char)variable[i]));
	ret[len] = '\0';
	return true;
}

static bool has_option(const struct command *c, const char *name)
{
	for (const struct option_spec *o = c->options; o->kind != OPTION_END; o++)
		if (o->name && streq(o->name, name))
			return true;
	return false;
}

/* "SANDBOX_RUN_MEMROY=64M" limits nothing: better said than found out. */
static int check_variable(const struct command *c, const char *variable, char *error)
{
	const char *names[OPTION_ROWS_MAX + 3] = { NULL }, *near;
	char name[NAME_BYTES], twin[NAME_BYTES];
	size_t n = option_common_names(names), len = strcspn(variable, "="),
	       prefix = strlen(program.variable);

	if (!option_name(variable + prefix, len - prefix, name) || has_option(c, name))
		return 0;
	for (const struct program_command *other = program.commands; other->name; other++)
		if (other->table && has_option(other->table, name))
			return 0;
	for (const struct option_spec *o = c->options; o->kind != OPTION_END; o++)
		if (o->name && n < ARRAY_SIZE(names) - 1)
			names[n++] = o->name;
	near = suggest(name, names);
	if (!near || streq(near, name))
		return 0;
	variable_name(near, twin);
	return option_fail(error, "%.*s: no option has this variable; did you mean %s?", (int)len,
			   variable, twin);
}

static int options_environment(const struct command *c, struct option_given *given, char *error)
{
	int r = 0;

	for (char **v = environ; v && *v && r == 0; v++)
		if (starts_with(*v, program.variable))
			r = check_variable(c, *v, error);
	for (size_t i = 0; c->options[i].kind != OPTION_END && r == 0; i++)
		if (c->options[i].name && !given->row[i])
			r = environment_row(&c->options[i], &given->row[i], error);
	return r;
}

/* ------------------------------------------------------------------- files */

struct reader {
	struct json_config json;
	const struct command *command;
	struct option_given *given;
	struct option_given now; /* by this file */
};

/* A value as its option would be written on a command line; NULL: it cannot be. */
static const char *value_text(const struct option_spec *o, const cJSON *v)
{
	char number[32];

	if (cJSON_IsString(v))
		return keep(v->valuestring, strlen(v->valuestring));
	if (cJSON_IsBool(v) && !option_takes_value(o))
		return cJSON_IsTrue(v) ? "true" : "false";
	if (!cJSON_IsNumber(v))
		return NULL;
	(void)snprintf(number, sizeof(number), "%.15g", v->valuedouble);
	return keep(number, strlen(number));
}

static int config_value(struct reader *r, const struct option_spec *o, const cJSON *v)
{
	char error[OPTIONS_ERROR_MAX];
	const char *text = value_text(o, v);

	if (!text)
		return json_config_error(&r->json, v, "\"%s\" is %s here", o->name,
					 option_takes_value(o) ? "a string" : "true or false");
	if (store_text(o, text, o->name, error) < 0)
		return json_config_error(&r->json, v, "%.300s", error);
	return 0;
}

/* { "A": "1" } for lists of NAME=VALUE. */
static int config_pair(struct reader *r, const struct option_spec *o, const cJSON *v)
{
	char *pair = NULL, error[OPTIONS_ERROR_MAX];
	const char *text;

	if (!cJSON_IsString(v))
		return json_config_error(&r->json, v, "a variable is a string");
	if (asprintf(&pair, "%s=%s", v->string, v->valuestring) < 0)
		return -ENOMEM;
	text = keep(pair, strlen(pair));
	free(pair);
	if (!text)
		return -ENOMEM;
	if (store_text(o, text, o->name, error) < 0)
		return json_config_error(&r->json, v, "%.300s", error);
	return 0;
}

static int config_list(struct reader *r, const struct option_spec *o, const cJSON *v)
{
	bool pairs = o->kind == OPTION_PAIRS && cJSON_IsObject(v);
	const cJSON *item;
	int n = 0;

	if (!cJSON_IsArray(v) && !pairs)
		return config_value(r, o, v);
	cJSON_ArrayForEach(item, v)
	{
		n = pairs ? config_pair(r, o, item) : config_value(r, o, item);
		if (n < 0)
			return n;
	}
	return 0;
}

static int unknown_option(struct reader *r, const cJSON *v)
{
	const char *names[OPTION_ROWS_MAX + 1] = { NULL }, *near;
	size_t n = 0;

	for (const struct option_spec *o = r->command->options; o->kind != OPTION_END; o++)
		if (o->name && n < OPTION_ROWS_MAX)
			names[n++] = o->name;
	near = suggest(v->string, names);
	if (near)
		return json_config_error(&r->json, v,
					 "%s has no option \"%.64s\"; did you mean \"%s\"?",
					 r->command->name, v->string, near);
	return json_config_error(&r->json, v, "%s has no option \"%.64s\"", r->command->name,
				 v->string);
}

static int config_option(struct reader *r, const cJSON *v)
{
	const struct option_spec *options = r->command->options;
	size_t i = 0;

	while (options[i].kind != OPTION_END &&
	       !(options[i].name && streq(options[i].name, v->string)))
		i++;
	if (options[i].kind == OPTION_END)
		return unknown_option(r, v);
	if (r->given->row[i])
		return 0;
	r->now.row[i] = true;
	if (options[i].kind == OPTION_OPTIONAL && cJSON_IsTrue(v)) {
		*(struct option_optional *)options[i].dest = (struct option_optional){ true, NULL };
		return 0;
	}
	return option_is_list(&options[i]) ? config_list(r, &options[i], v)
					   : config_value(r, &options[i], v);
}

static int unknown_command(struct reader *r, const cJSON *v)
{
	const char *names[COMMANDS_MAX + 1] = { NULL }, *near;
	size_t n = 0;

	for (const struct program_command *c = program.commands; c->name && n < COMMANDS_MAX; c++)
		names[n++] = c->name;
	near = suggest(v->string, names);

	if (near)
		return json_config_error(&r->json, v,
					 "there is no command \"%.64s\"; did you mean \"%s\"?",
					 v->string, near);
	return json_config_error(&r->json, v,
				 "there is no command \"%.64s\"; options stand in the object of "
				 "their command: { \"exec\": { ... } }",
				 v->string);
}

static bool is_command(const char *name)
{
	for (const struct program_command *c = program.commands; c->name; c++)
		if (streq(c->name, name))
			return true;
	return false;
}

static int config_section(struct reader *r, const cJSON *section)
{
	const cJSON *v;
	int n;

	if (!is_command(section->string))
		return unknown_command(r, section);
	if (!cJSON_IsObject(section))
		return json_config_error(&r->json, section,
					 "must be an object: { \"memory\": \"256M\" }");
	n = json_config_unique(&r->json, section);
	if (n < 0 || !streq(section->string, r->command->name))
		return n;
	cJSON_ArrayForEach(v, section)
	{
		n = config_option(r, v);
		if (n < 0)
			return n;
	}
	return 0;
}

static int config_text(struct reader *r, const char *path, const char *text, size_t size, char *why)
{
	const cJSON *section;
	int n = json_config_parse(&r->json, path, text, size, why);

	if (n == 0)
		n = json_config_unique(&r->json, r->json.root);
	if (n == 0)
		cJSON_ArrayForEach(section, r->json.root)
		{
			n = config_section(r, section);
			if (n < 0)
				break;
		}
	json_config_done(&r->json);
	return n;
}

static int read_config(const char *path, char **ret, size_t *ret_size, char *error)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t at = 0;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return option_fail(error, "%.300s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size > CONFIG_MAX)
		return option_fail(error, "%.300s: is not a file of at most 1M", path);
	text = malloc(CONFIG_MAX);
	if (!text)
		return option_fail(error, "out of memory");
	for (; n > 0 && at < CONFIG_MAX; at += (size_t)n) {
		n = read(fd, text + at, CONFIG_MAX - at);
		if (n < 0)
			return option_fail(error, "%.300s: %s", path, strerror(errno));
	}
	*ret = steal_ptr(text);
	*ret_size = at;
	return 0;
}

static int options_config(const struct command *c, struct option_given *given, const char *path,
			  char *error)
{
	struct reader reader = { .command = c, .given = given };
	_cleanup_free_ char *text = NULL;
	char why[JSON_CONFIG_WHY] = "";
	size_t size = 0;
	int r = read_config(path, &text, &size, error);

	if (r < 0)
		return r;
	r = config_text(&reader, path, text, size, why);
	if (r < 0)
		return option_fail(error, "%s", r == -ENOMEM ? "out of memory" : why);
	for (size_t i = 0; i < OPTION_ROWS_MAX; i++)
		given->row[i] = given->row[i] || reader.now.row[i];
	return 0;
}

/* A file that need not be there. */
static int config_found(const struct command *c, struct option_given *given, const char *path,
			char *error)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno == ENOENT || errno == ENOTDIR || errno == EACCES)
			return 0;
		return option_fail(error, "%.300s: %s", path, strerror(errno));
	}
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return option_fail(error,
				   "%.300s: belongs to uid %u, neither you nor root; name it with "
				   "--config if you trust it, or use --no-config",
				   path, (unsigned int)st.st_uid);
	return options_config(c, given, path, error);
}

static bool user_config(char ret[PATH_MAX])
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;

	if (xdg && xdg[0] == '/')
		n = snprintf(ret, PATH_MAX, "%s/sandbox/%s", xdg, program.defaults);
	else if (home && home[0] == '/')
		n = snprintf(ret, PATH_MAX, "%s/.config/sandbox/%s", home, program.defaults);
	else
		return false;
	return n > 0 && n < PATH_MAX;
}

int options_defaults(const struct command *c, struct option_given *given,
		     const struct option_sources *s, char *error)
{
	struct option_sources source = *s;
	const struct option_spec rows[] = {
		{ OPTION_STRING, 0, "config", "FILE", &source.config, "" },
		{ OPTION_FLAG, 0, "no-config", NULL, &source.no_config, "" },
	};
	char path[PATH_MAX];
	bool set;
	int r = options_environment(c, given, error);

	if (!program.defaults)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(rows) && r == 0 && !s->config && !s->no_config; i++)
		r = environment_row(&rows[i], &set, error);
	if (r < 0 || source.no_config)
		return r;
	if (source.config)
		return options_config(c, given, source.config, error);
	if (user_config(path))
		r = config_found(c, given, path, error);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/etc/sandbox/%s", program.defaults);
	return config_found(c, given, path, error);
}
