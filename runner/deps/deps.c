/* SPDX-License-Identifier: MIT */

/*
 * From a manifest to an entry of the store. Three kinds of entries:
 *
 *   deps     the installed tree. Its key is the hash of all that decides what an install gives: the
 *            reduced manifest, the lockfile, the settings that were let through, the command, the
 *            manager and its version, Node's major version (native modules), architecture and libc,
 *            the policies, and which packages may run scripts.
 *   lock     the lockfile that was resolved for a manifest that came without one, or with one that
 *            does not match: everybody with the same gets the same versions from then on.
 *   manager  a manager that is not npm, at one version.
 *
 * Nothing else of a submission reaches an install, so nobody can poison the entry of another. An
 * entry is made by one while the others wait for it. Locks are taken in the order deps, lock, deps
 * of the resolved lockfile; the first is given back before the last is taken.
 */

#include "deps/deps.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "deps/install-scripts.h"
#include "deps/toolchain.h"
#include "store/key.h"
#include "util/util.h"

#define LOCK_NAME "lockfile"

struct deps {
	struct job *job;
	const struct deps_input *in;
	struct toolchain toolchain;
	struct manager manager;
	struct store_entry *manager_entry;
	char *manager_path;
	const char *lockfile; /* in use */
	size_t lockfile_size;
	char *resolved; /* owns `lockfile` when it was resolved */
	time_t resolved_at;
	bool built, reused;
	unsigned packages;
};

static void deps_done(struct deps *d)
{
	store_entry_free(d->manager_entry);
	toolchain_done(&d->toolchain);
	free(d->manager_path);
	free(d->resolved);
}

/* ----------------------------------------------------------------------------- keys */

static int key_policies(struct deps *d, struct key *k)
{
	static const char *const names[] = { INSTALL_POLICY, "node-server.json", "base.json" };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/%s", d->job->settings->policy_dir, names[i]) < 0)
			return job_fail(d->job, -ENOMEM, "deps", "out of memory");
		r = key_add_file(k, path);
		if (r < 0)
			return job_fail(d->job, r, "deps", "cannot read %s: %s", path,
					strerror(-r));
	}
	return 0;
}

static void key_optional(struct key *k, const void *data, size_t size)
{
	key_add_string(k, data ? "given" : "none");
	if (data)
		key_add(k, data, size);
}

static void key_text(struct key *k, const char *s)
{
	key_optional(k, s, s ? strlen(s) : 0);
}

static void key_scripts(struct key *k, const struct challenge_scripts *s)
{
	enum scripts_kind kind = s ? s->kind : SCRIPTS_AUTO;

	key_add_string(k, kind == SCRIPTS_AUTO ? "auto" : kind == SCRIPTS_NONE ? "none" : "listed");
	for (char **p = kind == SCRIPTS_LISTED ? s->packages : NULL; p && *p; p++)
		key_add_string(k, *p);
}

/* What both a resolution and an install depend on. */
static void key_common(struct key *k, const struct deps *d)
{
	const struct deps_input *in = d->in;

	key_add(k, in->manifest, in->manifest_size);
	key_optional(k, d->lockfile, d->lockfile_size);
	key_text(k, in->npmrc);
	key_text(k, in->workspace);
	key_add_string(k, d->manager.name);
	key_add_string(k, d->manager.version);
	key_add_string(k, d->toolchain.node_major);
	key_add_string(k, "linux x64 glibc");
}

static int deps_key(struct deps *d, char ret[static KEY_SIZE])
{
	const char *const *word = d->in->words;
	struct key k;
	int r;

	key_begin(&k, "deps 2");
	key_common(&k, d);
	for (; word && *word; word++)
		key_add_string(&k, *word);
	key_add_string(&k, "scripts");
	key_scripts(&k, d->in->scripts);
	r = key_policies(d, &k);
	key_end(&k, ret);
	return r;
}

static void lock_key(struct deps *d, char ret[static KEY_SIZE])
{
	struct key k;

	key_begin(&k, "lock 1");
	key_common(&k, d);
	key_end(&k, ret);
}

