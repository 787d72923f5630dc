/* SPDX-License-Identifier: MIT */

/*
 * The database of one submission: a Postgres of its own, in a jail of its own which shares nothing
 * with the app's but the network namespace. Its data directory is an overlay of the template with a
 * tmpfs above, whose size is the quota; it ends with the jail and leaves nothing.
 *
 * It is launched while the archive is unpacked. `sandbox-inside database`, in the same jail, waits
 * for it over the unix socket and opens the one role with a password made for this submission;
 * stage_database() waits for that, before the first line of the submission is run: nobody else can
 * have taken the port.
 */

#include "pipeline/pipeline.h"

#include <sys/random.h>

#include "challenge/challenge.h"
#include "pipeline/clean.h"
#include "pipeline/template.h"
#include "util/util.h"

#define PORT 5432
#define READY_TIMEOUT "20s"
#define READY_WALL (25 * NSEC_PER_SEC)
#define LOG_MAX (64u << 10)
#define INODES 16384

struct database_run {
	struct job *job;
	struct store_entry *entry;
	struct sbx_proc *opener; /* sandbox-inside database */
	int log; /* of the server */
	int opener_log;
	uint64_t began_ns;
};

static void undo_database(void *data)
{
	struct database_run *run = data;
	struct job *job = run->job;

	run->opener = sbx_proc_free(run->opener);
	job->postgres = sbx_proc_free(job->postgres);
	job->db = sbx_jail_free(job->db);
	store_entry_free(run->entry);
	close_fd(run->log);
	close_fd(run->opener_log);
	free(steal_ptr(job->database.url));
	explicit_bzero(job->database.password, sizeof(job->database.password));
	job->database.run = NULL;
	free(run);
}

static struct database_run *run_new(struct job *job)
{
	struct database_run *run = calloc(1, sizeof(*run));

	if (!run)
		return NULL;
	run->job = job;
	run->log = run->opener_log = -1;
	run->began_ns = now_ns();
	return run;
}

static int make_password(struct database *db)
{
	unsigned char bytes[24];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(db->password + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int fill_database(struct job *job)
{
	struct database *db = &job->database;

	db->wanted = true;
	db->port = PORT;
	copy_string(db->user, sizeof(db->user), "app");
	copy_string(db->name, sizeof(db->name), "app");
	if (make_password(db) < 0)
		return job_fail(job, -EIO, "database", "no random bytes for a password");
	return 0;
}

static int make_plan(struct job *job, struct sbx_plan **ret)
{
	char memory[32];
	const char *const settings[][2] = { { "memory", memory } };

	(void)snprintf(memory, sizeof(memory), "%lluK",
		       (unsigned long long)job->challenge->limits.database_memory >> 10);
	return job_plan(job, POSTGRES_POLICY, settings, ARRAY_SIZE(settings), ret);
}

static int make_jail(struct job *job, const struct store_entry *entry)
{
	_cleanup_free_ char *data = NULL, *owned = NULL;
	struct sbx_mount mounts[INSIDE_MOUNTS_MAX + 2];
	struct sbx_jail_options o = { .size = sizeof(o),
				      .netns_of = job->app,
				      .group = job->group,
				      .label = "db",
				      .mounts = mounts };
	struct sbx_plan *plan = NULL;
	int r;

	if (asprintf(&data, "%s/data", entry->path) < 0)
		return job_fail(job, -ENOMEM, "database", "out of memory");
	o.n_mounts = job_inside_mounts(job, mounts);
	mounts[o.n_mounts++] = (struct sbx_mount){ .size = sizeof(*mounts),
						   .type = SBX_MOUNT_OVERLAY,
						   .flags = SBX_MOUNT_IDMAP | SBX_MOUNT_NOEXEC,
						   .mode = 0700,
						   .uid = POSTGRES_UID,
						   .gid = POSTGRES_UID,
						   .source = data,
						   .target = POSTGRES_DATA,
						   .bytes = job->challenge->limits.database_disk,
						   .inodes = INODES };
	o.n_mounts += template_mounts(job, &mounts[o.n_mounts], &owned);
	r = make_plan(job, &plan);
	if (r == 0)
		r = sbx_jail_new(job->ctx, plan, &job->db, &o, &job->error);
	sbx_plan_unref(plan);
	return r;
}

static int start_server(struct job *job, struct database_run *run)
{
	_cleanup_free_ char *postgres = NULL;
	const char *argv[] = { NULL, "-D", POSTGRES_DATA, NULL };
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDERR,
			      .argv = argv,
			      .env = postgres_env,
			      .cwd = POSTGRES_DATA,
			      .stderr_limit = LOG_MAX,
			      .wall_ns = UINT64_MAX,
			      .cpu_ns = UINT64_MAX };

	if (asprintf(&postgres, "%s/postgres", job->settings->postgres_dir) < 0)
		return job_fail(job, -ENOMEM, "database", "out of memory");
	run->log = job_memfd(job, "postgres-log");
	if (run->log < 0)
		return run->log;
	argv[0] = postgres;
	e.stderr_fd = run->log;
	return sbx_jail_exec(job->db, &job->postgres, &e, &job->error);
}

static int start_opener(struct job *job, struct database_run *run)
{
	const struct database *db = &job->database;
	/* clang-format off */
	const char *const argv[] = { "sandbox-inside", "database", "--socket", "/run/postgresql",
				     "--role", db->user, "--password", db->password, "--database",
				     db->name, "--timeout", READY_TIMEOUT, NULL };
	/* clang-format on */
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDERR,
			      .path = INSIDE_PATH,
			      .argv = argv,
			      .env = postgres_env,
			      .stderr_limit = LOG_MAX,
			      .wall_ns = READY_WALL };

	run->opener_log = job_memfd(job, "database-log");
	if (run->opener_log < 0)
		return run->opener_log;
	e.stderr_fd = run->opener_log;
	return sbx_jail_exec(job->db, &run->opener, &e, &job->error);
}

