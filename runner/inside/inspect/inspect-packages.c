/* SPDX-License-Identifier: MIT */

/*
 * The project's packages: what is installed depends only on the dependency fields of package.json
 * and on the lockfile, so these are reduced to exactly that, in canonical form (sorted keys, no
 * white space). Two submissions with equal dependencies then share one installed tree, whatever
 * their names and versions are.
 *
 * Only packages of the registry can be installed: anything that names a folder, a repository or an
 * address is reported by package, once, and does not refuse the submission (a challenge may install
 * nothing).
 */

#include <ctype.h>

#include "inside/inspect/inspect-lock.h"
#include "util/util.h"

#define OVERRIDES_DEPTH 16

static const char *const dependency_fields[] = { "dependencies", "devDependencies",
						 "optionalDependencies", "peerDependencies" };

static bool has_scheme(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

	return n > 0 && isalpha((unsigned char)s[0]) && s[n] == ':';
}

const char *specification_problem(const char *s)
{
	static const char *const folders[] = { "file:", "link:", "portal:", "workspace:",
					       ".",	"/",	 "~/" };

	if (strncasecmp(s, "npm:", 4) == 0 || starts_with(s, "catalog:"))
		return NULL;
	if (starts_with(s, "patch:"))
		return "is changed by a file of the project";
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (strncasecmp(s, folders[i], strlen(folders[i])) == 0)
			return "is a folder or file";
	if (strncasecmp(s, "http:", 5) == 0 || strncasecmp(s, "https:", 6) == 0)
		return "is fetched from an address";
	/* "owner/name" is short for a repository on GitHub; no range holds a slash. */
	if (has_scheme(s) || strchr(s, '/'))
		return "is fetched from a repository";
	return NULL;
}

static bool package_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > 214 || name[0] == '.' || strstr(name, ".."))
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~@/"
			    "!'()*") == n;
}

static int check_specification(const char *field, const char *name, const char *s,
			       struct problem *p)
{
	const char *reason = specification_problem(s);

	if (!reason)
		return 0;
	return problem_set(p,
			   "package.json: %s: \"%s\" (%s) %s; only packages of the npm registry "
			   "can be installed: give a version",
			   field, QUOTE(name), QUOTE(s), reason);
}

static int check_field(const json_t *package, const char *field, struct problem *p)
{
	json_t *object = json_object_get(package, field), *value;
	const char *name;
	int r = 0;

	if (!object)
		return 0;
	if (!json_is_object(object))
		return problem_set(
			p,
			"package.json: \"%s\" must be an object, like { \"express\": \"^5.1.0\" }",
			field);
	json_object_foreach(object, name, value) {
		if (!package_name_ok(name))
			return problem_set(p,
					   "package.json: %s: \"%s\" is not the name of a package: "
					   "correct or remove it",
					   field, QUOTE(name));
		if (!json_is_string(value))
			return problem_set(p,
					   "package.json: %s: the version of \"%s\" must be a "
					   "string, like \"^1.0.0\"",
					   field, QUOTE(name));
		r = check_specification(field, name, json_string_value(value), p);
		if (r != 0)
			return r;
	}
	return 0;
}

static int check_overrides(const json_t *object, int depth, struct problem *p)
{
	const char *name;
	json_t *value;
	int r = 0;

	if (object && !json_is_object(object))
		return problem_set(p, "package.json: \"overrides\" and \"resolutions\" must hold "
				      "names and versions, or objects of these");
	if (depth > OVERRIDES_DEPTH)
		return problem_set(p, "package.json: \"overrides\" is nested more than %d objects "
				      "deep",
				   OVERRIDES_DEPTH);
	json_object_foreach((json_t *)object, name, value) {
		if (json_is_string(value))
			r = check_specification("overrides", name, json_string_value(value), p);
		else
			r = check_overrides(value, depth + 1, p);
		if (r != 0)
			return r;
	}
	return 0;
}

static int check_manifest(const json_t *package, struct problem *p)
{
	int r = 0;

	if (json_object_get(package, "workspaces"))
		return problem_set(p, "package.json: \"workspaces\" are not supported: submit the "
				      "folder of the server, with its own package.json");
	for (size_t i = 0; i < ARRAY_SIZE(dependency_fields) && r == 0; i++)
		r = check_field(package, dependency_fields[i], p);
	if (r == 0)
		r = check_overrides(json_object_get(package, "overrides"), 0, p);
	return r ? r : check_overrides(json_object_get(package, "resolutions"), 0, p);
}

