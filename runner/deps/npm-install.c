/* SPDX-License-Identifier: MIT */

/*
 * `npm ci` in an install jail.
 *
 * What goes in: the manifest reduced to its dependency fields and the lockfile. No source, no root
 * script, no .npmrc of a student: with equal input two students get equal trees, so they may share
 * one. Scripts of packages are not run (--ignore-scripts): packages that need one to be built are
 * not supported, prebuilt ones are. Development packages are installed too: tsx, typescript or vite
 * are listed there, and the student's own `npm ci` has them.
 *
 * What comes out: a copy. npm works in the jail's own tmpfs. After it has ended, and every process
 * that it may have left was killed, a directory of the store is mounted in the jail and
 * `sandbox-inside pack` writes the tree to it; no other program ever runs in the jail while it is
 * there. The directory is open to everybody while it is filled, since it depends on the caller's
 * privileges whose the files are; it lies below the store's 0700. Then the jail is killed, and
 * tree_seal() makes the caller own what it finds plain files, directories and links and refuses the
 * rest: at no time can a jail write to a file that another one reads.
 *
 * The runtime is mounted with mapped ids not for its own sake: an ordinary user's jails can give
 * files to that user only if they have such a mount from the start.
 *
 * Whose fault a failure is: npm's error code decides. Those of a closed list are the student's (a
 * package that does not exist, a lockfile that does not match); everything else is ours.
 */

#include "deps/npm-install.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "challenge/challenge.h"
#include "pipeline/clean.h"
#include "deps/npm-errors.h"
#include "deps/npm-registry.h"
#include "pipeline/units.h"
#include "util/util.h"

#define ENTRY_BYTES (768ull << 20)
#define ENTRY_FILES 100000
#define PACK_TARGET "/opt/store"
#define PACK_WALL (120 * NSEC_PER_SEC)
#define KILL_WALL (10 * NSEC_PER_SEC)
#define OUTPUT_MAX (1u << 20)
#define ARGS_MAX 48
#define CA_PATH "/opt/npm/ca.pem"
#define NPM_CLI "/opt/node/lib/node_modules/npm/bin/npm-cli.js"

struct install {
	struct job *job;
	struct npm_registry registry;
	struct sbx_plan *plan;
	struct sbx_jail *jail;
	int manifest, lockfile, log;
};

static void install_done(struct install *in)
{
	sbx_jail_free(in->jail);
	sbx_plan_unref(in->plan);
	npm_registry_done(&in->registry);
	close_fd(in->manifest);
	close_fd(in->lockfile);
	close_fd(in->log);
}

const char *const *npm_install_words(const struct challenge *c)
{
	static const char *const standard[] = { "ci", "--include=dev", NULL };

	return c->install.kind == COMMAND_ARGV ? (const char *const *)c->install.argv + 1
					       : standard;
}

static int input_fd(struct job *job, const char *data, size_t size, int *ret)
{
	int fd = job_memfd(job, "npm-input");

	if (fd < 0)
		return fd;
	*ret = fd;
	if (write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0)
		return job_fail(job, -EIO, "memfd", "cannot keep %zu bytes in memory", size);
	return 0;
}

/* ----------------------------------------------------------------------------- jail */

static uint32_t jail_mounts(struct install *in, struct sbx_mount *m)
{
	uint32_t n = job_inside_mounts(in->job, m);

	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_BIND,
				     .flags = SBX_MOUNT_IDMAP,
				     .source = in->job->settings->node_dir,
				     .target = "/opt/node" };
	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_DIR,
				     .target = PACK_TARGET };
	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_FILE,
				     .mode = 0444,
				     .target = "/etc/hosts",
				     .data = in->registry.hosts };
	if (in->registry.cafile)
		m[n++] = (struct sbx_mount){ .size = sizeof(*m),
					     .type = SBX_MOUNT_BIND,
					     .source = in->registry.cafile,
					     .target = CA_PATH };
	return n;
}

