/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who calls: root of the host, or of a namespace in which our ids exist; anybody else, root of any
 * other namespace included, is an ordinary user (holder.h).
 */

#include "ids.h"
#include <stdbool.h>
#include <stddef.h>

extern const struct id_space default_ids; /* of root's jails */

bool caller_is_privileged(const struct id_space *ids);

/* Names the capabilities that a privileged caller would have and this one has not; "" if none. */
void caller_lacks(char *ret, size_t size);
