/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An installed node_modules from a manifest and, where there is one, a lockfile: an entry of the
 * content store, made in an install jail if nobody has needed it before.
 */

#include "challenge/challenge.h"
#include "pipeline/pipeline.h"
#include "store/store.h"

/*
 * All that decides what is installed; borrowed. `manifest` is package.json reduced to its
 * dependency fields (inspect-packages.c). `words` are those of the challenge: ["npm", "ci", ...].
 */
struct deps_input {
	const char *manager; /* "npm", "pnpm@9.15.0", "yarn@1.22.22+sha512.x"; NULL: npm */
	const char *manifest;
	size_t manifest_size;
	const char *lockfile; /* NULL: none, versions are resolved once */
	size_t lockfile_size;
	const char *npmrc;     /* lines of settings that were let through; NULL: none */
	const char *workspace; /* of pnpm-workspace.yaml, likewise; NULL: none */
	const char *const *words; /* NULL: the manager's standard */
	const struct challenge_scripts *scripts; /* NULL: SCRIPTS_AUTO */
	bool lockfile_required;
	bool quiet; /* that versions were resolved is not noted */
	uint64_t wall_ns;
};

/*
 * Gets the entry: its node_modules is to be mounted. 0: *ret is the caller's (store_entry_free),
 * and the stage note says what was done; 1: the packages cannot be had, and the verdict is decided;
 * <0: ours, in job->error. Of the job are used: ctx, settings, store, cancel_fd, error, the verdict
 * and the notes; job->challenge and job->facts are not looked at.
 */
int deps_get(struct job *job, const struct deps_input *in, struct store_entry **ret);
