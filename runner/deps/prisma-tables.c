/* SPDX-License-Identifier: MIT */

/*
 * What `prisma db push` makes in an empty database depends on the schema alone. No npm package has
 * the engine behind that command, but there is one as wasm that computes the SQL: two pinned
 * releases of it (toolchain/prisma) serve the schemas of all releases of Prisma, in a jail without
 * network and without a database. The result is kept for everybody with the same schema.
 */

#include "deps/prisma-tables.h"

#include "deps/install.h"
#include "deps/prisma-run.h"
#include "embed/embed.h"
#include "inside/records.h"
#include "pipeline/clean.h"
#include "store/key.h"
#include "util/util.h"

#define TABLES_WALL (60 * NSEC_PER_SEC)
#define INSTALL_WALL (300 * NSEC_PER_SEC)
#define SCRIPT "/opt/tables/tables.cjs"
#define EXIT_SCHEMA 1

static void make_key(const struct job *job, char ret[static KEY_SIZE])
{
	struct key k;

	key_begin(&k, "tables 1");
	key_add(&k, job->facts.prisma_schema, job->facts.prisma_schema_size);
	for (const struct embedded *d = prisma_tables_data; d->name; d++)
		key_add(&k, d->data, d->size);
	key_end(&k, ret);
}

static int get_engines(struct job *job, struct store_entry **ret)
{
	const struct embedded *manifest = embedded_find(prisma_tables_data, "package.json"),
			      *lockfile = embedded_find(prisma_tables_data, "package-lock.json");
	const struct deps_input in = {
		.manifest = (const char *)manifest->data,
		.manifest_size = manifest->size,
		.lockfile = (const char *)lockfile->data,
		.lockfile_size = lockfile->size,
		.scripts = &(const struct challenge_scripts){ SCRIPTS_NONE, NULL },
		.lockfile_required = true,
		.quiet = true,
		.wall_ns = INSTALL_WALL,
	};
	int r = deps_get(job, &in, ret);

	if (r <= 0)
		return r;
	return job_fail(job, -EIO, "generate",
			"what tells the tables of a Prisma schema cannot be installed: %.90s",
			job->reason);
}

static uint32_t jail_mounts(struct job *job, const char *engines, struct sbx_mount *m)
{
	const struct embedded *script = embedded_find(prisma_tables_data, "tables.cjs");
	uint32_t n = install_base_mounts(job, m);

	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_FILE,
				     .target = SCRIPT,
				     .data = (const char *)script->data,
				     .data_len = script->size };
	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_BIND,
				     .flags = SBX_MOUNT_IDMAP,
				     .source = engines,
				     .target = "/opt/tables/node_modules" };
	return n;
}

static int make_jail(struct install *i, const struct store_entry *engines)
{
	struct sbx_mount mounts[INSTALL_BASE_MOUNTS + 2];
	struct sbx_jail_options o = { .size = sizeof(o), .label = "tables", .mounts = mounts };
	_cleanup_free_ char *packages = NULL;
	struct job *job = i->job;
	int r = job_plan(job, INSTALL_POLICY, NULL, 0, &i->plan);

	if (r < 0)
		return r;
	if (asprintf(&packages, "%s/node_modules", engines->path) < 0)
		return job_fail(job, -ENOMEM, "generate", "out of memory");
	o.n_mounts = jail_mounts(job, packages, mounts);
	return sbx_jail_new(job->ctx, i->plan, &i->jail, &o, &job->error);
}

static int judge(struct install *i, const struct sbx_result *result)
{
	_cleanup_free_ char *log = NULL, *line = NULL;
	struct job *job = i->job;
	size_t size = 0;

	if (job_command_succeeded(result))
		return 0;
	log = job_read_fd(i->log, INSTALL_OUTPUT_MAX, &size);
	line = log ? clean_line(log, size, 300) : NULL;
	if (!line)
		return job_fail(job, -ENOMEM, "generate", "out of memory");
	if (result->verdict != SBX_VERDICT_EXITED)
		return job_verdict_from(job, result, VERDICT_CE, "prisma db push");
	if (result->exit_code == EXIT_SCHEMA)
		return job_verdict(job, VERDICT_CE,
				   "The tables of the Prisma schema cannot be made: %s", line);
	return job_fail(job, -EIO, "generate", "the tables of the Prisma schema: %s", line);
}

static int run(struct install *i)
{
	struct sbx_result result;
	int r = prisma_run(i, SCRIPT, TABLES_WALL, &result);

	return r < 0 ? r : judge(i, &result);
}

static int build(struct job *job, struct store_entry *entry)
{
	_cleanup_(store_entry_freep) struct store_entry *engines = NULL;
	_cleanup_(install_done) struct install i = INSTALL_NULL;
	struct tree_sum sum;
	int r = get_engines(job, &engines);

	i.job = job;
	i.pack_from = "/app/out";
	if (r == 0)
		r = i.log = job_memfd(job, "tables-log");
	if (r >= 0)
		r = i.manifest = job_memfd(job, "schema");
	if (r >= 0)
		r = make_jail(&i, engines);
	if (r >= 0)
		r = run(&i);
	if (r == 0)
		r = install_pack(&i, entry, &sum);
	if (r != 0)
		return r;
	(void)snprintf(entry->label, sizeof(entry->label), "tables of a Prisma schema");
	return store_publish(entry, &sum, &job->error);
}

int prisma_tables_get(struct job *job, struct store_entry **ret)
{
	_cleanup_(store_entry_freep) struct store_entry *e = NULL;
	char key[KEY_SIZE];
	int r;

	make_key(job, key);
	r = store_get(job->store, "tables", key, job->cancel_fd, &e, &job->error);
	if (r > 0)
		r = build(job, e);
	if (r == 0)
		*ret = steal_ptr(e);
	return r;
}
