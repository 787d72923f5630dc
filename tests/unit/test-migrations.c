/* SPDX-License-Identifier: MIT */

/* runner/inside/inspect-{migrations,tools,config}.c, sqllist.c: what makes the tables of a project. */

#include "inside-fixture.h"

#include "inside/inspect/inspect.h"

struct given {
	const char *path, *text;
};

/* What was found: "prisma A|B", "drizzle FOLDER", "sql A|B", "run TOOL: WORD|WORD"; "" nothing. */
static void describe(struct fixture *f, char *ret, size_t size)
{
	char *prisma = fixture_records(f, RECORD_PRISMA, false);
	char *drizzle = fixture_records(f, RECORD_DRIZZLE, false);
	char *files = fixture_records(f, RECORD_MIGRATION, false);
	char *tool = fixture_records(f, RECORD_MIGRATE_TOOL, false);
	char *argv = fixture_records(f, RECORD_MIGRATE, false);

	ret[0] = '\0';
	if (drizzle)
		(void)snprintf(ret, size, "drizzle %s", drizzle);
	else if (files)
		(void)snprintf(ret, size, "%s %s", prisma ? "prisma" : "sql", files);
	else if (argv)
		(void)snprintf(ret, size, "run %s: %s", tool, argv);
	free(prisma);
	free(drizzle);
	free(files);
	free(tool);
	free(argv);
}

static int look(struct fixture *f, const char *package, const struct given *given,
		struct problem *p)
{
	json_t *json = json_loads(package, 0, NULL);
	int r;

	assert_non_null(json);
	fixture_reset(f);
	for (; given->path; given++)
		fixture_write(f, given->path, given->text ? given->text : "x");
	r = inspect_migrations(f->root, json, f->out, p);
	json_decref(json);
	return r;
}

static void expect(struct fixture *f, const char *package, const struct given *given,
		   const char *expected)
{
	struct problem p = {};
	char found[1024];

	if (look(f, package, given, &p) != 0)
		fail_msg("refused: %s", p.text);
	describe(f, found, sizeof(found));
	assert_string_equal(found, expected);
}

#define GIVEN(...)                                                                                 \
	(const struct given[])                                                                     \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
		}                                                                                  \
	}

static void test_sql(void **state)
{
	struct fixture f;

	fixture_open(&f);
	expect(&f, "{}", GIVEN({ "x.sql" }), "");
	expect(&f, "{}", GIVEN({ "schema.sql" }, { "seed.sql" }, { "queries.sql" }),
	       "sql schema.sql");
	expect(&f, "{}", GIVEN({ "init.sql" }), "sql init.sql");
	expect(&f, "{}", GIVEN({ "database.sql" }), "sql database.sql");
	expect(&f, "{}", GIVEN({ "db/schema.sql" }, { "db/seeds.sql" }), "sql db/schema.sql");
	expect(&f, "{}", GIVEN({ "src/sql/001.sql" }, { "src/sql/002.sql" }),
	       "sql src/sql/001.sql|src/sql/002.sql");
	expect(&f, "{}", GIVEN({ "db/migrations/V10__b.sql" }, { "db/migrations/V2__a.sql" }),
	       "sql db/migrations/V2__a.sql|db/migrations/V10__b.sql");
	expect(&f, "{}",
	       GIVEN({ "migrations/1.sql" }, { "migrations/1_down.sql" }, { "schema.sql" }),
	       "sql migrations/1.sql");
	fixture_close(&f);
}

static void test_compose(void **state)
{
	struct fixture f;

	fixture_open(&f);
	expect(&f, "{}",
	       GIVEN({ "docker-compose.yml",
		       "    volumes:\n"
		       "      - data:/var/lib/postgresql/data\n"
		       "      # - ./no.sql:/docker-entrypoint-initdb.d/0.sql\n"
		       "      - ./a.sql:/docker-entrypoint-initdb.d/1.sql:ro\n"
		       "      - \"./more/:/docker-entrypoint-initdb.d\"\n"
		       "      - ../out.sql:/docker-entrypoint-initdb.d/2.sql\n" },
		     { "a.sql" }, { "no.sql" }, { "more/b.sql" }, { "more/c.sh" },
		     { "schema.sql" }),
	       "sql a.sql|more/b.sql");
	fixture_close(&f);
}