static int make_jail(struct install *in)
{
	struct sbx_mount mounts[INSIDE_MOUNTS_MAX + 4];
	struct sbx_jail_options o = { .size = sizeof(o), .label = "install", .mounts = mounts };
	struct sbx_forward forward = { .size = sizeof(forward),
				       .port = in->registry.port,
				       .host = in->registry.to_host,
				       .host_port = in->registry.to_port,
				       .connections = 32,
				       .bytes = 2ull << 30 };
	struct job *job = in->job;
	int r = job_plan(job, NPM_POLICY, NULL, 0, &in->plan);

	if (r < 0)
		return r;
	o.n_mounts = jail_mounts(in, mounts);
	r = sbx_jail_new(job->ctx, in->plan, &in->jail, &o, &job->error);
	return r < 0 ? r : sbx_jail_forward(in->jail, &forward, &job->error);
}

/* ------------------------------------------------------------------------------ npm */

struct args {
	const char *list[ARGS_MAX];
	char *owned[4];
	int n, n_owned;
};

static void args_done(struct args *a)
{
	for (int i = 0; i < a->n_owned; i++)
		free(a->owned[i]);
}

static void args_add(struct args *a, const char *word)
{
	if (a->n < ARGS_MAX - 1)
		a->list[a->n++] = word;
}

static int args_add_value(struct args *a, const char *option, const char *value)
{
	if (asprintf(&a->owned[a->n_owned], "%s=%s", option, value) < 0)
		return -ENOMEM;
	args_add(a, a->owned[a->n_owned++]);
	return 0;
}

/* The shell puts the two files where npm can write beside them; its words are all ours. */
static int npm_args(struct install *in, struct args *a, bool legacy_peers)
{
	static const char script[] =
		"rm -rf node_modules; cat <&3 >package.json && cat <&4 >package-lock.json && "
		"\"$@\" && mkdir -p node_modules";
	/* clang-format off */
	static const char *const always[] = {
		"--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier",
		"--no-progress", "--no-color", "--loglevel=warn", "--userconfig=/app/.none",
		"--globalconfig=/app/.none-global", "--cache=/tmp/npm",
		"--replace-registry-host=always", "--fetch-retries=2",
		"--fetch-retry-mintimeout=1000", "--fetch-timeout=60000",
	};
	/* clang-format on */
	const struct npm_registry *r = &in->registry;
	const char *const *word = npm_install_words(in->job->challenge);
	int e;

	for (const char *const *w = (const char *const[]){ "sh", "-c", script, "sh",
							   "/opt/node/bin/node", NPM_CLI, NULL };
	     *w; w++)
		args_add(a, *w);
	for (; *word; word++)
		args_add(a, *word);
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		args_add(a, always[i]);
	if (legacy_peers)
		args_add(a, "--legacy-peer-deps");
	if (r->insecure)
		args_add(a, "--strict-ssl=false");
	if (r->cafile)
		args_add(a, "--cafile=" CA_PATH);
	e = args_add_value(a, "--registry", r->url);
	if (e == 0 && r->proxy)
		e = args_add_value(a, "--https-proxy", r->proxy);
	if (e == 0 && r->proxy)
		e = args_add_value(a, "--proxy", r->proxy);
	if (a->n == ARGS_MAX - 1)
		return job_fail(in->job, -E2BIG, "npm",
				"the challenge's install command has too many words");
	return e;
}

static int run_npm(struct install *in, bool legacy_peers, struct sbx_result *ret)
{
	static const char *const env[] = { "PATH=/opt/node/bin:/usr/bin:/bin", "HOME=/tmp",
					   "LANG=C.UTF-8", "TZ=UTC", NULL };
	struct sbx_fd fds[] = { { in->manifest, 3, 0 }, { in->lockfile, 4, 0 } };
	_cleanup_(args_done) struct args args = {};
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDOUT | SBX_EXEC_STDERR,
			      .path = "/bin/sh",
			      .argv = args.list,
			      .env = env,
			      .cwd = "/app",
			      .stdout_fd = in->log,
			      .stderr_fd = in->log,
			      .stdout_limit = OUTPUT_MAX,
			      .stderr_limit = OUTPUT_MAX,
			      .fds = fds,
			      .n_fds = 2,
			      .wall_ns = in->job->challenge->limits.install_ns };
	struct sbx_proc *p = NULL;
	int r = npm_args(in, &args, legacy_peers);

	if (r < 0)
		return r;
	if (ftruncate(in->log, 0) < 0 || lseek(in->log, 0, SEEK_SET) < 0 ||
	    lseek(in->manifest, 0, SEEK_SET) < 0 || lseek(in->lockfile, 0, SEEK_SET) < 0)
		return job_fail(in->job, -errno, "memfd", "cannot rewind: %m");
	r = sbx_jail_exec(in->jail, &p, &e, &in->job->error);
	if (r < 0)
		return r;
	r = job_wait(in->job, p, UINT64_MAX, ret);
	sbx_proc_free(p);
	return r;
}

