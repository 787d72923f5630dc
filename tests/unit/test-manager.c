/* SPDX-License-Identifier: MIT */

/* runner/deps/manager*.c: names and versions of managers, and how they are called. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>

#include "deps/manager.h"
#include "util/util.h"

static void test_parse(void **state)
{
	static const struct {
		const char *spec, *version, *package;
		enum manager_kind kind;
	} rows[] = {
		{ NULL, "10.9.9", NULL, MANAGER_NPM },
		{ "npm@9.1.0", "10.9.9", NULL, MANAGER_NPM },
		{ "pnpm@9.15.0", "9.15.0", "pnpm", MANAGER_PNPM },
		{ "pnpm@9.1.0+sha512.ab/cd", "9.1.0", "pnpm", MANAGER_PNPM },
		{ "pnpm@10.0.0-rc.1", "10.0.0-rc.1", "pnpm", MANAGER_PNPM },
		{ "pnpm@8", "8.15.9", "pnpm", MANAGER_PNPM },
		{ "pnpm@8.2.0", "8.15.9", "pnpm", MANAGER_PNPM },
		{ "pnpm@8.3.0", "8.15.9", "pnpm", MANAGER_PNPM },
		{ "pnpm@8.3.1", "8.3.1", "pnpm", MANAGER_PNPM },
		{ "pnpm", "10.34.9", "pnpm", MANAGER_PNPM },
		{ "yarn", "1.22.22", "yarn", MANAGER_YARN },
		{ "yarn@1", "1.22.22", "yarn", MANAGER_YARN },
		{ "yarn@3", "3.8.7", "@yarnpkg/cli-dist", MANAGER_BERRY },
		{ "yarn@4.5.0", "4.5.0", "@yarnpkg/cli-dist", MANAGER_BERRY },
	};
	struct manager m;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(manager_parse(&m, rows[i].spec, "10.9.9"), 0);
		assert_int_equal(m.kind, rows[i].kind);
		assert_string_equal(m.version, rows[i].version);
		if (rows[i].package)
			assert_string_equal(m.package, rows[i].package);
		else
			assert_null(m.package);
	}
	assert_int_equal(manager_parse(&m, "bun", "10.9.9"), 0);
	assert_string_equal(m.lockfile, "bun.lock");
	assert_int_equal(manager_parse(&m, "bun@1.1.45", "10.9.9"), 0);
	assert_string_equal(m.lockfile, "bun.lockb");
}

static void test_refused(void **state)
{
	static const struct {
		const char *spec;
		int error;
	} rows[] = {
		{ "deno@2.0.0", -EINVAL },      { "", -EINVAL },
		{ "pnpm@", -EINVAL },           { "pnpm@latest", -EINVAL },
		{ "pnpm@99", -EINVAL },         { "pnpm@9.1.0\"", -EINVAL },
		{ "pnpm@9.1.0/../x", -EINVAL }, { "pnp@9.1.0", -EINVAL },
		{ "pnpm@3.1.0", -ERANGE },      { "pnpm@7.32.0", -ERANGE },
		{ "yarn@0.27.5", -ERANGE },     { "bun@0.8.1", -ERANGE },
	};
	struct manager m;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (manager_parse(&m, rows[i].spec, "10.9.9") != rows[i].error)
			fail_msg("\"%s\" is not refused with %d", rows[i].spec, rows[i].error);
}

static bool listed(const struct words *w, const char *word)
{
	for (int i = 0; i < w->n; i++)
		if (streq(w->list[i], word))
			return true;
	return false;
}

/* Whatever the manager: scripts are off, and the registry is the operator's. */
static void test_command(void **state)
{
	static const char *const specs[] = { NULL,          "pnpm@7.33.7",  "pnpm@10.1.0",
					     "pnpm@12.1.0", "yarn@1.22.22", "yarn@2.4.2",
					     "yarn@4.1.0",  "bun@1.4.5" };
	const struct npm_registry r = { .url = (char *)"https://r.example/npm/",
					.cafile = (char *)"/ca",
					.proxy = (char *)"http://127.0.0.1:3128" };

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct words argv = {}, env = {};
		struct manager m;

		assert_int_equal(manager_parse(&m, specs[i], "10.9.9"), 0);
		for (int step = MANAGER_INSTALL; step <= MANAGER_RESOLVE; step++)
			assert_int_equal(manager_command(&m, (enum manager_step)step, NULL, false,
							 &r, &argv),
					 0);
		assert_int_equal(manager_environment(&m, &r, &env), 0);
		assert_false(words_full(&argv));
		assert_true(listed(&argv, "--ignore-scripts") ||
			    listed(&env, "YARN_ENABLE_SCRIPTS=false"));
		assert_true(listed(&argv, "--registry=https://r.example/npm/") ||
			    listed(&env, "YARN_NPM_REGISTRY_SERVER=https://r.example/npm/"));
		words_done(&argv);
		words_done(&env);
	}
}

/* With a tree that is there, a manager is told what it is told without: the lockfile decides. */
static void test_difference(void **state)
{
	static const char *const specs[] = { "pnpm@7.33.7",  "pnpm@12.1.0", "yarn@1.22.22",
					     "yarn@2.4.2",   "yarn@4.1.0",  "bun@1.4.5" };
	const struct npm_registry r = { .url = (char *)"https://r.example/" };

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct words whole = {}, part = {};
		struct manager m;

		assert_int_equal(manager_parse(&m, specs[i], "10.9.9"), 0);
		assert_int_equal(manager_command(&m, MANAGER_INSTALL, NULL, false, &r, &whole), 0);
		assert_int_equal(manager_command(&m, MANAGER_DIFFERENCE, NULL, false, &r, &part),
				 0);
		assert_int_equal(whole.n, part.n);
		for (int k = 0; k < whole.n; k++)
			assert_string_equal(whole.list[k], part.list[k]);
		words_done(&whole);
		words_done(&part);
	}
}

/* What comes last counts: nothing that was let through can replace what is ours. */
static void test_npmrc(void **state)
{
	const struct npm_registry r = { .url = (char *)"https://r.example/" };
	char *text = manager_npmrc(&r, "ignore-scripts=false\nregistry=http://evil/\n");

	assert_true(strstr(text, "evil") < strstr(text, "\nregistry=https://r.example/\n"));
	assert_true(strstr(text, "ignore-scripts=false") < strstr(text, "\nignore-scripts=true\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_difference),
		cmocka_unit_test(test_npmrc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
