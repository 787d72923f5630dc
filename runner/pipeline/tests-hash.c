/* SPDX-License-Identifier: MIT */

#include "pipeline/tests-hash.h"

#include <stdio.h>

#include "util/util.h"

int tests_hash(const struct challenge *c, char ret[static KEY_SIZE])
{
	_cleanup_free_ char *path = NULL;
	struct key key;
	int r;

	if (asprintf(&path, "%s/challenge.json", c->dir) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	key_begin(&key, "tests/1");
	r = key_add_file(&key, path);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < c->n_tests; i++) {
		key_add_string(&key, c->tests[i].name);
		key_add(&key, c->tests[i].text, c->tests[i].size);
	}
	for (uint32_t i = 0; i < c->n_assets; i++) {
		key_add_string(&key, c->assets[i].mount);
		key_add(&key, c->assets[i].data, c->assets[i].size);
	}
	for (uint32_t i = 0; i < c->suite.n_files; i++) {
		key_add_string(&key, c->suite.files[i].name);
		key_add(&key, c->suite.files[i].text, c->suite.files[i].size);
	}
	key_end(&key, ret);
	return 0;
}
