/* SPDX-License-Identifier: MIT */
#pragma once

#include "pipeline/pipeline.h"

/*
 * Reads the records of `sandbox-inside` in `fd`. 0: whole; *ret_refusal is the reason for which the
 * submission is refused, or NULL. -EBADMSG: not what our program writes; -ENOMEM. `ret` is filled
 * only on success.
 */
int facts_read(int fd, struct facts *ret, char **ret_refusal);
void facts_done(struct facts *f);
