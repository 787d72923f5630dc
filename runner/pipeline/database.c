/* SPDX-License-Identifier: MIT */

/*
 * The database of one submission: a Postgres of its own, in a jail of its own which shares nothing
 * with the app's but the network namespace. Its data directory is an overlay of the template with a
 * tmpfs above, whose size is the quota; it ends with the jail and leaves nothing.
 *
 * It is launched while the archive is unpacked. `sandbox-inside database`, in the same jail, waits
 * for it and opens the one role; stage_database() waits for that, before the first line of the
 * submission is run: nobody else can have taken the port. There, the submission's own names for the
 * database and its users are known, and made to work.
 */

#include "pipeline/pipeline.h"

#include <sys/random.h>

#include "challenge/challenge.h"
#include "inside/records.h"
#include "pipeline/clean.h"
#include "pipeline/server-database.h"
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
	int log;                 /* of the server */
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

int database_password(char *ret, size_t size)
{
	unsigned char bytes[24];

	if (size <= 2 * sizeof(bytes) || getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int fill_database(struct job *job)
{
	struct database *db = &job->database;

	db->wanted = true;
	db->port = PORT;
	copy_string(db->user, sizeof(db->user), "app");
	copy_string(db->name, sizeof(db->name), "app");
	if (database_password(db->password, sizeof(db->password)) < 0)
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

static int start_helper(struct job *job, struct database_run *run, const char *const *argv)
{
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDERR,
			      .path = INSIDE_PATH,
			      .argv = argv,
			      .env = postgres_env,
			      .stderr_limit = LOG_MAX,
			      .wall_ns = READY_WALL };

	close_fd(run->opener_log);
	run->opener_log = job_memfd(job, "database-log");
	if (run->opener_log < 0)
		return run->opener_log;
	e.stderr_fd = run->opener_log;
	return sbx_jail_exec(job->db, &run->opener, &e, &job->error);
}

static int start_opener(struct job *job, struct database_run *run)
{
	const struct database *db = &job->database;
	/* clang-format off */
	const char *const argv[] = { "sandbox-inside", "database", "--socket", "/run/postgresql",
				     "--data", POSTGRES_DATA, "--role", db->user, "--open",
				     "--database", db->name, "--superuser", POSTGRES_ADMIN,
				     "--timeout", READY_TIMEOUT, NULL };
	/* clang-format on */

	return start_helper(job, run, argv);
}

int database_launch(struct job *job)
{
	struct database_run *run;
	int r;

	if (!job->challenge->postgres)
		return 0;
	if (job->keeper_fd >= 0)
		return server_database_launch(job);
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

static int wait_helper(struct job *job)
{
	struct database_run *run = job->database.run;
	struct sbx_result result;
	int r = job_wait(job, run->opener, UINT64_MAX, &result);

	if (r < 0)
		return r;
	if (result.verdict != SBX_VERDICT_EXITED || result.exit_code != 0)
		return open_failed(job, &result);
	run->opener = sbx_proc_free(run->opener);
	return 0;
}

/* The name becomes part of a URL and of arguments. */
static bool is_plain_name(const char *s)
{
	return s && *s && *s != '-' &&
	       s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] ==
		       '\0' &&
	       !streq(s, POSTGRES_ADMIN);
}

/*
 * The names that the submission itself uses for its database and for the users of it are made to
 * work: they may stand in its code, where no variable reaches.
 */
static int adopt_names(struct job *job)
{
	const struct facts *f = &job->facts;
	struct database *db = &job->database;
	/* clang-format off */
	const char *argv[14 + 2 * RECORD_MAX_ROLES + 3] = {
		"sandbox-inside", "database", "--socket", "/run/postgresql", "--data",
		POSTGRES_DATA, "--role", db->user, "--database", db->name, "--superuser",
		POSTGRES_ADMIN,
	};
	/* clang-format on */
	size_t n = 12;
	int r;

	if (!f->database_name && !f->database_roles)
		return 0;
	if (is_plain_name(f->database_name)) {
		argv[n++] = "--rename";
		argv[n++] = f->database_name;
	}
	for (char **role = f->database_roles; role && *role; role++) {
		if (!is_plain_name(*role))
			continue;
		argv[n++] = "--alias";
		argv[n++] = *role;
	}
	if (n == 12)
		return 0;
	r = start_helper(job, db->run, argv);
	if (r == 0)
		r = wait_helper(job);
	if (r == 0 && is_plain_name(f->database_name))
		copy_string(db->name, sizeof(db->name), f->database_name);
	return r;
}

/* "DATABASE_URL, DB_HOST and 3 more" */
static void tell_variables(struct job *job)
{
	char text[300] = "";
	unsigned n = 0, shown = 0;

	for (char **v = job->facts.database_variables; *v; v++, n++) {
		const char *name = strchr(*v, ':');
		size_t at = strlen(text);

		if (!name || at + strlen(name) > sizeof(text) - 32)
			continue;
		(void)snprintf(text + at, sizeof(text) - at, "%s%s", shown ? ", " : "", name + 1);
		shown++;
	}
	if (shown < n) {
		size_t at = strlen(text);

		(void)snprintf(text + at, sizeof(text) - at, " and %u more", n - shown);
	}
	job_detected(job, "database variables", "%s of .env now lead%s to this database", text,
		     n == 1 ? "s" : "");
}

/* The submission's own .env files, for programs that prefer them to the environment. */
static int rewrite_dotenv(struct job *job)
{
	static const char *const argv[] = { "sandbox-inside", "dotenv", NULL };
	_cleanup_(strv_freep) char **env = NULL;
	_cleanup_close_ int log = -1;
	struct sbx_proc *p = NULL;
	struct sbx_result result;
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDERR,
			      .path = INSIDE_PATH,
			      .argv = argv,
			      .cwd = "/app",
			      .stderr_limit = LOG_MAX,
			      .wall_ns = READY_WALL };
	int r;

	if (!job->facts.database_variables)
		return 0;
	env = job_app_env(job);
	log = env ? job_memfd(job, "dotenv-log") : -1;
	if (log < 0)
		return job->error.code;
	e.env = (const char *const *)env;
	e.stderr_fd = log;
	r = sbx_jail_exec(job->app, &p, &e, &job->error);
	if (r == 0)
		r = job_wait(job, p, UINT64_MAX, &result);
	sbx_proc_free(p);
	if (r < 0)
		return r;
	tell_variables(job);
	if (result.verdict == SBX_VERDICT_EXITED && result.exit_code == 0)
		return 0;
	/* A full disk is told by the result; any other failure of it is ours. */
	if (result.verdict == SBX_VERDICT_EXITED)
		return job_fail(job, -EIO, "database", "the .env files cannot be rewritten (%d)",
				result.exit_code);
	return job_verdict_from(job, &result, VERDICT_CE, "Rewriting the .env files");
}

int database_await(struct job *job)
{
	const struct database *db = &job->database;

	if (db->server)
		return server_database_await(job);
	return db->run && db->run->opener ? wait_helper(job) : 0;
}

static int instance_ready(struct job *job)
{
	int r = database_await(job);

	return r == 0 ? adopt_names(job) : r;
}

int stage_database(struct job *job)
{
	struct database *db = &job->database;
	int r;

	if (!db->run && !db->server) {
		job_stage_note(job, "none");
		return 0;
	}
	r = db->server ? server_database_ready(job) : instance_ready(job);
	if (r < 0)
		return r;
	if (asprintf(&db->url, "postgresql://%s:%s@127.0.0.1:%u/%s", db->user, db->password,
		     db->port, db->name) < 0) {
		db->url = NULL;
		return job_fail(job, -ENOMEM, "database", "out of memory");
	}
	job_stage_note(job, db->server ? "on the server, port %u" : "postgres on port %u",
		       db->port);
	return rewrite_dotenv(job);
}
