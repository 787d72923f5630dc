/* SPDX-License-Identifier: MIT */
#pragma once

#include "challenge/challenge.h"

struct hurl_file;

/*
 * What a parsed test file needs besides itself: the files that it names are read, what it may ask
 * of the host is remembered, what it requires of earlier tests is checked (before its own cases are
 * added). `path` is the test file's. 0, -ENOMEM, -EINVAL and `why`.
 */
int challenge_add_hurl(struct challenge *c, const struct challenge_test *t,
		       const struct hurl_file *file, const char *path, char *why);
void challenge_hurl_done(struct challenge *c);
