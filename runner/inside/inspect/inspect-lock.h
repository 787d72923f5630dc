/* SPDX-License-Identifier: MIT */
#pragma once

#include "inside/inspect/inspect.h"

/* Lockfiles: whose they are, and what may not be in one. */

enum lock_kind {
	LOCK_NPM,
	LOCK_PNPM,
	LOCK_YARN, /* 1.x */
	LOCK_BERRY,
	LOCK_BUN,
	LOCK_BUN_BINARY,
};

/* inspect-lock.c: which manager the project uses. */
struct packages_choice {
	enum lock_kind kind;
	const char *file;  /* static; NULL: there is no lockfile */
	char manager[128]; /* "pnpm@9.15.0", "yarn@1", "npm" */
	char *text;        /* of the lockfile, unless it is npm's; the caller's */
	size_t size;
};
/* 0; 1 with `p`. What was found besides is told by notes. */
int packages_choose(int root, const json_t *package, int out, struct packages_choice *ret,
		    struct problem *p);

/* inspect-lock-check.c: 0; 1 with `p`: it takes a package from elsewhere than the registry. */
int lockfile_check_text(enum lock_kind kind, const char *text, struct problem *p);

/*
 * inspect-settings.c: the settings that an install may know, as lines; the caller's. NULL: there
 * are none, or out of memory.
 */
char *npmrc_reduce(const char *text);
char *workspace_reduce(const char *text, bool *ret_several);
