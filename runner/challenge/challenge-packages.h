/* SPDX-License-Identifier: MIT */
#pragma once

#include "challenge/challenge.h"

/*
 * Reads package.json and its lockfile, where the suites of `c` have one beside or above them, as
 * far as the folder of the challenge. 0, -ENOMEM, or -EINVAL with `why` (CHALLENGE_ERROR_SIZE
 * bytes).
 */
int challenge_load_packages(struct challenge *c, char *why);
void challenge_packages_done(struct challenge_packages *p);

/* What npm takes a range for, of its plain forms: "1.2.3", "^1.2", "~1.2.3", "1.x", ">=1", "*". */
bool challenge_range_allows(const char *range, const char *version);
