/* SPDX-License-Identifier: MIT */

/*
 * runner/inside/inspect/{inspect-command,inspect-entry,script-*}.c: what is run for the scripts and
 * files that students hand in. (TypeScript: test-typescript.c.)
 */

#include "detect-fixture.h"

/* The script "start" as it is in each row, in a project with these packages. */
static void expect_starts(const char *packages, const char *const (*rows)[2], size_t n)
{
	struct fixture f;
	struct problem p;

	fixture_open(&f);
	for (size_t i = 0; i < n; i++) {
		struct row row = { .files = { "server.js", "src/index.ts", "src/a.js" },
				   .start = rows[i][1] };
		char package[2048];

		(void)snprintf(package, sizeof(package),
			       "{\"main\":\"server.js\",\"scripts\":{\"start\":\"%s\"},"
			       "\"dependencies\":{%s}}",
			       rows[i][0], packages);
		row.package = package;
		prepare(&f, &row);
		if (inspect(f.root, f.out, &p) != 0)
			fail_msg("%s: refused: %s", package, p.text);
		expect_record(&f, &row, RECORD_START, row.start);
	}
	fixture_close(&f);
}

static void test_plain_scripts(void **state)
{
	static const char *const rows[][2] = {
		{ "node server.js", "node|server.js" },
		{ "  node  --max-old-space-size=100 ./src/a.js  --port 1 ",
		  "node|--max-old-space-size=100|./src/a.js|--port|1" },
		{ "node --env-file=.env -r dotenv/config server.js",
		  "node|--env-file-if-exists=.env|-r|dotenv/config|server.js" },
		{ "node --env-file .env --watch server.js",
		  "node|--env-file-if-exists=.env|server.js" },
		{ "node 'src/a.js' \\\"b c\\\"", "node|src/a.js|b c" },
		{ "exec node server.js", "node|server.js" },
		{ "node .\\\\src\\\\a.js", "node|./src/a.js" },
		{ "node server.js;", "node|server.js" },
		{ "\\r\\nnode server.js\\r\\n", "node|server.js" },
		{ "node --watch server.js", "node|server.js" },
		{ "node --watch-path=./src --inspect=0.0.0.0:9229 server.js", "node|server.js" },
		{ "node --watch-path src -r x --inspect server.js", "node|-r|x|server.js" },
		{ "NODE_ENV=production node server.js", "env|NODE_ENV=production|node|server.js" },
		{ "cross-env A=1 B=2 node server.js", "env|A=1|B=2|node|server.js" },
		{ "npx cross-env A=1 node server.js", "env|A=1|node|server.js" },
		{ "set A=1 && node server.js", "env|A=1|node|server.js" },
		{ "export A=1; node server.js", "env|A=1|node|server.js" },
		{ "NODE_OPTIONS='--a --b' node server.js", "node|--a|--b|server.js" },
		{ "dotenv -- node server.js", "node|--env-file-if-exists=.env|server.js" },
		{ "dotenv -e .env.local -- node server.js",
		  "node|--env-file-if-exists=.env.local|server.js" },
		{ "dotenv -- other", "dotenv|--|other" },
		{ "npm install && node server.js", "node|server.js" },
		{ "./node_modules/.bin/nodemon server.js", "node|server.js" },
		{ "pm2 start server.js -i max --name api", "node|server.js" },
		{ "pm2-runtime server.js", "node|server.js" },
		{ "forever start server.js", "node|server.js" },
		{ "node-dev --notify=false server.js", "node|server.js" },
		{ "supervisor -w src server.js", "node|server.js" },
		{ "bun run server.js", "node|server.js" },
		{ "bun --watch server.js", "node|server.js" },
	};

	expect_starts("", rows, ARRAY_SIZE(rows));
}

static void test_shell_scripts(void **state)
{
	static const char *const rows[][2] = {
		{ "node server.js || true", "sh|-c|node server.js || true" },
		{ "node server.js | cat", "sh|-c|node server.js | cat" },
		{ "node $(cat x)", "sh|-c|node $(cat x)" },
		{ "node server.js > log", "sh|-c|node server.js > log" },
		{ "node *.js", "sh|-c|node *.js" },
		{ "node server.js --port $PORT", "sh|-c|exec node server.js --port $PORT" },
		{ "PORT=${PORT:-3000} nodemon server.js",
		  "sh|-c|PORT=${PORT:-3000} exec node server.js" },
		{ "node seed.js && node server.js", "sh|-c|node seed.js && exec node server.js" },
		{ "node seed.js; node 'server.js' 'a b'",
		  "sh|-c|node seed.js; exec node server.js 'a b'" },
		{ "cd src && node a.js", "sh|-c|cd src && exec node a.js" },
		{ "cd src && npm start", "sh|-c|cd src && npm start" },
		{ "cd src && nodemon a.js", "sh|-c|cd src && exec node a.js" },
		{ "node server.js 'it'\\\"'\\\"'s'", "node|server.js|it's" },
		{ "sh start.sh", "sh|start.sh" },
	};

	expect_starts("", rows, ARRAY_SIZE(rows));
}

