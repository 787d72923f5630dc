/* SPDX-License-Identifier: MIT */
#pragma once

#include "challenge/challenge.h"
#include "json/json-config.h"

/* The key "suite"; *ret_files is its list of further files, NULL where there is none. */
int challenge_set_suite(struct json_config *cfg, const cJSON *v, struct challenge *c,
			const cJSON **ret_files);
/* Reads the files that the list `patterns` (may be NULL) names. After challenge_load_tests(). */
int challenge_load_suite_files(struct challenge *c, struct json_config *cfg, const cJSON *patterns);
void challenge_suite_done(struct challenge_suite *s);

/* A test file of JavaScript or TypeScript, by its name: NAME.test.ts, NAME.spec.js ... */
bool challenge_is_suite(const char *name);
/* What it is run with: what the challenge says, else what the file imports. */
enum tests_runner challenge_suite_runner(const struct challenge *c, const struct challenge_test *t);
