/* SPDX-License-Identifier: MIT */

/* runner/inside/migrate/migrate-sql.c: statements and places, as messages about SQL name them. */

#include "inside-fixture.h"

#include "inside/migrate/migrate.h"

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

/* What is left of the text, spaces at the ends of lines removed, and how many rows were found. */
static void expect_dump(const char *sql, const char *expected, size_t n_rows, const char *reason)
{
	struct sql_file file = { .path = "x.sql", .sql = sql, .size = strlen(sql) };
	_cleanup_(sql_dump_done) struct sql_dump d = {};
	struct problem p = {};
	char left[512];
	size_t n = 0;
	int r = sql_dump(&file, &d, &p);

	if (reason) {
		if (r != 1 || !strstr(p.text, reason))
			fail_msg("%d \"%s\" does not hold \"%s\"", r, p.text, reason);
		return;
	}
	assert_int_equal(r, 0);
	assert_int_equal(strlen(d.sql), strlen(sql));
	for (const char *s = d.sql; *s; s++) {
		while (*s == '\n' && n > 0 && left[n - 1] == ' ')
			n--;
		left[n++] = *s;
	}
	while (n > 0 && left[n - 1] == ' ')
		n--;
	left[n] = '\0';
	assert_string_equal(left, expected);
	assert_int_equal(d.n_rows, n_rows);
}

static void test_dump(void **state)
{
	expect_dump("SELECT 1;\nSELECT 2", "SELECT 1;\nSELECT 2", 0, NULL);
	expect_dump("create  database x;\nSELECT 1;", "\nSELECT 1;", 0, NULL);
	expect_dump("\\c shop\nSELECT 1;\n\\echo 'it''s'\nSELECT 2;", "\nSELECT 1;\n\nSELECT 2;", 0,
		    NULL);
	expect_dump("\\restrict aB3\nSELECT '\\c x';", "\nSELECT '\\c x';", 0, NULL);
	expect_dump("ALTER TABLE public.x\n OWNER TO me;\nALTER TABLE x ADD owner int;",
		    "\n\nALTER TABLE x ADD owner int;", 0, NULL);
	expect_dump("GRANT ALL ON x TO y; CREATE USER MAPPING FOR y SERVER z;",
		    "                     CREATE USER MAPPING FOR y SERVER z;", 0, NULL);
	expect_dump("DO $$ BEGIN CREATE ROLE x; END $$;", "DO $$ BEGIN CREATE ROLE x; END $$;", 0,
		    NULL);
	expect_dump("COPY t (a) FROM stdin;\n1\tit's;\n\\.\nSELECT 1;",
		    "COPY t (a) FROM stdin;\n1\tit's;\n\\.\nSELECT 1;", 1, NULL);
	expect_dump("COPY t FROM STDIN;\n\\.\nCOPY u FROM STDIN WITH (FORMAT csv);\na\n\\.",
		    "COPY t FROM STDIN;\n\\.\nCOPY u FROM STDIN WITH (FORMAT csv);\na\n\\.", 2, NULL);
	expect_dump("SELECT 1;\nCOPY t FROM stdin;\n1\n", NULL, 0, "x.sql:2: the rows of COPY");
	expect_dump("SELECT 1;\n\\i other.sql\n", NULL, 0, "x.sql:2: \"\\i other.sql\"");
	expect_dump("\\copy t from 'x.csv'\n", NULL, 0, "command of psql");
}

static void test_rows(void **state)
{
	static const char sql[] = "COPY t FROM stdin;\r\n1\r\n2\r\n\\.\r\nSELECT 1;";
	struct sql_file file = { .path = "x.sql", .sql = sql, .size = strlen(sql) };
	_cleanup_(sql_dump_done) struct sql_dump d = {};
	struct problem p = {};

	assert_int_equal(sql_dump(&file, &d, &p), 0);
	assert_int_equal(d.n_rows, 1);
	assert_int_equal(d.rows[0].statement_end, strlen("COPY t FROM stdin"));
	assert_int_equal(d.rows[0].to - d.rows[0].from, strlen("1\r\n2\r\n"));
	assert_memory_equal(sql + d.rows[0].from, "1\r\n2\r\n", 6);
	assert_string_equal(sql + d.rows[0].end, "\nSELECT 1;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
