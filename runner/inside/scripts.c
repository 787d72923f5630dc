/* SPDX-License-Identifier: MIT */

/*
 * Install scripts of packages, the same way whichever manager has installed them. `sandbox-inside
 * scripts` lists the packages below ./node_modules that have one, as records on descriptor 3;
 * `sandbox-inside script FOLDER` runs those of one package as npm does: preinstall, install (or
 * "node-gyp rebuild" where there is a binding.gyp), postinstall, with what npm tells them in the
 * environment. What may run is decided outside.
 */

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "inside/inside.h"
#include "inside/inspect/inspect.h"
#include "util/util.h"

#define MAX_DEPTH 24
#define MANIFEST_LIMIT (1u << 20)
#define RECORDS_FD 3
#define NODE "/opt/node/bin/node"
#define NPM_DIR "/opt/node/lib/node_modules/npm"

static const char *const events[] = { "preinstall", "install", "postinstall" };

struct tree {
	json_t *found;    /* of {path, name, version} */
	json_t *required; /* names that some package cannot do without */
};

static void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static bool has_script(const json_t *package, const char *path)
{
	_cleanup_free_ char *gyp = NULL;
	const json_t *scripts = json_object_get(package, "scripts");

	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (json_member(scripts, events[i]))
			return true;
	if (json_is_false(json_object_get(package, "gypfile")) ||
	    asprintf(&gyp, "%s/binding.gyp", path) < 0)
		return false;
	return file_kind(AT_FDCWD, gyp) == FILE_REGULAR;
}

