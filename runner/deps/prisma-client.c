/* SPDX-License-Identifier: MIT */

/*
 * `prisma generate` in a jail of its own: no network, the packages as the lower layer of an
 * overlay, and of the submission nothing but the schema. prisma.config.ts is a program, so it is
 * left out. What comes out is packed like installed packages; the key is the packages' key, the
 * schema, our scripts and the engines that the operator has imported.
 */

#include "deps/prisma-client.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "deps/install.h"
#include "deps/prisma-run.h"
#include "embed/embed.h"
#include "inside/records.h"
#include "pipeline/clean.h"
#include "store/key.h"
#include "util/util.h"

#define GENERATE_WALL (120 * NSEC_PER_SEC)
#define LAYER_BYTES (256ull << 20)
#define LAYER_INODES 32768
#define SCRIPT "/opt/prisma/generate.cjs"
#define ENGINES "/opt/engines"
#define ENGINES_MAX 64
/* What stands where the schema engine would be, for who only looks whether there is one. */
#define NO_SCHEMA_ENGINE "#!/bin/sh\nexit 1\n"
#define EXIT_SCHEMA 1
#define EXIT_NOTHING 3
#define EXIT_ENGINES 4
#define EXIT_DATABASE 5

void prisma_client_done(struct prisma_client *c)
{
	c->entry = store_entry_free(c->entry);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void make_key(struct job *job, const struct store_entry *deps, char ret[static KEY_SIZE])
{
	char *engines[ENGINES_MAX];
	int n = store_newest(job->store, "engines", engines, ENGINES_MAX);
	struct key k;

	key_begin(&k, "prisma 1");
	key_add_string(&k, deps->key);
	key_add(&k, job->facts.prisma_schema, job->facts.prisma_schema_size);
	for (const struct embedded *d = prisma_data; d->name; d++)
		key_add(&k, d->data, d->size);
	if (n > 0)
		qsort(engines, (size_t)n, sizeof(*engines), by_name);
	for (int i = 0; i < n; i++) {
		key_add_string(&k, engines[i]);
		free(engines[i]);
	}
	key_end(&k, ret);
}

/* ------------------------------------------------------------------------------ jail */

static uint32_t jail_mounts(struct job *job, const char *packages, const char *engines,
			    struct sbx_mount *m)
{
	const struct embedded *generate = embedded_find(prisma_data, "generate.cjs");
	uint32_t n = install_base_mounts(job, m);

	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_FILE,
				     .target = SCRIPT,
				     .data = (const char *)generate->data,
				     .data_len = generate->size };
	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_FILE,
				     .mode = 0555,
				     .target = PRISMA_OPT "/stub",
				     .data = NO_SCHEMA_ENGINE };
	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_FILE,
				     .target = PRISMA_OPT "/empty.node",
				     .data = "\n" };
	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_BIND,
				     .flags = SBX_MOUNT_IDMAP | SBX_MOUNT_OPTIONAL,
				     .source = engines,
				     .target = ENGINES };
	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_OVERLAY,
				     .flags = SBX_MOUNT_IDMAP,
				     .mode = 0755,
				     .uid = TREE_OWNER,
				     .gid = TREE_OWNER,
				     .source = packages,
				     .target = "/app/node_modules",
				     .bytes = LAYER_BYTES,
				     .inodes = LAYER_INODES };
	return n;
}

static int make_jail(struct install *i, const struct store_entry *deps)
{
	struct sbx_mount mounts[INSTALL_BASE_MOUNTS + 5];
	struct sbx_jail_options o = { .size = sizeof(o), .label = "generate", .mounts = mounts };
	_cleanup_free_ char *packages = NULL, *engines = NULL;
	struct job *job = i->job;
	int r = job_plan(job, INSTALL_POLICY, NULL, 0, &i->plan);

	if (r < 0)
		return r;
	if (asprintf(&packages, "%s/node_modules", deps->path) < 0 ||
	    asprintf(&engines, "%s/engines", job->settings->store_dir) < 0)
		return job_fail(job, -ENOMEM, "generate", "out of memory");
	o.n_mounts = jail_mounts(job, packages, engines, mounts);
	return sbx_jail_new(job->ctx, i->plan, &i->jail, &o, &job->error);
}

