/* SPDX-License-Identifier: MIT */

/* runner/inside/inspect*.c: what a project is, from its files. */

#include "inside-fixture.h"

#include "inside/inspect/inspect.h"

/* Takes the tree as it is. */
static void expect_refused(struct fixture *f, const char *reason)
{
	struct problem p = {};
	int r = inspect(f->root, f->out, &p);

	assert_int_equal(r, 1);
	if (!strstr(p.text, reason))
		fail_msg("\"%s\" does not hold \"%s\"", p.text, reason);
}

static void run(struct fixture *f, const char *package)
{
	struct problem p = {};

	fixture_reset(f);
	if (package)
		fixture_write(f, "package.json", package);
	if (inspect(f->root, f->out, &p) != 0)
		fail_msg("refused: %s", p.text);
}

static void test_bad_package(void **state)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{ "{\n  \"a\": 1,\n}", "package.json:3:1: " },
		{ "", "package.json:1:0: " },
		{ "[]", "must be an object" },
		{ "{\"a\":1,\"a\":2}", "duplicate" },
		{ "{\"scripts\":[]}", "\"scripts\" must be an object" },
		{ "{\"scripts\":{\"start\":1}}", "scripts.start must be a string" },
		{ "{\"scripts\":{\"build\":[]}}", "scripts.build must be a string" },
		{ "{\"scripts\":{\"start\":\"a\\u001bb\"}}", "the script that starts the server is too long or holds "
							     "control" },
		{ "{\"a\":\"\\u0000\"}", "package.json:1:" },
	};
	struct fixture f;
	char *deep = malloc(100001);

	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_reset(&f);
		fixture_write(&f, "package.json", rows[i].text);
		expect_refused(&f, rows[i].reason);
	}
	memset(deep, '[', 100000);
	deep[100000] = '\0';
	fixture_write(&f, "package.json", deep);
	expect_refused(&f, "maximum parsing depth");
	memset(deep, ' ', 100000);
	free(deep);
	deep = calloc(1, RECORD_MAX_MANIFEST + 2);
	memset(deep, ' ', RECORD_MAX_MANIFEST + 1);
	fixture_write(&f, "package.json", deep);
	expect_refused(&f, "package.json is larger than 256 KiB");
	free(deep);
	fixture_close(&f);
}

static void test_manifest(void **state)
{
	struct fixture f;

	fixture_open(&f);
	run(&f, "\xef\xbb\xbf{\"version\":\"1\",\"name\":\"x\",\"devDependencies\":{},\"license\":"
		"\"MIT\",\"dependencies\":{\"pg\":\"^8\",\"express\":\"4.x\"},\"packageManager\":"
		"\"npm@10\"}");
	fixture_expect(&f, RECORD_MANIFEST,
		       "{\"dependencies\":{\"express\":\"4.x\",\"pg\":\"^8\"},\"packageManager\":"
		       "\"npm@10\"}",
		       false);
	fixture_expect(&f, RECORD_HAS_DEPENDENCIES, "", false);
	fixture_expect(&f, RECORD_DEPENDENCIES_ERROR, NULL, false);
	run(&f, "{\"dependencies\":{}}");
	fixture_expect(&f, RECORD_MANIFEST, "{}", false);
	fixture_expect(&f, RECORD_HAS_DEPENDENCIES, NULL, false);
	run(&f, NULL);
	fixture_expect(&f, RECORD_MANIFEST, NULL, false);
	fixture_close(&f);
}

static void test_specifications(void **state)
{
	static const char *const good[] = { "^1.2.3",	  "~1.2",
					    "*",	  "",
					    "latest",	  ">=1 <2 || 3.x",
					    "1.0.0-rc.1", "npm:@scope/other@1" };
	static const char *const bad[] = {
		"file:../x",
		"link:x",
		"./x",
		"../x",
		"/x",
		"~/x",
		"workspace:*",
		"portal:x",
		"git://h/r",
		"git+ssh://h/r",
		"github:a/b",
		"gist:1",
		"a/b",
		"http://h/x.tgz",
		"HTTPS://h/x.tgz",
		"ssh://git@h/r",
		"git@github.com:a/b",
		"FILE:x",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (specification_problem(good[i]))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!specification_problem(bad[i]))
			fail_msg("%s is accepted", bad[i]);
}

static void expect_dependencies_error(struct fixture *f, const char *package, const char *lockfile,
				      const char *reason)
{
	struct problem p = {};
	char *text;

	fixture_reset(f);
	fixture_write(f, "package.json", package);
	if (lockfile)
		fixture_write(f, "package-lock.json", lockfile);
	assert_int_equal(inspect(f->root, f->out, &p), 0);
	text = fixture_records(f, RECORD_DEPENDENCIES_ERROR, false);
	if (!text || !strstr(text, reason))
		fail_msg("\"%s\" does not hold \"%s\"", text ? text : "", reason);
	free(text);
}

