/* SPDX-License-Identifier: MIT */

/*
 * Finds policies, sandbox-inside, the store and Postgres. Asked in this order: the environment, the
 * build tree that this executable lies in (BUILD/runner/sandbox-run, so that a build runs without
 * being installed), and what was compiled in. Nothing is searched in PATH or the working directory:
 * a jail must not depend on where its caller stands.
 */

#include "pipeline/settings.h"
#include "cli/options.h"
#include "deps/toolchain.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "util/error.h"
#include <util/util.h>

#define settings_error(err, code, item, ...)                                                       \
	error_format(err, code, "settings", item, __VA_ARGS__)

#define POLICIES_MAX 64

static bool has_file(const char *dir, const char *name, int mode)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path) &&
	       access(path, mode) == 0;
}

/* The root of the build tree if this executable is in one, else "". */
static void build_root(char ret[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - 1);
	char *slash;

	if (n < 0)
		n = 0;
	ret[n] = '\0';
	for (int i = 0; i < 2; i++) {
		slash = strrchr(ret, '/');
		if (!slash || (i == 1 && !streq(slash, "/runner"))) {
			ret[0] = '\0';
			return;
		}
		*slash = '\0';
		/* sandbox-runner is made one folder further down. */
		if (i == 0 && (slash = strrchr(ret, '/')) && streq(slash, "/fleet"))
			*slash = '\0';
	}
}

static char *absolute(const char *path)
{
	char *real = realpath(path, NULL), *ret = NULL, cwd[PATH_MAX];

	if (real || path[0] == '/')
		return real ? real : strdup(path);
	if (!getcwd(cwd, sizeof(cwd)) || asprintf(&ret, "%s/%s", cwd, path) < 0)
		return NULL;
	return ret;
}

static int find_policies(struct settings *s, const char *root, struct sbx_error *err)
{
	const char *named = getenv("SANDBOX_POLICY_DIR");
	char built[PATH_MAX + 16];

	(void)snprintf(built, sizeof(built), "%s/policies", root);
	if (named && *named) {
		if (!has_file(named, "base.json", R_OK))
			return settings_error(err, -ENOENT, named,
					      "$SANDBOX_POLICY_DIR has no base.json; unset it or "
					      "point it "
					      "to a directory of policies");
		s->policy_dir = absolute(named);
	} else if (*root && has_file(built, "base.json", R_OK)) {
		s->policy_dir = strdup(built);
	} else if (has_file(SANDBOX_POLICYDIR, "base.json", R_OK)) {
		s->policy_dir = strdup(SANDBOX_POLICYDIR);
	} else {
		return settings_error(err, -ENOENT, SANDBOX_POLICYDIR,
				      "the policies are not there; install them (meson install) or "
				      "set "
				      "$SANDBOX_POLICY_DIR");
	}
	return s->policy_dir ? 0 : settings_error(err, -ENOMEM, "", "out of memory");
}

static int find_inside(struct settings *s, const char *root)
{
	char built[PATH_MAX + 40];

	(void)snprintf(built, sizeof(built), "%s/runner/inside/sandbox-inside", root);
	if (*root && access(built, X_OK) == 0)
		s->inside = strdup(built);
	else
		s->inside = strdup(SANDBOX_LIBEXECDIR "/sandbox-inside");
	(void)snprintf(built, sizeof(built), "%s/runner/database/sandbox-keeper", root);
	if (*root && access(built, X_OK) == 0)
		s->keeper = strdup(built);
	else
		s->keeper = strdup(SANDBOX_LIBEXECDIR "/sandbox-keeper");
	return s->inside && s->keeper ? 0 : -ENOMEM;
}

/* Root's is the host's; a user's lies with the user's other data. */
static char *default_store(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	char *ret = NULL;

	if (geteuid() == 0)
		return strdup(SETTINGS_STORE);
	if (data && data[0] == '/')
		return asprintf(&ret, "%s/sandbox", data) < 0 ? NULL : ret;
	if (home && home[0] == '/')
		return asprintf(&ret, "%s/.local/share/sandbox", home) < 0 ? NULL : ret;
	return strdup(SETTINGS_STORE); /* which is refused with the advice to name one */
}

static int find_store(struct settings *s, const char *store)
{
	const char *named = getenv("SANDBOX_STORE");
	_cleanup_free_ char *by_default = NULL;
	char node[PATH_MAX];

	if (!store || !*store)
		store = named;
	if (!store || !*store)
		store = by_default = default_store();
	s->store_dir = store ? absolute(store) : NULL;
	if (!s->store_dir)
		return -ENOMEM;
	if (snprintf(node, sizeof(node), "%s/runtime/node", s->store_dir) < (int)sizeof(node))
		s->node_dir = realpath(node, NULL); /* NULL: not installed */
	return 0;
}

static bool is_postgres(const char *dir)
{
	return has_file(dir, "postgres", X_OK) && has_file(dir, "initdb", X_OK);
}