static int check_locked(const char *path, const json_t *locked, struct problem *p)
{
	const char *resolved = json_member(locked, "resolved");

	if (json_is_true(json_object_get(locked, "link")))
		return problem_set(p,
				   "the lockfile links \"%s\" to a folder; only packages of the "
				   "npm registry can be installed: give a version in package.json "
				   "and run the install again",
				   QUOTE(path));
	if (!resolved)
		return 0;
	if ((starts_with(resolved, "https://") || starts_with(resolved, "http://")) &&
	    strstr(resolved, "/-/"))
		return 0;
	return problem_set(p,
			   "the lockfile takes \"%s\" from \"%s\"; only packages of the npm "
			   "registry can be installed: give a version in package.json and run the "
			   "install again",
			   QUOTE(path), QUOTE(resolved));
}

static int check_lockfile(const json_t *lockfile, struct problem *p)
{
	const char *path;
	json_t *locked;
	int r = 0;

	json_object_foreach(json_object_get(lockfile, "packages"), path, locked) {
		r = *path ? check_locked(path, locked, p) : 0;
		if (r != 0)
			return r;
	}
	return 0;
}

static int copy_fields(json_t *to, const json_t *from, const char *const *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_t *value = json_object_get(from, fields[i]);

		if (!value || (json_is_object(value) && json_object_size(value) == 0))
			continue;
		if (json_object_set(to, fields[i], value) < 0)
			return -ENOMEM;
	}
	return 0;
}

static json_t *manifest_reduce(const json_t *package)
{
	static const char *const others[] = { "peerDependenciesMeta", "overrides", "resolutions",
					      "dependenciesMeta", "packageManager" };
	_cleanup_(json_donep) json_t *reduced = json_object();

	if (!reduced ||
	    copy_fields(reduced, package, dependency_fields, ARRAY_SIZE(dependency_fields)) < 0 ||
	    copy_fields(reduced, package, others, ARRAY_SIZE(others)) < 0)
		return NULL;
	return steal_ptr(reduced);
}

static json_t *lockfile_reduce(const json_t *lockfile)
{
	static const char *const meta[] = { "peerDependenciesMeta" };
	_cleanup_(json_donep) json_t *reduced = json_copy((json_t *)lockfile), *packages = NULL,
				     *root = NULL;
	const json_t *given = json_object_get(lockfile, "packages"), *given_root;

	if (!reduced)
		return NULL;
	(void)json_object_del(reduced, "name");
	(void)json_object_del(reduced, "version");
	given_root = json_object_get(given, "");
	if (!json_is_object(given_root))
		return steal_ptr(reduced);
	packages = json_copy((json_t *)given);
	root = json_object();
	if (!packages || !root ||
	    copy_fields(root, given_root, dependency_fields, ARRAY_SIZE(dependency_fields)) < 0 ||
	    copy_fields(root, given_root, meta, ARRAY_SIZE(meta)) < 0 ||
	    json_object_set(packages, "", root) < 0 ||
	    json_object_set(reduced, "packages", packages) < 0)
		return NULL;
	return steal_ptr(reduced);
}

static bool has_dependencies(const json_t *reduced)
{
	for (size_t i = 0; i < ARRAY_SIZE(dependency_fields); i++)
		if (json_object_size(json_object_get(reduced, dependency_fields[i])) > 0)
			return true;
	return false;
}

static int put_json(int out, enum record_tag tag, const json_t *json)
{
	_cleanup_free_ char *text = NULL;

	if (!json)
		return -ENOMEM;
	text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	return text ? records_put_string(out, tag, text) : -ENOMEM;
}

/* What only some managers read. Berry and bun write the name of the project into the lockfile. */
static int add_fields(json_t *reduced, const json_t *package, enum lock_kind kind)
{
	static const char *const pnpm[] = { "overrides", "packageExtensions", "peerDependencyRules",
					    "ignoredOptionalDependencies" },
				 *const named[] = { "name", "bin" };
	_cleanup_(json_donep) json_t *section = NULL;

	if (kind == LOCK_BERRY || kind == LOCK_BUN || kind == LOCK_BUN_BINARY)
		return copy_fields(reduced, package, named, ARRAY_SIZE(named));
	if (kind != LOCK_PNPM)
		return 0;
	section = json_object();
	if (!section ||
	    copy_fields(section, json_object_get(package, "pnpm"), pnpm, ARRAY_SIZE(pnpm)) < 0)
		return -ENOMEM;
	if (json_object_size(section) > 0 && json_object_set(reduced, "pnpm", section) < 0)
		return -ENOMEM;
	return 0;
}