/* ------------------------------------------------------------------------ its errors */

static int broken_package(struct job *job, const char *log, const char *text)
{
	_cleanup_free_ char *package =
		npm_package_of_digest(job->facts.lockfile, job->facts.lockfile_size, log);

	return job_verdict(job, VERDICT_CE,
			   "%s%s%s in the registry is not what package-lock.json says it is: "
			   "%s",
			   package ? "\"" : "", package ? package : "A package",
			   package ? "\"" : "", text ? text : "");
}

/* A name that is not in the jail's hosts file is one that the student's lockfile brought in. */
static bool asks_elsewhere(const struct install *in, const char *code, const char *log)
{
	const char *name = strstr(log, "getaddrinfo ");

	if (!streq(code, "ENOTFOUND") && !streq(code, "EAI_AGAIN"))
		return false;
	name = name ? strchr(name + strlen("getaddrinfo "), ' ') : NULL;
	return name && strncmp(name + 1, in->registry.to_host, strlen(in->registry.to_host)) != 0;
}

static int npm_failed(struct install *in, const char *log)
{
	_cleanup_free_ char *text = npm_error_text(log);
	struct job *job = in->job;
	char code[40];

	npm_error_code(log, code, sizeof(code));
	if (streq(code, "EUSAGE"))
		return job_verdict(job, VERDICT_CE,
				   "package-lock.json does not match package.json: run "
				   "`npm install` and submit both. npm ci says: %s",
				   text ? text : "");
	if (streq(code, "EINTEGRITY"))
		return broken_package(job, log, text);
	if (npm_error_is_students(code) || asks_elsewhere(in, code, log))
		return job_verdict(job, VERDICT_CE, "The dependencies cannot be installed (%s): %s",
				   code, text ? text : "");
	job->error = (struct sbx_error){ .code = -EHOSTUNREACH };
	(void)snprintf(job->error.stage, sizeof(job->error.stage), "npm");
	(void)snprintf(job->error.item, sizeof(job->error.item), "%s", in->registry.url);
	(void)snprintf(job->error.text, sizeof(job->error.text),
		       "npm ci failed with %s; is the registry "
		       "reachable (npm ping)? %s",
		       *code ? code : "no code", text ? text : "");
	return -EHOSTUNREACH;
}

static int disk_verdict(struct install *in, const struct sbx_result *r)
{
	char total[UNITS_TEXT];

	return job_verdict(in->job, VERDICT_CE,
			   "The dependencies do not fit into the disk space of an install "
			   "(%s in all, the cache of npm included).",
			   units_size(total, r->stats.disk_total));
}

static int npm_limit(struct install *in, const struct sbx_result *r)
{
	struct job *job = in->job;
	char limit[UNITS_TEXT];

	if (r->verdict == SBX_VERDICT_WALL)
		return job_verdict(job, VERDICT_CE,
				   "Installing the dependencies took longer than %s.",
				   units_duration(limit, job->challenge->limits.install_ns));
	if (r->verdict == SBX_VERDICT_DISK || r->hit & SBX_HIT_DISK || r->stats.disk_full)
		return disk_verdict(in, r);
	if (r->verdict != SBX_VERDICT_EXITED)
		return job_verdict_from(job, r, VERDICT_CE, "Installing the dependencies");
	return 0;
}

/*
 * npm only warns when a file of a package cannot be written, and ends with 0: on a full disk it
 * leaves a tree of cut files. Such a tree must not reach the store, so the warnings are read, and a
 * log too long to be whole is refused.
 */
