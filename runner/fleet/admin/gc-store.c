/* SPDX-License-Identifier: MIT */

/*
 * The store of this host: what was begun by a process that is gone, what nobody has used for long,
 * and what is beyond store_size. Entries in use are locked, and stay. (sandbox-run deps gc is the
 * same by hand.)
 */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "deps/toolchain.h"
#include "fleet/admin/gc.h"
#include "pipeline/settings.h"
#include "store/store.h"
#include "store/tarballs.h"
#include "util/util.h"

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* A worker of another version may run with it: nothing says whether one does. */
static void note_runtimes(struct gc *g, const char *store)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_(closedirp) DIR *d = NULL;
	struct toolchain t = { 0 };
	struct sbx_error ignored;
	struct dirent *e;
	const char *name;

	if (asprintf(&path, "%s/runtime", store) < 0) {
		path = NULL;
		return;
	}
	d = opendir(path);
	if (!d || toolchain_find(&t, store, &ignored) < 0)
		return;
	name = strrchr(t.dir, '/') ? strrchr(t.dir, '/') + 1 : t.dir;
	while ((e = readdir(d))) {
		if (starts_with(e->d_name, "node-") && !streq(e->d_name, name))
			gc_note(g,
				"store: %s/%s is not the Node of this version; remove it when no "
				"older worker runs here",
				path, e->d_name);
	}
	toolchain_done(&t);
}

static int tell_unfinished(struct gc *g, const char *path, struct sbx_error *err)
{
	struct tree_sum sum = { 0 };
	struct store *s = NULL;
	int n = store_look(&s, path, err);

	if (n < 0)
		return n;
	n = store_unfinished(s, &sum);
	gc_tell(g, "store", "unfinished", (uint64_t)n, sum.disk,
		"thing%s begun by processes that are gone");
	store_free(s);
	return 0;
}

static int go_through(struct gc *g, struct store *s)
{
	time_t before = time(NULL) - (time_t)g->older_s;
	uint64_t bytes = 0;
	int n = store_expire(s, before, g->dry, &bytes);

	if (n < 0)
		return n;
	gc_tell(g, "store", "entries", (uint64_t)n, bytes,
		"installed package set%s not used lately");
	n = tarballs_expire(s, before, g->dry, &bytes);
	if (n < 0)
		return n;
	gc_tell(g, "store", "tarballs", (uint64_t)n, bytes, "old tarball%s");
	return g->dry ? 0 : store_trim(s, g->a->config.store_size, NULL);
}

void gc_store(struct gc *g)
{
	struct settings settings = { 0 };
	struct sbx_error *err = &g->a->err;
	struct store *s = NULL;
	int r = settings_find(&settings, g->a->config.store, err);

	if (r == 0 && access(settings.store_dir, F_OK) < 0 && errno == ENOENT) {
		settings_done(&settings);
		return;
	}
	if (r == 0)
		r = tell_unfinished(g, settings.store_dir, err);
	if (r == 0)
		r = g->dry ? store_look(&s, settings.store_dir, err)
			   : store_open(&s, settings.store_dir, g->a->config.store_size, err);
	if (r == 0)
		r = go_through(g, s);
	if (r == 0)
		note_runtimes(g, settings.store_dir);
	if (r < 0) {
		err->code = r;
		gc_failed(g, "store", err);
	}
	store_free(s);
	settings_done(&settings);
}
