/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The pinned Node runtime and npm that runner/toolchain/install.sh has put into the store. Nothing
 * of the machine's own Node is ever used for a submission.
 */

#include <sandbox/sandbox.h>

struct toolchain {
	char *dir; /* absolute, without symbolic links: bin/node, lib/node_modules/npm */
	char node_version[32]; /* "22.23.3" */
	char node_major[8]; /* "22": stands for the ABI of native modules, which changes with it */
	char npm_version[32]; /* "10.9.9" */
};

/* -ENOENT: not installed; `err` says how to install it. */
int toolchain_find(struct toolchain *ret, const char *store_dir, struct sbx_error *err);
void toolchain_done(struct toolchain *t);