static void test_prisma(void **state)
{
	struct fixture f;

	fixture_open(&f);
	/* as localeCompare sorts them */
	expect(&f, "{}",
	       GIVEN({ "prisma/migrations/b/migration.sql" },
		     { "prisma/migrations/B2/migration.sql" },
		     { "prisma/migrations/a_1/migration.sql" },
		     { "prisma/migrations/10/migration.sql" }),
	       "prisma prisma/migrations/10/migration.sql|prisma/migrations/a_1/migration.sql|"
	       "prisma/migrations/b/migration.sql|prisma/migrations/B2/migration.sql");
	expect(&f, "{\"prisma\":{\"schema\":\"./src/db/schema.prisma\"}}",
	       GIVEN({ "src/db/migrations/1/migration.sql" }),
	       "prisma src/db/migrations/1/migration.sql");
	expect(&f, "{}",
	       GIVEN({ "prisma.config.ts", "export default { migrations: { path: './m' } }" },
		     { "m/1/migration.sql" }),
	       "prisma m/1/migration.sql");
	expect(&f, "{\"devDependencies\":{\"prisma\":\"^6.1.0\"}}",
	       GIVEN({ "prisma/schema.prisma", "provider = \"postgresql\"\nmodel A {\n}" }),
	       "run prisma db push: prisma|db|push");
	expect(&f, "{\"dependencies\":{\"prisma\":\"7.1.0\"}}",
	       GIVEN({ "prisma.config.ts", "import path from 'node:path';\nexport default { schema: "
					   "path.join(f(), 'db', 'x.prisma'), y: { url: 'z' } }" },
		     { "db/x.prisma", "provider = \"postgresql\"\nmodel A {\n}" }),
	       "run prisma db push: prisma|db|push");
	expect(&f,
	       "{\"dependencies\":{\"prisma\":\"6.1.0\"},"
	       "\"scripts\":{\"x\":\"prisma generate --schema=./db/y.prisma && tsc\"}}",
	       GIVEN({ "db/y.prisma", "provider = \"postgresql\"\nmodel A {\n}" }),
	       "run prisma db push: prisma|db|push");
	expect(&f, "{\"dependencies\":{\"prisma\":\"7.1.0\"}}",
	       GIVEN({ "prisma/schema.prisma", "provider = \"sqlite\"\nmodel A {\n}" }), "");
	fixture_close(&f);
}

static void test_drizzle(void **state)
{
	struct problem p = {};
	struct fixture f;

	fixture_open(&f);
	expect(&f, "{\"dependencies\":{\"drizzle-orm\":\"1\"}}",
	       GIVEN({ "drizzle/meta/_journal.json" }, { "drizzle/0.sql" }), "drizzle drizzle");
	expect(&f, "{}",
	       GIVEN({ "drizzle.config.ts", "export default defineConfig({ out: \"./src/m/\" });" },
		     { "src/m/meta/_journal.json" }),
	       "drizzle src/m");
	expect(&f, "{\"dependencies\":{\"drizzle-orm\":\"1\"}}",
	       GIVEN({ "drizzle/20260131093015_a/migration.sql" }), "drizzle drizzle");
	expect(&f, "{\"devDependencies\":{\"drizzle-kit\":\"1\"}}", GIVEN({ "drizzle.config.js" }),
	       "run drizzle-kit push: drizzle-kit|push|--force");
	assert_int_equal(look(&f, "{}", GIVEN({ "drizzle.config.js" }, { "drizzle/0.sql" }), &p),
			 1);
	assert_non_null(strstr(p.text, "no meta/_journal.json"));
	fixture_close(&f);
}

