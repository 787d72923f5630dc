/* SPDX-License-Identifier: MIT */

/* runner/pipeline/log-line.c: the line of a log that goes into the sentence of a verdict. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/log-line.h"
#include "util/util.h"

static const char syntax[] = "listening soon\n"
			     "/app/src/server.js:12\n"
			     "  }\n"
			     "  ^\n"
			     "\n"
			     "SyntaxError: Unexpected token '}'\n"
			     "    at wrapSafe (node:internal/modules/cjs/loader:1620:18)\n"
			     "\n"
			     "Node.js v22.23.3\n";
static const char esm[] = "file:///app/a.mjs:3\n"
			  "x();\n"
			  "^\n"
			  "\n"
			  "ReferenceError: x is not defined\n"
			  "    at file:///app/a.mjs:3:1\n";
static const char library[] = "/app/node_modules/pg/lib/a.js:7\n"
			      "    throw e\n"
			      "    ^\n"
			      "\n"
			      "error: relation \"cars\" does not exist\n"
			      "    at Parser.parse (/app/node_modules/pg/x.js:1:1)\n"
			      "    at main (/app/db.js:44:5) {\n"
			      "  code: '42P01'\n"
			      "}\n";
static const char missing[] = "node:internal/modules/cjs/loader:1228\n"
			      "  throw err;\n"
			      "  ^\n"
			      "\n"
			      "Error: Cannot find module 'express'\n"
			      "Require stack:\n"
			      "- /app/server.js\n"
			      "    at Function._load (node:internal/modules/cjs/loader:1055:27) {\n"
			      "  code: 'MODULE_NOT_FOUND'\n"
			      "}\n";
static const char caused[] = "node:internal/deps/undici/undici:13510\n"
			     "      Error.captureStackTrace(err);\n"
			     "            ^\n"
			     "\n"
			     "TypeError: fetch failed\n"
			     "    at node:internal/deps/undici/undici:13510:13\n"
			     "    at async send (/app/src/mail.js:7:2) {\n"
			     "  [cause]: Error: getaddrinfo EAI_AGAIN api.example.com\n"
			     "      at GetAddrInfoReqWrap.onlookupall (node:dns:120:26) {\n"
			     "    code: 'EAI_AGAIN'\n";
static const char tsc[] =
	"\x1b[96msrc/a.ts\x1b[0m:\x1b[93m3\x1b[0m:5 - \x1b[91merror\x1b[0m TS2322: no\n"
	"src/b.ts(1,1): error TS1: later\n"
	"Found 2 errors.\n";

static void expect(const char *log, const char *line)
{
	char got[LOG_LINE];

	log_error_line(log, strlen(log), got);
	assert_string_equal(got, line);
}

static void test_lines(void **state)
{
	expect(syntax, "SyntaxError: Unexpected token '}' (src/server.js:12)");
	expect(esm, "ReferenceError: x is not defined (a.mjs:3)");
	expect(library, "error: relation \"cars\" does not exist (db.js:44)");
	expect(missing, "Error: Cannot find module 'express'");
	expect(tsc, "src/a.ts:3:5 - error TS2322: no");
	expect("src/a.ts(3,5): error TS2322: no\nsrc/b.ts(1,1): error TS1: later\n",
	       "src/a.ts(3,5): error TS2322: no");
	expect("x\n\xe2\x9c\x98 [ERROR] Could not resolve \"y\"\n\n  a.ts:1\n",
	       "\xe2\x9c\x98 [ERROR] Could not resolve \"y\"");
	expect("TypeError: first\nRangeError [ERR_X]: last\n", "RangeError [ERR_X]: last");
	expect(caused, "Error: getaddrinfo EAI_AGAIN api.example.com (src/mail.js:7)");
	expect("AggregateError [ECONNREFUSED]: \n    at x (node:net:1:2) {\n  [errors]: [\n"
	       "    Error: connect ECONNREFUSED ::1:6379\n        at y (node:net:1:2)\n"
	       "    Error: connect ECONNREFUSED 127.0.0.1:6379\n",
	       "Error: connect ECONNREFUSED ::1:6379");
	expect("sh: 1: tsc: not found\n", "sh: 1: tsc: not found");
	expect("bad things\n}\n\nNode.js v22.1.0\n", "bad things");
	expect("", "");
	expect("\n\n   \n", "");
}

static void test_hints(void **state)
{
	static const struct {
		const char *line, *manifest, *hint;
	} rows[] = {
		{ "Error: Cannot find module 'express'", NULL,
		  "; there is no package.json in the archive" },
		{ "Error: Cannot find module 'express'", "{}",
		  "; it is not in package.json (npm install express)" },
		{ "Error: Cannot find module 'pg/lib/x'", "{\"dependencies\":{\"express\":\"5\"}}",
		  "; it is not in package.json (npm install pg)" },
		{ "Cannot find package '@hono/node-server/x' imported", "{}",
		  "; it is not in package.json (npm install @hono/node-server)" },
		{ "Error: Cannot find module 'pg'", "{\"dependencies\":{\"pg\":\"8\"}}", "" },
		{ "Error: Cannot find module '.prisma/client/default'",
		  "{\"dependencies\":{\"@prisma/client\":\"6\"}}",
		  "; what makes it is not in package.json (npm install prisma)" },
		{ "Error: Cannot find module '.prisma/client/default'",
		  "{\"dependencies\":{\"@prisma/client\":\"6\",\"prisma\":\"6\"}}", "" },
		{ "Error: Cannot find module './routes'", "{}", "" },
		{ "Error: Cannot find module '/app/x.js'", "{}", "" },
		{ "Error: Cannot find module '@/x'", "{}", "" },
		{ "Error: Cannot find module 'node:x'", "{}", "" },
		{ "Error: Cannot find module '", "{}", "" },
		{ "TypeError: x", NULL, "" },
	};
	char got[LOG_LINE];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		log_error_hint(rows[i].line, rows[i].manifest, got);
		assert_string_equal(got, rows[i].hint);
	}
}

/* Long lines, no line ends, cut sequences, many megabytes: bounded, and never read past the end. */
static void test_hostile(void **state)
{
	static const char *const parts[] = {
		"/app/", "x:1", "Error: ", "\x1b[", "error TS1", "\n",
		"at ",   "'",   "(",       "\xff",  "Error [",   "\r"
	};
	size_t size = 3u << 20, at = 0;
	char *log = malloc(size);
	char got[LOG_LINE];

	assert_non_null(log);
	for (unsigned i = 0; at + 16 < size; i = i * 1103515245u + 12345u) {
		const char *part = parts[(i >> 16) % ARRAY_SIZE(parts)];

		memcpy(log + at, part, strlen(part));
		at += strlen(part);
	}
	log_error_line(log, at, got);
	assert_in_range(strlen(got), 1, LOG_LINE - 1);
	for (size_t n = 0; n < 300; n++) {
		char *exact = malloc(n + 1);

		memcpy(exact, log, n);
		log_error_line(exact, n, got);
		free(exact);
	}
	memset(log, 'x', size);
	log_error_line(log, size, got);
	assert_int_equal(strlen(got), LOG_LINE - 1);
	free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
