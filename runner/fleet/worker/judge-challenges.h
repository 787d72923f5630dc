/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The challenges that a judge has loaded, kept until one of their files changes: what is looked at
 * for each job is the names, sizes and times below the folder, not their content.
 */

#include "challenge/challenge.h"
#include "pipeline/pipeline.h"
#include "store/key.h"

#define CHALLENGES_KEPT 64

struct kept_challenge {
	char *dir;
	struct challenge *challenge; /* NULL: a free place */
	char state[KEY_SIZE];        /* hash of what was looked at */
	char tests[KEY_SIZE];        /* hash of what decides about a verdict */
	uint64_t used;
};

struct challenges {
	struct kept_challenge kept[CHALLENGES_KEPT];
	uint64_t uses;
};

/*
 * *ret is borrowed until the next call. Its suites are published with the ctx, store and settings
 * of `job`. 0; -EINVAL with `why` (of CHALLENGE_ERROR_SIZE): the challenge is wrong; other <0.
 */
int challenges_get(struct challenges *c, struct job *job, const char *dir,
		   const struct kept_challenge **ret, char *why);
/* Is it loaded, and as it is now? Then the next challenges_get() gives the same. */
bool challenges_is_current(const struct challenges *c, const char *dir);
void challenges_done(struct challenges *c);