static void test_tools(void **state)
{
	struct fixture f;

	fixture_open(&f);
	expect(&f, "{\"dependencies\":{\"knex\":\"3\"}}", GIVEN({ "src/knexfile.js" }),
	       "run knex: knex|migrate:latest|--knexfile|src/knexfile.js");
	expect(&f, "{\"dependencies\":{\"knex\":\"3\",\"tsx\":\"4\"}}", GIVEN({ "knexfile.ts" }),
	       "run knex: tsx|node_modules/knex/bin/cli.js|migrate:latest|--knexfile|knexfile.ts");
	expect(&f, "{}", GIVEN({ "knexfile.js" }), "");
	expect(&f, "{\"devDependencies\":{\"sequelize-cli\":\"6\"}}", GIVEN({ ".sequelizerc" }),
	       "run sequelize: sequelize-cli|db:migrate");
	expect(&f, "{\"dependencies\":{\"typeorm\":\"1\"}}",
	       GIVEN({ "src/data-source.ts", "migrations: [], synchronize: false" }),
	       "run typeorm: typeorm|migration:run|-d|dist/data-source.js");
	expect(&f, "{\"dependencies\":{\"typeorm\":\"1\",\"ts-node\":\"10\"}}",
	       GIVEN({ "src/data-source.ts", "migrations: []" }),
	       "run typeorm: typeorm-ts-node-commonjs|migration:run|-d|src/data-source.ts");
	expect(&f, "{\"dependencies\":{\"typeorm\":\"1\"}}",
	       GIVEN({ "src/data-source.ts", "migrations: [], synchronize: true" }), "");
	expect(&f, "{\"dependencies\":{\"node-pg-migrate\":\"1\"}}", GIVEN({ "migrations/1.js" }),
	       "run node-pg-migrate: node-pg-migrate|up");
	fixture_close(&f);
}

static void test_scripts(void **state)
{
	static const struct {
		const char *scripts, *expected;
	} rows[] = {
		{ "\"migrate\":\"node migrate.js\"",
		  "run package.json \"migrate\": sh|-c|node migrate.js" },
		{ "\"migrate\":\"x y\",\"db:migrate\":\"a b\"",
		  "run package.json \"db:migrate\": sh|-c|a b" },
		{ "\"migrate\":\"node-pg-migrate -m db\"",
		  "run package.json \"migrate\": sh|-c|node-pg-migrate -m db up" },
		{ "\"migrate\":\"knex\"", "sql schema.sql" },
		{ "\"migrate\":\"psql $DATABASE_URL -f schema.sql\"", "sql schema.sql" },
		{ "\"migrate\":\"docker compose up -d && x\"", "sql schema.sql" },
		{ "\"migrate\":\"prisma migrate dev\"", "sql schema.sql" },
		{ "\"migrate\":\"knex migrate:rollback\"", "sql schema.sql" },
		{ "\"migrate\":\"a b && npm start\"", "sql schema.sql" },
		{ "\"migrate\":\"a \\u0007 b\"", "sql schema.sql" },
		{ "\"db:init\":\"node init.js\"", "sql schema.sql" },
	};
	struct fixture f;
	char package[256];

	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)snprintf(package, sizeof(package), "{\"scripts\":{%s}}", rows[i].scripts);
		expect(&f, package, GIVEN({ "schema.sql" }), rows[i].expected);
	}
	expect(&f, "{\"scripts\":{\"db:init\":\"node init.js\"}}", GIVEN({ "init.js" }),
	       "run package.json \"db:init\": sh|-c|node init.js");
	fixture_close(&f);
}

static void test_node_env(void **state)
{
	struct problem p = {};
	struct fixture f;

	fixture_open(&f);
	(void)look(&f, "{}", GIVEN({ "knexfile.js", "{ development: {} }" }), &p);
	fixture_expect(&f, RECORD_NODE_ENV, "development", false);
	(void)look(&f, "{}", GIVEN({ "config/config.json", "{ development: {}, production: {} }" }),
		   &p);
	fixture_expect(&f, RECORD_NODE_ENV, NULL, false);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sql),      cmocka_unit_test(test_compose),
		cmocka_unit_test(test_prisma),   cmocka_unit_test(test_drizzle),
		cmocka_unit_test(test_tools),    cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_node_env),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
