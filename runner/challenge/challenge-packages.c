/* SPDX-License-Identifier: MIT */

/*
 * The packages that the suites of a challenge bring along: package.json where Node would look for
 * it, in the folder of the test files or above, as far as the challenge goes.
 *
 * What suites are run with (runner/toolchain/suite) is there anyway and not installed again when
 * the ranges allow it, so that a suite that needs nothing else is run as if it had no package.json.
 * Of the runners there can be only one, ours: two copies of Vitest do not know each other's tests.
 */

#include "challenge/challenge-packages.h"

#include <ctype.h>

#include "challenge/challenge-tests.h"
#include "embed/embed.h"
#include "util/util.h"
#include "json/json-config.h"

#define MAX_MANIFEST (1u << 20)
#define MAX_LOCKFILE (8u << 20)
#define MAX_PACKAGES 500

struct loading {
	struct challenge *c;
	struct json_config cfg;
	cJSON *ours;    /* of our own package.json: names and versions */
	cJSON *reduced; /* what is to be installed */
	unsigned int n;
};

/* --------------------------------------------------------------------------- ranges */

/* Up to three numbers; a part that is `x` ends them. -1: this is something else. */
static int parse_version(const char *s, unsigned long ret[static 3])
{
	int n = 0;

	for (; n < 3; n++) {
		char *end;

		if (*s == 'x' || *s == 'X' || *s == '*')
			return s[1] && strspn(s + 1, ".xX*") != strlen(s + 1) ? -1 : n;
		if (!isdigit((unsigned char)*s))
			return -1;
		ret[n] = strtoul(s, &end, 10);
		if (!*end)
			return n + 1;
		if (*end != '.')
			return -1;
		s = end + 1;
	}
	return -1;
}

/* The first `n` numbers are the same. */
static bool same(const unsigned long *a, const unsigned long *b, int n)
{
	return memcmp(a, b, (size_t)n * sizeof(*a)) == 0;
}

static bool at_least(const unsigned long *v, const unsigned long *least, int n)
{
	for (int i = 0; i < n; i++) {
		if (v[i] != least[i])
			return v[i] > least[i];
	}
	return true;
}

static bool allows(const char *range, const char *version)
{
	unsigned long low[3] = { 0 }, v[3] = { 0 };
	size_t op = strspn(range, "^~>=v");
	char first = op ? *range : '=';
	int n, fixed;

	if (!*range || streq(range, "latest"))
		return true;
	n = parse_version(range + op + strspn(range + op, " "), low);
	if (n < 0 || parse_version(version, v) != 3 || (first == '>' && op != 2))
		return false;
	if (first == '^') {
		for (fixed = 1; fixed < n && low[fixed - 1] == 0;)
			fixed++;
		return same(v, low, MIN_OF(fixed, n)) && at_least(v, low, n);
	}
	if (first == '~')
		return same(v, low, MIN_OF(n, 2)) && at_least(v, low, n);
	return first == '>' ? at_least(v, low, n) : same(v, low, n);
}

