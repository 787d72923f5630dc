/* SPDX-License-Identifier: MIT */

/*
 * .npmrc and pnpm-workspace.yaml, reduced to the settings that decide which packages are installed
 * and how they are laid out. Registries, tokens, proxies, shells, options of Node and everything
 * else stays outside: these are the operator's.
 */

#include "inside/inspect/inspect-lock.h"
#include "util/util.h"

#define NPMRC_MAX 4096
#define WORKSPACE_MAX 65536

static bool npmrc_key_ok(const char *key, size_t n)
{
	/* clang-format off */
	static const char *const keys[] = {
		"legacy-peer-deps", "strict-peer-deps", "strict-peer-dependencies",
		"auto-install-peers", "dedupe-peer-dependents", "shamefully-hoist",
		"public-hoist-pattern[]", "public-hoist-pattern", "hoist", "hoist-pattern[]",
		"hoist-pattern", "node-linker", "install-strategy", "resolution-mode",
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i]) == n && strncmp(keys[i], key, n) == 0)
			return true;
	return false;
}

/* Plug'n'Play has no node_modules; of ${NAME} the manager would make a variable of its own. */
static bool npmrc_value_ok(const char *value, size_t n)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@/*!._-";

	return n < 200 && strspn(value, allowed) >= n && !(n == 3 && strncmp(value, "pnp", 3) == 0);
}

/* Appends "key=value" if both are let through. */
static void npmrc_line(const char *line, size_t n, char *to, size_t *used)
{
	const char *equals = memchr(line, '=', n), *value;
	size_t key, size;

	if (!equals)
		return;
	key = (size_t)(equals - line);
	while (key > 0 && line[key - 1] == ' ')
		key--;
	value = equals + 1 + strspn(equals + 1, " ");
	size = value < line + n ? n - (size_t)(value - line) : 0;
	while (size > 0 && strchr(" \r\t", value[size - 1]))
		size--;
	if (!npmrc_key_ok(line, key) || !npmrc_value_ok(value, size) ||
	    *used + key + size + 3 > NPMRC_MAX)
		return;
	*used += (size_t)sprintf(to + *used, "%.*s=%.*s\n", (int)key, line, (int)size, value);
}

char *npmrc_reduce(const char *text)
{
	_cleanup_free_ char *to = calloc(1, NPMRC_MAX);
	size_t used = 0;

	while (to && *text) {
		size_t n = strcspn(text, "\n"), skip;

		skip = MIN_OF(strspn(text, " \t"), n);
		npmrc_line(text + skip, n - skip, to, &used);
		text += n + (text[n] == '\n');
	}
	return used > 0 ? steal_ptr(to) : NULL;
}

static bool workspace_key_ok(const char *line)
{
	/* clang-format off */
	static const char *const keys[] = {
		"overrides:", "catalog:", "catalogs:", "packageExtensions:", "autoInstallPeers:",
		"peerDependencyRules:", "ignoredOptionalDependencies:", "nodeLinker: hoisted",
		"nodeLinker: isolated", "shamefullyHoist:", "publicHoistPattern:", "hoistPattern:",
		"strictPeerDependencies:", "dedupePeerDependents:", "excludeLinksFromLockfile:",
		"injectWorkspacePackages:",
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (starts_with(line, keys[i]))
			return true;
	return false;
}

/* A section is a line at the margin and what is indented below it. */
char *workspace_reduce(const char *text, bool *ret_several)
{
	_cleanup_free_ char *to = calloc(1, WORKSPACE_MAX);
	bool keep = false, packages = false;
	size_t used = 0;

	*ret_several = false;
	while (to && *text) {
		size_t n = strcspn(text, "\n"), size = n + (text[n] == '\n');

		if (n > 0 && *text != ' ' && *text != '-' && *text != '#' && *text != '\r') {
			keep = workspace_key_ok(text);
			packages = starts_with(text, "packages:");
		} else if (packages && memchr(text, '-', n) && !memmem(text, n, "'.'", 3) &&
			   !memmem(text, n, "\".\"", 3) && !memmem(text, n, "- .", 3) &&
			   !memmem(text, n, "!", 1)) {
			*ret_several = true;
		}
		if (keep && used + size < WORKSPACE_MAX) {
			memcpy(to + used, text, size);
			used += size;
		}
		text += size;
	}
	return used > 0 ? steal_ptr(to) : NULL;
}
