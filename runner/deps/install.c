/* SPDX-License-Identifier: MIT */

/*
 * A package manager in an install jail.
 *
 * What goes in: the manifest reduced to its dependency fields, the lockfile, and the settings that
 * were let through. No source, no root script, no .npmrc of a student: with equal input two
 * students get equal trees, so they may share one. The manager runs no scripts of packages.
 * Development packages are installed too: tsx, typescript or vite are listed there, and the
 * student's own install has them.
 *
 * What comes out: a copy (install-pack.c), or the text of a lockfile, read from a memfd.
 *
 * A manager that is not npm installs through a registry of ours in the jail (inside/registry.cjs),
 * which has the stored tarballs; so does npm when the real registry does not answer. Versions are
 * resolved by the real one alone, whose addresses some managers write into their lockfile.
 *
 * The runtime is mounted with mapped ids not for its own sake: an ordinary user's jails can give
 * files to that user only if they have such a mount from the start.
 */

#include "deps/install.h"

#include <fcntl.h>

#include "util/util.h"

void install_done(struct install *i)
{
	sbx_jail_free(i->jail);
	sbx_plan_unref(i->plan);
	npm_registry_done(&i->registry);
	close_fd(i->manifest);
	close_fd(i->lock_fd);
	close_fd(i->npmrc);
	close_fd(i->workspace);
	close_fd(i->log);
	close_fd(i->out);
	reuse_done(&i->reuse);
}

/* ----------------------------------------------------------------------------- jail */

uint32_t install_base_mounts(struct job *job, struct sbx_mount *m)
{
	uint32_t n = job_inside_mounts(job, m);

	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_BIND,
				     .flags = SBX_MOUNT_IDMAP,
				     .source = job->settings->node_dir,
				     .target = "/opt/node" };
	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_DIR,
				     .target = INSTALL_PACK_TARGET };
	return n;
}

static uint32_t jail_mounts(struct install *i, struct sbx_mount *m)
{
	uint32_t n = install_base_mounts(i->job, m);

	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_FILE,
				     .mode = 0444,
				     .target = "/etc/hosts",
				     .data = i->registry.hosts };
	if (i->registry.cafile)
		m[n++] = (struct sbx_mount){ .size = sizeof(*m),
					     .type = SBX_MOUNT_BIND,
					     .source = i->registry.cafile,
					     .target = MANAGER_CA };
	if (i->manager_path)
		m[n++] = (struct sbx_mount){ .size = sizeof(*m),
					     .type = SBX_MOUNT_BIND,
					     .flags = SBX_MOUNT_IDMAP,
					     .source = i->manager_path,
					     .target = MANAGER_DIR };
	n += install_serve_mounts(m + n);
	return n + reuse_mounts(&i->reuse, m + n);
}

static int make_jail(struct install *i)
{
	struct sbx_mount mounts[INSIDE_MOUNTS_MAX + 5 + INSTALL_SERVE_MOUNTS + REUSE_MOUNTS_MAX];
	struct sbx_jail_options o = { .size = sizeof(o), .label = "install", .mounts = mounts };
	struct sbx_forward forward = { .size = sizeof(forward),
				       .port = i->registry.port,
				       .host = i->registry.to_host,
				       .host_port = i->registry.to_port,
				       .connections = 64,
				       .bytes = 2ull << 30 };
	struct job *job = i->job;
	int r = job_plan(job, INSTALL_POLICY, NULL, 0, &i->plan);

	if (r < 0)
		return r;
	o.n_mounts = jail_mounts(i, mounts);
	r = sbx_jail_new(job->ctx, i->plan, &i->jail, &o, &job->error);
	return r < 0 || i->offline ? r : sbx_jail_forward(i->jail, &forward, &job->error);
}

/* --------------------------------------------------------------------------- inputs */

static int input_fd(struct job *job, const char *data, size_t size, int *ret)
{
	int fd = job_memfd(job, "npm-input");

	if (fd < 0)
		return fd;
	*ret = fd;
	if (write(fd, data, size) != (ssize_t)size)
		return job_fail(job, -EIO, "memfd", "cannot keep %zu bytes in memory", size);
	return 0;
}

static int make_inputs(struct install *i)
{
	const struct deps_input *in = i->in;
	struct job *job = i->job;
	int r = input_fd(job, in->manifest, in->manifest_size, &i->manifest);

	if (r == 0 && in->workspace)
		r = input_fd(job, in->workspace, strlen(in->workspace), &i->workspace);
	if (r == 0)
		r = i->log = job_memfd(job, "npm-log");
	if (r >= 0)
		r = i->out = job_memfd(job, "npm-out");
	return r < 0 ? r : 0;
}

