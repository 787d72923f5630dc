/* SPDX-License-Identifier: MIT */
#pragma once

/* The install jail: what enters it, what is run in it, what leaves it. For deps.c alone. */

#include "deps/deps.h"
#include "deps/manager.h"
#include "deps/npm-registry.h"
#include "deps/reuse.h"

#define INSTALL_POLICY "npm-install.json"
#define INSTALL_PACK_TARGET "/opt/store" /* where the store is mounted while it is filled */
#define INSTALL_OUTPUT_MAX (1u << 20)
#define INSTALL_LOCKFILE_MAX (8u << 20)
#define INSTALL_OUTDATED 2 /* the lockfile is not that of the manifest */
#define INSTALL_NOT_REUSED 3 /* the difference could not be made: install everything */

struct install {
	struct job *job;
	const struct deps_input *in;
	const struct manager *manager;
	const char *lockfile; /* in use: given, or resolved */
	size_t lockfile_size;
	const char *manager_path; /* on the host, of its node_modules; NULL: it is npm */
	const char *pinned; /* "pnpm@9.15.0" while the manager itself is installed, else NULL */
	bool may_resolve; /* an outdated lockfile is INSTALL_OUTDATED, else a verdict */
	unsigned packages; /* as the manager counts them; 0: it did not say */
	struct reuse reuse;
	const char *pack_from; /* the tree that leaves; NULL: node_modules */
	bool scripts_ran; /* of packages: the tree is not one for others to begin with */
	bool may_do_without; /* the registry need not answer: what is stored may be enough */
	bool offline;	     /* it does not; `unreachable` says why */
	struct sbx_error unreachable;
	struct npm_registry registry;
	struct sbx_plan *plan;
	struct sbx_jail *jail;
	int manifest, lock_fd, npmrc, workspace, log, out;
};

#define INSTALL_NULL                                                                               \
	(struct install){ .manifest = -1, .lock_fd = -1, .npmrc = -1, .workspace = -1, .log = -1,  \
			  .out = -1, .reuse = REUSE_NULL }

/* What every jail has that fills the store: our programs, Node, and where the store will be. */
#define INSTALL_BASE_MOUNTS (INSIDE_MOUNTS_MAX + 2)
uint32_t install_base_mounts(struct job *job, struct sbx_mount *m);

/* Finds the registry and makes the jail. The members above `registry` are the caller's to set. */
int install_begin(struct install *i);
void install_done(struct install *i);

/* Installs with install scripts off. 0; 1 a verdict; INSTALL_OUTDATED; INSTALL_NOT_REUSED; <0. */
int install_run(struct install *i);

/* Resolves versions; the new lockfile is the caller's. 0; 1; <0. */
int install_resolve(struct install *i, char **ret_lockfile, size_t *ret_size);

/* Moves node_modules into the staging directory of `entry` and seals it; the jail is gone then. */
int install_pack(struct install *i, struct store_entry *entry, struct tree_sum *ret);

/*
 * Runs `argv` in the jail, its output in i->log; `e` gives cwd, env, descriptors and time. 0 when
 * it has ended, or <0.
 */
int install_exec(struct install *i, struct sbx_exec *e, struct sbx_result *ret);

/*
 * install-serve.c: the registry of ours in the jail. `words`: the command that runs a manager with
 * it, whose own words follow; it is told to use INSTALL_SERVED_URL.
 */
#define INSTALL_SERVED_URL "http://127.0.0.1:4873/"
#define INSTALL_SERVE_MOUNTS 6
uint32_t install_serve_mounts(struct sbx_mount *m);
bool install_is_served(const struct install *i, enum manager_step step);
int install_serve_words(const struct install *i, enum manager_step step, const char *lockfile,
			struct words *w);

/* install-errors.c: what an ended manager says. 0: it succeeded, and the tree is whole. */
int install_outcome(struct install *i, const struct sbx_result *r, const char *log);
