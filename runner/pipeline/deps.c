/* SPDX-License-Identifier: MIT */

/*
 * The dependencies: one entry of the content store (deps/deps.h), mounted at /app/node_modules.
 * Where a build may write into node_modules (caches, generated clients) the entry is the lower
 * layer of an overlay, otherwise it is mounted read-only.
 */

#include "deps/deps.h"

#include "challenge/challenge.h"
#include "util/util.h"

#define BUILD_LAYER_BYTES (64ull << 20)
#define BUILD_LAYER_INODES 16384

static bool has_build(const struct job *job)
{
	return job->challenge->build.kind == COMMAND_ARGV ||
	       (job->challenge->build.kind == COMMAND_AUTO && job->facts.build);
}

static int mount_entry(struct job *job, const struct store_entry *e)
{
	_cleanup_free_ char *source = NULL;
	struct sbx_mount m = { .size = sizeof(m),
			       .type = SBX_MOUNT_BIND,
			       .flags = SBX_MOUNT_IDMAP,
			       .target = "/app/node_modules" };
	int r;

	if (asprintf(&source, "%s/node_modules", e->path) < 0)
		return job_fail(job, -ENOMEM, "deps", "out of memory");
	m.source = source;
	if (has_build(job) || job->facts.prisma_schema) {
		m.type = SBX_MOUNT_OVERLAY;
		m.mode = 0755;
		m.uid = m.gid = TREE_OWNER;
		m.bytes = BUILD_LAYER_BYTES;
		m.inodes = BUILD_LAYER_INODES;
	}
	r = sbx_jail_mount(job->app, &m, &job->error);
	/* The mount point itself needs an inode of the project's disk. */
	if (r == -ENOSPC)
		return job_verdict(job, VERDICT_CE,
				   "The project has so many files that its disk has no room for "
				   "node_modules: leave out generated files.");
	return r;
}

static void undo_entry(void *data)
{
	store_entry_free(data);
}

static int install(struct job *job)
{
	const struct challenge_command *c = &job->challenge->install;
	const struct facts *f = &job->facts;
	const struct deps_input in = {
		.manager = f->manager,
		.npmrc = f->npmrc,
		.workspace = f->workspace,
		.manifest = f->manifest,
		.manifest_size = f->manifest_size,
		.lockfile = f->lockfile,
		.lockfile_size = f->lockfile_size,
		.words = c->kind == COMMAND_ARGV ? (const char *const *)c->argv : NULL,
		.scripts = &job->challenge->install_scripts,
		.lockfile_required = job->challenge->lockfile_required,
		.wall_ns = job->challenge->limits.install_ns,
	};
	struct store_entry *e = NULL;
	int r = deps_get(job, &in, &e);

	if (r != 0)
		return r;
	r = job_push_undo(job, undo_entry, e);
	job->deps = r < 0 ? NULL : e;
	return r < 0 ? r : mount_entry(job, e);
}

int stage_deps(struct job *job)
{
	if (job->facts.node_modules) {
		job_stage_note(job, "node_modules of the archive");
		return 0;
	}
	if (job->challenge->install.kind == COMMAND_NONE || !job->facts.has_dependencies) {
		job_stage_note(job, "%s", job->facts.has_dependencies ? "not wanted" : "none");
		return 0;
	}
	if (job->facts.dependencies_error)
		return job_verdict(job, VERDICT_CE, "%s", job->facts.dependencies_error);
	return install(job);
}