static void test_watchers(void **state)
{
	static const char *const rows[][2] = {
		{ "nodemon server.js", "node|server.js" },
		{ "nodemon", "node|server.js" },
		{ "nodemon ./server", "node|./server" },
		{ "nodemon -w src --ext js,json --ignore '*.test.js' server.js --flag",
		  "node|server.js|--flag" },
		{ "nodemon --watch src/**/*.ts --exec ts-node src/index.ts",
		  "ts-node|src/index.ts" },
		{ "nodemon --exec \\\"ts-node --files\\\" src/index.ts",
		  "ts-node|--files|src/index.ts" },
		{ "nodemon --exec 'ts-node src/index.ts'", "ts-node|src/index.ts" },
		{ "nodemon -x 'npx tsx src/index.ts' -e ts", "node|--import|tsx|src/index.ts" },
		{ "nodemon --exec node --loader ts-node/esm src/index.ts",
		  "node|--loader|ts-node/esm|src/index.ts" },
		{ "nodemon src/index.ts", "node|--import|tsx|src/index.ts" },
		{ "tsx src/index.ts", "node|--import|tsx|src/index.ts" },
		{ "tsx watch --clear-screen=false src/index.ts", "node|--import|tsx|src/index.ts" },
		{ "tsx watch --ignore ./x src/index.ts", "node|--import|tsx|src/index.ts" },
		{ "tsx --tsconfig t.json src/index.ts", "tsx|--tsconfig|t.json|src/index.ts" },
		{ "tsx --env-file=.env src/index.ts", "tsx|--env-file-if-exists=.env|src/index.ts" },
		{ "ts-node src/index.ts", "ts-node|src/index.ts" },
		{ "ts-node -r tsconfig-paths/register src/index.ts",
		  "ts-node|-r|tsconfig-paths/register|src/index.ts" },
		{ "ts-node-dev --respawn --transpile-only --exit-child src/index.ts",
		  "ts-node|--transpile-only|src/index.ts" },
		{ "tsnd --respawn --ignore-watch node_modules -r x src/index.ts",
		  "ts-node|-r|x|src/index.ts" },
	};

	expect_starts("\"tsx\":\"^4.19.0\",\"ts-node\":\"10\"", rows, ARRAY_SIZE(rows));
}

static void test_old_tsx(void **state)
{
	static const char *const rows[][2] = { { "tsx watch src/index.ts", "tsx|src/index.ts" } };

	expect_starts("\"tsx\":\"^3.12.0\"", rows, ARRAY_SIZE(rows));
}

/* A runner that is not installed: Node's own, as these files are plain. */
static void test_missing_runner(void **state)
{
	static const char *const rows[][2] = {
		{ "ts-node src/index.ts", "node|src/index.ts" },
		{ "tsx watch src/index.ts", "node|src/index.ts" },
		{ "bun run src/index.ts", "node|src/index.ts" },
		{ "nodemon --exec ts-node src/index.ts", "node|src/index.ts" },
	};

	expect_starts("", rows, ARRAY_SIZE(rows));
}

