/* SPDX-License-Identifier: MIT */

/*
 * The student's database is made: SQL and the migrations of Prisma and drizzle are applied by
 * sandbox-inside, those of other tools by the tool itself out of the submission's node_modules. All
 * of it runs in the app's jail, as the jailed user, with the student's database role and
 * environment, so that nothing in it gains a right that the server itself would not have.
 */

#include "pipeline/pipeline.h"

#include "deps/prisma-tables.h"
#include "pipeline/clean.h"
#include "pipeline/facts.h"
#include "util/util.h"

#define MIGRATE_TIMEOUT "60s"
#define MIGRATE_WALL (70 * NSEC_PER_SEC)
#define MIGRATE_OUTPUT (64u << 10)
#define BATCH_BYTES 65536
#define MAX_FILES 1000
#define MIGRATE_SCHEMA "--from=" SCHEMA_PATH

/* ERROR is the student's; anything else that is not success is ours or a limit. */
static int judge(struct job *job, const struct sbx_result *result, int records, int log)
{
	_cleanup_free_ char *refusal = NULL, *text = NULL, *clean = NULL;
	struct facts none;
	size_t size = 0;

	if (job_command_succeeded(result))
		return 0;
	if (result->verdict == SBX_VERDICT_EXITED && facts_read(records, &none, &refusal) == 0) {
		facts_done(&none);
		if (refusal)
			return job_verdict(job, VERDICT_CE, "%s", refusal);
	}
	if (result->verdict != SBX_VERDICT_EXITED)
		return job_verdict_from(job, result, VERDICT_CE, "The migration");
	text = job_read_fd(log, MIGRATE_OUTPUT, &size);
	clean = text ? clean_line(text, size, 120) : NULL;
	return job_fail(job, -EIO, "migrate", "sandbox-inside ended with %d: %s", result->exit_code,
			clean ? clean : "");
}

static int run_migrate(struct job *job, const char *const *argv, char **env)
{
	_cleanup_close_ int records = job_memfd(job, "records"),
			    log = job_memfd(job, "migrate-log");
	struct sbx_proc *p = NULL;
	struct sbx_result result;
	struct sbx_fd fd = { .fd = records, .target = 3 };
	struct sbx_exec e = {
		.size = sizeof(e),
		.flags = SBX_EXEC_STDERR,
		.path = INSIDE_PATH "-migrate",
		.argv = argv,
		.env = (const char *const *)env,
		.cwd = "/app",
		.stderr_fd = log,
		.stderr_limit = MIGRATE_OUTPUT,
		.fds = &fd,
		.n_fds = 1,
		.wall_ns = MIGRATE_WALL,
	};
	int r;

	if (records < 0 || log < 0)
		return job->error.code;
	r = job_exec_student(job, &p, &e, VERDICT_NONE, "The migration");
	if (r == 0)
		r = job_wait(job, p, UINT64_MAX, &result);
	sbx_proc_free(p);
	return r != 0 ? r : judge(job, &result, records, log);
}

/* In batches: argv and environment of one program are bounded. The bookkeeping survives a batch. */
static int run_batches(struct job *job, char **files, size_t n, const char *kind, char **env)
{
	const char *argv[MAX_FILES + 8];
	size_t at = 0;
	int r = 0;

	while (at < n && r == 0) {
		size_t argc = 0, bytes = 0;

		argv[argc++] = "migrate";
		argv[argc++] = "--timeout";
		argv[argc++] = MIGRATE_TIMEOUT;
		if (kind)
			argv[argc++] = kind;
		while (at < n && bytes < BATCH_BYTES && argc < ARRAY_SIZE(argv) - 1) {
			bytes += strlen(files[at]) + 1;
			argv[argc++] = files[at++];
		}
		argv[argc] = NULL;
		r = run_migrate(job, argv, env);
	}
	return r;
}

/*
 * `kind`: "--prisma", "--drizzle", "--from=DIR", or NULL for SQL; `what` is one of them, for
 * people.
 */
static int apply(struct job *job, char **files, const char *kind, const char *what)
{
	_cleanup_(strv_freep) char **env = NULL;
	size_t n = 0;
	int r;

	while (files && files[n])
		n++;
	if (n == 0) {
		job_stage_note(job, "nothing to apply");
		return 0;
	}
	env = job_app_env(job);
	if (!env)
		return job->error.code;
	r = run_batches(job, files, n, kind, env);
	if (r == 0)
		job_stage_note(job, "%zu %s%s", n, what, n == 1 ? "" : "s");
	return r;
}

/* The line of a shell, or else the program. */
static const char *command_text(char **argv)
{
	bool shell = argv[0] && argv[1] && argv[2] && streq(argv[0], "sh") && streq(argv[1], "-c");

	return argv[shell ? 2 : 0];
}

/* The engine that turns a schema into tables comes from a host of Prisma's, not from npm. */
static bool lacks_engine(const struct job *job, const struct sbx_result *result, char **argv)
{
	return strstr(command_text(argv), "prisma") &&
	       result->verdict == SBX_VERDICT_EXITED && job->log_tail &&
	       (strstr(job->log_tail, "ngine") || strstr(job->log_tail, "ENOTFOUND") ||
		strstr(job->log_tail, "EAI_AGAIN"));
}

