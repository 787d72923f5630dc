/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The host's half of mounts: what comes from the host's file tree is cloned here into a detached
 * mount, its flags set recursively before anybody in the jail can see it, and passed to the jail's
 * init by descriptor. Init (lib/init) attaches it and proves the flags by reading them back.
 */

#include "holder.h"
#include "plan-format.h"
#include <sandbox/sandbox.h>

/*
 * Makes the detached mount for `m` (bind, device, or the lower layer of an overlay). Returns the
 * descriptor, -1 if this type needs none, -2 if it is optional and absent, another negative errno
 * otherwise (err filled). `userns` is the jail's user namespace, used for SBX_MOUNT_IDMAP. With a
 * `holder` (not NULL) it is the holder that clones, and ids are not mapped.
 */
#define MOUNT_NONE (-1)
#define MOUNT_ABSENT (-2)
int mount_prepare(const struct plan_mount *m, const char *source, struct holder *holder, int userns,
		  int *ret, struct sbx_error *err);
