/* SPDX-License-Identifier: MIT */
#pragma once

#include "deps/install.h"

/*
 * Runs a program of ours on the submission's Prisma schema, which it gets as descriptor 3 (in
 * i->manifest), its output in i->log. 0 when it has ended, or <0.
 */
int prisma_run(struct install *i, const char *script, uint64_t wall_ns, struct sbx_result *ret);
