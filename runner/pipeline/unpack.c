/* SPDX-License-Identifier: MIT */

/*
 * The app's jail, and the archive unpacked in it by sandbox-inside as the jailed user. The database
 * is begun here, as soon as there is a network namespace to put it in, and while the archive is
 * unpacked in another process.
 */

#include "pipeline/pipeline.h"

#include "pipeline/clean.h"
#include "pipeline/facts.h"
#include "util/util.h"

#define UNPACK_WALL (30 * NSEC_PER_SEC)
#define UNPACK_OUTPUT (64u << 10)
/* Of the group, above the sum of what its jails may have: small file systems, the inits. */
#define GROUP_SLACK (256ull << 20)

static void undo_group(void *data)
{
	struct job *job = data;

	job->group = sbx_group_free(job->group);
}

static void undo_app(void *data)
{
	struct job *job = data;

	job->app = sbx_jail_free(job->app);
}

static void undo_facts(void *data)
{
	facts_done(&((struct job *)data)->facts);
}

/* The number of processes needs no sum: each jail's limit is all that it may have. */
static int make_group(struct job *job)
{
	const struct challenge_limits *l = &job->challenge->limits;
	struct sbx_group_options o = {
		.size = sizeof(o),
		.label = "submission",
		.memory = l->memory + l->disk + GROUP_SLACK,
	};
	int r;

	if (job->challenge->postgres)
		o.memory += l->database_memory + l->database_disk;
	r = sbx_group_new(job->ctx, &job->group, &o, &job->error);
	return r < 0 ? r : job_push_undo(job, undo_group, job);
}

static int app_plan(struct job *job, struct sbx_plan **ret)
{
	const struct challenge_limits *l = &job->challenge->limits;
	char memory[32], disk[32], pids[16], cpu[16], processors[PROCESSORS_TEXT];
	struct sbx_mount mount;
	const char *const settings[][2] = {
		{ "memory", memory },
		{ "pids", pids },
		{ "cpu", cpu },
		{ "disk", disk },
	};

	snprintf(memory, sizeof(memory), "%lluK", (unsigned long long)l->memory >> 10);
	snprintf(disk, sizeof(disk), "%lluK", (unsigned long long)l->disk >> 10);
	snprintf(pids, sizeof(pids), "%u", l->pids);
	snprintf(cpu, sizeof(cpu), "%u.%03u", l->cpu_milli / 1000, l->cpu_milli % 1000);
	processors_mount(job->challenge, processors, &mount);
	return job_plan_with(job, "node-server.json", settings, ARRAY_SIZE(settings), &mount, 1,
			     ret);
}

static int make_app(struct job *job)
{
	struct sbx_mount mounts[INSIDE_MOUNTS_MAX + 3];
	struct sbx_plan *plan = NULL;
	struct sbx_jail_options o = {
		.size = sizeof(o),
		.group = job->group,
		.label = "app",
		.mounts = mounts,
	};
	int r;

	o.n_mounts = job_inside_mounts(job, mounts);
	mounts[o.n_mounts++] = (struct sbx_mount){
		.size = sizeof(*mounts),
		.type = SBX_MOUNT_BIND,
		.source = job->settings->node_dir,
		.target = "/opt/node",
	};
	/* What is mounted here later (generate.c) needs a directory: the root is read-only. */
	mounts[o.n_mounts++] = (struct sbx_mount){
		.size = sizeof(*mounts),
		.type = SBX_MOUNT_DIR,
		.target = "/opt/prisma",
	};
	mounts[o.n_mounts++] = (struct sbx_mount){
		.size = sizeof(*mounts),
		.type = SBX_MOUNT_DIR,
		.target = SCHEMA_PATH,
	};
	r = app_plan(job, &plan);
	if (r == 0)
		r = sbx_jail_new(job->ctx, plan, &job->app, &o, &job->error);
	sbx_plan_unref(plan);
	return r < 0 ? r : job_push_undo(job, undo_app, job);
}

/* How sandbox-inside ended when it is neither done nor has refused the archive. */
static int unpack_failed(struct job *job, const struct sbx_result *r, int log)
{
	_cleanup_free_ char *text = NULL, *clean = NULL;
	size_t size = 0;

	if (r->verdict != SBX_VERDICT_EXITED)
		return job_verdict_from(job, r, VERDICT_CE, "Unpacking the archive");
	text = job_read_fd(log, UNPACK_OUTPUT, &size);
	clean = text ? clean_line(text, size, 200) : NULL;
	return job_fail(job, -EIO, "unpack", "sandbox-inside ended with %d: %s", r->exit_code,
			clean ? clean : "");
}

static int take_facts(struct job *job, const struct sbx_result *result, int records, int log)
{
	_cleanup_free_ char *refusal = NULL;
	int r = facts_read(records, &job->facts, &refusal);

	if (r == 0)
		r = job_push_undo(job, undo_facts, job);
	else if (r == -ENOMEM)
		return job_fail(job, r, "unpack", "out of memory");
	else
		return unpack_failed(job, result, log);
	if (r < 0)
		return r;
	for (char **note = job->facts.unpack_notes; note && *note; note++)
		job_note(job, "%s", *note);
	if (refusal)
		return job_verdict(job, VERDICT_CE, "%s", refusal);
	if (result->verdict != SBX_VERDICT_EXITED || result->exit_code != 0)
		return unpack_failed(job, result, log);
	job_stage_note(job, "%u file%s, %llu KiB", job->facts.files,
		       job->facts.files == 1 ? "" : "s",
		       (unsigned long long)((job->facts.bytes + 1023) / 1024));
	return 0;
}

static int run_unpack(struct job *job)
{
	const char *use_modules = job->challenge->use_node_modules ? "--use-node-modules" : NULL;
	const char *const argv[] = { "sandbox-inside", "unpack", use_modules, NULL };
	_cleanup_close_ int records = -1, log = -1;
	struct sbx_proc *p = NULL;
	struct sbx_result result;
	struct sbx_fd fd = { .target = 3 };
	struct sbx_exec e = {
		.size = sizeof(e),
		.flags = SBX_EXEC_STDIN | SBX_EXEC_STDERR,
		.path = INSIDE_PATH,
		.argv = argv,
		.cwd = "/app",
		.stdin_fd = job->archive_fd,
		.fds = &fd,
		.n_fds = 1,
		.stderr_limit = UNPACK_OUTPUT,
		.wall_ns = UNPACK_WALL,
	};
	int r;

	records = job_memfd(job, "records");
	log = records < 0 ? -1 : job_memfd(job, "unpack-log");
	if (log < 0)
		return job->error.code;
	fd.fd = records;
	e.stderr_fd = log;
	r = sbx_jail_exec(job->app, &p, &e, &job->error);
	if (r == 0 && !job->prepared)
		r = database_launch(job);
	if (r == 0)
		r = job_wait(job, p, UINT64_MAX, &result);
	sbx_proc_free(p);
	return r != 0 ? r : take_facts(job, &result, records, log);
}

int jails_launch(struct job *job)
{
	int r = make_group(job);

	return r == 0 ? make_app(job) : r;
}

int stage_unpack(struct job *job)
{
	int r = job->prepared ? 0 : jails_launch(job);

	if (r == 0)
		r = run_unpack(job);
	/* The database takes longer than unpacking: the testers are made while it starts. */
	return r == 0 && job->database.wanted && job->n_testers == 0 ? testers_launch(job) : r;
}
