/* SPDX-License-Identifier: MIT */
#pragma once

#include "fleet/admin/admin.h"
#include "store/key.h"

/*
 * The challenge of this id, as this configuration has it, into the folder "challenge" of the bundle
 * `dir`, whose name is `path`; *ret: which tests these are (tests-hash.h), "" if it cannot be
 * loaded or is not there, which is told. An exit code.
 */
int bundle_challenge(struct admin *a, int dir, const char *path, const char *id,
		     char ret[static KEY_SIZE]);
