/* SPDX-License-Identifier: MIT */

/*
 * The table of managers. Versions that nothing pins are pinned here, so that what a submission gets
 * does not change by itself; a lockfile of an older format gets the manager that wrote it.
 */

#include "deps/manager.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/util.h"

struct pin {
	const char *name, *version;
};

/* Of each major version the last one; the first of a name is what nothing else decides. */
static const struct pin pins[] = {
	{ "pnpm", "10.34.9" }, { "pnpm", "12.21.0" }, { "pnpm", "11.28.11" }, { "pnpm", "9.15.9" },
	{ "pnpm", "8.15.9" },  { "pnpm", "7.33.7" },  { "yarn", "1.22.22" },  { "yarn", "4.18.1" },
	{ "yarn", "3.8.7" },   { "yarn", "2.4.2" },   { "bun", "1.4.5" },
};

static const struct manager managers[] = {
	{ MANAGER_NPM, "npm", NULL, "package-lock.json", "" },
	{ MANAGER_PNPM, "pnpm", "pnpm", "pnpm-lock.yaml", "" },
	{ MANAGER_YARN, "yarn", "yarn", "yarn.lock", "" },
	{ MANAGER_BERRY, "yarn", "@yarnpkg/cli-dist", "yarn.lock", "" },
	{ MANAGER_BUN, "bun", "@oven/bun-linux-x64", "bun.lock", "" },
};

/* The oldest that work with the runtime's version of Node. */
static const struct oldest {
	const char *name;
	unsigned long major, minor;
} oldest[] = {
	{ "pnpm", 7, 33 },
	{ "yarn", 1, 10 },
	{ "bun", 1, 0 },
};

static bool version_ok(const char *s, size_t n)
{
	/* What semver allows; it becomes part of a manifest, of a key and of messages. */
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

	return n > 0 && n < sizeof(managers->version) && *s >= '0' && *s <= '9' &&
	       strspn(s, allowed) >= n;
}

/* The pinned version of which `version` is the beginning ("9", "9.15"), or NULL. */
static const char *pinned_version(const char *name, const char *version, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(pins); i++) {
		const char *pin = pins[i].version;

		if (streq(pins[i].name, name) && strncmp(pin, version, n) == 0 &&
		    (n == 0 || pin[n] == '.' || pin[n] == '\0'))
			return pin;
	}
	return NULL;
}

static bool is_whole(const char *version, size_t n)
{
	const char *dot = memchr(version, '.', n);

	return dot && memchr(dot + 1, '.', n - (size_t)(dot + 1 - version));
}

static const struct manager *by_name(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(managers); i++)
		if (strlen(managers[i].name) == n && strncmp(managers[i].name, name, n) == 0)
			return &managers[i];
	return NULL;
}

static bool is_too_old(const struct manager *m)
{
	char *rest;
	unsigned long major = strtoul(m->version, &rest, 10), minor = strtoul(rest + 1, NULL, 10);

	for (size_t i = 0; i < ARRAY_SIZE(oldest); i++)
		if (streq(oldest[i].name, m->name))
			return major < oldest[i].major ||
			       (major == oldest[i].major && minor < oldest[i].minor);
	return false;
}

/*
 * The first ones of pnpm 8 do not run with Node 20 and later (ERR_INVALID_THIS). The last one reads
 * and writes the same lockfile.
 */
static void replace_broken(struct manager *m)
{
	if (m->kind == MANAGER_PNPM &&
	    (starts_with(m->version, "8.0.") || starts_with(m->version, "8.1.") ||
	     starts_with(m->version, "8.2.") || streq(m->version, "8.3.0")))
		copy_string(m->version, sizeof(m->version), pinned_version("pnpm", "8", 1));
}

int manager_parse(struct manager *ret, const char *spec, const char *npm_version)
{
	const char *at = spec ? strchr(spec, '@') : NULL, *version = at ? at + 1 : "";
	size_t name_size = at ? (size_t)(at - spec) : spec ? strlen(spec) : 0;
	const struct manager *m = spec ? by_name(spec, name_size) : &managers[MANAGER_NPM];
	size_t n = strcspn(version, "+");
	struct manager found;

	if (!m || (at && !version_ok(version, n)))
		return -EINVAL;
	found = *m;
	if (found.kind == MANAGER_NPM) {
		copy_string(found.version, sizeof(found.version), npm_version);
		*ret = found;
		return 0;
	}
	if (!is_whole(version, n)) {
		version = pinned_version(found.name, version, n);
		if (!version)
			return -EINVAL;
		n = strlen(version);
	}
	(void)snprintf(found.version, sizeof(found.version), "%.*s", (int)n, version);
	if (is_too_old(&found))
		return -ERANGE;
	replace_broken(&found);
	if (found.kind == MANAGER_YARN && strtoul(version, NULL, 10) >= 2)
		found.kind = MANAGER_BERRY;
	if (found.kind == MANAGER_BERRY)
		found.package = managers[MANAGER_BERRY].package;
	/* Text lockfiles began with 1.2. */
	if (found.kind == MANAGER_BUN &&
	    (starts_with(found.version, "1.0.") || starts_with(found.version, "1.1.")))
		found.lockfile = "bun.lockb";
	if (found.kind == MANAGER_BUN && !__builtin_cpu_supports("avx2"))
		found.package = "@oven/bun-linux-x64-baseline";
	*ret = found;
	return 0;
}

char *manager_manifest(const struct manager *m)
{
	char *text;

	if (asprintf(&text, "{\"dependencies\":{\"%s\":\"%s\"}}", m->package, m->version) < 0)
		return NULL;
	return text;
}

void words_done(struct words *w)
{
	for (int i = 0; i < w->n_owned; i++)
		free(w->owned[i]);
}

void words_add(struct words *w, const char *word)
{
	if (!words_full(w))
		w->list[w->n++] = word;
}

int words_print(struct words *w, const char *fmt, ...)
{
	va_list args;
	int r;

	if (w->n_owned == ARRAY_SIZE(w->owned))
		return -ENOMEM;
	va_start(args, fmt);
	r = vasprintf(&w->owned[w->n_owned], fmt, args);
	va_end(args);
	if (r < 0)
		return -ENOMEM;
	words_add(w, w->owned[w->n_owned++]);
	return 0;
}

bool words_full(const struct words *w)
{
	return w->n == ARRAY_SIZE(w->list) - 1;
}
