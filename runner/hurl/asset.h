/* SPDX-License-Identifier: MIT */
/* The files that a test file names (file,NAME;). */
#pragma once

#include "ast.h"

/* Reads all of them from the folder that @path lies in. -EINVAL: one cannot be read, see @err. */
int hurl_assets_load(struct hurl_file *f, const char *path, struct hurl_error *err);

/* As Hurl infers it from the extension. */
const char *hurl_asset_type(const char *name);
