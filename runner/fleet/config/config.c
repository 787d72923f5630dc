/* SPDX-License-Identifier: MIT */

/* Where values come from, one after the other: config_set() keeps those of the higher rank. */

#include "fleet/config/config.h"

#include <ctype.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <sys/stat.h>

#include "cli/options.h"
#include "fleet/config/config-secret.h"
#include "util/util.h"
#include "json/json-config.h"

#define FILE_MAX (1u << 20)
#define SECRET_MAX 8192
#define PREFIX "SANDBOX_RUNNER_"

/* -------------------------------------------------------------------- file */

struct section {
	struct fleet_config *config;
	const char *prefix, *base, *name;
};

/*
 * Where the member of `key` ends in `path` below `prefix`: "redis" of "redis.url"; 0: not below it.
 */
static size_t member_of(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(path, prefix, n) != 0)
		return 0;
	return n + strcspn(path + n, ".");
}

static int join_items(struct json_config *j, const cJSON *list, char ret[FILE_MAX / 64])
{
	const cJSON *item;
	size_t n = 0;

	*ret = '\0';
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item) || strchr(item->valuestring, ','))
			return json_config_error(j, item, "this must be a string without a comma");
		n += (size_t)snprintf(ret + n, FILE_MAX / 64 - n, "%s%s", n ? "," : "",
				      item->valuestring);
		if (n >= FILE_MAX / 64)
			return json_config_error(j, list, "this list is too long");
	}
	return 0;
}

/* A value as its text. What is a string in one place is a string in all. */
static int text_of(struct json_config *j, const struct config_key *k, const cJSON *v,
		   char text[FILE_MAX / 64])
{
	bool list = k->kind == CONFIG_LIST || k->kind == CONFIG_LIMITS;

	if (list && cJSON_IsArray(v))
		return join_items(j, v, text);
	if (k->kind == CONFIG_NUMBER && cJSON_IsNumber(v)) {
		(void)snprintf(text, FILE_MAX / 64, "%.15g", v->valuedouble);
		return 0;
	}
	if (k->kind == CONFIG_BOOL && cJSON_IsBool(v)) {
		(void)snprintf(text, FILE_MAX / 64, "%s", cJSON_IsTrue(v) ? "true" : "false");
		return 0;
	}
	if (list)
		return json_config_error(j, v, "this must be a list of strings: [ ... ]");
	if (k->kind == CONFIG_NUMBER)
		return json_config_error(j, v, "this must be a number");
	if (k->kind == CONFIG_BOOL)
		return json_config_error(j, v, "this must be true or false");
	if (!cJSON_IsString(v))
		return json_config_error(j, v, "this must be a string, in quotes");
	if (strlen(v->valuestring) >= FILE_MAX / 64)
		return json_config_error(j, v, "this string is too long");
	(void)snprintf(text, FILE_MAX / 64, "%s", v->valuestring);
	return 0;
}

static int set_value(struct json_config *j, const struct config_key *k, const cJSON *v,
		     const struct section *s)
{
	_cleanup_free_ char *text = malloc(FILE_MAX / 64);
	char why[CONFIG_WHY] = "";
	int r = text ? text_of(j, k, v, text) : -ENOMEM;

	if (r == 0)
		r = config_set(s->config, k, text, s->base, CONFIG_FROM_FILE, s->name, why);
	return r == -EINVAL && *why ? json_config_error(j, v, "%.400s", why) : r;
}

static int read_section(struct json_config *j, const cJSON *object, const struct section *s);

static int set_member(struct json_config *j, const cJSON *v, void *data)
{
	const struct section *s = data;
	char path[CONFIG_NAME], below[CONFIG_NAME + 1];
	struct section inner = *s;
	int i;

	(void)snprintf(path, sizeof(path), "%s%s", s->prefix, v->string);
	i = config_key_index(path);
	if (i >= 0)
		return set_value(j, &config_keys[i], v, s);
	(void)snprintf(below, sizeof(below), "%s.", path);
	inner.prefix = below;
	return read_section(j, v, &inner);
}

/* The names that may stand below the prefix are the parts of paths there. */
static int read_section(struct json_config *j, const cJSON *object, const struct section *s)
{
	struct json_key members[CONFIG_KEYS_MAX];
	char names[CONFIG_KEYS_MAX][CONFIG_NAME];
	size_t n = 0, skip = strlen(s->prefix);

	for (const struct config_key *k = config_keys; k->path; k++) {
		size_t end = member_of(k->path, s->prefix);

		if (end == 0)
			continue;
		(void)snprintf(names[n], CONFIG_NAME, "%.*s", (int)(end - skip), k->path + skip);
		if (n > 0 && streq(names[n], names[n - 1]))
			continue;
		members[n] = (struct json_key){ names[n], set_member };
		n++;
	}
	return json_config_object(j, object, members, n, (void *)s);
}

