/* SPDX-License-Identifier: MIT */

/* runner/inside/inspect-lock*.c, inspect-settings.c: whose lockfile it is, and what may be in it. */

#include "inside-fixture.h"

#include "inside/inspect/inspect-lock.h"

#define BERRY "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n"

static void choose(struct fixture *f, const char *package, struct packages_choice *ret)
{
	json_t *json = json_loads(package, 0, NULL);
	struct problem p = {};

	assert_non_null(json);
	if (packages_choose(f->root, json, f->out, ret, &p) != 0)
		fail_msg("refused: %s", p.text);
	json_decref(json);
}

static void test_one_lockfile(void **state)
{
	static const struct {
		const char *file, *content, *manager;
		enum lock_kind kind;
	} rows[] = {
		{ "package-lock.json", "{}", "npm", LOCK_NPM },
		{ "npm-shrinkwrap.json", "{}", "npm", LOCK_NPM },
		{ "pnpm-lock.yaml", "lockfileVersion: '9.0'\n", "pnpm", LOCK_PNPM },
		{ "pnpm-lock.yaml", "lockfileVersion: '6.0'\r\n", "pnpm@8", LOCK_PNPM },
		{ "pnpm-lock.yaml", "lockfileVersion: 5.4\n", "pnpm@7", LOCK_PNPM },
		{ "yarn.lock", "# yarn lockfile v1\n", "yarn@1", LOCK_YARN },
		{ "yarn.lock", "# x\n\n" BERRY, "yarn@4", LOCK_BERRY },
		{ "yarn.lock", "#\n\n__metadata:\n  version: 6\n", "yarn@3", LOCK_BERRY },
		{ "bun.lock", "{\n  \"lockfileVersion\": 1,\n}\n", "bun", LOCK_BUN },
		{ "bun.lockb", "#!/usr/bin/env bun\n", "bun", LOCK_BUN_BINARY },
	};
	struct fixture f;

	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packages_choice c;

		fixture_reset(&f);
		fixture_write(&f, rows[i].file, rows[i].content);
		choose(&f, "{}", &c);
		assert_string_equal(c.manager, rows[i].manager);
		assert_string_equal(c.file, rows[i].file);
		assert_int_equal(c.kind, rows[i].kind);
		assert_int_equal(c.size, strlen(c.text));
		assert_null(strchr(c.text, '\r'));
		fixture_expect(&f, RECORD_NOTE, NULL, false);
		free(c.text);
	}
	fixture_close(&f);
}

static void expect_choice(struct fixture *f, const char *package, const char *manager,
			  const char *file, const char *note)
{
	struct packages_choice c;

	choose(f, package, &c);
	assert_string_equal(c.manager, manager);
	if (file)
		assert_string_equal(c.file, file);
	else
		assert_null(c.file);
	fixture_expect(f, RECORD_NOTE, note, false);
	free(c.text);
	assert_int_equal(ftruncate(f->out, 0), 0);
	assert_int_equal(lseek(f->out, 0, SEEK_SET), 0);
}

static void test_package_manager(void **state)
{
	struct fixture f;

	fixture_open(&f);
	expect_choice(&f, "{}", "npm", NULL, NULL);
	expect_choice(&f, "{\"packageManager\":\"pnpm@9.1.0+sha512.0a\"}", "pnpm@9.1.0", NULL,
		      NULL);
	expect_choice(&f, "{\"packageManager\":\"x y\"}", "npm", NULL, NULL);
	fixture_write(&f, "package-lock.json", "{}");
	expect_choice(&f, "{\"packageManager\":\"yarn@4.1.0\"}", "yarn@4.1.0", NULL,
		      "package-lock.json is not used: \"packageManager\" of package.json decides");
	fixture_write(&f, "yarn.lock", BERRY);
	expect_choice(&f, "{\"packageManager\":\"yarn@4.1.0\"}", "yarn@4.1.0", "yarn.lock",
		      "package-lock.json is not used: yarn.lock decides");
	expect_choice(&f, "{\"packageManager\":\"npm@10.0.0\"}", "npm@10.0.0", "package-lock.json",
		      "yarn.lock is not used: package-lock.json decides");
	fixture_close(&f);
}