/* Optional dependencies are often listed among the others, too. */
static int add_required(struct tree *t, const json_t *package, const char *field)
{
	const json_t *optional = json_object_get(package, "optionalDependencies");
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(package, field), name, value)
	{
		if (!json_object_get(optional, name) &&
		    json_object_set_new(t->required, name, json_true()) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_package(const char *path, json_t **ret)
{
	_cleanup_free_ char *file = NULL;
	struct problem p;
	int r;

	if (asprintf(&file, "%s/package.json", path) < 0)
		return -ENOMEM;
	*ret = NULL;
	r = file_read_json(AT_FDCWD, file, MANIFEST_LIMIT, ret, &p);
	return r == -ENOMEM ? r : 0;
}

static int add_package(struct tree *t, const char *path)
{
	_cleanup_(json_donep) json_t *package = NULL;
	const char *name, *version;
	json_t *item;
	int r = read_package(path, &package);

	if (r < 0 || !json_is_object(package))
		return r;
	r = add_required(t, package, "dependencies");
	if (r < 0 || !has_script(package, path))
		return r;
	name = json_member(package, "name");
	version = json_member(package, "version");
	item = json_pack("{s:s, s:s, s:s}", "path", path, "name", name ? name : "", "version",
			 version ? version : "0");
	return item && json_array_append_new(t->found, item) == 0 ? 0 : -ENOMEM;
}

static int scan_modules(struct tree *t, const char *path, int depth);

static int scan_below(struct tree *t, const char *path, int depth)
{
	_cleanup_free_ char *modules = NULL;

	if (asprintf(&modules, "%s/node_modules", path) < 0)
		return -ENOMEM;
	return file_kind(AT_FDCWD, modules) == FILE_DIRECTORY ? scan_modules(t, modules, depth + 1)
							      : 0;
}

/* The virtual stores of pnpm, npm (linked) and bun hold NAME/node_modules. */
static bool is_virtual_store(const char *name)
{
	return streq(name, ".pnpm") || streq(name, ".store") || streq(name, ".bun");
}

static int scan_entry(struct tree *t, const char *parent, const char *name, bool virtual, int depth)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s", parent, name) < 0)
		return -ENOMEM;
	if (file_kind(AT_FDCWD, path) != FILE_DIRECTORY)
		return 0;
	if (virtual)
		return scan_below(t, path, depth);
	if (name[0] == '@' || is_virtual_store(name))
		return scan_modules(t, path, depth + 1);
	if (name[0] == '.')
		return 0;
	r = add_package(t, path);
	return r < 0 ? r : scan_below(t, path, depth);
}

static int scan_modules(struct tree *t, const char *path, int depth)
{
	_cleanup_(closedirp) DIR *dir = opendir(path);
	bool virtual = is_virtual_store(strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	struct dirent *d;
	int r = 0;

	if (!dir || depth > MAX_DEPTH)
		return dir ? 0 : -errno;
	while (r == 0 && (d = readdir(dir)))
		if (!streq(d->d_name, ".") && !streq(d->d_name, ".."))
			r = scan_entry(t, path, d->d_name, virtual, depth);
	return r;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(json_member(*(json_t *const *)a, "path"),
		      json_member(*(json_t *const *)b, "path"));
}

static int put_scripts(const struct tree *t)
{
	size_t n = json_array_size(t->found);
	_cleanup_free_ const json_t **sorted = calloc(n + 1, sizeof(*sorted));
	int r = sorted ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && r == 0; i++)
		sorted[i] = json_array_get(t->found, i);
	if (r == 0 && n > 0)
		qsort(sorted, n, sizeof(*sorted), by_path);
	for (size_t i = 0; i < n && r == 0; i++) {
		const char *name = json_member(sorted[i], "name");
		char text[TEXT_MAX];

		(void)snprintf(text, sizeof(text), "%d %s@%s %s",
			       !json_object_get(t->required, name), name,
			       json_member(sorted[i], "version"), json_member(sorted[i], "path"));
		text_scrub(text);
		r = records_put_string(RECORDS_FD, RECORD_SCRIPT, text);
	}
	return r < 0 ? r : records_put(RECORDS_FD, RECORD_END, NULL, 0);
}

int inside_scripts(int argc, char **argv)
{
	struct tree t = { .found = json_array(), .required = json_object() };
	_cleanup_(json_donep) json_t *root = NULL;
	int r = t.found && t.required ? read_package(".", &root) : -ENOMEM;

	(void)argv;
	if (argc != 1)
		r = -EINVAL;
	if (r == 0)
		r = add_required(&t, root, "dependencies");
	if (r == 0)
		r = add_required(&t, root, "devDependencies");
	if (r == 0)
		r = scan_modules(&t, "node_modules", 0);
	if (r == 0 && json_array_size(t.found) > RECORD_MAX_SCRIPTS)
		r = 1;
	if (r == 0)
		r = put_scripts(&t);
	json_decref(t.found);
	json_decref(t.required);
	if (r < 0)
		(void)fprintf(stderr, "sandbox-inside scripts: %s\n", strerror(-r));
	return r < 0 ? 3 : r;
}

/* ------------------------------------------------------------------------- running */

static int set_path(const char *folder)
{
	_cleanup_free_ char *path = NULL;
	const char *last = strstr(folder, "node_modules/"), *next;

	while (last && (next = strstr(last + 1, "node_modules/")))
		last = next;
	if (!last)
		return -EINVAL;
	if (asprintf(
		    &path,
		    "/app/%s/node_modules/.bin:/app/%.*snode_modules/.bin:"
		    "/app/node_modules/.pnpm/node_modules/.bin:/app/node_modules/.bin:" NPM_DIR
		    "/node_modules/@npmcli/run-script/lib/node-gyp-bin:/opt/node/bin:/usr/bin:/bin",
		    folder, (int)(last - folder), folder) < 0)
		return -ENOMEM;
	return setenv("PATH", path, 1) < 0 ? -errno : 0;
}

static int set_environment(const json_t *package, const char *folder)
{
	const char *name = json_member(package, "name"), *version = json_member(package, "version");
	const char *const values[][2] = {
		{ "INIT_CWD", "/app" },
		{ "NODE", NODE },
		{ "npm_node_execpath", NODE },
		{ "npm_execpath", NPM_DIR "/bin/npm-cli.js" },
		{ "npm_config_node_gyp", NPM_DIR "/node_modules/node-gyp/bin/node-gyp.js" },
		{ "npm_command", "ci" },
		{ "npm_config_user_agent", "npm/10 node/v22 linux x64 workspaces/false" },
		{ "npm_package_name", name ? name : "" },
		{ "npm_package_version", version ? version : "" },
		{ "npm_config_update_notifier", "false" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (setenv(values[i][0], values[i][1], 1) < 0)
			return -errno;
	return set_path(folder);
}

static int run_event(const char *event, const char *command)
{
	int status;
	pid_t pid;

	if (setenv("npm_lifecycle_event", event, 1) < 0 ||
	    setenv("npm_lifecycle_script", command, 1) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

static int run_scripts(const json_t *package)
{
	const json_t *scripts = json_object_get(package, "scripts");
	bool gyp = !json_member(scripts, "install") && !json_member(scripts, "preinstall") &&
		   !json_is_false(json_object_get(package, "gypfile")) &&
		   file_kind(AT_FDCWD, "binding.gyp") == FILE_REGULAR;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(events) && r == 0; i++) {
		const char *command = json_member(scripts, events[i]);

		if (!command && gyp && streq(events[i], "install"))
			command = "node-gyp rebuild";
		if (command)
			r = run_event(events[i], command);
	}
	return r;
}

int inside_script(int argc, char **argv)
{
	_cleanup_(json_donep) json_t *package = NULL;
	int r;

	if (argc != 2 || !path_is_clean(argv[1], strlen(argv[1]))) {
		(void)fprintf(stderr, "usage: sandbox-inside script FOLDER\n");
		return 2;
	}
	r = read_package(argv[1], &package);
	if (r == 0 && !json_is_object(package))
		r = -ENOENT;
	if (r == 0)
		r = set_environment(package, argv[1]);
	if (r == 0)
		r = chdir(argv[1]) < 0 ? -errno : run_scripts(package);
	if (r < 0)
		(void)fprintf(stderr, "sandbox-inside script: %s: %s\n", argv[1], strerror(-r));
	return r < 0 ? 3 : r;
}
