/* SPDX-License-Identifier: MIT */

/*
 * The Prisma schema of a project, as one JSON text: its path, its files, and what else decides how
 * the client is generated (the module kind of package.json, tsconfig.json). The host gives it to
 * the jail that generates the client and uses it as part of the key; it never looks into it.
 *
 * prisma.config.ts is a program of the student, so it is not executed: only the text behind
 * "schema:" is read in it, a string or the strings of path.join().
 */

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "inside/inspect/inspect-tools.h"
#include "inside/inspect/inspect.h"
#include "util/util.h"

#define FILE_MAX (512u << 10)
#define FILES_MAX 64
#define DEPTH_MAX 3

struct schema {
	int root;
	json_t *files;
	size_t bytes;
};

static bool uses_prisma(const json_t *package)
{
	static const char *const fields[] = { "dependencies", "devDependencies" };
	static const char *const names[] = { "prisma", "@prisma/client" };

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			if (json_object_get(json_object_get(package, fields[i]), names[k]))
				return true;
	return false;
}

/* ---------------------------------------------------------------------------- where it is */

static const char *clean_start(const char *path)
{
	while (starts_with(path, "./"))
		path += 2;
	return path;
}

static bool is_there(int root, const char *path)
{
	return path_is_clean(path, strlen(path)) &&
	       (file_kind(root, path) == FILE_REGULAR || file_kind(root, path) == FILE_DIRECTORY);
}

/* A string, or those of path.join(), joined by '/'. */
static bool join_strings(const char *at, char *ret, size_t size)
{
	size_t used = 0, depth = 0;

	for (; *at && (depth > 0 || !strchr(",}\n", *at)); at++) {
		const char *end;

		depth += *at == '(';
		depth -= *at == ')' && depth > 0;
		if (!strchr("\"'`", *at))
			continue;
		end = strchr(at + 1, *at);
		if (!end || used + (size_t)(end - at) + 1 >= size)
			return false;
		if (used)
			ret[used++] = '/';
		memcpy(ret + used, at + 1, (size_t)(end - at) - 1);
		used += (size_t)(end - at) - 1;
		ret[used] = '\0';
		at = end;
	}
	return used > 0;
}

static bool schema_of_config(const char *text, char *ret, size_t size)
{
	for (const char *at = strstr(text, "schema"); at; at = strstr(at + 1, "schema")) {
		const char *value = at + strlen("schema");

		if (at > text &&
		    strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.$/", at[-1]))
			continue;
		value += strspn(value, "\"' ");
		if (*value == ':' && join_strings(value + 1, ret, size))
			return true;
	}
	return false;
}

static bool find_in_config(int root, char *ret, size_t size)
{
	static const char *const names[] = { "prisma.config.ts",  "prisma.config.js",
					     "prisma.config.mjs", "prisma.config.cjs",
					     "prisma.config.mts", ".config/prisma.ts" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *text = file_read_text(root, names[i], FILE_MAX);
		char found[RECORD_MAX_PATH];

		if (!text || !schema_of_config(text, found, sizeof(found)))
			continue;
		copy_string(ret, size, clean_start(found));
		if (is_there(root, ret))
			return true;
	}
	return false;
}

/* `prisma generate --schema=src/db/schema.prisma` in one of the scripts. */
static bool find_in_scripts(int root, const json_t *package, char *ret, size_t size)
{
	const char *name, *option = "--schema";
	json_t *script;

	json_object_foreach(json_object_get(package, "scripts"), name, script) {
		const char *text = json_string_value(script), *at;
		size_t n;

		at = text && strstr(text, "prisma") ? strstr(text, option) : NULL;
		if (!at)
			continue;
		at += strlen(option);
		at += strspn(at, "= \"'");
		n = strcspn(at, " \"'&;|");
		if (n == 0 || n >= size)
			continue;
		memcpy(ret, at, n);
		ret[n] = '\0';
		memmove(ret, clean_start(ret), strlen(clean_start(ret)) + 1);
		if (is_there(root, ret))
			return true;
	}
	return false;
}

static bool find_schema(int root, const json_t *package, char *ret, size_t size)
{
	static const char *const usual[] = { "prisma/schema.prisma", "schema.prisma",
					     "prisma/schema", "src/prisma/schema.prisma" };
	const char *named = json_member(json_object_get(package, "prisma"), "schema");

	if (named) {
		copy_string(ret, size, clean_start(named));
		if (is_there(root, ret))
			return true;
	}
	if (find_in_config(root, ret, size) || find_in_scripts(root, package, ret, size))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
		copy_string(ret, size, usual[i]);
		if (is_there(root, ret))
			return true;
	}
	return false;
}

