/* SPDX-License-Identifier: MIT */

/*
 * The generated Prisma client, put where the project expects it: an overlay, since the project's
 * own build may generate it once more. With it comes /opt/prisma: what stands in for native
 * engines.
 *
 * The four ways, by what the entry says of itself (deps/prisma-client.c): the engines that the
 * operator has imported; a client that compiles its queries by wasm (Prisma 6.16 to 6.19), for
 * which an adapter of the same version is installed beside the project, in a tree of ours, and
 * given to clients that are made without one; older clients, which load the wasm engine of their
 * own package as if it were the native library, over such an adapter (prisma/engine.cjs); and
 * Prisma 7, whose clients always come with an adapter.
 *
 * A schema whose tables `prisma db push` is to make is turned into SQL here, too
 * (deps/prisma-tables.c), so that `deps warm` does it as well; stage_migrate() applies it.
 */

#include "pipeline/pipeline.h"

#include "deps/deps.h"
#include "deps/prisma-client.h"
#include "deps/prisma-tables.h"
#include "util/util.h"

#define LAYER_BYTES (64ull << 20)
#define LAYER_INODES 4096

static void undo_entry(void *data)
{
	store_entry_free(data);
}

static int mount_client(struct job *job, const struct prisma_client *c)
{
	_cleanup_free_ char *source = NULL, *target = NULL;
	struct sbx_mount m = { .size = sizeof(m),
			       .type = SBX_MOUNT_OVERLAY,
			       .flags = SBX_MOUNT_IDMAP,
			       .mode = 0755,
			       .uid = TREE_OWNER,
			       .gid = TREE_OWNER,
			       .bytes = LAYER_BYTES,
			       .inodes = LAYER_INODES };

	if (asprintf(&source, "%s/node_modules/client", c->entry->path) < 0 ||
	    asprintf(&target, "/app/%s", c->output) < 0)
		return job_fail(job, -ENOMEM, "generate", "out of memory");
	m.source = source;
	m.target = target;
	return sbx_jail_mount(job->app, &m, &job->error);
}

static int bind(struct job *job, const struct store_entry *e, const char *folder,
		const char *target)
{
	_cleanup_free_ char *source = NULL;
	struct sbx_mount m = { .size = sizeof(m),
			       .type = SBX_MOUNT_BIND,
			       .flags = SBX_MOUNT_IDMAP,
			       .target = target };

	if (asprintf(&source, "%s%s%s", e->path, *folder ? "/" : "", folder) < 0)
		return job_fail(job, -ENOMEM, "generate", "out of memory");
	m.source = source;
	return sbx_jail_mount(job->app, &m, &job->error);
}

/* The student's own packages may have it; ours are never mixed with them. */
static int mount_adapter(struct job *job, const struct prisma *about)
{
	struct deps_input in = { .quiet = true, .wall_ns = job->challenge->limits.install_ns };
	_cleanup_free_ char *manifest = NULL;
	struct store_entry *e = NULL;
	int r;

	if (asprintf(&manifest, "{\"dependencies\":{\"@prisma/adapter-pg\":\"%s\"}}",
		     about->version) < 0)
		return job_fail(job, -ENOMEM, "generate", "out of memory");
	in.manifest = manifest;
	in.manifest_size = strlen(manifest);
	r = deps_get(job, &in, &e);
	if (r != 0)
		return r;
	r = job_push_undo(job, undo_entry, e);
	return r < 0 ? r : bind(job, e, "node_modules", PRISMA_OPT "/node_modules");
}

static int mount_engines(struct job *job, const char *hash)
{
	struct store_entry *e = NULL;
	int r = store_peek(job->store, "engines", hash, &e);

	if (r < 0)
		return job_fail(job, r, "generate", "the engines %s are not in the store any more",
				hash);
	r = job_push_undo(job, undo_entry, e);
	return r < 0 ? r : bind(job, e, "", PRISMA_OPT "/engines");
}

static int mount_all(struct job *job, const struct prisma_client *c)
{
	int r = mount_client(job, c);

	if (r == 0)
		r = bind(job, c->entry, "opt", PRISMA_OPT);
	if (r == 0 && c->about.wasm_engine)
		r = bind(job, c->entry, "node_modules/engine", PRISMA_OPT "/engine");
	if (r == 0 && (c->about.client_engine || c->about.wasm_engine))
		r = mount_adapter(job, &c->about);
	if (r == 0 && *c->about.engines)
		r = mount_engines(job, c->about.engines);
	return r;
}

static int client(struct job *job, char *note, size_t size)
{
	struct prisma_client c;
	int r = prisma_client_get(job, job->deps, &c);

	if (r == PRISMA_NOTHING) {
		(void)snprintf(note, size, "no generator of a client");
		return 0;
	}
	if (r != 0)
		return r;
	r = job_push_undo(job, undo_entry, c.entry);
	if (r == 0)
		r = mount_all(job, &c);
	if (r != 0)
		return r;
	job->prisma = c.about;
	(void)snprintf(note, size, "Prisma %s%s%s", c.about.version,
		       c.about.client_engine ? " with adapter-pg"
		       : c.about.wasm_engine ? " with the wasm engine"
		       : *c.about.engines    ? " with native engines"
					     : "",
		       c.made ? "" : ", stored");
	return 0;
}

static int tables(struct job *job)
{
	struct store_entry *e = NULL;
	int r = prisma_tables_get(job, &e);

	if (r == 0)
		r = job_push_undo(job, undo_entry, e);
	return r != 0 ? r : bind(job, e, "node_modules", SCHEMA_PATH);
}

int stage_generate(struct job *job)
{
	char note[sizeof(job->times[0].note)] = "none";
	bool push = migrate_pushes_schema(job);
	int r = 0;

	if (job->facts.prisma_schema && job->deps)
		r = client(job, note, sizeof(note));
	if (r == 0 && push)
		r = tables(job);
	if (r == 0)
		job_stage_note(job, "%s", note);
	return r;
}