static int parse_text(struct fleet_config *c, const char *name, const char *base, const char *text,
		      size_t size, char why[CONFIG_WHY])
{
	struct section s = { .config = c, .prefix = "", .base = base, .name = name };
	struct json_config j;
	int r = json_config_parse(&j, name, text, size, why);

	if (r == 0)
		r = read_section(&j, j.root, &s);
	json_config_done(&j);
	return r;
}

static int read_config_file(struct fleet_config *c, const char *path, char why[CONFIG_WHY])
{
	_cleanup_free_ char *text = NULL, *real = realpath(path, NULL);
	_cleanup_close_ int fd = real ? open(real, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
				      : -1;
	struct stat st;
	size_t size;

	text = read_content(fd, FILE_MAX, &size);
	if (!text) {
		(void)snprintf(why, CONFIG_WHY, "%.600s: the configuration cannot be read: %s",
			       path, strerror(errno));
		return -EINVAL;
	}
	c->read_by_all = fstat(fd, &st) < 0 || (st.st_mode & S_IROTH);
	c->written_by_all = c->read_by_all && (st.st_mode & S_IWOTH);
	return parse_text(c, path, dirname(real), text, size, why);
}

/* ------------------------------------------------------------- environment */

static int place_error(char why[CONFIG_WHY], const char *place)
{
	char text[CONFIG_WHY];

	copy_string(text, sizeof(text), why);
	(void)snprintf(why, CONFIG_WHY, "%.100s: %.1000s", place, text);
	return -EINVAL;
}

/* A secret in a file of its own: its first line. */
static int read_secret(struct fleet_config *c, const struct config_key *k, const char *variable,
		       const char *path, char why[CONFIG_WHY])
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	char from[CONFIG_NAME + 8], fault[CONFIG_WHY] = "";
	size_t size;
	int r;

	(void)snprintf(from, sizeof(from), "%s_FILE", variable);
	if (fd >= 0 && !c->open_secret && secret_check(fd, path, fault) == -EPERM &&
	    asprintf(&c->open_secret, "%s: %.1000s", from, fault) < 0)
		c->open_secret = NULL;
	/* A pipe of the shell's is waited for; that there is none is known by now. */
	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, 0);
	text = read_content(fd, SECRET_MAX, &size);
	if (!text) {
		(void)snprintf(why, CONFIG_WHY, "%s: %.600s cannot be read: %s", from, path,
			       strerror(errno));
		return -EINVAL;
	}
	text[strcspn(text, "\r\n")] = '\0';
	r = config_set(c, k, text, NULL, CONFIG_FROM_ENVIRONMENT, from, why);
	return r == -EINVAL ? place_error(why, from) : r;
}

static int read_variable(struct fleet_config *c, const struct config_key *k, char why[CONFIG_WHY])
{
	char name[CONFIG_NAME], file[CONFIG_NAME + 8];
	const char *value, *path;
	int r = 0;

	config_variable_name(k, name);
	(void)snprintf(file, sizeof(file), "%s_FILE", name);
	value = getenv(name);
	path = k->flags & CONFIG_SECRET ? getenv(file) : NULL;
	if (value && *value && path && *path) {
		(void)snprintf(why, CONFIG_WHY, "%s and %s say the same: give one of them", name,
			       file);
		return -EINVAL;
	}
	if (path && *path)
		return read_secret(c, k, name, path, why);
	if (value && *value)
		r = config_set(c, k, value, NULL, CONFIG_FROM_ENVIRONMENT, name, why);
	return r == -EINVAL ? place_error(why, name) : r;
}

/* Other commands have variables, too: only what is nearly a key's is an error. */
static int check_variable(const char *variable, char why[CONFIG_WHY])
{
	static char names[CONFIG_KEYS_MAX + 1][CONFIG_NAME];
	const char *list[CONFIG_KEYS_MAX + 2] = { NULL }, *near;
	char given[CONFIG_NAME];
	size_t n = 0, len = strcspn(variable, "=");

	if (len >= sizeof(given))
		return 0;
	(void)snprintf(given, sizeof(given), "%.*s", (int)len, variable);
	for (const struct config_key *k = config_keys; k->path; k++, n++) {
		size_t own;

		config_variable_name(k, names[n]);
		list[n] = names[n];
		own = strlen(names[n]);
		if (streq(given, names[n]) ||
		    ((k->flags & CONFIG_SECRET) && strncmp(given, names[n], own) == 0 &&
		     streq(given + own, "_FILE")))
			return 0;
	}
	near = suggest(given, list);
	if (!near)
		return 0;
	(void)snprintf(why, CONFIG_WHY, "%s: no key has this variable; did you mean %s?", given,
		       near);
	return -EINVAL;
}

