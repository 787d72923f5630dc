/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <string.h>

/* A file that is built in (embed.sh); `data` has a 0 behind it. A list ends with a NULL name. */
struct embedded {
	const char *name;
	const unsigned char *data;
	size_t size;
};

/* One that is there. */
static inline const struct embedded *embedded_find(const struct embedded *list, const char *name)
{
	while (strcmp(list->name, name) != 0)
		list++;
	return list;
}

/* runner/deps/inside. */
extern const struct embedded install_data[];
/* generate.cjs and shim.cjs of runner/prisma. */
extern const struct embedded prisma_data[];
/* runner/prisma/tables.cjs and the list of packages in runner/toolchain/prisma. */
extern const struct embedded prisma_tables_data[];
/* runner/suite/js and the list of packages in runner/toolchain/suite. */
extern const struct embedded suite_data[];
/*
 * runner/template; the first word of a name ("plain/solution/server.js") says when it is written.
 */
extern const struct embedded template_data[];
/* runner/fleet/ledger/migrations, in the order in which they are applied. */
extern const struct embedded ledger_migrations[];