bool challenge_range_allows(const char *range, const char *version)
{
	_cleanup_free_ char *copy = strdup(range);
	char *rest = copy, *one, *end;

	while (rest) {
		one = rest + strspn(rest, " ");
		rest = strstr(one, "||");
		end = rest ? rest : one + strlen(one);
		rest = rest ? rest + 2 : NULL;
		while (end > one && end[-1] == ' ')
			end--;
		*end = '\0';
		if (allows(one, version))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------------- manifest */

/* There can be only one of these: ours. */
static bool is_runner(const char *name)
{
	return streq(name, "vitest") || streq(name, "jest") || streq(name, "vite") ||
	       starts_with(name, "@jest/globals");
}

/* Nothing of it would be used: types are not checked, coverage is not measured. */
static bool is_idle(const char *name)
{
	return starts_with(name, "@types/") || starts_with(name, "@vitest/");
}

static bool from_registry(const char *range)
{
	if (starts_with(range, "npm:"))
		return true;
	return !strpbrk(range, ":/") && *range != '.';
}

/* 1: it is to be installed; 0: it is there, or of no use. */
static int wanted(struct loading *l, const cJSON *item)
{
	const char *ours = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(l->ours, item->string));
	const char *range = cJSON_GetStringValue(item);

	if (!range || !from_registry(range))
		return json_config_error(&l->cfg, item,
					 "only packages of the npm registry can be installed: give "
					 "a version, like \"^1.2.3\"");
	if (!*item->string || strlen(item->string) > 214 || strstr(item->string, ".."))
		return json_config_error(&l->cfg, item, "this is not the name of a package");
	if (is_idle(item->string))
		return 0;
	if (ours && challenge_range_allows(range, ours))
		return 0;
	if (!is_runner(item->string))
		return 1;
	return json_config_error(&l->cfg, item,
				 "suites are run with %s %s, and \"%s\" must allow it, as \"^%s\" "
				 "does: change it, or leave %s out",
				 item->string, ours, range, ours, item->string);
}

static int add_field(struct loading *l, const char *field)
{
	const cJSON *from = cJSON_GetObjectItemCaseSensitive(l->cfg.root, field), *item;
	cJSON *to = NULL;
	int r;

	if (!from)
		return 0;
	if (!cJSON_IsObject(from))
		return json_config_error(&l->cfg, from,
					 "this must be an object, like { \"zod\": \"^4.0.0\" }");
	r = json_config_unique(&l->cfg, from);
	cJSON_ArrayForEach(item, from)
	{
		r = r < 0 ? r : wanted(l, item);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (++l->n > MAX_PACKAGES)
			return json_config_error(&l->cfg, item, "more than %d packages",
						 MAX_PACKAGES);
		if (!to)
			to = cJSON_AddObjectToObject(l->reduced, field);
		if (!cJSON_AddStringToObject(to, item->string, item->valuestring))
			return -ENOMEM;
	}
	return r < 0 ? r : 0;
}

static int reduce(struct loading *l)
{
	static const char *const fields[] = { "dependencies", "devDependencies",
					      "optionalDependencies", "peerDependencies" };
	const cJSON *overrides = cJSON_GetObjectItemCaseSensitive(l->cfg.root, "overrides");
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fields) && r == 0; i++)
		r = add_field(l, fields[i]);
	if (r < 0 || l->n == 0)
		return r;
	if (cJSON_GetObjectItemCaseSensitive(l->cfg.root, "workspaces"))
		return json_config_error(
			&l->cfg, cJSON_GetObjectItemCaseSensitive(l->cfg.root, "workspaces"),
			"workspaces are not supported: give the suite a "
			"package.json of its own");
	if (overrides &&
	    !cJSON_AddItemToObject(l->reduced, "overrides", cJSON_Duplicate(overrides, true)))
		return -ENOMEM;
	return 0;
}

/* ---------------------------------------------------------------------------- files */

static int beside(const struct challenge *c, const char *folder, const char *name, size_t max,
		  char **ret, size_t *ret_size)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s%s", c->dir, folder, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return challenge_read_file(path, max, ret, ret_size);
}

static int unreadable(const struct challenge *c, const char *folder, const char *name, int r,
		      char *why)
{
	if (r == -ENOMEM)
		return r;
	snprintf(why, CHALLENGE_ERROR_SIZE, "%s/%s%s: %s", c->dir, folder, name,
		 r == -EFBIG    ? "it is too big"
		 : r == -EINVAL ? "not a regular file"
				: strerror(-r));
	return -EINVAL;
}

static int load_lockfile(struct challenge *c, char *why)
{
	static const char *const names[] = { "package-lock.json", "npm-shrinkwrap.json" };
	static const char *const others[] = { "pnpm-lock.yaml", "yarn.lock", "bun.lock",
					      "bun.lockb" };
	struct challenge_packages *p = &c->suite.packages;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		r = beside(c, p->folder, names[i], MAX_LOCKFILE, &p->lockfile, &p->lockfile_size);
		if (r != -ENOENT)
			return r < 0 ? unreadable(c, p->folder, names[i], r, why) : 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_free_ char *text = NULL;
		size_t size;

		r = beside(c, p->folder, others[i], MAX_LOCKFILE, &text, &size);
		if (r == -ENOENT)
			continue;
		snprintf(why, CHALLENGE_ERROR_SIZE,
			 "%s/%s%s: the packages of suites are installed with npm: run `npm install "
			 "--package-lock-only` and remove this file",
			 c->dir, p->folder, others[i]);
		return -EINVAL;
	}
	return 0;
}

