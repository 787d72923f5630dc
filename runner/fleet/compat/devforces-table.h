/* SPDX-License-Identifier: MIT */
#pragma once

#include <sandbox/sandbox.h>

struct pg;

/* "schema"."Challenge": a table of DevForces, in the schema that its URL names, or public. */
#define DEVFORCES_TABLE_MAX 160
int devforces_table(struct pg *db, const char *name, char ret[DEVFORCES_TABLE_MAX],
		    struct sbx_error *err);