static int check_pnpm_section(const json_t *package, enum lock_kind kind, struct problem *p)
{
	const json_t *pnpm = json_object_get(package, "pnpm");

	if (kind != LOCK_PNPM)
		return 0;
	if (json_object_size(json_object_get(pnpm, "patchedDependencies")) > 0)
		return problem_set(p, "package.json: pnpm: \"patchedDependencies\" are not "
				      "supported: packages are installed as the registry has them");
	return check_overrides(json_object_get(pnpm, "overrides"), 0, p);
}

static int put_npm_lockfile(int root, const char *file, int out, struct problem *p)
{
	_cleanup_(json_donep) json_t *lockfile = NULL, *reduced = NULL;
	int r = file_read_json(root, file, RECORD_MAX_LOCKFILE, &lockfile, p);

	if (r != 0 || !lockfile)
		return r;
	r = check_lockfile(lockfile, p);
	if (r != 0)
		return r;
	reduced = lockfile_reduce(lockfile);
	return put_json(out, RECORD_LOCKFILE, reduced);
}

static int put_lockfile(int root, const struct packages_choice *c, int out, struct problem *p)
{
	int r;

	if (!c->file)
		return 0;
	if (c->kind == LOCK_NPM) {
		r = put_npm_lockfile(root, c->file, out, p);
	} else {
		r = lockfile_check_text(c->kind, c->text, p);
		if (r == 0)
			r = records_put(out, RECORD_LOCKFILE, c->text, c->size);
	}
	if (r == -EINVAL)
		return problem_set(p,
				   "the lockfile is larger than %s: remove dependencies that the "
				   "server does not use",
				   text_bytes(RECORD_MAX_LOCKFILE).s);
	return r;
}

static int put_settings(int root, enum lock_kind kind, int out, struct problem *p)
{
	_cleanup_free_ char *npmrc = file_read_text(root, ".npmrc", 65536), *yaml = NULL,
			    *settings = NULL, *workspace = NULL;
	bool several = false;
	int r = 0;

	settings = npmrc ? npmrc_reduce(npmrc) : NULL;
	if (settings)
		r = records_put_string(out, RECORD_NPMRC, settings);
	if (r < 0 || kind != LOCK_PNPM)
		return r;
	yaml = file_read_text(root, "pnpm-workspace.yaml", 65536);
	workspace = yaml ? workspace_reduce(yaml, &several) : NULL;
	if (several)
		return problem_set(p, "pnpm-workspace.yaml: workspaces with several packages are "
				      "not supported: submit the folder of the server, with its own "
				      "package.json and lockfile");
	return workspace ? records_put_string(out, RECORD_WORKSPACE, workspace) : 0;
}

static int put_packages(int root, const json_t *package, json_t *reduced, int out,
			struct problem *p)
{
	struct packages_choice c = {};
	int r = packages_choose(root, package, out, &c, p), e;

	/* The manifest is told in any case: the refusal is only for those who would install it. */
	e = r == 0 ? add_fields(reduced, package, c.kind) : 0;
	if (e == 0)
		e = put_json(out, RECORD_MANIFEST, reduced);
	if (e == -EINVAL)
		r = problem_set(p,
				"package.json: its dependencies are larger than %s: remove those "
				"that the server does not use",
				text_bytes(RECORD_MAX_MANIFEST).s);
	else if (e < 0)
		r = e;
	if (r == 0)
		r = check_manifest(package, p);
	if (r == 0)
		r = check_pnpm_section(package, c.kind, p);
	if (r == 0)
		r = records_put_string(out, RECORD_MANAGER, c.manager);
	if (r == 0)
		r = put_settings(root, c.kind, out, p);
	if (r == 0)
		r = put_lockfile(root, &c, out, p);
	free(c.text);
	return r;
}

int inspect_packages(int root, const json_t *package, int out)
{
	_cleanup_(json_donep) json_t *reduced = NULL;
	struct problem p = {};
	int r;

	if (!package)
		return 0;
	reduced = manifest_reduce(package);
	if (!reduced)
		return -ENOMEM;
	r = put_packages(root, package, reduced, out, &p);
	if (r >= 0 && has_dependencies(reduced) &&
	    records_put(out, RECORD_HAS_DEPENDENCIES, NULL, 0) < 0)
		return -EIO;
	if (r <= 0)
		return r;
	text_scrub(p.text);
	return records_put_string(out, RECORD_DEPENDENCIES_ERROR, p.text);
}