static int check_complete(struct install *in, const struct sbx_result *r, const char *log)
{
	static const char *const broken[] = { "TAR_ENTRY_ERROR", "TAR_ENTRY_INVALID", "TAR_ABORT",
					      "TAR_BAD_ARCHIVE" };
	_cleanup_free_ char *line = NULL;
	struct job *job = in->job;
	char limit[UNITS_TEXT];
	const char *at = NULL;

	if (r->stderr_bytes > OUTPUT_MAX || r->stdout_bytes > OUTPUT_MAX)
		return job_verdict(job, VERDICT_CE,
				   "npm printed more than %s of warnings about the "
				   "dependencies.",
				   units_size(limit, OUTPUT_MAX));
	for (size_t i = 0; i < ARRAY_SIZE(broken) && !at; i++)
		at = strstr(log, broken[i]);
	if (r->hit & SBX_HIT_DISK || r->stats.disk_full || (at && strstr(log, "ENOSPC")))
		return disk_verdict(in, r);
	if (!at)
		return 0;
	line = clean_line(at, strcspn(at, "\n"), 200);
	return job_fail(job, -EIO, "npm", "npm could not unpack a package: %s", line ? line : "");
}

static unsigned count_packages(const char *log)
{
	const char *added = strstr(log, "added ");

	return added ? (unsigned)strtoul(added + strlen("added "), NULL, 10) : 0;
}

/*
 * Peer dependencies that contradict each other are an error of npm 7 and later, and a student who
 * has them has installed with --legacy-peer-deps. The lockfile fixes every version either way.
 */
static int install(struct install *in, unsigned *ret_packages)
{
	struct sbx_result result;
	char code[40];
	int r;

	for (int legacy = 0; legacy < 2; legacy++) {
		_cleanup_free_ char *log = NULL;
		size_t size;

		r = run_npm(in, legacy, &result);
		if (r < 0)
			return r;
		log = job_read_fd(in->log, 2 * OUTPUT_MAX, &size);
		if (!log)
			return job_fail(in->job, -ENOMEM, "npm", "out of memory");
		if (result.verdict == SBX_VERDICT_EXITED && result.exit_code == 0) {
			*ret_packages = count_packages(log);
			return check_complete(in, &result, log);
		}
		r = npm_limit(in, &result);
		npm_error_code(log, code, sizeof(code));
		if (r == 0 && streq(code, "ENOSPC"))
			r = disk_verdict(in, &result);
		if (r == 0 && (legacy || !streq(code, "ERESOLVE")))
			r = npm_failed(in, log);
		if (r != 0)
			return r;
	}
	return 0;
}

/* ----------------------------------------------------------------------------- pack */

/* kill(2) of everybody at once: no child can slip through, and whoever asks is spared. */
static int kill_leftovers(struct install *in)
{
	static const char *const argv[] = { "sh", "-c", "kill -KILL -1 2>/dev/null; true", NULL };
	struct sbx_exec e = { .size = sizeof(e),
			      .path = "/bin/sh",
			      .argv = argv,
			      .cwd = "/",
			      .wall_ns = KILL_WALL };
	struct sbx_result result;
	struct sbx_proc *p = NULL;
	int r = sbx_jail_exec(in->jail, &p, &e, &in->job->error);

	if (r < 0)
		return r;
	r = job_wait(in->job, p, UINT64_MAX, &result);
	sbx_proc_free(p);
	if (r == 0 && (result.verdict != SBX_VERDICT_EXITED || result.exit_code != 0))
		r = job_fail(in->job, -EIO, "pack", "what npm left running could not be ended");
	return r;
}

/* The directory as the jail has it: its ".." leads nowhere outside. */
static int mount_staging(struct install *in, const struct store_entry *entry)
{
	_cleanup_free_ char *path = NULL;
	struct sbx_mount m = { .size = sizeof(m),
			       .type = SBX_MOUNT_BIND,
			       .flags = SBX_MOUNT_RW | SBX_MOUNT_IDMAP | SBX_MOUNT_NOEXEC,
			       .target = PACK_TARGET };
	struct job *job = in->job;
	int r;

	if (asprintf(&path, "%s/node_modules", entry->path) < 0)
		return job_fail(job, -ENOMEM, "store", "out of memory");
	if (mkdirat(entry->dir, "node_modules", 0700) < 0 ||
	    fchmodat(entry->dir, "node_modules", 0777, 0) < 0)
		return job_fail(job, -errno, "store", "cannot make the staging directory: %m");
	m.source = path;
	r = sbx_jail_mount(in->jail, &m, &job->error);
	return r < 0 ? r
		     : sbx_jail_open(in->jail, PACK_TARGET, O_RDONLY | O_DIRECTORY, &job->error);
}