/* The highest N of PREFIX/N/bin (Debian) that holds a server. */
static bool debian_postgres(char *ret, size_t size)
{
	static const char prefix[] = "/usr/lib/postgresql";
	char dir[PATH_MAX];
	struct dirent *e;
	long best = 0, n;
	DIR *d = opendir(prefix);

	while (d && (e = readdir(d))) {
		char *end;

		n = strtol(e->d_name, &end, 10);
		if (*end != '\0' || n <= best || n > 9999)
			continue;
		(void)snprintf(dir, sizeof(dir), "%s/%ld/bin", prefix, n);
		if (!is_postgres(dir))
			continue;
		best = n;
		(void)snprintf(ret, size, "%s", dir);
	}
	if (d)
		(void)closedir(d);
	return best > 0;
}

static int find_postgres(struct settings *s)
{
	static const char *const others[] = { "/usr/bin", "/usr/local/bin",
					      "/usr/local/pgsql/bin" };
	const char *named = getenv("SANDBOX_POSTGRES_DIR"), *found = NULL;
	char dir[PATH_MAX];

	if (named && *named)
		found = is_postgres(named) ? named : NULL;
	else if (debian_postgres(dir, sizeof(dir)))
		found = dir;
	else
		for (size_t i = 0; i < ARRAY_SIZE(others) && !found; i++)
			found = is_postgres(others[i]) ? others[i] : NULL;
	if (!found)
		return 0;
	s->postgres_dir = absolute(found);
	return s->postgres_dir ? 0 : -ENOMEM;
}

int settings_find(struct settings *ret, const char *store, struct sbx_error *err)
{
	struct settings s = { 0 };
	char root[PATH_MAX];
	int r;

	build_root(root);
	r = find_policies(&s, root, err);
	if (r == 0 &&
	    (find_inside(&s, root) < 0 || find_store(&s, store) < 0 || find_postgres(&s) < 0))
		r = settings_error(err, -ENOMEM, "", "out of memory");
	if (r < 0) {
		settings_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}

int settings_find_runtime(struct settings *s, struct sbx_error *err)
{
	struct toolchain toolchain = { 0 };
	int r;

	if (access(s->inside, X_OK) < 0)
		return error_format(err, -ENOENT, "installation", "",
				    "%s is not there: the installation is not whole "
				    "(meson install)",
				    s->inside);
	if (s->node_dir)
		return 0;
	r = toolchain_find(&toolchain, s->store_dir, err);
	if (r >= 0)
		s->node_dir = steal_ptr(toolchain.dir);
	toolchain_done(&toolchain);
	return MIN_OF(r, 0);
}

void settings_done(struct settings *s)
{
	free(s->policy_dir);
	free(s->inside);
	free(s->keeper);
	free(s->store_dir);
	free(s->node_dir);
	free(s->postgres_dir);
	memset(s, 0, sizeof(*s));
}

/* The policy of the directory whose name is nearest to `name`; `buf` holds it. */
static const char *suggest_policy(const char *dir, const char *name, char buf[NAME_MAX + 1])
{
	const char *names[POLICIES_MAX + 1] = { NULL }, *near;
	size_t n = 0, len;
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && n < POLICIES_MAX && (e = readdir(d))) {
		len = strlen(e->d_name);
		if (len > 5 && streq(e->d_name + len - 5, ".json"))
			names[n++] = strndup(e->d_name, len - 5);
	}
	if (d)
		(void)closedir(d);
	near = n > 0 && names[n - 1] ? suggest(name, names) : NULL;
	if (near)
		copy_string(buf, NAME_MAX + 1, near);
	while (n > 0)
		free((char *)names[--n]);
	return near ? buf : NULL;
}

int settings_policy(const struct settings *s, const char *name, char **ret, struct sbx_error *err)
{
	size_t len = strlen(name);
	bool is_path = strchr(name, '/') || (len > 5 && streq(name + len - 5, ".json"));
	char buf[NAME_MAX + 1], *path = NULL;
	const char *near;
	struct stat st;

	if (is_path)
		path = strdup(name);
	else if (asprintf(&path, "%s/%s.json", s->policy_dir, name) < 0)
		path = NULL;
	if (!path)
		return settings_error(err, -ENOMEM, name, "out of memory");
	if (access(path, R_OK) == 0 && stat(path, &st) == 0) {
		if (S_ISREG(st.st_mode)) {
			*ret = path;
			return 0;
		}
		free(path);
		return settings_error(err, -EINVAL, name, "a policy is a file; this is %s",
				      S_ISDIR(st.st_mode) ? "a folder" : "no regular file");
	}
	free(path);
	near = is_path ? NULL : suggest_policy(s->policy_dir, name, buf);
	if (near)
		return settings_error(err, -ENOENT, name, "no such policy; did you mean %s?", near);
	return settings_error(err, -ENOENT, name, "cannot read this policy: %s", strerror(errno));
}
