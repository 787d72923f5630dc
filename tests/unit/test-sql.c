/* SPDX-License-Identifier: MIT */

/* runner/inside/migrate-sql.c: statements and places, as messages about SQL name them. */

#include "inside-fixture.h"

#include "inside/migrate.h"

static void test_statements(void **state)
{
	static const struct {
		const char *sql, *statements; /* joined by '|' */
	} rows[] = {
		{ "", "" },
		{ " ;; -- x\n /* ; */ ", "" },
		{ "a; b;c", "a|b|c" },
		{ "a ';' b; c", "a ';' b|c" },
		{ "a '';'; ''b; c", "a ''|'; ''b; c" },
		{ "a 'x'';'; b", "a 'x'';'|b" },
		{ "a '\\'; b", "a '\\'|b" },
		{ "a E'\\';'; b", "a E'\\';'|b" },
		{ "a \";\"; b", "a \";\"|b" },
		{ "a -- ;\n b; c", "a -- ;\n b|c" },
		{ "a /* ; /* ; */ ; */ b; c", "a /* ; /* ; */ ; */ b|c" },
		{ "a $$;$$; b", "a $$;$$|b" },
		{ "a $x$ ; $$ ; $x$; b", "a $x$ ; $$ ; $x$|b" },
		{ "a $1; b", "a $1|b" },
		{ "a x$$y; b", "a x$$y|b" },
		{ "rule do (a; b); c", "rule do (a; b)|c" },
		{ "f BEGIN ATOMIC a; CASE x END; END; b", "f BEGIN ATOMIC a; CASE x END; END|b" },
		{ "BEGIN; a; END; b", "BEGIN|a|END|b" },
		{ "a 'open; b", "a 'open; b" },
		{ "a $x$ open; b", "a $x$ open; b" },
		{ "a /* open; b", "a" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t at = 0, start, end, n = strlen(rows[i].sql);
		char joined[256] = "";

		while (sql_next(rows[i].sql, n, &at, &start, &end)) {
			if (joined[0])
				strcat(joined, "|");
			strncat(joined, rows[i].sql + start, end - start);
		}
		assert_string_equal(joined, rows[i].statements);
	}
}

static void test_places(void **state)
{
	const char *sql = "a\n\xc3\xb6 x\nz";
	size_t offset = sql_offset(sql, strlen(sql), 5); /* a, newline, ö, space, x */

	assert_int_equal(offset, 5);
	assert_int_equal(sql_place(sql, offset).line, 2);
	assert_int_equal(sql_place(sql, offset).column, 3);
	assert_int_equal(sql_offset(sql, strlen(sql), 100), strlen(sql));
}

static void expect_load(struct fixture *f, const char *path, const char *reason)
{
	struct sql_file file = {};
	struct problem p = {};
	int r = sql_load(f->root, path, &file, &p);

	if (!reason)
		assert_int_equal(r, 0);
	else if (r != 1 || !strstr(p.text, reason))
		fail_msg("%d \"%s\" does not hold \"%s\"", r, p.text, reason);
	sql_done(&file);
}

static void test_load(void **state)
{
	struct fixture f;

	fixture_open(&f);
	fixture_write(&f, "bom.sql", "\xef\xbb\xbfSELECT 1");
	expect_load(&f, "bom.sql", NULL);
	fixture_write(&f, "bad.sql", "SELECT 1;\n\n'\xff'");
	expect_load(&f, "bad.sql", "bad.sql:3: holds bytes that are not UTF-8");
	fixture_write(&f, "wide.sql", "\xff\xfeS");
	expect_load(&f, "wide.sql", "UTF-16");
	expect_load(&f, "none.sql", "does not exist");
	expect_load(&f, "../x", "not the path");
	assert_int_equal(symlinkat("bom.sql", f.root, "link.sql"), 0);
	expect_load(&f, "link.sql", "is a link");
	assert_int_equal(mkfifoat(f.root, "fifo.sql", 0600), 0);
	expect_load(&f, "fifo.sql", "is not a file");
	expect_load(&f, "bom.sql/x", "does not exist");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
