/* SPDX-License-Identifier: MIT */
#pragma once

/* What jails are made with on this host, and whether they are what the policies demand. */

#include "fleet/ops/log.h"
#include "pipeline/pipeline.h"

struct installation {
	struct settings settings;
	struct sbx_ctx *ctx;
	struct store *store;
};

struct installation_options {
	const char *store, *policies; /* NULL or "": the default */
	uint64_t store_size;
	uint32_t allow_unenforced;
	const struct log *log; /* borrowed; gets what the library says */
};

/*
 * Finds and opens all of it. The process may be moved into a leaf of its control group: who has
 * children opens it before them.
 */
int installation_open(struct installation *ret, const struct installation_options *o,
		      struct sbx_error *err);
void installation_done(struct installation *i);

/*
 * Loads every policy of the pipeline and runs Node in a jail like a student's. <0: a jail, or a
 * limit that is demanded, cannot be had here. *ret says what enforced each limit.
 */
int installation_test(struct installation *i, struct sbx_result *ret, struct sbx_error *err);