/* Suites find it where it was: it says whether a .js file is a module. */
static int keep_file(struct challenge *c, const char *folder, const char *text, size_t size)
{
	struct challenge_file *files, f = { .size = size };

	if (asprintf(&f.name, "%spackage.json", folder) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->suite.n_files; i++) {
		if (streq(c->suite.files[i].name, f.name)) {
			free(f.name);
			return 0;
		}
	}
	files = realloc(c->suite.files, (c->suite.n_files + 1) * sizeof(*files));
	if (files)
		c->suite.files = files;
	f.text = malloc(size + 1);
	if (!files || !f.text) {
		free(f.name);
		free(f.text);
		return -ENOMEM;
	}
	memcpy(f.text, text, size + 1);
	files[c->suite.n_files++] = f;
	return 0;
}

static int take(struct loading *l, const char *name, const char *text, size_t size, char *why)
{
	const struct embedded *d = embedded_find(suite_data, "package.json");
	struct challenge_packages *p = &l->c->suite.packages;
	cJSON *toolchain;
	int r = json_config_parse(&l->cfg, name, text, size, why);

	if (r < 0)
		return r;
	toolchain = cJSON_ParseWithLength((const char *)d->data, d->size);
	l->ours = cJSON_DetachItemFromObjectCaseSensitive(toolchain, "dependencies");
	cJSON_Delete(toolchain);
	l->reduced = cJSON_CreateObject();
	r = l->ours && l->reduced ? reduce(l) : -ENOMEM;
	if (r < 0 || l->n == 0)
		return r;
	p->manifest = cJSON_PrintUnformatted(l->reduced);
	return p->manifest ? load_lockfile(l->c, why) : -ENOMEM;
}

/* Length of the folder part that the test files of suites share. */
static size_t common_folder(const struct challenge *c)
{
	const char *first = NULL;
	size_t n = 0;

	for (uint32_t i = 0; i < c->n_tests; i++) {
		const char *name = c->tests[i].name, *slash = strrchr(name, '/');

		if (c->tests[i].runner == TESTS_HURL)
			continue;
		if (!first)
			n = slash ? (size_t)(slash - name) + 1 : 0;
		first = first ? first : name;
		while (n > 0 && (strncmp(first, name, n) != 0 || first[n - 1] != '/'))
			n--;
	}
	return n;
}

int challenge_load_packages(struct challenge *c, char *why)
{
	_cleanup_free_ char *folder = NULL, *text = NULL, *name = NULL;
	size_t n = common_folder(c), size = 0;
	struct loading l = { .c = c };
	int r;

	if (c->n_tests == 0 || c->tests[c->n_tests - 1].runner == TESTS_HURL)
		return 0;
	folder = strndup(n ? c->tests[c->n_tests - 1].name : "", n);
	r = folder ? beside(c, folder, "package.json", MAX_MANIFEST, &text, &size) : -ENOMEM;
	while (r == -ENOENT && n > 0) {
		for (n--; n > 0 && folder[n - 1] != '/';)
			n--;
		folder[n] = '\0';
		r = beside(c, folder, "package.json", MAX_MANIFEST, &text, &size);
	}
	if (r < 0)
		return r == -ENOENT ? 0
				    : unreadable(c, folder ? folder : "", "package.json", r, why);
	if (asprintf(&name, "%s/%spackage.json", c->dir, folder) < 0)
		return -ENOMEM;
	r = keep_file(c, folder, text, size);
	c->suite.packages.folder = steal_ptr(folder);
	if (r == 0)
		r = take(&l, name, text, size, why);
	json_config_done(&l.cfg);
	cJSON_Delete(l.ours);
	cJSON_Delete(l.reduced);
	return r;
}

void challenge_packages_done(struct challenge_packages *p)
{
	free(p->folder);
	free(p->manifest);
	free(p->lockfile);
	*p = (struct challenge_packages){ 0 };
}
