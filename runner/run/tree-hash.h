/* SPDX-License-Identifier: MIT */
#pragma once

#include "store/key.h"

/*
 * The SHA-256 of what `sandbox-run grade` would judge: the bytes of a file, or the names and bytes
 * of a folder's files without node_modules and .git. A folder and a zip of it have different ones.
 * Of a folder that is far too big for a submission only the beginning counts. 0 or -errno.
 */
int tree_hash(const char *path, char ret[static KEY_SIZE]);