static void test_several_lockfiles(void **state)
{
	static const char package[] = "{\"dependencies\":{\"ms\":\"1\",\"is-odd\":\"1\"}}";
	struct fixture f;

	fixture_open(&f);
	fixture_write(&f, "pnpm-lock.yaml", "lockfileVersion: '9.0'\n ms: x\n");
	fixture_write(&f, "package-lock.json", "{\"packages\":{\"ms\":1,\"is-odd\":2}}");
	/* The older one does not know all of them. */
	expect_choice(&f, package, "npm", "package-lock.json",
		      "pnpm-lock.yaml is not used: package-lock.json decides");
	fixture_write(&f, "pnpm-lock.yaml", "lockfileVersion: '9.0'\n ms: x\n is-odd: y\n");
	expect_choice(&f, package, "pnpm", "pnpm-lock.yaml",
		      "package-lock.json is not used: pnpm-lock.yaml decides");
	fixture_close(&f);
}

static void test_check(void **state)
{
	static const struct {
		enum lock_kind kind;
		const char *text, *reason;
	} rows[] = {
		{ LOCK_PNPM,
		  "importers:\n\n  .:\n    dependencies:\n      ms:\n        specifier: ^2\n"
		  "        version: 2.1.3\n\npackages:\n\n  ms@2.1.3:\n"
		  "    resolution: {integrity: sha512-x}\n    deprecated: see https://x.y/z\n",
		  NULL },
		{ LOCK_PNPM,
		  "packages:\n\n  ms@2.1.3:\n    resolution: {integrity: sha512-x, tarball: "
		  "https://registry.example/ms/-/ms-2.1.3.tgz}\n",
		  NULL },
		{ LOCK_PNPM, "importers:\n\n  .:\n    dependencies:\n  packages/a:\n",
		  "workspace" },
		{ LOCK_PNPM, "  ms@https://codeload.github.com/vercel/ms/tar.gz/1c6264b:\n",
		  "address" },
		{ LOCK_PNPM, "    resolution: {tarball: https://codeload.github.com/x/tar.gz/1}\n",
		  "address" },
		{ LOCK_PNPM, "    resolution: {directory: ../a, type: directory}\n", "folder" },
		{ LOCK_PNPM, "    resolution: {commit: 1c6, repo: git@x:y, type: git}\n",
		  "repository" },
		{ LOCK_PNPM, "        version: link:../a\n", "folder" },
		{ LOCK_PNPM, "patchedDependencies:\n  ms: x\n", "changes" },
		{ LOCK_YARN,
		  "ms@^2.1.0:\n  version \"2.1.3\"\n  resolved \"https://registry.yarnpkg.com"
		  "/ms/-/ms-2.1.3.tgz#aa\"\n  integrity sha512-x\n",
		  NULL },
		{ LOCK_YARN, "ms@^2.1.0:\n  version \"2.1.3\"\n  integrity sha512-x\n", NULL },
		{ LOCK_YARN, "  resolved \"https://codeload.github.com/vercel/ms/tar.gz/1c\"\n",
		  "elsewhere" },
		{ LOCK_YARN, "  resolved \"git+ssh://git@github.com/a/b.git#1\"\n", "elsewhere" },
		{ LOCK_YARN, "\"ms@file:../ms\":\n  version \"0.0.0\"\n", "folder" },
		{ LOCK_BERRY,
		  BERRY "\"ms@npm:^2\":\n  version: 2.1.3\n  resolution: \"ms@npm:2.1.3\"\n"
			"\"x@workspace:.\":\n  resolution: \"x@workspace:.\"\n"
			"  resolution: \"typescript@patch:typescript@npm%3A5#"
			"optional!builtin<compat/typescript>::version=5&hash=1\"\n",
		  NULL },
		{ LOCK_BERRY, "  resolution: \"a@workspace:packages/a\"\n", "workspace" },
		{ LOCK_BERRY, "  resolution: \"a@patch:a@npm%3A1#./.yarn/patches/a.patch\"\n",
		  "changes" },
		{ LOCK_BERRY, "  resolution: \"a@https://github.com/x/a.git#commit=1\"\n",
		  "elsewhere" },
		{ LOCK_BERRY, "  resolution: \"a@npm:1.0.0::__archiveUrl=https%3A%2F%2Fx\"\n",
		  "elsewhere" },
		{ LOCK_BUN,
		  "  \"packages\": {\n    \"ms\": [\"ms@2.1.3\", \"\", {}, \"sha512-x\"],\n"
		  "    \"@a/b\": [\"@a/b@1.0.0-rc.1\", \"\", {}, \"sha512-x\"],\n",
		  NULL },
		{ LOCK_BUN, "    \"ms\": [\"ms@github:vercel/ms#1c\", {}, \"x\"],\n", "version" },
		{ LOCK_BUN, "    \"a\": [\"a@workspace:packages/a\"],\n", "version" },
		{ LOCK_BUN, "    \"a\": [\"a@file:../a\", {}],\n", "version" },
		{ LOCK_BUN, "    \"a\": [\"a@https://x.y/a.tgz\", {}],\n", "version" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct problem p = {};
		int r = lockfile_check_text(rows[i].kind, rows[i].text, &p);

		if (r != (rows[i].reason != NULL))
			fail_msg("row %zu: %d \"%s\"", i, r, p.text);
		if (rows[i].reason && !strstr(p.text, rows[i].reason))
			fail_msg("row %zu: \"%s\" does not hold \"%s\"", i, p.text, rows[i].reason);
	}
}

static void test_npmrc(void **state)
{
	char *s = npmrc_reduce("; comment\r\nlegacy-peer-deps = true\r\nregistry=http://evil/\n"
			       "//evil/:_authToken=abc\n  shamefully-hoist=true\nscript-shell=/x\n"
			       "node-options=--require=/x\nnode-linker=pnp\nhoist=${HOME}\n"
			       "legacy-peer-deps[]\npublic-hoist-pattern[]=*types*\nca=x\n"
			       "ignore-scripts=false\nnode-linker=hoisted");

	assert_string_equal(s, "legacy-peer-deps=true\nshamefully-hoist=true\n"
			       "public-hoist-pattern[]=*types*\nnode-linker=hoisted\n");
	free(s);
	assert_null(npmrc_reduce("registry=http://evil/\n"));
	assert_null(npmrc_reduce(""));
	assert_null(npmrc_reduce("legacy-peer-deps="
				 "\x01\n"));
}

static void test_workspace(void **state)
{
	bool several;
	char *s = workspace_reduce(
		"packages:\n  - '.'\noverrides:\n  a: 1\n\nregistry: http://evil/\n"
		"onlyBuiltDependencies:\n  - x\ncatalog:\n  b: ^2\n",
		&several);

	assert_string_equal(s, "overrides:\n  a: 1\n\ncatalog:\n  b: ^2\n");
	assert_false(several);
	free(s);
	assert_null(workspace_reduce("packages:\n  - packages/*\n", &several));
	assert_true(several);
	assert_null(workspace_reduce("storeDir: /x\nnodeLinker: pnp\n", &several));
	assert_false(several);
}

/* The manifest has what the manager writes into its lockfile, and nothing of another. */
static void test_manifest(void **state)
{
	static const char package[] =
		"{\"name\":\"shop\",\"dependencies\":{\"ms\":\"2\"},\"pnpm\":{\"overrides\":{\"a\":"
		"\"1\"},"
		"\"onlyBuiltDependencies\":[\"x\"]},\"resolutions\":{\"a\":\"1\"}%s}";
	static const struct {
		const char *more, *manifest;
	} rows[] = {
		{ "", "{\"dependencies\":{\"ms\":\"2\"},\"resolutions\":{\"a\":\"1\"}}" },
		{ ",\"packageManager\":\"pnpm@9.1.0\"",
		  "{\"dependencies\":{\"ms\":\"2\"},\"packageManager\":\"pnpm@9.1.0\",\"pnpm\":"
		  "{\"overrides\":{\"a\":\"1\"}},\"resolutions\":{\"a\":\"1\"}}" },
		{ ",\"packageManager\":\"yarn@4.1.0\"",
		  "{\"dependencies\":{\"ms\":\"2\"},\"name\":\"shop\",\"packageManager\":\"yarn@4."
		  "1.0\","
		  "\"resolutions\":{\"a\":\"1\"}}" },
	};
	struct fixture f;

	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text;
		json_t *json;

		fixture_reset(&f);
		assert_true(asprintf(&text, package, rows[i].more) > 0);
		json = json_loads(text, 0, NULL);
		assert_int_equal(inspect_packages(f.root, json, f.out), 0);
		fixture_expect(&f, RECORD_MANIFEST, rows[i].manifest, false);
		fixture_expect(&f, RECORD_DEPENDENCIES_ERROR, NULL, false);
		json_decref(json);
		free(text);
	}
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_lockfile),
		cmocka_unit_test(test_package_manager),
		cmocka_unit_test(test_several_lockfiles),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_npmrc),
		cmocka_unit_test(test_workspace),
		cmocka_unit_test(test_manifest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