static void test_chains(void **state)
{
	static const struct row rows[] = {
		{ "\"start\":\"npm run serve\",\"serve\":\"node a.js\"",
		  { "a.js" },
		  "node|a.js",
		  NULL },
		{ "\"start\":\"yarn serve --x\",\"serve\":\"nodemon a.js\"",
		  { "a.js" },
		  "node|a.js|--x",
		  NULL },
		{ "\"start\":\"npm run serve a -- --x\",\"serve\":\"node a.js\"",
		  { "a.js" },
		  "node|a.js|a|--x",
		  NULL },
		{ "\"start\":\"pnpm run serve -- --x\",\"serve\":\"node a.js\"",
		  { "a.js" },
		  "node|a.js|--x",
		  NULL },
		{ "\"start\":\"npm-run-all build serve\",\"build\":\"tsc\",\"serve\":\"node d.js\"",
		  { NULL },
		  "node|d.js",
		  "tsc" },
		{ "\"start\":\"npm run serve y -- -d x\",\"serve\":\"node a.js\"",
		  { "a.js" },
		  "node|a.js|y|-d|x",
		  NULL },
		{ "\"start\":\"node --run serve\",\"serve\":\"node a.js\"",
		  { "a.js" },
		  "node|a.js",
		  NULL },
		{ "\"start\":\"A=1 npm run x\",\"x\":\"B=2 node a.js\"",
		  { "a.js" },
		  "env|A=1|B=2|node|a.js",
		  NULL },
		{ "\"prestart\":\"node seed.js\",\"start\":\"node a.js\"",
		  { "a.js" },
		  "sh|-c|node seed.js && exec node a.js",
		  NULL },
		{ "\"prestart\":\"npm run build\",\"build\":\"tsc\",\"start\":\"node d.js\"",
		  { NULL },
		  "node|d.js",
		  "tsc" },
		{ "\"build\":\"tsc\",\"start\":\"npm run build && node dist/a.js\"",
		  { NULL },
		  "node|dist/a.js",
		  "tsc" },
		{ "\"start\":\"rimraf dist && tsc && node dist/a.js\"",
		  { NULL },
		  "node|dist/a.js",
		  "sh|-c|rimraf dist && tsc" },
		{ "\"prebuild\":\"rimraf dist\",\"build\":\"tsc -p .\",\"postbuild\":\"cp a dist\","
		  "\"start\":\"node dist/a\"",
		  { NULL },
		  "node|dist/a",
		  "sh|-c|rimraf dist && tsc -p . && cp a dist" },
		{ "\"start\":\"concurrently \\\"tsc -w\\\" \\\"nodemon dist/a.js\\\"\"",
		  { NULL },
		  "node|dist/a.js",
		  "tsc" },
		{ "\"start\":\"concurrently -n x,y npm:watch:*\",\"watch:ts\":\"tsc "
		  "-w\",\"watch:run\":"
		  "\"node --watch dist/a.js\"",
		  { NULL },
		  "node|dist/a.js",
		  "tsc" },
		{ "\"start\":\"run-p watch:*\",\"watch:ts\":\"tsc -w\",\"watch:run\":\"node "
		  "dist/a.js\"",
		  { NULL },
		  "node|dist/a.js",
		  "tsc" },
		{ "\"start\":\"tsc -w & nodemon dist/a.js\"", { NULL }, "node|dist/a.js", "tsc" },
		{ "\"start\":\"npm --prefix x start\"", { NULL }, "npm|--prefix|x|start", NULL },
		{ "\"start\":\"npm start\"", { NULL }, "npm|start", NULL },
		{ "\"start\":\"npm run missing\"", { NULL }, "npm|run|missing", NULL },
		{ "\"postinstall\":\"npm run compile\",\"compile\":\"tsc\",\"start\":\"node "
		  "d/a.js\"",
		  { NULL },
		  "node|d/a.js",
		  "tsc" },
	};

	expect_rows(rows, ARRAY_SIZE(rows));
}

static void test_stages(void **state)
{
	struct fixture f;
	struct problem p;
	static const struct row rows[] = {
		{ "\"start\":\"prisma generate && prisma migrate deploy && node a.js\"",
		  { "a.js" },
		  "node|a.js",
		  NULL },
		{ "\"start\":\"npx prisma db push && npx tsc && node dist/a.js\"",
		  { NULL },
		  "node|dist/a.js",
		  "tsc" },
		{ "\"start\":\"npm run db && node a.js\",\"db\":\"knex migrate:latest && knex "
		  "seed:run\"",
		  { "a.js" },
		  "sh|-c|knex seed:run && exec node a.js",
		  NULL },
		{ "\"build\":\"prisma generate && tsc\",\"start\":\"node dist/a.js\"",
		  { NULL },
		  "node|dist/a.js",
		  "tsc" },
		{ "\"build\":\"prisma generate\",\"start\":\"node a.js\"",
		  { "a.js" },
		  "node|a.js",
		  NULL },
	};
	static const char *const migrations[] = { "prisma migrate deploy", "prisma db push",
						  "knex migrate:latest", NULL, NULL };

	expect_rows(rows, ARRAY_SIZE(rows));
	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		prepare(&f, &rows[i]);
		assert_int_equal(inspect(f.root, f.out, &p), 0);
		expect_record(&f, &rows[i], RECORD_START_MIGRATE, migrations[i]);
	}
	fixture_close(&f);
}

