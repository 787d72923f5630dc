/* SPDX-License-Identifier: MIT */

/*
 * The file that a project is started from when no script says it: "main" and its like in
 * package.json, when the file exists (`npm init` writes index.js into every package.json), else one
 * of the names that students use.
 */

#include "inside/inspect/project.h"
#include "util/util.h"

static const char *const names[] = { "server",    "index",      "app",
				     "main",      "src/server", "src/index",
				     "src/app",   "src/main",   "src/bin/www",
				     "bin/www",   "api/index",  "src/api/index",
				     "lib/index", "lib/server", "src/server/index" };
static const char *const endings[] = { ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", "" };
static const char *const built[] = { "dist/server",   "dist/index",     "dist/app",
				     "dist/main",     "dist/src/index", "dist/src/server",
				     "dist/src/main", "build/index",    "build/server",
				     "build/app",     "out/index" };

const char *entry_clean(const char *file)
{
	while (starts_with(file, "./"))
		file += 2;
	if (!path_is_clean(file, strlen(file)) || file[0] == '-')
		return NULL;
	return file;
}

/* As Node would find it: the file, with an ending, or index.js in the directory. */
bool entry_exists(const struct project *pr, const char *file)
{
	static const char *const tails[] = { "", ".js", ".cjs", ".json", "/index.js" };
	const char *clean = entry_clean(file);
	char path[RECORD_MAX_PATH + 16];

	for (size_t i = 0; clean && i < ARRAY_SIZE(tails); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", clean, tails[i]);
		if (file_kind(pr->root, path) == FILE_REGULAR)
			return true;
	}
	return false;
}

/* A string, or the string in an object of conditions (or of names, for "bin"). */
static const char *first_string(const json_t *value, int depth)
{
	static const char *const keys[] = { ".", "import", "node", "require", "default" };
	const char *name, *found;
	json_t *member;

	if (json_is_string(value))
		return json_string_value(value);
	if (depth > 3)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		found = first_string(json_object_get(value, keys[i]), depth + 1);
		if (found)
			return found;
	}
	json_object_foreach((json_t *)value, name, member) return depth == 0 &&
			json_is_string(member)
		? json_string_value(member)
		: NULL;
	return NULL;
}

static const char *find_named(struct project *pr, const char **ret_from)
{
	static const struct {
		const char *key, *from;
	} fields[] = {
		{ "main", "package.json \"main\"" },
		{ "exports", "package.json \"exports\"" },
		{ "bin", "package.json \"bin\"" },
		{ "module", "package.json \"module\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *file = first_string(json_object_get(pr->package, fields[i].key), 0);

		if (!file || !entry_clean(file) || !entry_exists(pr, file))
			continue;
		*ret_from = fields[i].from;
		return entry_clean(file);
	}
	return NULL;
}

const char *entry_find(struct project *pr, const char **ret_from)
{
	const char *file = find_named(pr, ret_from);

	if (file)
		return file;
	*ret_from = "its name";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(endings); k++) {
			file = keepf(pr, "%s%s", names[i], endings[k]);
			/* Without an ending only what generators call "www" is a program. */
			if (!*endings[k] && !strstr(names[i], "www"))
				continue;
			if (file_kind(pr->root, file) == FILE_REGULAR)
				return file;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(built); i++) {
		for (size_t k = 0; k < 3; k++) {
			file = keepf(pr, "%s%s", built[i], endings[k]);
			if (file_kind(pr->root, file) == FILE_REGULAR)
				return file;
		}
	}
	return NULL;
}
