/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The package managers: which there are, at which versions, and how each is told to install exactly
 * what a lockfile says.
 */

#include <stdbool.h>
#include <stddef.h>

#include "deps/npm-registry.h"

enum manager_kind {
	MANAGER_NPM,
	MANAGER_PNPM,
	MANAGER_YARN, /* 1.x */
	MANAGER_BERRY,
	MANAGER_BUN,
};

struct manager {
	enum manager_kind kind;
	const char *name;     /* "yarn" */
	const char *package;  /* of the registry, in which it is; NULL: comes with the runtime */
	const char *lockfile; /* as it is called beside package.json */
	char version[32];
};

enum manager_step {
	MANAGER_INSTALL,    /* what the lockfile says; fails when that is out of date */
	MANAGER_RESOLVE,    /* write the lockfile */
	MANAGER_DIFFERENCE, /* make a tree that is there into what the lockfile says */
};

#define MANAGER_DIR "/opt/manager"   /* node_modules with the manager, in the jail */
#define MANAGER_CA "/opt/npm/ca.pem" /* the registry's certificate authorities, in the jail */

/*
 * Reads "pnpm@9.15.0" (what corepack adds behind a '+' is ignored), "pnpm@9" or "pnpm"; NULL is
 * npm. What is left open is filled with versions that are pinned here; npm's version is always that
 * of the runtime. 0; -EINVAL: no such manager, or not a version; -ERANGE: too old for the
 * runtime.
 */
int manager_parse(struct manager *ret, const char *spec, const char *npm_version);

/* The manifest that gets the manager itself from the registry. The caller's; NULL: -ENOMEM. */
char *manager_manifest(const struct manager *m);

/* A list of words that owns some of them. */
struct words {
	const char *list[64];
	char *owned[16];
	int n, n_owned;
};
void words_done(struct words *w);
/* Borrows `word`. Too many are dropped: see words_full(). */
void words_add(struct words *w, const char *word);
/* The word is made. 0 or -ENOMEM. */
int words_print(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool words_full(const struct words *w);

/*
 * The command and its environment. `own` are the challenge's words in place of the standard ones
 * ("npm", "ci", ...), or NULL. `legacy_peers` only concerns npm.
 */
int manager_command(const struct manager *m, enum manager_step step, const char *const *own,
		    bool legacy_peers, const struct npm_registry *r, struct words *ret);
int manager_environment(const struct manager *m, const struct npm_registry *r, struct words *ret);

/* The .npmrc of the install: the settings that were let through, then ours. NULL: -ENOMEM. */
char *manager_npmrc(const struct npm_registry *r, const char *let_through);