static void test_which_script(void **state)
{
	static const struct row rows[] = {
		{ "\"dev\":\"nodemon a.js\"", { "a.js" }, "node|a.js", NULL },
		{ "\"dev\":\"nodemon a.js\",\"start:prod\":\"node b.js\"",
		  { "a.js", "b.js" },
		  "node|b.js",
		  NULL },
		{ "\"start\":\"react-scripts start\",\"server\":\"node a.js\"",
		  { "a.js" },
		  "node|a.js",
		  NULL },
		{ "\"start\":\"vite\",\"dev\":\"vite\"", { "server.js" }, "node|server.js", NULL },
		/* its file is nowhere, and nothing makes it */
		{ "\"start\":\"node dist/a.js\",\"dev\":\"nodemon a.js\"",
		  { "a.js" },
		  "node|a.js",
		  NULL },
		{ "\"start\":\"node dist/a.js\"", { "b.js" }, "node|dist/a.js", NULL },
		{ "\"start\":\"./run.sh\",\"dev\":\"node a.js\"",
		  { "a.js", "run.sh" },
		  "./run.sh",
		  NULL },
		{ "\"start\":\" \"", { "app.js" }, "node|app.js", NULL },
		/* a build for browsers does not hold up a server that is there */
		{ "\"start\":\"node a.js\",\"build\":\"cd web && npm run build\"",
		  { "a.js" },
		  "node|a.js",
		  "SKIPPED it is not the server's" },
		{ "\"start\":\"node a.js\",\"build\":\"react-scripts build\"",
		  { "a.js" },
		  "node|a.js",
		  "SKIPPED it is not the server's" },
		{ "\"start\":\"node a.js\",\"build\":\"node make.js\"",
		  { "a.js" },
		  "node|a.js",
		  "node|make.js" },
		/* run from its sources */
		{ "{\"scripts\":{\"start\":\"tsx src/a.ts\",\"build\":\"tsc\"},\"dependencies\":{"
		  "\"tsx\":\"4\"}}",
		  { "src/a.ts" },
		  "node|--import|tsx|src/a.ts",
		  "SKIPPED the server runs from its sources" },
		/* but its author checks the types */
		{ "{\"scripts\":{\"start\":\"tsx src/a.ts\",\"build\":\"tsc --noEmit\"},"
		  "\"dependencies\":{\"tsx\":\"4\"}}",
		  { "src/a.ts" },
		  "node|--import|tsx|src/a.ts",
		  "tsc|--noEmit" },
	};

	expect_rows(rows, ARRAY_SIZE(rows));
}

static void test_nest(void **state)
{
	static const struct row rows[] = {
		{ "{\"scripts\":{\"start\":\"nest start\",\"build\":\"nest "
		  "build\"},\"dependencies\":{"
		  "\"@nestjs/core\":\"^11.0.1\"}}",
		  { "src/main.ts", "tsconfig.json={}" },
		  "node|dist/main.js",
		  "nest|build" },
		{ "{\"scripts\":{\"start:dev\":\"nest start --watch\"},\"dependencies\":{"
		  "\"@nestjs/core\":\"10\"}}",
		  { "src/main.ts", "tsconfig.json={\"compilerOptions\":{\"outDir\":\"./out\"}}" },
		  "node|out/main.js",
		  "nest|build" },
		{ "{\"scripts\":{\"prebuild\":\"rimraf dist\",\"build\":\"nest "
		  "build\",\"start\":\"nest "
		  "start\",\"start:prod\":\"node dist/main\"},\"dependencies\":{\"@nestjs/core\":"
		  "\"10\"}}",
		  { "src/main.ts" },
		  "node|dist/main.js",
		  "sh|-c|rimraf dist && nest build" },
	};

	expect_rows(rows, ARRAY_SIZE(rows));
}