int install_begin(struct install *i)
{
	struct job *job = i->job;
	int r;

	r = npm_registry_find(&i->registry, job->settings->node_dir, job->cancel_fd, &job->error);
	if (r < 0 && r != -EINTR && i->registry.url && i->may_do_without) {
		i->offline = true;
		i->unreachable = job->error;
		r = 0;
	}
	if (r == 0)
		r = make_inputs(i);
	return r < 0 ? r : make_jail(i);
}

/* -------------------------------------------------------------------------- running */

int install_exec(struct install *i, struct sbx_exec *e, struct sbx_result *ret)
{
	struct sbx_proc *p = NULL;
	int r;

	e->size = sizeof(*e);
	e->flags = SBX_EXEC_STDOUT | SBX_EXEC_STDERR;
	e->stdout_fd = e->stderr_fd = i->log;
	e->stdout_limit = e->stderr_limit = INSTALL_OUTPUT_MAX;
	if (ftruncate(i->log, 0) < 0 || lseek(i->log, 0, SEEK_SET) < 0)
		return job_fail(i->job, -errno, "memfd", "cannot rewind: %m");
	r = sbx_jail_exec(i->jail, &p, e, &i->job->error);
	if (r < 0)
		return r;
	r = job_wait(i->job, p, UINT64_MAX, ret);
	sbx_proc_free(p);
	return r;
}

static int lockfile_fd(struct install *i)
{
	close_fd(i->lock_fd);
	i->lock_fd = -1;
	return i->lockfile ? input_fd(i->job, i->lockfile, i->lockfile_size, &i->lock_fd) : 0;
}

static int npmrc_fd(struct install *i, const struct npm_registry *seen)
{
	_cleanup_free_ char *npmrc = manager_npmrc(seen, i->in->npmrc);

	i->npmrc = close_fd(i->npmrc);
	return npmrc ? input_fd(i->job, npmrc, strlen(npmrc), &i->npmrc) : -ENOMEM;
}

static uint32_t list_fds(struct install *i, struct sbx_fd fds[static 5])
{
	const struct sbx_fd all[] = { { i->manifest, 3, 0 },
				      { i->lock_fd, 4, 0 },
				      { i->npmrc, 5, 0 },
				      { i->out, 6, 0 },
				      { i->workspace, 7, 0 } };
	uint32_t n = 0;

	for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
		if (all[k].fd < 0)
			continue;
		(void)lseek(all[k].fd, 0, SEEK_SET);
		fds[n++] = all[k];
	}
	return n;
}

/*
 * yarn 1 takes packages from the addresses in its lockfile, so these become the operator's: of
 * "https://host/path/NAME/-/FILE" what is before the name.
 */
static const char *put_lockfile(const struct install *i)
{
	if (!i->lockfile)
		return "";
	if (i->manager->kind != MANAGER_YARN)
		return " && cat <&4 >\"$0\"";
	return " && sed -E \"/^  resolved /{"
	       "s#\\\"https?://[^\\\"]*/(@[^/\\\"]+/[^/\\\"]+/-/)#\\\"$REGISTRY/\\1#;t;"
	       "s#\\\"https?://[^\\\"]*/([^/\\\"]+/-/)#\\\"$REGISTRY/\\1#}\" <&4 >\"$0\"";
}

/*
 * The shell puts the files where the manager can write beside them; its words are all ours. $0 is
 * the name of the lockfile. Binary lockfiles of bun begin with "#!/usr".
 */
static const char shell_clean[] = "rm -rf node_modules; ";
static const char shell_begin[] = "cat <&3 >package.json && cat <&5 >.npmrc";
static const char shell_install[] = " && \"$@\" && mkdir -p node_modules";
static const char shell_resolve[] = " && \"$@\" && cat \"$0\" >&6";

/*
 * For a difference node_modules is that of the base. npm believes its own list in it only if that
 * is not older than any folder. The lockfile that the base was made from is another student's: npm
 * would keep a package for which it gave two digests, or another name, or another program in .bin.
 * So the list is read first (base_ok): each package has its own tarball and one digest, and no two
 * packages of old and new have a program of the same name.
 *
 * npm may have changed the lockfile afterwards, or the lockfile may not be that of the manifest,
 * which `npm ci` refuses: then this is no install of what was submitted. A file says that it is,
 * made at npm's exit (whose code npm sets last of all). The name that `npm install` adds to its
 * list is taken out, as `npm ci` leaves it.
 */
