/* SPDX-License-Identifier: MIT */
#pragma once

#include <sandbox/sandbox.h>
#include <stdbool.h>

/*
 * A listening socket, close-on-exec and non-blocking, as struct ops_options says. -EINVAL: `listen`
 * is malformed, -EPERM: it is not a loopback address. *ret_path is to be unlinked in the end, the
 * caller's; NULL: it is not a unix socket.
 */
int ops_listen(const char *listen, bool anywhere, char **ret_path, struct sbx_error *err);
