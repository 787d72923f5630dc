/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The tables of a Prisma schema without migrations, as SQL: an entry of the store (kind "tables")
 * with node_modules/schema.prisma.sql.
 */

#include "pipeline/pipeline.h"
#include "store/store.h"

#define PRISMA_TABLES_FILE "schema.prisma.sql"

/*
 * Gets the tables of the job's schema, which is there. 0: *ret is the caller's (store_entry_free);
 * 1 a verdict; <0.
 */
int prisma_tables_get(struct job *job, struct store_entry **ret);
