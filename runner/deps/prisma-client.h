/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The generated Prisma client: an entry of the store (kind "prisma") with
 *
 *   node_modules/client  what `prisma generate` wrote
 *   node_modules/engine  the wasm engine of its package, if that runs its queries
 *   node_modules/about   the version, the way its queries are run, where the client belongs
 *   opt                  what its programs need beside it, to be seen as /opt/prisma
 */

#include "pipeline/pipeline.h"
#include "store/store.h"

#define PRISMA_OPT "/opt/prisma"
#define PRISMA_NOTHING 2

struct prisma_client {
	struct store_entry *entry;
	struct prisma about;
	char output[1024]; /* relative to the project */
	bool made;         /* now, not found */
};

/*
 * Gets the client of the job's schema for the packages of `deps`. 0; 1 a verdict; PRISMA_NOTHING:
 * the packages or the schema have no generator that is known; <0.
 */
int prisma_client_get(struct job *job, const struct store_entry *deps, struct prisma_client *ret);
void prisma_client_done(struct prisma_client *c);