/* "The migration (knex migrate:latest)" */
static void describe(char *ret, size_t size, char **argv)
{
	bool shell = command_text(argv) != argv[0];

	(void)snprintf(ret, size, "The migration (%.80s", command_text(argv));
	for (char **v = argv + 1; *v && !shell; v++) {
		size_t n = strlen(ret);

		(void)snprintf(ret + n, size - n, " %.80s", *v);
	}
	if (strlen(ret) < size - 1)
		strcat(ret, ")");
}

static int run_command(struct job *job, char **argv)
{
	struct sbx_result result;
	char what[200];
	int r;

	describe(what, sizeof(what), argv);
	r = job_run_command(job, argv, MIGRATE_WALL, what, &result);
	if (r != 0 || job_command_succeeded(&result))
		return r;
	if (lacks_engine(job, &result, argv))
		return job_verdict(
			job, VERDICT_CE,
			"The tables of schema.prisma cannot be made: there is no folder "
			"prisma/migrations, and \"prisma db push\" needs an engine that is "
			"not here. Run \"npx prisma migrate dev --name init\" at home and "
			"put prisma/migrations into the archive.");
	return job_verdict_from(job, &result, VERDICT_CE, what);
}

/* The tables of a schema that has no migrations, or whose author pushes it: see generate.c. */
static int push_schema(struct job *job)
{
	char file[] = PRISMA_TABLES_FILE, *files[] = { file, NULL };

	job_detected(job, "migrations", "schema.prisma, as prisma db push does");
	return apply(job, files, MIGRATE_SCHEMA, "schema of Prisma");
}

/* Commands that stood before the server in its start script. */
static int run_start_commands(struct job *job)
{
	int r = 0;

	for (char **v = job->facts.start_migrate; *v && r == 0; v++) {
		char *argv[] = { (char *)"sh", (char *)"-c", *v, NULL };

		r = run_command(job, argv);
	}
	if (r == 0) {
		job_detected(job, "migrations", "%s (start script)", job->facts.start_migrate[0]);
		job_stage_note(job, "%s", job->facts.start_migrate[0]);
	}
	return r;
}

/* Commands for which there would be migrations, had the archive any. */
static bool is_native(const char *command)
{
	return strstr(command, "prisma ") || strstr(command, "drizzle-kit ");
}

static bool start_has(const struct facts *f, const char *words)
{
	for (char **v = f->start_migrate; v && *v; v++)
		if (strstr(*v, words))
			return true;
	return false;
}

/* "run": ["npx", "prisma", "db", "push"] */
static bool challenge_pushes(const struct challenge *c)
{
	bool prisma = false;

	for (char **v = c->migrate.argv; c->migrate_runs && v && *v; v++) {
		if (prisma && streq(*v, "push"))
			return true;
		prisma |= streq(*v, "prisma");
	}
	return false;
}

/* A start script that pushes the schema does not look at migrations either. */
bool migrate_pushes_schema(const struct job *job)
{
	const struct challenge *c = job->challenge;
	const struct facts *f = &job->facts;

	/* `deps warm` starts no database, but what it makes is for a submission that has one. */
	if ((!c->postgres && !job->last_stage) || !f->prisma_schema)
		return false;
	if (c->migrate.kind != COMMAND_AUTO)
		return c->migrate.kind == COMMAND_ARGV && challenge_pushes(c);
	if (start_has(f, "prisma db push"))
		return !start_has(f, "prisma migrate");
	return f->migrate && streq(f->migrate[0], "prisma") &&
	       (!f->start_migrate || is_native(f->start_migrate[0]));
}

static int migrate_auto(struct job *job)
{
	const struct facts *f = &job->facts;
	char *drizzle[] = { f->drizzle, NULL };
	int r;

	if (f->prisma_migrations) {
		job_detected(job, "migrations", "of Prisma, applied natively");
		return apply(job, f->migrations, "--prisma", "Prisma migration");
	}
	if (f->drizzle) {
		job_detected(job, "migrations", "of drizzle (%s), applied natively", f->drizzle);
		return apply(job, drizzle, "--drizzle", "folder of drizzle");
	}
	if (f->start_migrate && !(f->migrate && is_native(f->start_migrate[0])))
		return run_start_commands(job);
	if (f->migrate) {
		const char *tool = f->migrate_tool ? f->migrate_tool : f->migrate[0];

		job_detected(job, "migrations", "%s", tool);
		r = run_command(job, f->migrate);
		if (r == 0)
			job_stage_note(job, "%s", tool);
		return r;
	}
	if (f->migrations)
		job_detected(job, "migrations", "%s%s", f->migrations[0],
			     f->migrations[0] && f->migrations[1] ? " ..." : "");
	return apply(job, f->migrations, NULL, "SQL file");
}

int stage_migrate(struct job *job)
{
	const struct challenge *c = job->challenge;

	if (!job->database.wanted || c->migrate.kind == COMMAND_NONE) {
		job_stage_note(job, job->database.wanted ? "not wanted" : "no database");
		return 0;
	}
	if (migrate_pushes_schema(job))
		return push_schema(job);
	if (c->migrate.kind != COMMAND_ARGV)
		return migrate_auto(job);
	if (!c->migrate_runs)
		return apply(job, c->migrate.argv, NULL, "path");
	job_stage_note(job, "%s", c->migrate.argv[0]);
	return run_command(job, c->migrate.argv);
}