static const char shell_difference[] =
	" && cp \"$0\" .given && touch node_modules/.package-lock.json && "
	"cat >.check.cjs <<'END' && NODE_OPTIONS=--require=/app/.check.cjs \"$@\" &&\n"
	"const f = require('fs'), l = (n) => JSON.parse(f.readFileSync('/app/' + n));\n"
	"const last = (k) => k.slice(k.lastIndexOf('node_modules/') + 13);\n"
	"const place = new RegExp('^(node_modules/(@[\\\\w~-][\\\\w.~-]*/)?[\\\\w~-][\\\\w.~-]*(/|$))+$');\n"
	"const entry_ok = (k, e, g) => {\n"
	" const name = e.name || last(k), base = name.slice(name.indexOf('/') + 1);\n"
	" const other = (p) => JSON.stringify([p.name || last(k), p.bin]);\n"
	" return place.test(k) && !e.link && (g?.version !== e.version || other(g) === other(e)) &&\n"
	"  (/^sha512-[A-Za-z0-9+/]{86}==$/.test(e.integrity) || (e.inBundle && !e.integrity)) &&\n"
	"  (!e.resolved || e.resolved.endsWith('/' + name + '/-/' + base + '-' + e.version + '.tgz'));\n"
	"};\n"
	"const bins_ok = (all) => { const seen = new Map();\n"
	" for (const [k, e] of all) for (const b of Object.keys(e.bin || {})) {\n"
	"  const at = k.slice(0, -last(k).length) + b;\n"
	"  if (!/^[\\w.~-]+$/.test(b) || typeof e.bin !== 'object') return false;\n"
	"  if ((seen.get(at) || k) !== k) return false;\n"
	"  seen.set(at, k); }\n"
	" return true; };\n"
	"const base_ok = (had, given) => {\n"
	" const all = Object.entries(had).filter(([k]) => k);\n"
	" return all.every(([k, e]) => entry_ok(k, e, given[k])) &&\n"
	"  bins_ok(all.concat(Object.entries(given).filter(([k]) => k))); };\n"
	"if (!base_ok(l('node_modules/.package-lock.json').packages, l('.given').packages))\n"
	" process.exit(1);\n"
	"const r = (n) => { const p = l(n).packages, o = {};\n"
	" for (const k of Object.keys(p).sort())\n"
	"  if (k) o[k] = [p[k].version, p[k].integrity, !!p[k].link];\n"
	" return JSON.stringify(o); };\n"
	"const d = (m) => JSON.stringify(['', 'dev', 'optional', 'peer'].map((k) =>\n"
	" Object.entries((m || {})[k ? k + 'Dependencies' : 'dependencies'] || {}).sort()));\n"
	"process.on('exit', (code) => { if (code) return;\n"
	" const h = 'node_modules/.package-lock.json', a = l(h), g = l('.given');\n"
	" if (!g.name) delete a.name;\n"
	" f.writeFileSync('/app/' + h, JSON.stringify(a, null, 2) + '\\n');\n"
	" if (r('.given') === r('package-lock.json') && d(l('package.json')) === d(g.packages['']))\n"
	"  f.writeFileSync('/app/.same', ''); });\n"
	"END\n"
	"test -e .same";

static const char *lockfile_name(const struct install *i)
{
	bool binary = i->lockfile_size > 6 && memcmp(i->lockfile, "#!/usr", 6) == 0;

	return i->manager->kind == MANAGER_BUN && binary ? "bun.lockb" : i->manager->lockfile;
}

static int shell_words(struct install *i, enum manager_step step, struct words *w)
{
	bool same = step == MANAGER_DIFFERENCE;
	int r;

	words_add(w, "sh");
	words_add(w, "-c");
	r = words_print(w, "%s%s%s%s%s", same ? "" : shell_clean, shell_begin, put_lockfile(i),
			i->workspace >= 0 ? " && cat <&7 >pnpm-workspace.yaml" : "",
			step == MANAGER_RESOLVE			      ? shell_resolve
			: same && i->manager->kind == MANAGER_NPM ? shell_difference
								      : shell_install);
	words_add(w, lockfile_name(i));
	return r;
}