static int get(struct deps *d, const char *kind, const char *key, struct store_entry **ret)
{
	return store_get(d->job->store, kind, key, d->job->cancel_fd, ret, &d->job->error);
}

/* -------------------------------------------------------------------------- manager */

static int install_manager(struct deps *d, struct store_entry *e)
{
	_cleanup_free_ char *manifest = manager_manifest(&d->manager), *pinned = NULL;
	static const char *const words[] = { "npm", "install", "--omit=dev", "--no-package-lock",
					     NULL };
	const struct deps_input in = { .manifest = manifest,
				       .manifest_size = manifest ? strlen(manifest) : 0,
				       .words = words,
				       .wall_ns = d->in->wall_ns };
	_cleanup_(install_done) struct install i = INSTALL_NULL;
	struct manager npm;
	struct tree_sum sum;
	int r;

	if (!manifest || manager_parse(&npm, NULL, d->toolchain.npm_version) < 0 ||
	    asprintf(&pinned, "%s@%s", d->manager.name, d->manager.version) < 0)
		return job_fail(d->job, -ENOMEM, "deps", "out of memory");
	i.job = d->job;
	i.in = &in;
	i.manager = &npm;
	i.pinned = pinned;
	r = install_begin(&i);
	if (r == 0)
		r = install_run(&i);
	if (r == 0)
		r = install_pack(&i, e, &sum);
	if (r != 0)
		return r;
	(void)snprintf(e->label, sizeof(e->label), "%s", pinned);
	return store_publish(e, &sum, &d->job->error);
}

/* Only needed when something has to be installed. */
static int need_manager(struct deps *d)
{
	char key[KEY_SIZE];
	struct key k;
	int r;

	if (!d->manager.package || d->manager_entry)
		return 0;
	key_begin(&k, "manager 1");
	key_add_string(&k, d->manager.package);
	key_add_string(&k, d->manager.version);
	key_end(&k, key);
	r = get(d, "manager", key, &d->manager_entry);
	if (r > 0)
		r = install_manager(d, d->manager_entry);
	if (r == 0 && asprintf(&d->manager_path, "%s/node_modules", d->manager_entry->path) < 0)
		r = job_fail(d->job, -ENOMEM, "deps", "out of memory");
	return r;
}

static int begin(struct deps *d, struct install *i)
{
	int r = need_manager(d);

	if (r != 0)
		return r;
	i->job = d->job;
	i->in = d->in;
	i->manager = &d->manager;
	i->manager_path = d->manager_path;
	i->lockfile = d->lockfile;
	i->lockfile_size = d->lockfile_size;
	i->may_resolve = !d->in->lockfile_required && !d->resolved;
	return install_begin(i);
}

/* ---------------------------------------------------------------------- resolving */

