/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Rows of projects for the tests of what is run: a package.json, the files that lie beside it
 * ("name=content" where the content counts) and what must come of them.
 */

#include "inside-fixture.h"

#include "inside/inspect/inspect.h"

/* One of `files`. */
#define TSC                                                                                        \
	"tsconfig.json=// made by tsc --init\n{\"compilerOptions\":{\"outDir\":\"./dist/\",/* x "  \
	"*/},}"

struct row {
	const char *package; /* scripts alone when it does not begin with "{" */
	const char *files[6];
	const char *start, *build; /* arguments joined by '|'; NULL: none */
};

static inline void prepare(struct fixture *f, const struct row *row)
{
	char text[2048];

	fixture_reset(f);
	(void)snprintf(text, sizeof(text), "{\"scripts\":{%s}}", row->package ? row->package : "");
	if (row->package)
		fixture_write(f, "package.json", row->package[0] == '{' ? row->package : text);
	for (size_t i = 0; i < ARRAY_SIZE(row->files) && row->files[i]; i++) {
		const char *equal = strchr(row->files[i], '=');
		char path[256];

		(void)snprintf(
			path, sizeof(path), "%.*s",
			(int)(equal ? equal - row->files[i] : (ptrdiff_t)strlen(row->files[i])),
			row->files[i]);
		fixture_write(f, path, equal ? equal + 1 : "");
	}
}

static inline void expect_record(struct fixture *f, const struct row *row, enum record_tag tag,
				 const char *expected)
{
	char *got = fixture_records(f, tag, false);

	if ((got == NULL) != (expected == NULL) || (got && !streq(got, expected)))
		fail_msg("%s\n  record %d is  %s\n  expected    %s", row->package, tag,
			 got ? got : "(none)", expected ? expected : "(none)");
	free(got);
}

static inline void expect_rows(const struct row *rows, size_t n)
{
	struct fixture f;
	struct problem p;

	fixture_open(&f);
	for (size_t i = 0; i < n; i++) {
		prepare(&f, &rows[i]);
		if (inspect(f.root, f.out, &p) != 0)
			fail_msg("%s: refused: %s", rows[i].package, p.text);
		expect_record(&f, &rows[i], RECORD_START, rows[i].start);
		if (rows[i].build && starts_with(rows[i].build, "SKIPPED "))
			expect_record(&f, &rows[i], RECORD_BUILD_SKIPPED,
				      rows[i].build + strlen("SKIPPED "));
		else
			expect_record(&f, &rows[i], RECORD_BUILD, rows[i].build);
	}
	fixture_close(&f);
}