static int read_environment(struct fleet_config *c, char why[CONFIG_WHY])
{
	int r = 0;

	for (char **v = environ; v && *v && r == 0; v++) {
		if (starts_with(*v, PREFIX) && !starts_with(*v, PREFIX "CONFIG="))
			r = check_variable(*v, why);
	}
	for (const struct config_key *k = config_keys; k->path && r == 0; k++)
		r = read_variable(c, k, why);
	return r;
}

/* ---------------------------------------------------------------- defaults */

/* The host's name, of which ids allow letters, digits, dots and dashes. */
static void default_name(char ret[CONFIG_NAME])
{
	if (gethostname(ret, CONFIG_NAME) < 0 || !*ret)
		copy_string(ret, CONFIG_NAME, "worker");
	ret[CONFIG_NAME - 1] = '\0';
	for (char *p = ret; *p; p++)
		*p = (char)(isalnum((unsigned char)*p) || strchr(".-_", *p) ? *p : '-');
}

static unsigned int processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned int)CPU_COUNT(&set) : 1;
}

static int read_defaults(struct fleet_config *c, char why[CONFIG_WHY])
{
	char name[CONFIG_NAME], slots[16];
	int r = 0;

	default_name(name);
	(void)snprintf(slots, sizeof(slots), "%u", MIN_OF(processors(), 1024u));
	for (const struct config_key *k = config_keys; k->path && r == 0; k++) {
		const char *text = k->by_default;

		if (streq(k->path, "name"))
			text = name;
		else if (streq(k->path, "slots"))
			text = slots;
		if (text)
			r = config_set(c, k, text, NULL, CONFIG_FROM_DEFAULT, "default", why);
	}
	return r;
}

/* Whoever stands in for DevForces' worker takes from its list, unless another is named. */
static int set_intake(struct fleet_config *c, char why[CONFIG_WHY])
{
	int i = config_key_index("queue.intake");

	if (c->compat.devforces == DEVFORCES_OFF || c->values[i].rank > CONFIG_FROM_DEFAULT)
		return 0;
	return config_set(c, &config_keys[i], "submissions", NULL, CONFIG_FROM_DEFAULT, "default",
			  why);
}

/* -------------------------------------------------------------------- load */

static int read_flags(struct fleet_config *c, const struct config_flags *flags,
		      char why[CONFIG_WHY])
{
	char option[CONFIG_NAME], from[CONFIG_NAME + 2];
	int r = 0;

	for (size_t i = 0; config_keys[i].path && r == 0; i++) {
		if (!flags->text[i])
			continue;
		config_option_name(&config_keys[i], option);
		(void)snprintf(from, sizeof(from), "--%s", option);
		r = config_set(c, &config_keys[i], flags->text[i], NULL, CONFIG_FROM_FLAG, from,
			       why);
		if (r == -EINVAL)
			place_error(why, from);
	}
	return r;
}

static int ended(struct fleet_config *ret, struct fleet_config *c, int r, char why[CONFIG_WHY])
{
	if (r == -ENOMEM)
		copy_string(why, CONFIG_WHY, "out of memory");
	if (r < 0)
		config_done(c);
	else
		*ret = *c;
	return r;
}

int config_load(struct fleet_config *ret, const struct config_flags *flags, char why[CONFIG_WHY])
{
	const char *file = flags->file ? flags->file : getenv(PREFIX "CONFIG");
	struct fleet_config c = { 0 };
	int r = read_defaults(&c, why);

	if (r == 0 && file && *file)
		r = read_config_file(&c, file, why);
	if (r == 0)
		r = read_environment(&c, why);
	if (r == 0)
		r = read_flags(&c, flags, why);
	if (r == 0)
		r = set_intake(&c, why);
	return ended(ret, &c, r, why);
}

int config_parse(struct fleet_config *ret, const char *name, const char *text, size_t size,
		 char why[CONFIG_WHY])
{
	struct fleet_config c = { 0 };
	int r = read_defaults(&c, why);

	if (r == 0)
		r = parse_text(&c, name, "/", text, size, why);
	return ended(ret, &c, r, why);
}
