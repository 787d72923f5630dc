/* SPDX-License-Identifier: MIT */

/*
 * The dependencies: one entry of the content store, mounted at /app/node_modules.
 *
 * The key is the hash of all that decides what an install gives: the reduced manifest, the
 * lockfile, the command, npm's version, Node's major version (native modules), architecture and
 * libc, and the policies. Nothing else of a submission reaches the install, so nobody can poison
 * the entry of another. Where a build may write into node_modules (caches, generated clients) the
 * entry is the lower layer of an overlay, otherwise it is mounted read-only.
 */

#include "challenge/challenge.h"
#include "store/key.h"
#include "deps/npm-install.h"
#include "deps/toolchain.h"
#include "util/util.h"

#define BUILD_LAYER_BYTES (64ull << 20)
#define BUILD_LAYER_INODES 16384

static int key_policies(struct job *job, struct key *k)
{
	static const char *const names[] = { NPM_POLICY, "node-server.json", "base.json" };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/%s", job->settings->policy_dir, names[i]) < 0)
			return job_fail(job, -ENOMEM, "deps", "out of memory");
		r = key_add_file(k, path);
		if (r < 0)
			return job_fail(job, r, "deps", "cannot read %s: %s", path, strerror(-r));
	}
	return 0;
}

static int make_key(struct job *job, const struct toolchain *t, char ret[static KEY_SIZE])
{
	const char *const *word = npm_install_words(job->challenge);
	struct key k;
	int r;

	key_begin(&k, "deps 1");
	key_add(&k, job->facts.manifest, job->facts.manifest_size);
	key_add(&k, job->facts.lockfile, job->facts.lockfile_size);
	key_add_string(&k, t->npm_version);
	key_add_string(&k, t->node_major);
	key_add_string(&k, "linux x64 glibc");
	for (; *word; word++)
		key_add_string(&k, *word);
	r = key_policies(job, &k);
	key_end(&k, ret);
	return r;
}

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
	if (has_build(job)) {
		m.type = SBX_MOUNT_OVERLAY;
		m.mode = 0755;
		m.uid = m.gid = 1000;
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

static int build_entry(struct job *job, struct store_entry *e)
{
	unsigned packages = 0;
	struct tree_sum sum;
	int r = npm_install(job, e, &sum, &packages);

	if (r != 0)
		return r;
	r = store_publish(e, &sum, &job->error);
	if (r == 0)
		job_stage_note(job, "npm %s, %u packages", npm_install_words(job->challenge)[0],
			       packages);
	return r;
}

static int install(struct job *job, const struct toolchain *t)
{
	struct store_entry *e = NULL;
	char key[KEY_SIZE];
	int r = make_key(job, t, key);

	if (r < 0)
		return r;
	r = store_get(job->store, "deps", key, job->cancel_fd, &e, &job->error);
	if (r < 0)
		return r;
	if (r == 0)
		job_stage_note(job, "stored");
	else
		r = build_entry(job, e);
	if (r != 0) {
		store_entry_free(e);
		return r;
	}
	r = job_push_undo(job, undo_entry, e);
	return r < 0 ? r : mount_entry(job, e);
}

static int check(struct job *job)
{
	const struct challenge_command *c = &job->challenge->install;
	const struct facts *f = &job->facts;

	if (f->dependencies_error)
		return job_verdict(job, VERDICT_CE, "%s", f->dependencies_error);
	if (!f->lockfile || !f->manifest)
		return job_verdict(
			job, VERDICT_CE,
			"package.json has dependencies, but there is no "
			"package-lock.json beside it: run `npm install` and submit both.");
	if (c->kind == COMMAND_ARGV && (!streq(c->argv[0], "npm") || !c->argv[1]))
		return job_fail(job, -EINVAL, "challenge",
				"$.install must be \"auto\", null or [\"npm\", "
				"\"ci\", ...]");
	return 0;
}

int stage_deps(struct job *job)
{
	_cleanup_(toolchain_done) struct toolchain t = {};
	int r;

	if (job->challenge->install.kind == COMMAND_NONE || !job->facts.has_dependencies) {
		job_stage_note(job, "%s", job->facts.has_dependencies ? "not wanted" : "none");
		return 0;
	}
	r = check(job);
	if (r != 0)
		return r;
	r = toolchain_find(&t, job->settings->store_dir, &job->error);
	return r < 0 ? r : install(job, &t);
}
