/* SPDX-License-Identifier: MIT */
#pragma once

/* What the parent's half (program.c) and the child's half (exec.c) of EXEC agree on. */

#include "init.h"

#define TARGET_MAX 4095
#define VECTOR_MAX ARGS_MAX

/* The first two descriptors of an EXEC message. */
#define STATUS_FD_INDEX 0u
#define PIPE_FD_INDEX 1u

_Noreturn void child_run(struct init *in);

/* trace.c: instead of the plan's filter. `channel` is the exec pipe, a socket here. */
int trace_install(int channel);
