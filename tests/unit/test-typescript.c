/* SPDX-License-Identifier: MIT */

/*
 * runner/inside/inspect/{inspect-typescript,inspect-erasable}.c: what is run for a project in
 * TypeScript, and what Node cannot run by stripping its types.
 */

#include "detect-fixture.h"

static void test_typescript(void **state)
{
	static const struct row rows[] = {
		{ "{\"dependencies\":{\"tsx\":\"4\"}}",
		  { "src/index.ts" },
		  "node|--import|tsx|src/index.ts",
		  NULL },
		{ "{\"devDependencies\":{\"ts-node\":\"10\"}}",
		  { "src/main.ts" },
		  "ts-node|src/main.ts",
		  NULL },
		{ "{\"devDependencies\":{\"@swc-node/register\":\"1\"}}",
		  { "app.ts" },
		  "node|-r|@swc-node/register|app.ts",
		  NULL },
		{ "{\"devDependencies\":{\"typescript\":\"5\"}}",
		  { "src/index.ts", TSC },
		  "node|dist/index.js",
		  "tsc" },
		{ "{\"devDependencies\":{\"typescript\":\"5\"}}",
		  { "src/index.ts", "tsconfig.json={\"extends\":\"./base.json\"}",
		    "base.json={\"compilerOptions\":{\"outDir\":\"out\",\"rootDir\":\".\"}}" },
		  "node|out/src/index.js",
		  "tsc" },
		{ "{\"main\":\"dist/app.js\",\"scripts\":{\"build\":\"tsc\"}}",
		  { "src/index.ts", TSC },
		  "node|dist/index.js",
		  "tsc" },
		{ "{\"main\":\"dist/app.js\",\"scripts\":{\"build\":\"esbuild x --outdir=dist\"}}",
		  { "x.ts" },
		  "node|dist/app.js",
		  "esbuild|x|--outdir=dist" },
		{ "{\"devDependencies\":{\"typescript\":\"5\"}}",
		  { "src/index.ts", "tsconfig.json={\"compilerOptions\":{\"noEmit\":true}}" },
		  "node|src/index.ts",
		  NULL },
		{ "{}",
		  { "server.ts=import { a } from './a.ts'\n", "a.ts" },
		  "node|server.ts",
		  NULL },
		{ "{}", { "server.ts=enum A { B }" }, NULL, NULL },
		{ "\"start\":\"node dist/index.js\"",
		  { "src/index.ts" },
		  "node|dist/index.js",
		  NULL },
	};

	expect_rows(rows, ARRAY_SIZE(rows));
}

/* What Node's type stripping cannot do, and what only looks like it. */
static void test_erasable(void **state)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{ "type A = { x: number }; const a = <A>{}; function f(this: A, x?: number) {}",
		  NULL },
		{ "declare enum A { B }\ndeclare const enum C { D }\nconst enumerate = { enum: 1 }",
		  NULL },
		{ "// enum A {\n/* namespace B { */ const s = 'enum A {'; const t = `enum A { "
		  "${1}`;",
		  NULL },
		{ "const r = /enum A {/g; const d = a / b; class A { constructor(readonly: number) "
		  "{} }",
		  NULL },
		{ "declare module 'x' { }\nimport type { A } from './missing'", NULL },
		{ "import { a } from './b.js'", NULL },
		{ "import express from 'express'; import '@scope/pkg'", NULL },
		{ "\n\nexport enum Color { Red }", "index.ts:3 holds an enum" },
		{ "const enum Color { Red }", "an enum" },
		{ "export namespace A { export const x = 1 }", "a namespace" },
		{ "class A { constructor(private readonly x: number) {} }",
		  "a parameter property" },
		{ "class A { constructor(a: B, public x = f(1)) {} }", "a parameter property" },
		{ "import fs = require('fs')", "import x = require()" },
		{ "export = f", "export =" },
		{ "@Controller() class A {}", "a decorator" },
		{ "import { a } from './c'", "an import without the ending of the file (\"./c\")" },
		{ "import a from '@/c'", "path alias" },
		{ "import { c } from './c.ts'", "c.ts:1 holds an enum" },
	};
	struct fixture f;
	struct problem p;

	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct row row = { .package = "{}", .files = { "b.js", "c.ts=enum C { D }" } };
		char *got;

		prepare(&f, &row);
		fixture_write(&f, "index.ts", rows[i].text);
		assert_int_equal(inspect(f.root, f.out, &p), 0);
		got = fixture_records(&f, RECORD_START_ERROR, false);
		if ((got == NULL) != (rows[i].reason == NULL) ||
		    (got && !strstr(got, rows[i].reason)))
			fail_msg("%s: %s", rows[i].text, got ? got : "(accepted)");
		free(got);
	}
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_typescript),
		cmocka_unit_test(test_erasable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
