/* SPDX-License-Identifier: MIT */
#pragma once

#include "pipeline/pipeline.h"
#include "store/store.h"

#define POSTGRES_POLICY "postgres.json"
#define POSTGRES_DATA "/pgdata"
#define POSTGRES_UID 70
/* Superuser and maintenance database: not a name that a submission may expect to find. */
#define POSTGRES_ADMIN "sandbox_admin"

/*
 * The template of all databases: a stopped cluster in "data" of a store entry, owned by on-disk uid
 * 70 (an ordinary user's: by that user), made once per Postgres version and per text of the
 * settings below. The entry is the caller's.
 */
int template_get(struct job *job, struct store_entry **ret);

/*
 * Binds the Postgres installation into a jail if it is not below /usr, which every jail has.
 * Returns how many entries of `ret` (1 is enough) were filled; `*owned` is the caller's to free.
 */
uint32_t template_mounts(const struct job *job, struct sbx_mount *ret, char **owned);

/* The environment of every program of Postgres. */
extern const char *const postgres_env[];
