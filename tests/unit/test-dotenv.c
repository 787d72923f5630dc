/* SPDX-License-Identifier: MIT */

/* runner/inside/dotenv*.c, identity-code.c: where a submission looks for its database. */

#include "inside-fixture.h"

#include "inside/inspect/dotenv.h"
#include "inside/inspect/identity.h"
#include "inside/inspect/inspect.h"

/* All entries as NAME=value, joined by '|'. */
static void expect_entries(const char *text, const char *expected)
{
	struct dotenv_entry e;
	char joined[512] = "";
	size_t at = 0;

	while (dotenv_next(text, strlen(text), &at, &e)) {
		size_t n = strlen(joined);

		(void)snprintf(joined + n, sizeof(joined) - n, "%s%.*s=%.*s", n ? "|" : "",
			       (int)e.name_size, e.name, (int)e.value_size, e.value);
	}
	assert_string_equal(joined, expected);
}

static void test_entries(void **state)
{
	expect_entries("", "");
	expect_entries("A=1\nB=2", "A=1|B=2");
	expect_entries("# A=1\n\n  B = 2 # two\r\nexport C='x y'\n", "B=2|C=x y");
	expect_entries("A=\"x # y\" # z\nB=`q`\nC=\n", "A=x # y|B=q|C=");
	expect_entries("A=\"two\nlines\"\nB=1", "A=two\nlines|B=1");
	expect_entries("A='open\nB=1", "A='open|B=1");
	expect_entries("A: x\nnonsense\nB=1=2", "A=x|B=1=2");
	expect_entries("A=\"a\\\"b\"\nB=1", "A=a\\\"b|B=1");
}

static enum database_part part_of(const char *text)
{
	struct dotenv_entry e;
	size_t at = 0;

	assert_true(dotenv_next(text, strlen(text), &at, &e));
	return dotenv_part(&e);
}

