/* SPDX-License-Identifier: MIT */

/*
 * A statement of the tests, run by `sandbox-inside sql` in the database's jail. The host passes it
 * in and passes at most 400 bytes on to the tester; it reads the first of them.
 */

#include "pipeline/test-asks.h"

#include <sys/mman.h>

#include "util/util.h"

#define SQL_WALL (8 * NSEC_PER_SEC)

static void free_env(char ***env)
{
	for (char **v = *env; *v; v++)
		free(*v);
}

static int make_env(const struct job *job, char *env[8])
{
	const struct database *db = &job->database;
	int n = 0;

	if (asprintf(&env[n++], "PGHOST=127.0.0.1") < 0 ||
	    asprintf(&env[n++], "PGPORT=%u", db->port) < 0 ||
	    asprintf(&env[n++], "PGUSER=%s", db->user) < 0 ||
	    asprintf(&env[n++], "PGPASSWORD=%s",
		     db->server ? db->role_password : db->password) < 0 ||
	    asprintf(&env[n++], "PGDATABASE=%s", db->name) < 0) {
		env[n - 1] = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int exec_sql(struct job *job, int in, int out, struct sbx_proc **ret)
{
	static const char *const argv[] = { "sandbox-inside-database", "sql", NULL };
	char *env[8] = { NULL };
	char **owned __attribute__((cleanup(free_env))) = env;
	struct sbx_exec e = {
		.size = sizeof(e),
		.flags = SBX_EXEC_STDIN | SBX_EXEC_STDOUT,
		.path = INSIDE_PATH "-database",
		.argv = argv,
		.env = (const char *const *)owned,
		.stdin_fd = in,
		.stdout_fd = out,
		.stdout_limit = HURL_MAX_ANSWER,
		.wall_ns = SQL_WALL,
	};

	if (make_env(job, env) < 0)
		return job_fail(job, -ENOMEM, "sql", "out of memory");
	return sbx_jail_exec(job->db, ret, &e, &job->error);
}

static void take(struct hurl_answer *ret, const char *text, size_t size)
{
	enum hurl_answer_status status = size == 0      ? HURL_ANSWER_FAILED
					 : *text == 'V' ? HURL_ANSWER_TEXT
					 : *text == 'N' ? HURL_ANSWER_NULL
							: HURL_ANSWER_FAILED;

	if (size == 0) {
		ask_failed(ret, status, "the database did not answer in time");
		return;
	}
	ret->status = status;
	ret->len = (uint32_t)MIN_OF(size - 1, sizeof(ret->text) - 1);
	memcpy(ret->text, text + 1, ret->len);
}

/* How it ended says nothing that its output does not: it may have met the database's limits. */
static int wait_sql(struct job *job, struct sbx_proc *proc, int out, struct hurl_answer *ret)
{
	_cleanup_free_ char *text = NULL;
	struct sbx_result result;
	size_t size = 0;
	int r = job_wait(job, proc, SQL_WALL + NSEC_PER_SEC, &result);

	if (r < 0 && r != -ETIMEDOUT)
		return r;
	text = job_read_fd(out, HURL_MAX_ANSWER, &size);
	if (!text)
		return job_fail(job, -ENOMEM, "sql", "out of memory");
	take(ret, text, size);
	return 0;
}

int ask_sql(struct job *job, const char *sql, struct hurl_answer *ret)
{
	_cleanup_close_ int in = memfd_create("sql", MFD_CLOEXEC), out = -1;
	struct sbx_proc *proc = NULL;
	size_t n = strlen(sql);
	int r;

	if (!job->db || job->postgres_ended) {
		ask_failed(ret, HURL_ANSWER_FAILED, "the database has ended");
		return 0;
	}
	out = job_memfd(job, "sql-answer");
	if (in < 0 || out < 0 || pwrite(in, sql, n, 0) != (ssize_t)n)
		return job_fail(job, -EIO, "sql", "no buffer for a statement: %m");
	r = exec_sql(job, in, out, &proc);
	if (r < 0 && streq(job->error.stage, "fork")) {
		ask_failed(ret, HURL_ANSWER_FAILED, "the database has as many processes as it may");
		return 0;
	}
	if (r < 0)
		return r;
	r = wait_sql(job, proc, out, ret);
	sbx_proc_free(proc);
	return r;
}
