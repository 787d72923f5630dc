/* SPDX-License-Identifier: MIT */
#pragma once

/* What a program is given beside its streams: arguments, environment, descriptors. All is built. */

#include "exec-options.h"
#include <sandbox/sandbox.h>

struct exec_input {
	char *text;        /* what --args-fd gave */
	const char **argv; /* ended by NULL */
	const char **env;
	struct sbx_fd *fds;
	uint32_t n_fds;
};

int exec_input_init(struct exec_input *in, const struct exec_options *o, char *const *argv,
		    struct sbx_error *err);
void exec_input_done(struct exec_input *in);

/* Fills argv, env, fds and cwd of `e`, which borrows them. */
void exec_input_apply(const struct exec_input *in, const struct exec_options *o,
		      struct sbx_exec *e);