/* --------------------------------------------------------------------------- running */

static int engines_missing(struct job *job, const char *log, size_t size)
{
	_cleanup_free_ char *line = clean_line(log, size, 120);
	const char *space = line ? strchr(line, ' ') : NULL;

	return job_verdict(
		job, VERDICT_CE,
		"Prisma %.*s needs its native engines, which no npm package has: use Prisma "
		"5.22 or newer, or ask whoever runs this judge to import the engines%.41s "
		"(sandbox-run deps engines import).",
		space ? (int)(space - line) : 0, line ? line : "", space ? space : "");
}

static int wrong_database(struct job *job, const char *log, size_t size)
{
	_cleanup_free_ char *name = clean_line(log, size, 40);

	return job_verdict(job, VERDICT_CE,
			   "The Prisma schema is for \"%.*s\", and its client would need native "
			   "engines, which no npm package has: use provider = \"postgresql\" and "
			   "DATABASE_URL.",
			   name ? (int)strcspn(name, " \n") : 0, name ? name : "");
}

static int judge(struct install *i, const struct sbx_result *result)
{
	_cleanup_free_ char *log = NULL;
	struct job *job = i->job;
	size_t size = 0;

	if (job_command_succeeded(result))
		return 0;
	if (result->verdict == SBX_VERDICT_EXITED && result->exit_code == EXIT_NOTHING)
		return PRISMA_NOTHING;
	log = job_read_fd(i->log, INSTALL_OUTPUT_MAX, &size);
	if (!log)
		return job_fail(job, -ENOMEM, "generate", "out of memory");
	if (result->verdict == SBX_VERDICT_EXITED && result->exit_code == EXIT_ENGINES)
		return engines_missing(job, log, size);
	if (result->verdict == SBX_VERDICT_EXITED && result->exit_code == EXIT_DATABASE)
		return wrong_database(job, log, size);
	job_take_log(job, i->log);
	if (result->verdict == SBX_VERDICT_EXITED && result->exit_code == EXIT_SCHEMA)
		return job_verdict(job, VERDICT_CE,
				   "prisma generate failed: the schema cannot be used as it is. %s",
				   job->log_error);
	return job_verdict_from(job, result, VERDICT_CE, "prisma generate");
}

static int run_generate(struct install *i)
{
	struct sbx_result result;
	int r = prisma_run(i, SCRIPT, GENERATE_WALL, &result);

	return r < 0 ? r : judge(i, &result);
}

/* ------------------------------------------------------------------------------ entry */

static int put_file(int dir, const char *name, mode_t mode, const void *data, size_t size)
{
	_cleanup_close_ int fd = openat(dir, name,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0 || fchmod(fd, mode) < 0)
		return -errno;
	return write(fd, data, size) == (ssize_t)size ? 0 : -EIO;
}

static int put_tools(struct job *job, struct store_entry *e)
{
	const struct embedded *shim = embedded_find(prisma_data, "shim.cjs"),
			      *engine = embedded_find(prisma_data, "engine.cjs");
	_cleanup_close_ int dir = -1;
	int r;

	if (mkdirat(e->dir, "opt", 0755) < 0)
		return job_fail(job, -errno, "store", "cannot make a directory: %m");
	dir = openat(e->dir, "opt", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || mkdirat(dir, "node_modules", 0755) < 0 ||
	    mkdirat(dir, "engines", 0755) < 0 || mkdirat(dir, "engine", 0755) < 0)
		return job_fail(job, -errno, "store", "cannot make a directory: %m");
	r = put_file(dir, "stub", 0755, NO_SCHEMA_ENGINE, strlen(NO_SCHEMA_ENGINE));
	if (r == 0)
		r = put_file(dir, "empty.node", 0644, "\n", 1);
	if (r == 0)
		r = put_file(dir, "shim.cjs", 0644, shim->data, shim->size);
	if (r == 0)
		r = put_file(dir, "engine.cjs", 0644, engine->data, engine->size);
	return r < 0 ? job_fail(job, r, "store", "cannot write a file: %s", strerror(-r)) : 0;
}

