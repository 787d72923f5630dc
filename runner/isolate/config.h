/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where boxes are and which ids they have: lines "key = value", as in isolate's own file, from
 * $SANDBOX_ISOLATE_CONFIG or /etc/sandbox/isolate.conf; without a file the defaults. And where our
 * own parts are: asked in the order environment, build tree, installation.
 */

#include "report.h"
#include <limits.h>
#include <stdint.h>

struct config {
	char box_root[PATH_MAX];
	char lock_root[PATH_MAX];
	uint32_t first_uid;
	uint32_t first_gid;
	uint32_t num_boxes;
	bool restricted_init;
	uint32_t allow_unenforced; /* SBX_LIMIT_* */
	char policy[PATH_MAX];     /* isolate.json */
	char policy_dir[PATH_MAX];
	char starter[PATH_MAX]; /* sandbox-isolate-start */
};

/* Ids of the jail end at 65534, which belongs to nobody: boxes beyond share them. */
#define CONFIG_IDS_END 65534u

/* How many boxes have a uid of their own. */
static inline uint32_t config_ids(const struct config *c)
{
	uint32_t first = c->first_uid > c->first_gid ? c->first_uid : c->first_gid;

	return CONFIG_IDS_END - first;
}

/* The limits in `mask`, as "memory,cpu-time". */
void config_limits(uint32_t mask, char ret[64]);

/* 0 or -1, the reason in `r`. */
int config_load(struct config *ret, struct report *r);
