/* SPDX-License-Identifier: MIT */

/*
 * JavaScript test suites of a challenge: the key "suite", and what a test file is run with. They
 * are read like all tests, but not parsed here: which tests they have is found out when they are
 * published (suite/suite-publish.c).
 */

#include "challenge/challenge-suite.h"

#include "challenge/challenge-packages.h"
#include "challenge/challenge-tests.h"
#include "inside/records.h"
#include "util/util.h"

#define MAX_FILES 64
#define MAX_PATTERNS 64
#define MAX_SIZE (1u << 20)
#define MAX_POINTS 1e6

bool challenge_is_suite(const char *name)
{
	static const char *const endings[] = { ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts" };
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < ARRAY_SIZE(endings); i++) {
		if (streq(dot, endings[i]))
			return dot - name > 5 && (strncmp(dot - 5, ".test", 5) == 0 ||
						  strncmp(dot - 5, ".spec", 5) == 0);
	}
	return false;
}

/* `module` in quotes, as an import or a require has it. */
static bool names_module(const char *text, const char *module)
{
	size_t n = strlen(module);

	for (const char *p = text; (p = strstr(p, module)); p += n) {
		if (p > text && (p[-1] == '\'' || p[-1] == '"') && p[n] == p[-1])
			return true;
	}
	return false;
}

enum tests_runner challenge_suite_runner(const struct challenge *c, const struct challenge_test *t)
{
	if (c->suite.forced)
		return c->suite.runner;
	if (names_module(t->text, "vitest"))
		return TESTS_VITEST;
	if (names_module(t->text, "node:test"))
		return TESTS_NODE;
	/* describe, test and expect out of nowhere are Jest's. */
	return TESTS_JEST;
}

static int set_runner(struct json_config *cfg, const cJSON *v, void *data)
{
	static const char *const names[] = { "auto", "vitest", "jest", "node:test" };
	struct challenge *c = data;

	for (size_t i = 0; cJSON_IsString(v) && i < ARRAY_SIZE(names); i++) {
		if (!streq(v->valuestring, names[i]))
			continue;
		c->suite.forced = i > 0;
		c->suite.runner = (enum tests_runner)i;
		return 0;
	}
	return json_config_error(cfg, v,
				 "this must be \"auto\" (what each file imports), \"vitest\", "
				 "\"jest\" or \"node:test\"");
}

static int set_fast(struct json_config *cfg, const cJSON *v, void *data)
{
	struct challenge *c = data;

	if (!(cJSON_IsString(v) && streq(v->valuestring, "auto")) && !cJSON_IsFalse(v))
		return json_config_error(cfg, v,
					 "this must be \"auto\" (Vitest suites without Vite, "
					 "where that is the same) or false");
	c->suite.no_fast = cJSON_IsFalse(v);
	return 0;
}

static int set_total(struct json_config *cfg, const cJSON *v, void *data)
{
	struct challenge *c = data;

	if (!cJSON_IsNumber(v) || v->valuedouble < 1 || v->valuedouble > CHALLENGE_MAX_CASES ||
	    (double)(int)v->valuedouble != v->valuedouble)
		return json_config_error(cfg, v,
					 "this must be the number of tests that the suites have, "
					 "1 to %d",
					 CHALLENGE_MAX_CASES);
	c->suite.total = (uint32_t)v->valuedouble;
	return 0;
}

static int set_points(struct json_config *cfg, const cJSON *v, void *data)
{
	struct challenge *c = data;

	if (!cJSON_IsNumber(v) || !(v->valuedouble > 0) || v->valuedouble > MAX_POINTS)
		return json_config_error(cfg, v,
					 "this must be what each test of a suite is worth: a "
					 "number above 0, at most %.0f",
					 MAX_POINTS);
	c->suite.points = v->valuedouble;
	return 0;
}

static bool has_folder(const char *name, const char *folder)
{
	size_t n = strlen(folder);

	for (const char *p = name; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (strncmp(p, folder, n) == 0 && (p[n] == '/' || !p[n]))
			return true;
	}
	return false;
}

