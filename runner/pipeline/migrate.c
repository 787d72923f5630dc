/* SPDX-License-Identifier: MIT */

/*
 * The student's SQL applied by sandbox-inside in the app's jail: as the jailed user, with the
 * student's database role, so that nothing in it gains a right that the server itself would not
 * have.
 */

#include "pipeline/pipeline.h"

#include "pipeline/clean.h"
#include "pipeline/facts.h"
#include "util/util.h"

#define MIGRATE_TIMEOUT "60s"
#define MIGRATE_WALL (70 * NSEC_PER_SEC)
#define MIGRATE_OUTPUT (64u << 10)
#define BATCH_BYTES 65536
#define MAX_FILES 1000

/* ERROR is the student's; anything else that is not success is ours or a limit. */
static int judge(struct job *job, const struct sbx_result *result, int records, int log)
{
	_cleanup_free_ char *refusal = NULL, *text = NULL, *clean = NULL;
	struct facts none;
	size_t size = 0;

	if (result->verdict == SBX_VERDICT_EXITED && result->exit_code == 0)
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
static int run_batches(struct job *job, char **files, size_t n, bool prisma, char **env)
{
	const char *argv[MAX_FILES + 8];
	size_t at = 0;
	int r = 0;

	while (at < n && r == 0) {
		size_t argc = 0, bytes = 0;

		argv[argc++] = "migrate";
		argv[argc++] = "--timeout";
		argv[argc++] = MIGRATE_TIMEOUT;
		if (prisma)
			argv[argc++] = "--prisma";
		while (at < n && bytes < BATCH_BYTES && argc < ARRAY_SIZE(argv) - 1) {
			bytes += strlen(files[at]) + 1;
			argv[argc++] = files[at++];
		}
		argv[argc] = NULL;
		r = run_migrate(job, argv, env);
	}
	return r;
}

static int migrate(struct job *job, char **files, bool prisma, const char *what)
{
	_cleanup_(strv_freep) char **env = NULL;
	size_t n = 0;
	int r;

	while (files && files[n])
		n++;
	if (n == 0) {
		job_stage_note(job, "no SQL files");
		return 0;
	}
	env = job_app_env(job);
	if (!env)
		return job->error.code;
	r = run_batches(job, files, n, prisma, env);
	if (r == 0)
		job_stage_note(job, "%zu %s%s", n, what, n == 1 ? "" : "s");
	return r;
}

int stage_migrate(struct job *job)
{
	const struct challenge_command *c = &job->challenge->migrate;

	if (!job->database.wanted || c->kind == COMMAND_NONE) {
		job_stage_note(job, job->database.wanted ? "not wanted" : "no database");
		return 0;
	}
	if (c->kind == COMMAND_ARGV)
		return migrate(job, c->argv, false, "path");
	return migrate(job, job->facts.migrations, job->facts.prisma_migrations,
		       job->facts.prisma_migrations ? "Prisma migration" : "SQL file");
}