bool prisma_schema_path(int root, const json_t *package, char *ret, size_t size)
{
	return package && uses_prisma(package) && find_schema(root, package, ret, size);
}

/* ------------------------------------------------------------------------------ its files */

static int add_file(struct schema *s, const char *path)
{
	_cleanup_free_ char *text = file_read_text(s->root, path, FILE_MAX);
	json_t *value = text ? json_string(text) : NULL; /* NULL: not UTF-8 */

	if (!value)
		return 0;
	s->bytes += strlen(text);
	if (s->bytes > FILE_MAX || json_object_size(s->files) == FILES_MAX) {
		json_decref(value);
		return 0;
	}
	return json_object_set_new(s->files, path, value) < 0 ? -ENOMEM : 0;
}

static bool is_schema(const char *name)
{
	size_t n = strlen(name);

	return n > 7 && streq(name + n - 7, ".prisma");
}

static int add_folder(struct schema *s, const char *path, int depth)
{
	int fd = openat(s->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		close_fd(fd);
		return 0;
	}
	while (r == 0 && (e = readdir(d))) {
		char child[RECORD_MAX_PATH];

		if (e->d_name[0] == '.' || streq(e->d_name, "migrations") ||
		    snprintf(child, sizeof(child), "%s/%s", path, e->d_name) >=
			    (int)sizeof(child) ||
		    !path_is_clean(child, strlen(child)))
			continue;
		if (is_schema(e->d_name))
			r = add_file(s, child);
		else if (depth < DEPTH_MAX && file_kind(s->root, child) == FILE_DIRECTORY)
			r = add_folder(s, child, depth + 1);
	}
	(void)closedir(d);
	return r;
}

/* One that extends another file cannot be read without it. */
static int add_tsconfig(struct schema *s)
{
	_cleanup_free_ char *text = file_read_text(s->root, "tsconfig.json", FILE_MAX);

	return text && !strstr(text, "\"extends\"") ? add_file(s, "tsconfig.json") : 0;
}

int inspect_prisma(int root, const json_t *package, int out)
{
	_cleanup_(json_donep) json_t *bundle = NULL;
	_cleanup_free_ char *text = NULL;
	struct schema s = { .root = root };
	char path[RECORD_MAX_PATH];
	const char *type = json_member(package, "type");
	int r;

	if (!prisma_schema_path(root, package, path, sizeof(path)))
		return 0;
	s.files = json_object();
	bundle = json_pack("{s:s, s:o, s:s}", "schema", path, "files", s.files, "type",
			   type && streq(type, "module") ? "module" : "commonjs");
	if (!bundle)
		return -ENOMEM;
	r = file_kind(root, path) == FILE_DIRECTORY ? add_folder(&s, path, 0) : add_file(&s, path);
	if (r == 0 && json_object_size(s.files) == 0)
		return 0;
	if (r == 0)
		r = add_tsconfig(&s);
	text = json_dumps(bundle, JSON_COMPACT | JSON_SORT_KEYS);
	if (r < 0 || !text)
		return r < 0 ? r : -ENOMEM;
	return records_put(out, RECORD_PRISMA_SCHEMA, text, strlen(text));
}
