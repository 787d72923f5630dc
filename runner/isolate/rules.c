/* SPDX-License-Identifier: MIT */

/* See rules.h: the text of rules, and the environment. What directories become: mounts.c. */

#include "rules.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <util/util.h>

extern char **environ;

static const struct {
	const char *name;
	unsigned int flag;
} dir_options[] = {
	{ "rw", DIR_RW },       { "noexec", DIR_NOEXEC }, { "fs", DIR_FS },
	{ "maybe", DIR_MAYBE }, { "dev", DIR_DEV },       { "tmp", DIR_TMP },
	{ "norec", DIR_NOREC },
};

static int invalid(const char **why, const char *text)
{
	*why = text;
	return -EINVAL;
}

/* ------------------------------------------------------------- directories */

/* "//usr/./lib/" is "usr/lib", in place. */
static int normalize(char *path, const char **why)
{
	char *to = path;

	for (const char *from = path; *from;) {
		size_t n = strcspn(from, "/");

		if (n == 2 && memcmp(from, "..", 2) == 0)
			return invalid(why, "the path inside holds ..");
		if (n > 0 && !(n == 1 && *from == '.')) {
			if (to > path)
				*to++ = '/';
			memmove(to, from, n);
			to += n;
		}
		from += n;
		from += *from == '/';
	}
	*to = '\0';
	return *path ? 0 : invalid(why, "the root itself cannot be replaced");
}

static int set_rule(struct rules *rules, const char *inside, const char *outside,
		    unsigned int flags, const char **why)
{
	struct dir_rule *rule = NULL, made = { .flags = flags };
	int r = -ENOMEM;

	made.inside = strdup(inside);
	made.outside = outside ? strdup(outside) : NULL;
	if (made.inside && (made.outside || !outside))
		r = normalize(made.inside, why);
	for (unsigned int i = 0; r == 0 && i < rules->n_dirs && !rule; i++)
		if (streq(rules->dirs[i].inside, made.inside))
			rule = &rules->dirs[i];
	if (r == 0 && !rule && rules->n_dirs == RULES_MAX)
		r = -E2BIG;
	if (r < 0) {
		free(made.inside);
		free(made.outside);
		return r;
	}
	if (rule) {
		free(rule->inside);
		free(rule->outside);
	} else {
		rule = &rules->dirs[rules->n_dirs++];
	}
	*rule = made;
	return 0;
}

static int parse_flags(char *options, unsigned int *flags, const char **why)
{
	char *state = NULL;

	for (char *s = strtok_r(options, ":", &state); s; s = strtok_r(NULL, ":", &state)) {
		size_t i = 0;

		while (i < ARRAY_SIZE(dir_options) && !streq(s, dir_options[i].name))
			i++;
		if (i == ARRAY_SIZE(dir_options))
			return invalid(why, "the options are rw, noexec, maybe, fs, tmp, dev and "
					    "norec");
		*flags |= dir_options[i].flag;
	}
	return 0;
}

/* IN=OUT, IN= or DIR, by the flags. `in` is writable. */
static int add_parsed(struct rules *rules, char *in, unsigned int flags, const char **why)
{
	_cleanup_free_ char *same = NULL;
	char *out = strchr(in, '=');

	if (out)
		*out++ = '\0';
	if ((flags & DIR_FS) && (flags & DIR_TMP))
		return invalid(why, "fs and tmp exclude each other");
	if (flags & DIR_FS)
		return out && *out && !strchr(out, '/')
			       ? set_rule(rules, in, out, flags, why)
			       : invalid(why, "fs needs the type of a file system: IN=proc:fs");
	if (flags & DIR_TMP)
		return out ? invalid(why, "tmp makes a directory of its own and needs no other")
			   : set_rule(rules, in, "", flags | DIR_RW, why);
	if (out && !*out)
		return set_rule(rules, in, NULL, flags, why);
	if (out && *out != '/' && !starts_with(out, "./"))
		return invalid(why, "the path outside is neither absolute nor begins with ./");
	if (out)
		return set_rule(rules, in, out, flags, why);
	if (asprintf(&same, "/%s", in + strspn(in, "/")) < 0) {
		same = NULL;
		return -ENOMEM;
	}
	return set_rule(rules, in, same, flags, why);
}

