/* SPDX-License-Identifier: MIT */
#pragma once

#include "challenge/challenge.h"
#include "store/key.h"

/*
 * Which tests a verdict was made by: the hash of challenge.json, which says how they are run and
 * what they are worth, and of all test files as they were loaded. 0 or -errno.
 */
int tests_hash(const struct challenge *c, char ret[static KEY_SIZE]);