static int pack_failed(struct install *in, const struct sbx_result *result)
{
	_cleanup_free_ char *log = NULL, *line = NULL;
	size_t size = 0;

	log = job_read_fd(in->log, OUTPUT_MAX, &size);
	line = log ? clean_line(log, size, 300) : NULL;
	if (result->verdict == SBX_VERDICT_EXITED && result->exit_code == 1)
		return job_verdict(in->job, VERDICT_CE, "The installed packages cannot be used: %s",
				   line ? line : "");
	return job_fail(in->job, -EIO, "pack", "sandbox-inside pack ended with %d (verdict %d): %s",
			result->exit_code, result->verdict, line ? line : "");
}

static int run_pack(struct install *in, int staging)
{
	char bytes[32], files[32];
	const char *const argv[] = { "sandbox-inside", "pack", "--max-bytes", bytes,
				     "--max-files",    files,  NULL };
	struct sbx_fd fd = { staging, 3, SBX_FD_TREE_WRITE };
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDERR,
			      .path = INSIDE_PATH,
			      .argv = argv,
			      .cwd = "/app/node_modules",
			      .stderr_fd = in->log,
			      .stderr_limit = OUTPUT_MAX,
			      .fds = &fd,
			      .n_fds = 1,
			      .wall_ns = PACK_WALL };
	struct sbx_result result;
	struct sbx_proc *p = NULL;
	int r;

	(void)snprintf(bytes, sizeof(bytes), "%llu", ENTRY_BYTES);
	(void)snprintf(files, sizeof(files), "%d", ENTRY_FILES);
	if (ftruncate(in->log, 0) < 0 || lseek(in->log, 0, SEEK_SET) < 0)
		return job_fail(in->job, -errno, "memfd", "cannot rewind: %m");
	r = sbx_jail_exec(in->jail, &p, &e, &in->job->error);
	if (r < 0)
		return r;
	r = job_wait(in->job, p, UINT64_MAX, &result);
	sbx_proc_free(p);
	if (r < 0)
		return r;
	return result.verdict == SBX_VERDICT_EXITED && result.exit_code == 0
		       ? 0
		       : pack_failed(in, &result);
}

static int pack_and_seal(struct install *in, struct store_entry *entry, struct tree_sum *ret)
{
	_cleanup_close_ int staging = -1;
	int r = kill_leftovers(in);

	if (r == 0)
		r = staging = mount_staging(in, entry);
	if (r >= 0)
		r = run_pack(in, staging);
	if (r != 0)
		return r;
	r = sbx_jail_kill(in->jail, &in->job->error);
	if (r < 0)
		return r;
	r = tree_seal(entry->dir, ret);
	if (r == 0 && (ret->bytes > ENTRY_BYTES || ret->files > ENTRY_FILES))
		r = -EFBIG;
	return r < 0 ? job_fail(in->job, r, "store", "the packed tree is not what pack writes: %s",
				strerror(-r))
		     : 0;
}

int npm_install(struct job *job, struct store_entry *entry, struct tree_sum *ret_sum,
		unsigned *ret_packages)
{
	_cleanup_(install_done) struct install in = {
		.job = job, .manifest = -1, .lockfile = -1, .log = -1
	};
	const struct facts *f = &job->facts;
	int r = npm_registry_find(&in.registry, job->settings->node_dir, job->cancel_fd,
				  &job->error);

	if (r < 0)
		return r;
	r = input_fd(job, f->manifest, f->manifest_size, &in.manifest);
	if (r == 0)
		r = input_fd(job, f->lockfile, f->lockfile_size, &in.lockfile);
	if (r < 0)
		return r;
	in.log = job_memfd(job, "npm-log");
	if (in.log < 0)
		return in.log;
	r = make_jail(&in);
	if (r == 0)
		r = install(&in, ret_packages);
	return r == 0 ? pack_and_seal(&in, entry, ret_sum) : r;
}
