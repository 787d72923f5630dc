/* SPDX-License-Identifier: MIT */
/* The parser of test files. What it takes survives its JSON form: the second parse must agree. */

#include <assert.h>

#include "hurl/hurl.h"
#include "util/util.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	_cleanup_free_ char *json = NULL, *again = NULL;
	struct hurl_file *file = NULL;
	struct hurl_error err;
	int r = hurl_file_parse(&file, "fuzz.hurl", (const char *)data, size, &err);

	assert(r == 0 || r == -EINVAL || r == -ENOMEM);
	if (r < 0) {
		assert(!file && err.text[0]);
		return 0;
	}
	r = hurl_file_to_json(file, &json, &err);
	hurl_file_free(file);
	assert(r == 0 || r == -EOPNOTSUPP || r == -ENOMEM);
	if (r < 0)
		return 0;
	file = NULL;
	r = hurl_file_parse(&file, "fuzz.json", json, strlen(json), &err);
	if (r < 0) /* limits: a form of it may be too long */
		return strstr(err.text, "longer than") || r == -ENOMEM ? 0 : (abort(), 0);
	r = hurl_file_to_json(file, &again, &err);
	hurl_file_free(file);
	if (r == 0 && !streq(json, again))
		abort();
	return 0;
}
