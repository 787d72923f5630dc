/* SPDX-License-Identifier: MIT */

/*
 * The few settings of a project's configuration files that say where its migrations are. A setting
 * that is computed is not found, and the default counts.
 */

#include "inside/inspect/inspect-tools.h"
#include "util/util.h"

#define MAX_CONFIG (64u << 10)

static const char *const endings[] = { "js", "ts", "cjs", "mjs", "cts", "mts", "json" };

bool find_config(int root, const char *const *folders, const char *name, char *ret, size_t size)
{
	for (; *folders; folders++) {
		for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
			(void)snprintf(ret, size, "%s%s%s.%s", *folders, **folders ? "/" : "", name,
				       endings[i]);
			if (file_kind(root, ret) == FILE_REGULAR)
				return true;
		}
	}
	return false;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.';
}

/* The literal of `key: "value"` as a clean path; false: there is none. */
static bool setting(const char *text, const char *key, char *ret, size_t size)
{
	size_t n = strlen(key), m;

	for (const char *s = text; (s = strstr(s, key)); s += n) {
		const char *v = s + n;

		if (s > text && is_word(s[-1]))
			continue;
		v += *v == '"' || *v == '\'';
		v += strspn(v, " \t\r\n");
		if (*v != ':')
			continue;
		v += 1 + strspn(v + 1, " \t\r\n");
		if (*v != '"' && *v != '\'' && *v != '`')
			continue;
		m = strcspn(v + 1, "\"'`\n");
		v++;
		while (m > 2 && starts_with(v, "./")) {
			v += 2;
			m -= 2;
		}
		while (m > 0 && v[m - 1] == '/')
			m--;
		if (m >= size || !path_is_clean(v, m))
			continue;
		memcpy(ret, v, m);
		ret[m] = '\0';
		return true;
	}
	return false;
}

static char *read_config(int root, const char *name, char *path, size_t size)
{
	static const char *const here[] = { "", ".config", "config", NULL };

	if (!find_config(root, here, name, path, size))
		return NULL;
	return file_read_text(root, path, MAX_CONFIG);
}

static bool prisma_by_schema(const char *schema, char *ret, size_t size)
{
	const char *slash = strrchr(schema, '/');
	size_t n = strlen(schema);
	bool is_file = n > 7 && streq(schema + n - 7, ".prisma");

	if (starts_with(schema, "./"))
		return prisma_by_schema(schema + 2, ret, size);
	if (is_file && !slash)
		(void)snprintf(ret, size, "migrations");
	else
		(void)snprintf(ret, size, "%.*s/migrations",
			       (int)(is_file ? (size_t)(slash - schema) : n), schema);
	return path_is_clean(ret, strlen(ret));
}

bool prisma_folder(int root, const json_t *package, char *ret, size_t size)
{
	const char *schema = json_member(json_object_get(package, "prisma"), "schema");
	char path[64], file[RECORD_MAX_PATH + 1];
	_cleanup_free_ char *text = read_config(root, "prisma.config", path, sizeof(path));
	const char *migrations = text ? strstr(text, "migrations") : NULL;

	if (migrations && setting(migrations, "path", ret, size))
		return true;
	if (text && setting(text, "schema", file, sizeof(file)))
		return prisma_by_schema(file, ret, size);
	if (schema && strlen(schema) < RECORD_MAX_PATH - 16)
		return prisma_by_schema(schema, ret, size);
	return prisma_schema_path(root, package, file, sizeof(file)) &&
	       prisma_by_schema(file, ret, size);
}

bool drizzle_folder(int root, char *ret, size_t size)
{
	char path[64];
	_cleanup_free_ char *text = read_config(root, "drizzle.config", path, sizeof(path));

	copy_string(ret, size, "drizzle");
	if (!text)
		return false;
	(void)setting(text, "out", ret, size);
	return true;
}

const char *node_env_of(int root)
{
	static const char *const knex[] = { "", "src", "db", "src/db", "database", "config", NULL };
	static const char *const sequelize[] = { "config", "src/config", "server/config", NULL };
	char path[64];
	_cleanup_free_ char *text = NULL;

	if (find_config(root, knex, "knexfile", path, sizeof(path)) ||
	    find_config(root, sequelize, "config", path, sizeof(path)))
		text = file_read_text(root, path, MAX_CONFIG);
	return text && strstr(text, "development") && !strstr(text, "production") ? "development"
										  : NULL;
}

bool folder_has_sql(int root, const char *folder)
{
	_cleanup_(sql_list_done) struct sql_list list = {};
	struct problem ignored;

	return sql_list_folder(&list, root, folder, false, &ignored) == 0 && list.n > 0;
}

/* "- ./db/init.sql:/docker-entrypoint-initdb.d/1.sql:ro": the path before the colon. */
static int add_mount(int root, const char *line, const char *colon, struct sql_list *list,
		     struct problem *p)
{
	const char *start = colon;
	char path[RECORD_MAX_PATH + 1];
	size_t n;

	while (start > line && !strchr(" \t\"'", start[-1]))
		start--;
	while (colon - start > 2 && starts_with(start, "./"))
		start += 2;
	n = (size_t)(colon - start);
	while (n > 0 && start[n - 1] == '/')
		n--;
	if (n >= sizeof(path) || !path_is_clean(start, n))
		return 0;
	memcpy(path, start, n);
	path[n] = '\0';
	if (file_kind(root, path) == FILE_DIRECTORY)
		return sql_list_folder(list, root, path, false, p);
	if (file_kind(root, path) != FILE_REGULAR || n < 5 || !streq(path + n - 4, ".sql"))
		return 0;
	return sql_list_add(list, path, p);
}

static int compose_file(int root, const char *text, struct sql_list *list, struct problem *p)
{
	static const char target[] = ":/docker-entrypoint-initdb.d";
	int r = 0;

	for (const char *s = text; r == 0 && (s = strstr(s, target)); s += strlen(target)) {
		const char *line = s;

		while (line > text && line[-1] != '\n')
			line--;
		if (line[strspn(line, " \t")] != '#')
			r = add_mount(root, line, s, list, p);
	}
	return r;
}

int compose_sql(int root, struct sql_list *list, struct problem *p)
{
	static const char *const names[] = { "docker-compose.yml", "docker-compose.yaml",
					     "compose.yml", "compose.yaml",
					     "docker-compose.dev.yml" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0 && list->n == 0; i++) {
		_cleanup_free_ char *text = file_read_text(root, names[i], MAX_CONFIG);

		if (text)
			r = compose_file(root, text, list, p);
	}
	return r;
}