static void test_dependency_errors(void **state)
{
	struct fixture f;

	fixture_open(&f);
	expect_dependencies_error(&f, "{\"dependencies\":{\"lib\":\"file:../lib\"}}", NULL,
				  "dependencies: \"lib\" (file:../lib) is a folder or file");
	expect_dependencies_error(&f, "{\"devDependencies\":{\"lib\":\"me/lib\"}}", NULL,
				  "devDependencies: \"lib\" (me/lib) is fetched from a repository");
	expect_dependencies_error(&f, "{\"overrides\":{\"a\":{\"b\":\"https://h/x.tgz\"}}}", NULL,
				  "overrides: \"b\"");
	expect_dependencies_error(&f, "{\"dependencies\":{\"../x\":\"1\"}}", NULL,
				  "not the name of a package");
	expect_dependencies_error(&f, "{\"dependencies\":{\"x\":1}}", NULL, "must be a string");
	expect_dependencies_error(&f, "{\"dependencies\":[]}", NULL, "must be an object");
	expect_dependencies_error(&f, "{\"workspaces\":[\"a\"]}", NULL, "workspaces");
	expect_dependencies_error(&f, "{}", "<<<<<<< HEAD", "package-lock.json:1:");
	expect_dependencies_error(&f, "{}", "{\"packages\":{\"node_modules/a\":{\"link\":true}}}",
				  "links \"node_modules/a\"");
	expect_dependencies_error(&f, "{}",
				  "{\"packages\":{\"node_modules/a\":{\"resolved\":\"git+ssh://h/"
				  "r\"}}}",
				  "takes \"node_modules/a\" from");
	fixture_close(&f);
}

static void test_lockfile_is_shared(void **state)
{
	static const char *const lockfiles[] = {
		"{\"name\":\"a\",\"version\":\"1\",\"lockfileVersion\":3,\"packages\":{\"\":{"
		"\"name\":\"a\",\"version\":\"1\",\"license\":\"MIT\",\"dependencies\":{\"x\":"
		"\"1\"}},\"node_modules/x\":{\"version\":\"1.0.0\",\"resolved\":\"https://r/x/-/"
		"x-1.0.0.tgz\"}}}",
		"{\"lockfileVersion\":3,\n\"packages\":{\"node_modules/x\":{\"resolved\":\"https://"
		"r/x/-/"
		"x-1.0.0.tgz\",\"version\":\"1.0.0\"},\"\":{\"dependencies\":{\"x\":\"1\"},"
		"\"engines\":{\"node\":\"20\"}}},\"name\":\"b\"}",
	};
	struct fixture f;
	struct problem p = {};
	char *first = NULL;

	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(lockfiles); i++) {
		fixture_reset(&f);
		fixture_write(&f, "package.json", "{}");
		fixture_write(&f, "package-lock.json", lockfiles[i]);
		assert_int_equal(inspect(f.root, f.out, &p), 0);
		fixture_expect(&f, RECORD_DEPENDENCIES_ERROR, NULL, false);
		if (!first)
			first = fixture_records(&f, RECORD_LOCKFILE, false);
		else
			fixture_expect(&f, RECORD_LOCKFILE, first, false);
	}
	assert_non_null(strstr(first, "node_modules/x"));
	free(first);
	fixture_close(&f);
}

static void expect_migrations(struct fixture *f, const char *files[], bool prisma,
			      const char *expected)
{
	struct problem p = {};

	fixture_reset(f);
	for (; *files; files++)
		fixture_write(f, *files, "");
	assert_int_equal(inspect(f->root, f->out, &p), 0);
	fixture_expect(f, RECORD_MIGRATION, expected, false);
	fixture_expect(f, RECORD_PRISMA, prisma ? "" : NULL, false);
}

static void test_migrations(void **state)
{
	struct fixture f;

	fixture_open(&f);
	expect_migrations(&f, (const char *[]){ "x.sql", NULL }, false, NULL);
	expect_migrations(&f, (const char *[]){ "schema.sql", NULL }, false, "schema.sql");
	expect_migrations(
		&f,
		(const char *[]){ "schema.sql", "migrations/10.sql", "migrations/2.sql",
				  "migrations/B.sql", "migrations/a.sql", "migrations/a.down.sql",
				  "migrations/x.js", "migrations/d.sql/x", NULL },
		false, "migrations/2.sql|migrations/10.sql|migrations/B.sql|migrations/a.sql");
	expect_migrations(&f,
			  (const char *[]){ "migrations/1.sql",
					    "prisma/migrations/2_b/migration.sql",
					    "prisma/migrations/1_a/migration.sql",
					    "prisma/migrations/3_c/other.sql",
					    "prisma/migrations/migration_lock.toml", NULL },
			  true,
			  "prisma/migrations/1_a/migration.sql|prisma/migrations/2_b/"
			  "migration.sql|prisma/migrations/3_c/migration.sql");
	expect_migrations(&f, (const char *[]){ "migrations/1.sql", "prisma/migrations/a/x", NULL },
			  false, "migrations/1.sql");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_package),
		cmocka_unit_test(test_manifest),
		cmocka_unit_test(test_specifications),
		cmocka_unit_test(test_dependency_errors),
		cmocka_unit_test(test_lockfile_is_shared),
		cmocka_unit_test(test_migrations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
