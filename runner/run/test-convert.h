/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* sandbox-run test --to-json, --to-hurl: prints the other form of a test file. An exit code. */
int test_convert(const char *path, bool to_json);
