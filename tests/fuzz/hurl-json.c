/* SPDX-License-Identifier: MIT */
/* The JSON form of test files: whatever it takes is a file that the text parser takes. */

#include <assert.h>

#include "hurl/hurl.h"
#include "util/util.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	_cleanup_free_ char *text = NULL;
	struct hurl_file *file = NULL;
	struct hurl_error err;
	int r = hurl_file_parse(&file, "fuzz.json", (const char *)data, size, &err);

	assert(r == 0 || r == -EINVAL || r == -ENOMEM);
	if (r < 0) {
		assert(!file && err.text[0] && err.line == 0);
		return 0;
	}
	r = hurl_file_to_hurl(file, &text, &err);
	hurl_file_free(file);
	if (r < 0)
		return 0;
	file = NULL;
	if (hurl_file_parse(&file, "fuzz.hurl", text, strlen(text), &err) < 0)
		abort();
	hurl_file_free(file);
	return 0;
}
