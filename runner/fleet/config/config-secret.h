/* SPDX-License-Identifier: MIT */
#pragma once

#include "fleet/config/config.h"

/*
 * Whether nobody but us can read or change a file with a password; `fd` is of `path`. 0; -EPERM and
 * `why` says who can, and what to do. How secrets are given to services decides what is well:
 *
 *   - a mount in memory that is read-only, or lies in /run/secrets: whoever mounted it there for us
 *     (systemd's credentials, Kubernetes, Docker, Podman) has decided who sees it, and its modes
 *     are not ours to change
 *   - else it belongs to root or to us, nobody else may write to it, and nobody else read it; its
 *     group may, when we are not root and the file is root's, since there is no other way to give
 *     it to us
 *   - what is no file (a pipe of the shell's) is nobody's after it was read
 */
int secret_check(int fd, const char *path, char why[CONFIG_WHY]);
