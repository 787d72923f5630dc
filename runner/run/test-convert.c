/* SPDX-License-Identifier: MIT */

/*
 * A test file in its other form. Both mean the same: docs/hurl.md says what gets lost (comments).
 */

#include "run/test-convert.h"

#include "hurl/hurl.h"
#include "run/run.h"
#include <stdio.h>
#include <util/util.h>

static int print_error(const struct hurl_error *err)
{
	char text[900];

	hurl_error_format(err, text, sizeof(text));
	(void)fprintf(stderr, "%s\n", text);
	if (*err->source)
		(void)fprintf(stderr, "  %6u | %s\n         | %*s^\n", err->line, err->source,
			      (int)err->caret, "");
	return EXIT_USAGE;
}

int test_convert(const char *path, bool to_json)
{
	_cleanup_free_ char *text = NULL;
	struct hurl_file *file = NULL;
	struct hurl_error err;
	int r = hurl_file_load(&file, path, path, &err);

	if (r < 0)
		return print_error(&err);
	r = to_json ? hurl_file_to_json(file, &text, &err) : hurl_file_to_hurl(file, &text, &err);
	hurl_file_free(file);
	if (r < 0)
		return print_error(&err);
	if (printf("%s%s", text, to_json ? "\n" : "") < 0 || fflush(stdout) != 0) {
		(void)fprintf(stderr, "sandbox-run test: cannot write to stdout: %m\n");
		return EXIT_FAILED;
	}
	return EXIT_OK;
}