static void test_files(void **state)
{
	static const struct row rows[] = {
		{ "{\"main\":\"x.js\"}", { "x.js", "server.js" }, "node|x.js", NULL },
		{ "{\"main\":\"./lib\"}", { "lib/index.js" }, "node|lib", NULL },
		{ "{\"main\":\"index.js\"}", { "app.js" }, "node|app.js", NULL },
		{ "{\"main\":\"../x.js\"}", { "app.js" }, "node|app.js", NULL },
		{ "{\"main\":\"-e.js\"}", { "-e.js" }, NULL, NULL },
		{ "{\"exports\":\"./x.mjs\"}", { "x.mjs" }, "node|x.mjs", NULL },
		{ "{\"exports\":{\".\":{\"import\":\"./x.mjs\"}}}",
		  { "x.mjs" },
		  "node|x.mjs",
		  NULL },
		{ "{\"bin\":{\"api\":\"bin/api.js\"}}", { "bin/api.js" }, "node|bin/api.js", NULL },
		{ "{}", { "bin/www", "app.js" }, "node|app.js", NULL },
		{ "{}", { "bin/www" }, "node|bin/www", NULL },
		{ "{}", { "dist/index.js", "README" }, "node|dist/index.js", NULL },
		{ "{}", { "src/app.cjs", "src/index.js" }, "node|src/index.js", NULL },
		{ NULL, { "index.js", "server.mjs" }, "node|server.mjs", NULL },
		{ NULL, { "README" }, NULL, NULL },
	};

	expect_rows(rows, ARRAY_SIZE(rows));
}

static void test_words_for_people(void **state)
{
	static const struct {
		struct row row;
		const char *language, *framework, *from, *entries;
	} rows[] = {
		{ { "{\"dependencies\":{\"express\":\"^5.1.0\"}}", { "server.js" }, NULL, NULL },
		  "JavaScript",
		  "express 5",
		  "its name",
		  NULL },
		{ { "{\"type\":\"module\",\"scripts\":{\"start\":\"node a.js\"},\"dependencies\":{"
		    "\"hono\":\"latest\"}}",
		    { "a.js" },
		    NULL,
		    NULL },
		  "JavaScript (ES modules)",
		  "hono",
		  "package.json \"start\"",
		  NULL },
		{ { "{\"devDependencies\":{\"typescript\":\"5\"}}",
		    { "src/index.ts", TSC },
		    NULL,
		    NULL },
		  "TypeScript (tsc)",
		  NULL,
		  "its name",
		  "dist/index.js|dist/src/index.js" },
		{ { "\"dev\":\"node src/a.ts\"", { "src/a.ts" }, NULL, NULL },
		  "TypeScript (Node strips the types)",
		  NULL,
		  "package.json \"dev\"",
		  NULL },
		{ { "\"start\":\"node ./dist/a\",\"build\":\"tsc\"", { "x" }, NULL, NULL },
		  "JavaScript",
		  NULL,
		  "package.json \"start\"",
		  "dist/a|dist/a.js|dist/a.mjs|dist/a.cjs|dist/a/index.js" },
	};
	struct fixture f;
	struct problem p;

	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		prepare(&f, &rows[i].row);
		assert_int_equal(inspect(f.root, f.out, &p), 0);
		expect_record(&f, &rows[i].row, RECORD_LANGUAGE, rows[i].language);
		expect_record(&f, &rows[i].row, RECORD_FRAMEWORK, rows[i].framework);
		expect_record(&f, &rows[i].row, RECORD_START_FROM, rows[i].from);
		expect_record(&f, &rows[i].row, RECORD_ENTRY, rows[i].entries);
	}
	fixture_close(&f);
}

/* Scripts that call each other without end, or very often, must end all the same. */
static void test_hostile_scripts(void **state)
{
	struct fixture f;
	struct problem p;
	char *text = malloc(100000);
	size_t n = 0;

	fixture_open(&f);
	n += (size_t)sprintf(text, "{\"scripts\":{\"start\":\"npm run s0\"");
	for (int i = 0; i < 30; i++)
		n += (size_t)sprintf(text + n,
				     ",\"s%d\":\"npm run s%d && npm run s%d && npm run s%d\"", i,
				     i + 1, i + 1, (i * 7) % 30);
	(void)sprintf(text + n, "}}");
	fixture_write(&f, "package.json", text);
	assert_in_range(inspect(f.root, f.out, &p), 0, 1);
	fixture_reset(&f);
	n = (size_t)sprintf(text, "{\"scripts\":{\"start\":\"");
	memset(text + n, 'x', 90000);
	for (size_t i = 0; i < 90000; i += 7)
		text[n + i] = "&;' $-"[i % 6];
	(void)sprintf(text + n + 90000, "\"}}");
	fixture_write(&f, "package.json", text);
	assert_in_range(inspect(f.root, f.out, &p), 0, 1);
	free(text);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_scripts),
		cmocka_unit_test(test_shell_scripts),
		cmocka_unit_test(test_watchers),
		cmocka_unit_test(test_old_tsx),
		cmocka_unit_test(test_missing_runner),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_which_script),
		cmocka_unit_test(test_nest),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_words_for_people),
		cmocka_unit_test(test_hostile_scripts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
