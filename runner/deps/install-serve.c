/* SPDX-License-Identifier: MIT */

/*
 * The registry of ours in an install jail (inside/): which installs go through it, and how it is
 * told where the real one is. The programs are built in and the same for everybody.
 */

#include "deps/install.h"

#include "embed/embed.h"
#include "util/util.h"

#define FOLDER "/opt/registry/"
#define NODE "/opt/node/bin/node"

static const char *const targets[INSTALL_SERVE_MOUNTS] = {
	FOLDER "install.cjs", FOLDER "lockfile.cjs", FOLDER "registry.cjs",
	FOLDER "tree.cjs",    FOLDER "yarn.cjs",     FOLDER "zips.cjs",
};

static const struct embedded *program(const char *target)
{
	return embedded_find(install_data, target + strlen(FOLDER));
}

uint32_t install_serve_mounts(struct sbx_mount *m)
{
	for (size_t k = 0; k < ARRAY_SIZE(targets); k++)
		m[k] = (struct sbx_mount){ .size = sizeof(*m),
					   .type = SBX_MOUNT_FILE,
					   .target = targets[k],
					   .data = (const char *)program(targets[k])->data,
					   .data_len = program(targets[k])->size };
	return ARRAY_SIZE(targets);
}

bool install_is_served(const struct install *i, enum manager_step step)
{
	return i->reuse.tarballs && step != MANAGER_RESOLVE &&
	       (i->manager->kind != MANAGER_NPM || i->offline);
}

int install_serve_words(const struct install *i, enum manager_step step, const char *lockfile,
			struct words *w)
{
	static const char *const kinds[] = { [MANAGER_NPM] = "npm",
					     [MANAGER_PNPM] = "pnpm",
					     [MANAGER_YARN] = "yarn",
					     [MANAGER_BERRY] = "berry",
					     [MANAGER_BUN] = "bun" };
	const struct npm_registry *r = &i->registry;

	words_add(w, NODE);
	words_add(w, targets[0]);
	words_add(w, kinds[i->manager->kind]);
	words_add(w, lockfile);
	words_add(w, r->url);
	if (r->proxy) {
		words_add(w, "--proxy");
		words_add(w, r->proxy);
	}
	if (r->insecure)
		words_add(w, "--insecure");
	if (i->offline)
		words_add(w, "--offline");
	if (step == MANAGER_DIFFERENCE && i->manager->kind != MANAGER_NPM)
		words_add(w, "--difference");
	words_add(w, "--");
	return words_full(w) ? -E2BIG : 0;
}