static void test_parts(void **state)
{
	static const struct {
		const char *text;
		enum database_part part;
	} rows[] = {
		{ "DATABASE_URL=postgres://u:p@h/d", PART_URL },
		{ "ANYTHING=postgresql://u:p@h:5432/d?schema=x", PART_URL },
		{ "DATABASE_URL=", PART_URL },
		{ "DATABASE_URL=file:./dev.db", PART_URL },
		{ "DATABASE_URL=mysql://u:p@h/d", PART_NONE },
		{ "MONGO_URL=mongodb://h/d", PART_NONE },
		{ "MONGODB_DB_NAME=x", PART_NONE },
		{ "REDIS_HOST=localhost", PART_NONE },
		{ "SMTP_HOST=x", PART_NONE },
		{ "HOST=0.0.0.0", PART_NONE },
		{ "PORT=3000", PART_NONE },
		{ "USER=me", PART_NONE },
		{ "DB_HOST=db", PART_HOST },
		{ "dbHost=db", PART_HOST },
		{ "DB_PORT=5433", PART_PORT },
		{ "DB_PORT=", PART_PORT },
		{ "DB_PORT=later", PART_NONE },
		{ "DB_USER=x", PART_USER },
		{ "DB_USER_NAME=x", PART_USER },
		{ "DB_PASS=x", PART_PASSWORD },
		{ "POSTGRES_PASSWORD=x", PART_PASSWORD },
		{ "POSTGRES_DB=x", PART_NAME },
		{ "PGDATABASE=x", PART_NAME },
		{ "APP_DATABASE_NAME=x", PART_NAME },
		{ "TEST_DB_NAME=x", PART_NAME },
		{ "DB_SSL=true", PART_SSL },
		{ "PG_CONNECTION_STRING=", PART_URL },
		{ "API_URL=http://x", PART_NONE },
		{ "JWT_SECRET=x", PART_NONE },
		{ "DB_POOL_MAX=10", PART_NONE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (part_of(rows[i].text) != rows[i].part)
			fail_msg("%s: %d, expected %d", rows[i].text, part_of(rows[i].text),
				 rows[i].part);
}

static void expect_rewrite(const char *text, const char *expected)
{
	static const char *const values[PARTS] = {
		[PART_URL] = "URL",   [PART_HOST] = "127.0.0.1", [PART_PORT] = "5432",
		[PART_USER] = "app",  [PART_PASSWORD] = "pw",    [PART_NAME] = "db",
		[PART_SSL] = "false",
	};
	char *got = NULL;
	size_t size = 0;

	assert_int_equal(dotenv_rewrite(text, strlen(text), values, &got, &size), 0);
	if (!expected) {
		assert_null(got);
		return;
	}
	assert_non_null(got);
	assert_int_equal(size, strlen(expected));
	assert_memory_equal(got, expected, size);
	free(got);
}

static void test_rewrite(void **state)
{
	expect_rewrite("PORT=3000\nSECRET=x", NULL);
	expect_rewrite("", NULL);
	expect_rewrite(
		"# keep\r\nPORT=3000\r\nDATABASE_URL=\"postgres://u:p@h:1/d?a=b#c\" # mine\r\n"
		"\r\nX = 'y'",
		"# keep\r\nPORT=3000\r\nDATABASE_URL=\"URL\" # mine\r\n\r\nX = 'y'");
	expect_rewrite(
		"DB_HOST=localhost\nDB_PORT=5433\nDB_USER=me\nDB_PASSWORD=\nDB_NAME=todos\n",
		"DB_HOST=127.0.0.1\nDB_PORT=5432\nDB_USER=app\nDB_PASSWORD=pw\nDB_NAME=db\n");
	expect_rewrite("  export PGHOST = db  \nREDIS_HOST=r", "  export PGHOST = 127.0.0.1  \n"
							       "REDIS_HOST=r");
}

static void expect_identity(const struct identity *id, const char *name, const char *roles)
{
	char joined[512] = "";

	for (unsigned i = 0; i < id->n_roles; i++) {
		strcat(joined, i ? "|" : "");
		strcat(joined, id->roles[i]);
	}
	assert_string_equal(id->name, name);
	assert_string_equal(joined, roles);
}

static void expect_code(const char *text, const char *name, const char *roles)
{
	struct identity id = {};

	identity_of_code(&id, text, strlen(text));
	expect_identity(&id, name, roles);
}

static void test_code(void **state)
{
	expect_code("const x = { database: 'todos', user: 'me' };", "", "");
	expect_code("new Pool({ user: 'me', host: 'db', database: 'todos', password: 'x' })",
		    "todos", "me");
	expect_code(
		"new Pool({\n user: process.env.DB_USER || 'me',\n database: process.env['DB_NAME']"
		"\n})",
		"", "me");
	expect_code("new Pool({ database: process.env['DB'] ?? \"x_1\" })", "x_1", "");
	expect_code("connect('postgres://ann:pw@localhost:5432/shop?a=1')", "shop", "ann");
	expect_code("connect(`postgres://${u}:pw@localhost/${d}`)", "", "");
	expect_code("'pg'; new Sequelize('shop', 'bob', 'pw', { dialect: 'postgres' })", "shop",
		    "bob");
	expect_code("'pg'; new Sequelize(process.env.DB || 'shop',\n process.env.U, x)", "shop",
		    "");
	expect_code("\"dialect\": \"postgres\", \"username\": \"postgres\", \"database\": \"a-b\"",
		    "a-b", "");
	expect_code("Pool( ... ) user: 'sandbox_admin', database: 'template1'", "", "");
	expect_code("Pool( ... ) database: 'it'; x.database: 'no'; database: '1x'", "it", "");
}

static void expect_compose(const char *text, const char *name, const char *roles)
{
	struct identity id = {};

	identity_of_compose(&id, text, strlen(text));
	expect_identity(&id, name, roles);
}

static void test_compose(void **state)
{
	expect_compose("environment:\n  POSTGRES_USER: me\n  POSTGRES_DB: shop\n", "shop", "me");
	expect_compose("  - POSTGRES_USER=me\n  - \"POSTGRES_DB=shop\"\n", "shop", "me");
	expect_compose("  POSTGRES_DB: ${POSTGRES_DB:-todo}\n  POSTGRES_USER: ${U}\n", "todo", "");
}

static void test_inspect(void **state)
{
	struct fixture f;

	fixture_open(&f);
	fixture_write(&f, ".env", "PORT=1\nDATABASE_URL=postgres://me:x@h/shop\nDB_HOST=x\n");
	fixture_write(&f, ".env.example", "DB_HOST=\nPG_URI=\nMY_DSN=postgresql://a:b@c/d\n");
	fixture_write(&f, "server/.env", "X_DATABASE_USER=you\n");
	fixture_write(&f, "node_modules/x/.env", "OTHER_DB_HOST=x\n");
	assert_int_equal(symlinkat("/etc/passwd", f.root, ".env.local"), 0);
	assert_int_equal(inspect_dotenv(f.root, f.out), 0);
	fixture_expect(&f, RECORD_DATABASE_VARIABLE,
		       "url:DATABASE_URL|host:DB_HOST|url:PG_URI|url:MY_DSN|user:X_DATABASE_USER",
		       false);
	fixture_expect(&f, RECORD_DATABASE_NAME, "shop", false);
	fixture_expect(&f, RECORD_DATABASE_ROLE, "me|a|you", false);
	fixture_reset(&f);
	fixture_write(&f, ".env", "DB_NAME=shop\n");
	fixture_write(&f, "src/db.js", "new Pool({ database: 'store' })");
	fixture_write(&f, "test/db.js", "new Pool({ database: 'store_test' })");
	assert_int_equal(inspect_dotenv(f.root, f.out), 0);
	fixture_expect(&f, RECORD_DATABASE_NAME, "store", false);
	fixture_expect(&f, RECORD_DATABASE_ROLE, NULL, false);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries), cmocka_unit_test(test_parts),
		cmocka_unit_test(test_rewrite), cmocka_unit_test(test_code),
		cmocka_unit_test(test_compose), cmocka_unit_test(test_inspect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