static int run_manager(struct install *i, enum manager_step step, bool legacy_peers,
		       struct sbx_result *ret)
{
	_cleanup_(words_done) struct words argv = {}, env = {};
	struct sbx_fd fds[5];
	struct sbx_exec e = { .path = "/bin/sh",
			      .argv = argv.list,
			      .env = env.list,
			      .cwd = "/app",
			      .fds = fds,
			      .wall_ns = i->in->wall_ns };
	const char *const *own = i->manager->kind == MANAGER_NPM ? i->in->words : NULL;
	const struct npm_registry ours = { .url = (char *)INSTALL_SERVED_URL };
	bool served = install_is_served(i, step);
	const struct npm_registry *seen = served ? &ours : &i->registry;
	int r = lockfile_fd(i);

	if (r == 0)
		r = npmrc_fd(i, seen);
	if (r == 0)
		r = shell_words(i, step, &argv);
	if (r == 0 && served)
		r = install_serve_words(i, step, lockfile_name(i), &argv);
	if (r == 0)
		r = manager_command(i->manager, step, own, legacy_peers, seen, &argv);
	if (r == 0)
		r = manager_environment(i->manager, seen, &env);
	if (served && i->registry.cafile)
		words_add(&env, "NODE_EXTRA_CA_CERTS=" MANAGER_CA);
	if (r < 0)
		return job_fail(i->job, r, "deps", "cannot make the command: %s", strerror(-r));
	if (words_full(&argv))
		return job_fail(i->job, -E2BIG, "deps",
				"the challenge's install command has too many words");
	e.n_fds = list_fds(i, fds);
	return install_exec(i, &e, ret);
}

/* Peer dependencies that contradict each other: npm 7 and later stop, and only there. */
static bool wants_legacy_peers(const struct install *i, const struct sbx_result *r, const char *log)
{
	return i->manager->kind == MANAGER_NPM && r->verdict == SBX_VERDICT_EXITED &&
	       r->exit_code != 0 && strstr(log, "npm error code ERESOLVE");
}

/*
 * A student whose peer dependencies contradict each other has installed with --legacy-peer-deps.
 * The lockfile fixes every version either way.
 */
static int run_step(struct install *i, enum manager_step step)
{
	struct sbx_result result;
	bool again;
	int r;

	for (int legacy = 0; legacy < 2; legacy++) {
		_cleanup_free_ char *log = NULL;
		size_t size;

		r = run_manager(i, step, legacy, &result);
		if (r < 0)
			return r;
		log = job_read_fd(i->log, 2 * INSTALL_OUTPUT_MAX, &size);
		if (!log)
			return job_fail(i->job, -ENOMEM, "deps", "out of memory");
		again = !legacy && wants_legacy_peers(i, &result, log);
		if (!again)
			return install_outcome(i, &result, log);
	}
	return 0;
}

/* Only a difference that went without a word of doubt counts. */
static int run_difference(struct install *i)
{
	_cleanup_free_ char *log = NULL;
	struct sbx_result result;
	size_t size;
	int r = run_manager(i, MANAGER_DIFFERENCE, false, &result);

	if (r < 0)
		return r;
	log = job_read_fd(i->log, 2 * INSTALL_OUTPUT_MAX, &size);
	if (!log || result.verdict != SBX_VERDICT_EXITED || result.exit_code != 0 ||
	    strstr(log, "TAR_") || strstr(log, "npm error"))
		return INSTALL_NOT_REUSED;
	return install_outcome(i, &result, log);
}

int install_run(struct install *i)
{
	return i->reuse.how == REUSE_TREE ? run_difference(i) : run_step(i, MANAGER_INSTALL);
}

int install_resolve(struct install *i, char **ret_lockfile, size_t *ret_size)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int r;

	if (ftruncate(i->out, 0) < 0)
		return job_fail(i->job, -errno, "memfd", "cannot rewind: %m");
	r = run_step(i, MANAGER_RESOLVE);
	if (r != 0)
		return r;
	text = job_read_fd(i->out, INSTALL_LOCKFILE_MAX + 1, &size);
	if (!text || size == 0)
		return job_fail(i->job, -EIO, "deps", "%s wrote no lockfile", i->manager->name);
	if (size > INSTALL_LOCKFILE_MAX)
		return job_verdict(i->job, VERDICT_CE,
				   "The dependencies are too many: their lockfile is larger than "
				   "8 MiB. Remove those that the server does not use.");
	*ret_lockfile = steal_ptr(text);
	*ret_size = size;
	return 0;
}
