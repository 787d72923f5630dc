/* SPDX-License-Identifier: MIT */

/*
 * The package manager of a project: the one that package.json names ("packageManager", which
 * corepack reads), or else the one whose lockfile is there. Of several lockfiles the first counts
 * that knows every package which package.json names: the others are left over from before somebody
 * changed managers. A lockfile of an older format gets a manager that reads it.
 */

#include "inside/inspect/inspect-lock.h"

#include "util/util.h"

static const struct lockfile {
	const char *file, *manager;
	enum lock_kind kind;
} lockfiles[] = {
	{ "pnpm-lock.yaml", "pnpm", LOCK_PNPM },
	{ "yarn.lock", "yarn", LOCK_YARN },
	{ "bun.lock", "bun", LOCK_BUN },
	{ "bun.lockb", "bun", LOCK_BUN_BINARY },
	/* npm prefers the shrinkwrap file when both are there. */
	{ "npm-shrinkwrap.json", "npm", LOCK_NPM },
	{ "package-lock.json", "npm", LOCK_NPM },
};

struct found {
	const struct lockfile *file;
	char *text;
	size_t size;
};

/* CRLF becomes LF: some managers take a carriage return for a part of a version. */
static size_t unix_lines(char *text)
{
	size_t to = 0;

	for (size_t from = 0; text[from]; from++)
		if (text[from] != '\r' || text[from + 1] != '\n')
			text[to++] = text[from];
	text[to] = '\0';
	return to;
}

static bool names_all(const char *text, const json_t *dependencies)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)dependencies, name,
			    value) if (!strstr(text, name)) return false;
	return true;
}

/* A binary lockfile cannot be searched, and is taken as it is. */
static bool covers(const struct found *f, const json_t *package)
{
	return f->file->kind == LOCK_BUN_BINARY ||
	       (names_all(f->text, json_object_get(package, "dependencies")) &&
		names_all(f->text, json_object_get(package, "devDependencies")));
}

static int read_lockfiles(int root, struct found *found, int *ret_n, struct problem *p)
{
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lockfiles); i++) {
		struct found *f = &found[n];
		int r = file_read(root, lockfiles[i].file, RECORD_MAX_LOCKFILE, &f->text, &f->size,
				  p);

		if (r != 0)
			return r;
		if (!f->text)
			continue;
		f->file = &lockfiles[i];
		if (f->file->kind != LOCK_BUN_BINARY)
			f->size = unix_lines(f->text);
		n++;
		*ret_n = n;
	}
	return 0;
}

/* What package.json names; "" when nothing, or nothing that can be a name. */
static void named_manager(const json_t *package, char *ret, size_t size)
{
	const char *s = json_member(package, "packageManager");
	size_t n = s ? strcspn(s, "+") : 0;

	ret[0] = '\0';
	if (s && n < size &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		      "0123456789.@-_") >= n)
		(void)snprintf(ret, size, "%.*s", (int)n, s);
}

static bool is_of(const char *named, const char *manager)
{
	size_t n = strlen(manager);

	return strncmp(named, manager, n) == 0 && (named[n] == '@' || named[n] == '\0');
}

static const struct found *best(const struct found *found, int n, const char *named,
				const json_t *package)
{
	const struct found *first = NULL;

	for (int i = 0; i < n; i++) {
		if (*named && !is_of(named, found[i].file->manager))
			continue;
		if (covers(&found[i], package))
			return &found[i];
		if (!first)
			first = &found[i];
	}
	return first;
}

/* The number behind `key` at the beginning of a line, 0 if there is none. */
static unsigned long number_of(const char *text, const char *key)
{
	const char *at = text;
	size_t n = strlen(key);

	while (at && strncmp(at, key, n) != 0) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return at ? strtoul(at + n + strspn(at + n, " '\""), NULL, 10) : 0;
}

/* The manager that wrote a lockfile of this format. */
static const char *manager_of(const struct found *f)
{
	unsigned long version;

	if (f->file->kind == LOCK_PNPM) {
		version = number_of(f->text, "lockfileVersion:");
		return version == 5 ? "pnpm@7" : version == 6 ? "pnpm@8" : "pnpm";
	}
	if (f->file->kind == LOCK_YARN) {
		if (!strstr(f->text, "\n__metadata:"))
			return "yarn@1";
		return number_of(strstr(f->text, "\n__metadata:") + 1, "  version:") < 8 ? "yarn@3"
											 : "yarn@4";
	}
	return f->file->manager;
}

/* Without a version, or with that of the other yarn, the lockfile says which. */
static void set_manager(struct packages_choice *c, const char *named, const struct found *f)
{
	const char *written = f ? manager_of(f) : "npm";

	(void)snprintf(c->manager, sizeof(c->manager), "%s",
		       *named && (strchr(named, '@') || !f) ? named : written);
	c->kind = f ? f->file->kind : LOCK_NPM;
	if (c->kind == LOCK_YARN && strstr(f->text, "\n__metadata:"))
		c->kind = LOCK_BERRY;
	if (f)
		return;
	if (is_of(named, "pnpm"))
		c->kind = LOCK_PNPM;
	else if (is_of(named, "bun"))
		c->kind = LOCK_BUN;
	else if (is_of(named, "yarn"))
		c->kind = starts_with(named, "yarn@1") ? LOCK_YARN : LOCK_BERRY;
}

static int note_others(const struct found *found, int n, const struct found *used, int out)
{
	for (int i = 0; i < n; i++) {
		if (&found[i] == used ||
		    (used && streq(found[i].file->manager, used->file->manager)))
			continue;
		return records_put_note(out, "%s is not used: %s decides", found[i].file->file,
					used ? used->file->file
					     : "\"packageManager\" of package.json");
	}
	return 0;
}

int packages_choose(int root, const json_t *package, int out, struct packages_choice *ret,
		    struct problem *p)
{
	struct found found[ARRAY_SIZE(lockfiles)] = {};
	const struct found *used;
	struct packages_choice c = {};
	char named[sizeof(c.manager)];
	int n = 0, r;

	named_manager(package, named, sizeof(named));
	r = read_lockfiles(root, found, &n, p);
	used = r == 0 ? best(found, n, named, package) : NULL;
	if (r == 0) {
		set_manager(&c, named, used);
		r = note_others(found, n, used, out);
	}
	if (r == 0 && used) {
		c.file = used->file->file;
		c.text = found[used - found].text;
		c.size = used->size;
		found[used - found].text = NULL;
	}
	for (int i = 0; i < n; i++)
		free(found[i].text);
	if (r == 0)
		*ret = c;
	return r;
}