static int add_dir(struct rules *rules, const char *text, unsigned int flags, const char **why)
{
	_cleanup_free_ char *copy = strdup(text);
	char *options = copy ? strchr(copy, ':') : NULL;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	if (options) {
		*options++ = '\0';
		r = parse_flags(options, &flags, why);
	}
	return r < 0 ? r : add_parsed(rules, copy, flags, why);
}

int rules_add_dir(struct rules *rules, const char *text, const char **why)
{
	int r;

	*why = "too many rules";
	r = add_dir(rules, text, 0, why);
	if (r == -ENOMEM)
		*why = "out of memory";
	return r;
}

int rules_init(struct rules *rules)
{
	static const char *const defaults[] = {
		"box=./box:rw", "bin",          "dev:dev", "lib",
		"lib64:maybe",  "proc=proc:fs", "tmp:tmp", "usr",
	};
	const char *why;
	int r = 0;

	memset(rules, 0, sizeof(*rules));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(defaults); i++)
		r = add_dir(rules, defaults[i], DIR_DEFAULT, &why);
	return r;
}

void rules_done(struct rules *rules)
{
	while (rules->n_dirs) {
		struct dir_rule *rule = &rules->dirs[--rules->n_dirs];

		free(rule->inside);
		free(rule->outside);
	}
}

/* ------------------------------------------------------------- environment */

int rules_add_env(struct rules *rules, const char *text, const char **why)
{
	if (text[0] == '=' || text[0] == '\0')
		return invalid(why, "there is no name before the =");
	if (rules->n_env == RULES_MAX) {
		*why = "too many rules";
		return -E2BIG;
	}
	rules->env[rules->n_env++] = text;
	return 0;
}

static size_t name_length(const char *text)
{
	return strcspn(text, "=");
}

static bool same_name(const char *a, const char *b)
{
	size_t n = name_length(a);

	return n == name_length(b) && memcmp(a, b, n) == 0;
}

static const char *inherited(const char *rule)
{
	for (char **e = environ; e && *e; e++)
		if (same_name(*e, rule))
			return *e;
	return NULL;
}

/*
 * What the variable was is forgotten; then NAME takes the caller's, NAME=VALUE its own, NAME= none.
 */
static void apply(const char **env, size_t *n, const char *rule)
{
	const char *value = strchr(rule, '='), *entry = value ? rule : inherited(rule);
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++)
		if (!same_name(env[i], rule))
			env[kept++] = env[i];
	*n = kept;
	if (entry && !(value && value[1] == '\0'))
		env[(*n)++] = entry;
}

static char **copy_list(const char *const *list, size_t n)
{
	char **ret = calloc(n + 1, sizeof(*ret));

	for (size_t i = 0; ret && i < n; i++) {
		ret[i] = strdup(list[i]);
		if (!ret[i]) {
			environment_free(ret);
			return NULL;
		}
	}
	return ret;
}

char **rules_environment(const struct rules *rules)
{
	_cleanup_free_ const char **env = NULL;
	size_t n = 0, most = 0;

	while (rules->full_env && environ && environ[most])
		most++;
	env = calloc(most + rules->n_env + 2, sizeof(*env));
	if (!env)
		return NULL;
	for (; n < most; n++)
		env[n] = environ[n];
	apply(env, &n, "LIBC_FATAL_STDERR_=1");
	for (unsigned int i = 0; i < rules->n_env; i++)
		apply(env, &n, rules->env[i]);
	return copy_list(env, n);
}

void environment_free(char **env)
{
	for (char **e = env; e && *e; e++)
		free(*e);
	free(env);
}