static int use_lockfile(struct deps *d, const struct store_entry *e)
{
	_cleanup_close_ int fd = openat(e->dir, LOCK_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t size;

	if (fd < 0 || fstat(fd, &st) < 0)
		return job_fail(d->job, -errno, "store", "cannot open a lockfile: %m");
	text = job_read_fd(fd, INSTALL_LOCKFILE_MAX, &size);
	if (!text || (off_t)size != st.st_size)
		return job_fail(d->job, -EIO, "store", "cannot read a lockfile");
	free(d->resolved);
	d->resolved = steal_ptr(text);
	d->lockfile = d->resolved;
	d->lockfile_size = size;
	d->resolved_at = st.st_mtime;
	return 0;
}

static int keep_lockfile(struct deps *d, struct store_entry *e, const char *text, size_t size)
{
	_cleanup_close_ int fd = openat(e->dir, LOCK_NAME,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	struct tree_sum sum;
	int r;

	if (fd < 0 || write(fd, text, size) != (ssize_t)size)
		return job_fail(d->job, fd < 0 ? -errno : -EIO, "store", "cannot keep a lockfile");
	r = tree_seal(e->dir, &sum);
	if (r < 0)
		return job_fail(d->job, r, "store", "cannot seal a lockfile: %s", strerror(-r));
	(void)snprintf(e->label, sizeof(e->label), "%s of %s", d->manager.lockfile,
		       d->manager.name);
	return store_publish(e, &sum, &d->job->error);
}

/* Fills `e`, which is the caller's to make, with what is resolved now. */
static int resolve(struct deps *d, struct store_entry *e)
{
	_cleanup_(install_done) struct install i = INSTALL_NULL;
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int r = begin(d, &i);

	if (r == 0)
		r = install_resolve(&i, &text, &size);
	if (r == 0)
		r = keep_lockfile(d, e, text, size);
	return r != 0 ? r : use_lockfile(d, e);
}

static int get_lock(struct deps *d, struct store_entry **ret)
{
	char key[KEY_SIZE];

	lock_key(d, key);
	return get(d, "lock", key, ret);
}

static int without_lockfile(struct deps *d)
{
	_cleanup_(store_entry_freep) struct store_entry *lock = NULL;
	int r;

	if (d->in->lockfile_required)
		return job_verdict(d->job, VERDICT_CE,
				   "package.json has dependencies, but there is no %s beside it: "
				   "run `%s install` and submit both.",
				   d->manager.lockfile, d->manager.name);
	r = get_lock(d, &lock);
	if (r == 0)
		return use_lockfile(d, lock);
	return r < 0 ? r : resolve(d, lock);
}

/* ------------------------------------------------------------------------ installing */

static void label(const struct deps *d, struct store_entry *e)
{
	char packages[32] = "from an earlier one";

	job_detected(d->job, "packages", "%s %s%s%s", d->manager.name, d->manager.version,
		     d->in->lockfile ? ", " : "", d->in->lockfile ? d->manager.lockfile : "");
	if (d->packages > 0)
		(void)snprintf(packages, sizeof(packages), "%u packages", d->packages);
	(void)snprintf(e->label, sizeof(e->label), "%s %s, %s", d->manager.name,
		       d->manager.version, d->reused || d->packages ? packages : "installed");
}

/* All of deps_key() but the manifest and the lockfile. */
static int recipe(struct deps *d, char ret[static KEY_SIZE])
{
	struct key k;
	int r;

	key_begin(&k, "recipe 1");
	key_text(&k, d->in->npmrc);
	key_text(&k, d->in->workspace);
	key_add_string(&k, d->manager.name);
	key_add_string(&k, d->manager.version);
	key_add_string(&k, d->toolchain.node_major);
	key_scripts(&k, d->in->scripts);
	r = key_policies(d, &k);
	key_end(&k, ret);
	return r;
}

/* The tree of pnpm's hoisted layout is not one that it makes a difference to. */
static bool is_hoisted(const struct deps_input *in)
{
	return (in->npmrc && strstr(in->npmrc, "node-linker")) ||
	       (in->workspace && strstr(in->workspace, "nodeLinker"));
}

static int begin_reuse(struct deps *d, struct install *i, enum reuse_base how)
{
	struct reuse *u = &i->reuse;
	int r;

	u->is_npm = d->manager.kind == MANAGER_NPM;
	u->is_berry = d->manager.kind == MANAGER_BERRY;
	u->wanted = !u->is_npm || !d->in->words;
	if (!u->wanted)
		return 0;
	r = recipe(d, u->recipe);
	if (r < 0)
		return r;
	if (is_hoisted(d->in))
		how = MIN_OF(how, REUSE_FILES);
	r = reuse_begin(u, d->job, d->lockfile, d->lockfile_size, how);
	i->may_do_without = reuse_has_tarballs(u);
	return r;
}

/* 0: sealed and published; 1; INSTALL_OUTDATED; INSTALL_NOT_REUSED; <0. */
static int build_once(struct deps *d, struct store_entry *e, enum reuse_base how)
{
	_cleanup_(install_done) struct install i = INSTALL_NULL;
	struct tree_sum sum;
	int r = begin_reuse(d, &i, how);

	if (r == 0)
		r = begin(d, &i);
	if (r == 0)
		r = install_run(&i);
	if (r == 0)
		r = install_scripts(&i, e);
	if (r == 0)
		r = install_pack(&i, e, &sum);
	if (r != 0)
		return r;
	d->built = true;
	d->reused = i.reuse.how == REUSE_TREE;
	d->packages = d->reused ? 0 : i.packages; /* a manager counts what it has changed */
	label(d, e);
	return store_publish(e, &sum, &d->job->error);
}

static int build(struct deps *d, struct store_entry *e)
{
	int r = build_once(d, e, REUSE_TREE);

	return r == INSTALL_NOT_REUSED ? build_once(d, e, REUSE_FILES) : r;
}

static void tell(const struct deps *d)
{
	char packages[32] = "", date[32] = "";
	struct tm tm;

	if (d->packages > 0)
		(void)snprintf(packages, sizeof(packages), ", %u packages", d->packages);
	if (!d->built)
		job_stage_note(d->job, "stored");
	else
		job_stage_note(d->job, "%s%s%s", d->manager.name,
			       d->reused                        ? " install, from an earlier one"
			       : d->manager.kind == MANAGER_NPM ? " ci"
								: " install",
			       packages);
	if (!d->resolved || d->in->quiet)
		return;
	if (gmtime_r(&d->resolved_at, &tm))
		(void)strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	job_note(d->job, "%s: versions were resolved on %s; submit %s to fix them.",
		 d->in->lockfile ? "The lockfile does not match package.json" : "No lockfile", date,
		 d->manager.lockfile);
}

static int get_deps(struct deps *d, struct store_entry **ret)
{
	char key[KEY_SIZE];
	int r = deps_key(d, key);

	return r < 0 ? r : get(d, "deps", key, ret);
}

/*
 * A lockfile that was found outdated before is not tried again: its resolution is there. Otherwise
 * the right to make it is held while the install is tried, so that one makes it if it must be made.
 */
static int build_or_resolve(struct deps *d, struct store_entry **e)
{
	_cleanup_(store_entry_freep) struct store_entry *lock = NULL;
	int r = 0;

	if (!d->resolved && !d->in->lockfile_required) {
		r = get_lock(d, &lock);
		if (r < 0)
			return r;
		r = r == 0 ? INSTALL_OUTDATED : 0;
	}
	if (r == 0) {
		r = build(d, *e);
		if (r != INSTALL_OUTDATED)
			return r;
		r = resolve(d, lock);
	} else {
		r = use_lockfile(d, lock);
	}
	*e = store_entry_free(*e);
	if (r == 0)
		r = get_deps(d, e);
	return r > 0 && *e ? build(d, *e) : r;
}

static int get_entry(struct deps *d, struct store_entry **ret)
{
	_cleanup_(store_entry_freep) struct store_entry *e = NULL;
	int r = d->lockfile ? 0 : without_lockfile(d);

	if (r == 0)
		r = get_deps(d, &e);
	if (r < 0 || (r > 0 && !e))
		return r;
	if (r > 0)
		r = build_or_resolve(d, &e);
	if (r != 0)
		return r;
	tell(d);
	*ret = steal_ptr(e);
	return 0;
}

int deps_get(struct job *job, const struct deps_input *in, struct store_entry **ret)
{
	_cleanup_(deps_done) struct deps d = {
		.job = job, .in = in, .lockfile = in->lockfile, .lockfile_size = in->lockfile_size
	};
	int r = toolchain_find(&d.toolchain, job->settings->store_dir, &job->error);

	if (r < 0)
		return r;
	r = manager_parse(&d.manager, in->manager, d.toolchain.npm_version);
	if (r == -ERANGE)
		return job_verdict(job, VERDICT_CE,
				   "package.json asks for %s (\"packageManager\"), which is too "
				   "old: pnpm from 7.33, yarn from 1.10 and bun from 1.0 on can be "
				   "used.",
				   in->manager);
	if (r < 0)
		return job_verdict(job, VERDICT_CE,
				   "package.json: \"packageManager\": \"%s\" is not known here: "
				   "npm, pnpm, yarn and bun are, like \"pnpm@9.15.9\".",
				   in->manager);
	return get_entry(&d, ret);
}
