/* SPDX-License-Identifier: MIT */

/*
 * How many processors a Node program sees. Node counts them in /proc/stat, which is not in a jail's
 * procfs (subset=pid), so os.cpus() would be empty and the textbook cluster server, which forks one
 * worker for each, would fork none and end. And os.availableParallelism() would be the host's
 * number, far more than the jail may use. Both become the challenge's limit, rounded up, by a few
 * lines that Node loads first (NODE_OPTIONS, environment.c); in worker threads and child processes,
 * too.
 */

#include "pipeline/pipeline.h"

#include "util/util.h"

#define MAX_PROCESSORS 64u

static const char program[] =
	"'use strict';\n"
	"const os = require('node:os');\n"
	"const n = %u;\n"
	"const one = () => ({ model: 'sandbox', speed: 0,\n"
	"\ttimes: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } });\n"
	"os.cpus = function cpus() { return Array.from({ length: n }, one); };\n"
	"os.availableParallelism = function availableParallelism() { return n; };\n"
	"require('node:module').syncBuiltinESMExports();\n";

void processors_mount(const struct challenge *c, char text[PROCESSORS_TEXT], struct sbx_mount *ret)
{
	uint32_t n = (c->limits.cpu_milli + 999) / 1000;

	(void)snprintf(text, PROCESSORS_TEXT, program, MAX_OF(MIN_OF(n, MAX_PROCESSORS), 1u));
	*ret = (struct sbx_mount){
		.size = sizeof(*ret),
		.type = SBX_MOUNT_FILE,
		.target = PROCESSORS_PATH,
		.data = text,
	};
}
