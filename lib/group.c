/* SPDX-License-Identifier: MIT */

/* Parent groups: limits on the sum of several jails. The mechanism is cgroup.c. */

#include "error.h"
#include "jail.h"
#include "util/util.h"

SBX_PUBLIC int sbx_group_new(struct sbx_ctx *ctx, struct sbx_group **ret,
			     const struct sbx_group_options *o, struct sbx_error *err)
{
	struct sbx_group_options options;
	struct cgroup_limits limits;
	struct sbx_group *g;
	int r = options_copy(&options, sizeof(options), o);

	if (r < 0)
		return error_set(err, r, "group", "options",
				 "struct sbx_group_options has a size this library does not know");
	if (options.label && (strpbrk(options.label, "/.") || strlen(options.label) > 31))
		return error_set(err, -EINVAL, "group", "label",
				 "must be at most 31 characters without '/' and '.'");
	g = calloc(1, sizeof(*g));
	if (!g)
		return error_set(err, -ENOMEM, "group", NULL, "out of memory");
	g->ctx = ctx;
	atomic_init(&g->refs, 1);
	limits = (struct cgroup_limits){ .memory = options.memory,
					 .pids = options.pids,
					 .cpu_milli = options.cpu_milli,
					 .allow = ctx->allow_unenforced };
	r = cgroup_init(&g->cgroup, &ctx->cgroups, NULL, options.label ? options.label : "group",
			&limits, err);
	if (r < 0) {
		free(g);
		return r;
	}
	*ret = g;
	return 0;
}

struct sbx_group *group_ref(struct sbx_group *g)
{
	atomic_fetch_add(&g->refs, 1);
	return g;
}

SBX_PUBLIC struct sbx_group *sbx_group_free(struct sbx_group *g)
{
	if (!g || atomic_fetch_sub(&g->refs, 1) > 1)
		return NULL;
	cgroup_done(&g->cgroup);
	free(g);
	return NULL;
}
