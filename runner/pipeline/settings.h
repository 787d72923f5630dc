/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where the parts of the installation are. struct settings itself is in pipeline.h, since the
 * stages read it.
 */

#include "pipeline/pipeline.h"

/* The default: root's; a user's is $XDG_DATA_HOME/sandbox or ~/.local/share/sandbox. */
#define SETTINGS_STORE "/var/lib/sandbox"
#define SETTINGS_STORE_HELP SETTINGS_STORE ", of users ~/.local/share/sandbox"

/*
 * Fills `ret`. `store` is the value of --store or NULL. Policies must be there (-ENOENT names where
 * they were looked for); of the rest, `inside` is where it should be, node_dir and postgres_dir are
 * NULL if there is none: exec needs none of them, doctor reports them.
 */
int settings_find(struct settings *ret, const char *store, struct sbx_error *err);
/* What judging needs of it: `inside`, and a Node runtime: the one of the store if none is named. */
int settings_find_runtime(struct settings *s, struct sbx_error *err);
void settings_done(struct settings *s);

/*
 * The file of policy `name`: a path if it has a '/' or ends in ".json", else NAME.json of the
 * policy directory. -ENOENT with a suggestion.
 */
int settings_policy(const struct settings *s, const char *name, char **ret, struct sbx_error *err);
