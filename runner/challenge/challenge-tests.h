/* SPDX-License-Identifier: MIT */
#pragma once

#include "challenge/challenge.h"
#include "json/json-config.h"

/* Finds, reads and parses the test files that the list `patterns` of challenge.json names. */
int challenge_load_tests(struct challenge *c, struct json_config *cfg, const cJSON *patterns);

/*
 * Calls `add` with the name, relative to the folder, of every file that the pattern `item` matches;
 * none is an error.
 */
int challenge_match(struct challenge *c, struct json_config *cfg, const cJSON *item,
		    int (*add)(struct challenge *c, struct json_config *cfg, const cJSON *item,
			       const char *name));

/* A whole regular file. -EFBIG: above `max`; -EISDIR, -EINVAL: not a regular file; other -errno. */
int challenge_read_file(const char *path, size_t max, char **ret, size_t *ret_size);