static int set_files(struct json_config *cfg, const cJSON *v, void *data)
{
	const cJSON *item;

	(void)data;
	if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) > MAX_PATTERNS)
		return json_config_error(cfg, v,
					 "this must be a list of at most %d file names or "
					 "patterns, like [\"tests/helpers/*.ts\"]",
					 MAX_PATTERNS);
	cJSON_ArrayForEach(item, v)
	{
		if (!cJSON_IsString(item) ||
		    !path_is_clean(item->valuestring, strlen(item->valuestring)) ||
		    has_folder(item->valuestring, "node_modules"))
			return json_config_error(cfg, item,
						 "a file name or pattern inside the challenge "
						 "folder is needed: relative, without \"..\" and "
						 "node_modules");
	}
	return 0;
}

int challenge_set_suite(struct json_config *cfg, const cJSON *v, struct challenge *c,
			const cJSON **ret_files)
{
	static const struct json_key keys[] = {
		{ "runner", set_runner }, { "fast", set_fast },   { "total", set_total },
		{ "points", set_points }, { "files", set_files },
	};

	if (!cJSON_IsObject(v))
		return json_config_error(cfg, v,
					 "this must be an object, like { \"runner\": \"vitest\" }");
	c->suite.given = true;
	*ret_files = cJSON_GetObjectItemCaseSensitive(v, "files");
	return json_config_object(cfg, v, keys, ARRAY_SIZE(keys), c);
}

static int add_file(struct challenge *c, struct json_config *cfg, const cJSON *item,
		    const char *name)
{
	struct challenge_file *files;

	for (uint32_t i = 0; i < c->suite.n_files; i++) {
		if (streq(c->suite.files[i].name, name))
			return 0;
	}
	for (uint32_t i = 0; i < c->n_tests; i++) {
		if (streq(c->tests[i].name, name))
			return 0;
	}
	if (c->suite.n_files == MAX_FILES)
		return json_config_error(cfg, item, "more than %d files", MAX_FILES);
	files = realloc(c->suite.files, (c->suite.n_files + 1) * sizeof(*files));
	if (!files)
		return -ENOMEM;
	c->suite.files = files;
	files[c->suite.n_files] = (struct challenge_file){ .name = strdup(name) };
	return files[c->suite.n_files++].name ? 0 : -ENOMEM;
}

static int read_file(struct challenge *c, struct json_config *cfg, const cJSON *patterns,
		     struct challenge_file *f)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s", c->dir, f->name) < 0)
		return -ENOMEM;
	r = challenge_read_file(path, MAX_SIZE, &f->text, &f->size);
	if (r == 0 || r == -ENOMEM)
		return r;
	return json_config_error(cfg, patterns, "%s: %s", path,
				 r == -EFBIG    ? "a file may have 1 MiB"
				 : r == -EINVAL ? "not a regular file"
						: strerror(-r));
}

int challenge_load_suite_files(struct challenge *c, struct json_config *cfg, const cJSON *patterns)
{
	bool suites = c->n_tests > 0 && c->tests[c->n_tests - 1].runner != TESTS_HURL;
	const cJSON *item;
	int r = 0;

	if (c->suite.given && !suites)
		return json_config_error(cfg, cJSON_GetObjectItemCaseSensitive(cfg->root, "suite"),
					 "\"suite\" is about test files like \"a.test.ts\", and "
					 "\"tests\" names none");
	cJSON_ArrayForEach(item, patterns)
	{
		r = challenge_match(c, cfg, item, add_file);
		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; i < c->suite.n_files && r == 0; i++)
		r = read_file(c, cfg, patterns, &c->suite.files[i]);
	return r < 0 ? r : challenge_load_packages(c, cfg->why);
}

void challenge_suite_done(struct challenge_suite *s)
{
	for (uint32_t i = 0; i < s->n_files; i++) {
		free(s->files[i].name);
		free(s->files[i].text);
	}
	free(s->files);
	challenge_packages_done(&s->packages);
	*s = (struct challenge_suite){ 0 };
}