static bool version_ok(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n < 32 && *s >= '0' && *s <= '9' && strspn(s, "0123456789.") == n;
}

/* Written in a jail: each line is checked for what it may be. */
static int parse_about(char *text, struct prisma_client *c)
{
	char *lines[4], *save = NULL, *line = strtok_r(text, "\n", &save);
	size_t n = 0;

	for (; line && n < ARRAY_SIZE(lines); line = strtok_r(NULL, "\n", &save))
		lines[n++] = line;
	if (n != ARRAY_SIZE(lines) || line || !path_is_clean(lines[3], strlen(lines[3])))
		return -EBADMSG;
	if (!streq(lines[1], "client") && !streq(lines[1], "engine") &&
	    !streq(lines[1], "native") && !streq(lines[1], "adapter"))
		return -EBADMSG;
	if (!version_ok(lines[0]) || strlen(lines[3]) >= sizeof(c->output))
		return -EBADMSG;
	copy_string(c->about.version, sizeof(c->about.version), lines[0]);
	c->about.client_engine = streq(lines[1], "client");
	c->about.wasm_engine = streq(lines[1], "engine");
	if (streq(lines[1], "native") && strlen(lines[2]) == 40 &&
	    strspn(lines[2], "0123456789abcdef") == 40)
		copy_string(c->about.engines, sizeof(c->about.engines), lines[2]);
	copy_string(c->output, sizeof(c->output), lines[3]);
	return 0;
}

static int read_about(struct job *job, struct prisma_client *c)
{
	_cleanup_close_ int fd = tree_open(c->entry->dir, "node_modules/about",
					   O_RDONLY | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = fd;

	text = fd < 0 ? NULL : job_read_fd(fd, 4096, &size);
	if (text)
		r = parse_about(text, c);
	return r < 0 ? job_fail(job, r, "generate",
				"what was generated does not say what it is: %s", strerror(-r))
		     : 0;
}

/* The packages that made it are a student's choice, and may have left anything. */
static bool has_folder(const struct prisma_client *c, const char *path)
{
	_cleanup_close_ int fd = tree_open(c->entry->dir, path, O_RDONLY | O_DIRECTORY);

	return fd >= 0;
}

static int check_made(struct job *job, struct prisma_client *c)
{
	if (has_folder(c, "node_modules/client") && read_about(job, c) == 0 &&
	    (!c->about.wasm_engine || has_folder(c, "node_modules/engine")))
		return 0;
	return job_verdict(job, VERDICT_CE,
			   "prisma generate made no client that can be used: is the package prisma in "
			   "the lockfile the real one?");
}

static int build(struct job *job, const struct store_entry *deps, struct prisma_client *c)
{
	_cleanup_(install_done) struct install i = INSTALL_NULL;
	struct tree_sum sum;
	int r;

	i.job = job;
	i.pack_from = "/app/out";
	r = i.log = job_memfd(job, "generate-log");
	if (r >= 0)
		r = i.manifest = job_memfd(job, "schema");
	if (r >= 0)
		r = make_jail(&i, deps);
	if (r >= 0)
		r = run_generate(&i);
	if (r == 0)
		r = put_tools(job, c->entry);
	if (r == 0)
		r = install_pack(&i, c->entry, &sum);
	if (r == 0)
		r = check_made(job, c);
	if (r != 0)
		return r;
	(void)snprintf(c->entry->label, sizeof(c->entry->label), "Prisma client %s",
		       c->about.version);
	c->made = true;
	return store_publish(c->entry, &sum, &job->error);
}

int prisma_client_get(struct job *job, const struct store_entry *deps, struct prisma_client *ret)
{
	struct prisma_client c = {};
	char key[KEY_SIZE];
	int r;

	make_key(job, deps, key);
	r = store_get(job->store, "prisma", key, job->cancel_fd, &c.entry, &job->error);
	if (r == 0)
		r = read_about(job, &c);
	else if (r > 0)
		r = build(job, deps, &c);
	if (r != 0) {
		prisma_client_done(&c);
		return r;
	}
	*ret = c;
	return 0;
}
