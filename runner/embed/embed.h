/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* A file that is built in (embed.sh); `data` has a 0 behind it. A list ends with a NULL name. */
struct embedded {
	const char *name;
	const unsigned char *data;
	size_t size;
};

/* generate.cjs and shim.cjs of runner/prisma. */
extern const struct embedded prisma_data[];
/* runner/suite/js and the list of packages in runner/toolchain/suite. */
extern const struct embedded suite_data[];
/* runner/template; the first word of a name ("plain/solution/server.js") says when it is written. */
extern const struct embedded template_data[];
