/* SPDX-License-Identifier: MIT */

/*
 * How the project wants to be built and started. A start script of the form "node FILE ..." becomes
 * an argument vector, so that no shell stands between the server and its signals; other scripts are
 * given to sh as they are. "main" counts only when the file exists: `npm init` writes index.js into
 * every package.json.
 */

#include "inside/inspect.h"
#include "util/util.h"

static const char *const entry_names[] = { "server",	 "index",     "app",
					   "src/server", "src/index", "src/app" };
static const char *const entry_suffixes[] = { ".js", ".mjs", ".cjs" };

void strv_freep(char ***list)
{
	if (!*list)
		return;
	for (char **s = *list; *s; s++)
		free(*s);
	free(*list);
}

static bool is_plain(const char *script)
{
	for (const char *s = script; *s; s++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 "
			    "_-./:=@%+,",
			    *s))
			return false;
	return true;
}

static int split_words(const char *script, char ***ret)
{
	_cleanup_(strv_freep) char **list = calloc(RECORD_MAX_ARGUMENTS + 1, sizeof(*list));
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (const char *s = script + strspn(script, " "); *s; s += strspn(s, " ")) {
		size_t size = strcspn(s, " ");

		if (n == RECORD_MAX_ARGUMENTS)
			return 0;
		list[n] = strndup(s, size);
		if (!list[n++])
			return -ENOMEM;
		s += size;
	}
	*ret = steal_ptr(list);
	return 0;
}

/* Whether a word after "node" names a file; a lone option could be one that eats the next word. */
static bool names_file(char *const *words)
{
	if (!words[0] || !streq(words[0], "node"))
		return false;
	for (size_t i = 1; words[i]; i++) {
		if (words[i][0] != '-')
			return true;
		if (streq(words[i], "-") || streq(words[i], "--"))
			return false;
	}
	return false;
}

int command_split(const char *script, char ***ret)
{
	_cleanup_(strv_freep) char **words = NULL;
	int r;

	*ret = NULL;
	if (!is_plain(script))
		return 0;
	r = split_words(script, &words);
	if (r < 0 || !words)
		return r;
	if (names_file(words))
		*ret = steal_ptr(words);
	return 0;
}

static int put_argv(int out, enum record_tag tag, const char *const *argv)
{
	int r = 0;

	for (; *argv && r == 0; argv++)
		r = records_put_string(out, tag, *argv);
	return r;
}

static int put_script(int out, enum record_tag tag, const char *key, const char *script,
		      struct problem *p)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	int r = put_argv(out, tag, argv);

	if (r == -EINVAL)
		return problem_set(
			p, "package.json: scripts.%s is too long or holds control characters", key);
	return r;
}

static int get_script(const json_t *package, const char *key, const char **ret, struct problem *p)
{
	const json_t *scripts = json_object_get(package, "scripts"), *script;

	*ret = NULL;
	if (scripts && !json_is_object(scripts))
		return problem_set(p, "package.json: \"scripts\" must be an object");
	script = json_object_get(scripts, key);
	if (script && !json_is_string(script))
		return problem_set(p, "package.json: scripts.%s must be a string", key);
	if (script && json_string_value(script)[strspn(json_string_value(script), " \t\r\n")])
		*ret = json_string_value(script);
	return 0;
}

/* "main" as node would find it: the file, with ".js", or index.js in the directory. */
static bool main_exists(int root, const char *file)
{
	static const char *const endings[] = { "", ".js", ".cjs", "/index.js" };
	char path[RECORD_MAX_PATH + 16];

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", file, endings[i]);
		if (file_kind(root, path) == FILE_REGULAR)
			return true;
	}
	return false;
}

static const char *find_main(int root, const json_t *package)
{
	const char *file = json_member(package, "main");

	if (!file)
		return NULL;
	while (starts_with(file, "./"))
		file += 2;
	if (!path_is_clean(file, strlen(file)) || file[0] == '-')
		return NULL;
	return main_exists(root, file) ? file : NULL;
}

static int put_entry_file(int root, int out)
{
	for (size_t i = 0; i < ARRAY_SIZE(entry_names); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(entry_suffixes); k++) {
			const char *argv[] = { "node", NULL, NULL };
			char path[64];

			(void)snprintf(path, sizeof(path), "%s%s", entry_names[i],
				       entry_suffixes[k]);
			argv[1] = path;
			if (file_kind(root, path) == FILE_REGULAR)
				return put_argv(out, RECORD_START, argv);
		}
	}
	return 0;
}

static int inspect_start(int root, const json_t *package, int out, struct problem *p)
{
	_cleanup_(strv_freep) char **words = NULL;
	const char *script, *file;
	int r = get_script(package, "start", &script, p);

	if (r != 0)
		return r;
	if (script) {
		r = command_split(script, &words);
		if (r < 0)
			return r;
		if (words)
			return put_argv(out, RECORD_START, (const char *const *)words);
		return put_script(out, RECORD_START, "start", script, p);
	}
	file = find_main(root, package);
	if (file) {
		const char *argv[] = { "node", file, NULL };

		return put_argv(out, RECORD_START, argv);
	}
	return put_entry_file(root, out);
}

int inspect_commands(int root, const json_t *package, int out, struct problem *p)
{
	const char *script;
	int r = inspect_start(root, package, out, p);

	if (r != 0)
		return r;
	r = get_script(package, "build", &script, p);
	if (r != 0 || !script)
		return r;
	return put_script(out, RECORD_BUILD, "build", script, p);
}