int database_launch(struct job *job)
{
	struct database_run *run;
	int r;

	if (!job->challenge->postgres)
		return 0;
	run = run_new(job);
	if (!run)
		return job_fail(job, -ENOMEM, "database", "out of memory");
	r = job_push_undo(job, undo_database, run);
	if (r < 0)
		return r;
	job->database.run = run;
	r = fill_database(job);
	if (r == 0)
		r = template_get(job, &run->entry);
	if (r == 0)
		r = make_jail(job, run->entry);
	if (r == 0)
		r = start_server(job, run);
	return r == 0 ? start_opener(job, run) : r;
}

/* Two programs may have said why: the opener, and the server that it waited for. */
static int open_failed(struct job *job, const struct sbx_result *result)
{
	const struct database_run *run = job->database.run;
	const int logs[] = { run->opener_log, run->log };
	char text[2][200] = { "", "" };

	for (int i = 0; i < 2; i++) {
		_cleanup_free_ char *log = NULL, *line = NULL;
		size_t size = 0, from;

		log = job_read_fd(logs[i], LOG_MAX, &size);
		from = size > 120 ? size - 120 : 0;
		line = log ? clean_line(log + from, size - from, sizeof(text[i]) - 4) : NULL;
		copy_string(text[i], sizeof(text[i]), line ? line : "");
	}
	if (job->postgres_ended && *text[1])
		return job_fail(job, -EIO, "database", "Postgres ended at its start: %s", text[1]);
	return job_fail(job, -EIO, "database",
			"Postgres did not become ready (verdict %d, exit %d)%s: %s; %s",
			result->verdict, result->exit_code,
			job->postgres_ended ? ", the server has ended" : "", text[0], text[1]);
}

int stage_database(struct job *job)
{
	struct database *db = &job->database;
	struct database_run *run = db->run;
	struct sbx_result result;
	int r;

	if (!run) {
		job_stage_note(job, "none");
		return 0;
	}
	r = job_wait(job, run->opener, UINT64_MAX, &result);
	if (r < 0)
		return r;
	if (result.verdict != SBX_VERDICT_EXITED || result.exit_code != 0)
		return open_failed(job, &result);
	run->opener = sbx_proc_free(run->opener);
	if (asprintf(&db->url, "postgresql://%s:%s@127.0.0.1:%u/%s", db->user, db->password,
		     db->port, db->name) < 0)
		return job_fail(job, -ENOMEM, "database", "out of memory");
	job_stage_note(job, "postgres on port %u", db->port);
	return 0;
}
