/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One submission, from archive to verdict: a table of stages run in order over one struct job.
 *
 * A stage returns <0 for a failure of ours (IE; job->error says why), 0 to go on, >0 when it has
 * decided the verdict (job->verdict is filled; the stages up to the verdict are skipped). A stage
 * that acquires something pushes its undo; the pipeline unwinds in reverse on every path, Ctrl-C
 * included. Stages never exit, never print: what people see is made from the job by report.c, and
 * what machines see by result-json.c.
 *
 * The stages use only the public header of the library.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>

#include "challenge/challenge.h"
#include "pipeline/strv.h"

struct plans; /* plans.h */
struct store; /* store.h */
struct store_entry;

enum verdict {
	VERDICT_NONE,
	VERDICT_IE,
	VERDICT_CANCELLED,
	VERDICT_SUPERSEDED, /* of the fleet: a newer archive took its place before it was judged */
	VERDICT_SEC,
	VERDICT_MLE,
	VERDICT_DLE,
	VERDICT_PLE,
	VERDICT_OLE,
	VERDICT_TLE,
	VERDICT_CE,
	VERDICT_BOOT,
	VERDICT_CRASH,
	VERDICT_AC,
	VERDICT_PARTIAL,
	VERDICT_WA,
};

const char *verdict_name(enum verdict v); /* "AC", "PARTIAL", ... */

/* Where things of the installation live; found once by settings.c. All owned, absolute. */
struct settings {
	char *policy_dir; /* base.json, node-server.json ... */
	char *inside;     /* the sandbox-inside executable; its siblings lie beside it */
	char *store_dir;  /* --store, $SANDBOX_STORE, or the default of settings.c */
	char *node_dir;   /* the pinned runtime: bin/node, lib/node_modules/npm (toolchain.c) */
	char *postgres_dir; /* bin directory of a Postgres installation; NULL: none found */
	char *keeper;	    /* the sandbox-keeper executable */
	int verbose;
};

/*
 * What `sandbox-inside unpack` found in the tree (records, see runner/inside/records.h). All
 * strings come from the submission: checked for length and control bytes, never used as a host
 * path.
 */
struct facts {
	char **start;       /* detected argv; NULL: nothing to start was found */
	char **build;       /* argv; NULL: no build */
	char **entries;     /* of `start`: files that one of its words may stand for (start.c) */
	char *start_error;  /* why there is nothing to start; NULL: nothing is known */
	char *start_from, *build_from; /* where the commands come from: package.json "start" */
	char *build_skipped;  /* why `start` does not need `build`; NULL: it does */
	char *language, *framework;    /* "TypeScript (tsc)", "express 5"; NULL: unknown */
	/* migration commands that were taken out of `start`, as sh reads them */
	char **start_migrate;
	bool node_modules;    /* the archive's own are in the tree, and are to be used */
	char **unpack_notes;  /* worth telling */
	/* package.json reduced to its dependency fields; NULL: no package.json */
	char *manifest;
	size_t manifest_size;
	char *manager;	    /* "pnpm@9.15.0"; NULL: npm */
	char *npmrc;	    /* the settings of .npmrc that were let through; NULL: none */
	char *workspace;    /* of pnpm-workspace.yaml, likewise */
	char *lockfile;     /* its bytes; NULL: none */
	size_t lockfile_size;
	char *prisma_schema; /* what its client is generated from (inspect-prisma.c); NULL: none */
	size_t prisma_schema_size;
	char *dependencies_error; /* why its dependencies cannot be installed; NULL: they can */
	bool has_dependencies;
	char **migrations;  /* files below the tree in the order to apply; NULL or empty: none */
	bool prisma_migrations; /* they are prisma/migrations directories */
	char *drizzle;		/* the folder of drizzle's migrations; NULL: none */
	char **migrate;		/* argv of the command that migrates; NULL: none */
	char *migrate_tool;	/* what the migrations are of, for people; NULL: SQL files */
	char *node_env;		/* for which alone it is configured; NULL: no matter */
	char **database_variables; /* "part:NAME", of .env files; NULL: none */
	char *database_name;	/* as the submission names it; NULL: it does not */
	char **database_roles;	/* users of its database, likewise */
	uint32_t files;
	uint64_t bytes;
};

/* The database as the application sees it; filled by database.c. */
struct database {
	bool wanted;
	char *url; /* postgresql://app:...@127.0.0.1:5432/app */
	char user[64], password[64], name[64];
	uint16_t port;
	struct database_run *run; /* database.c: between launch and the end */
	struct server_run *server; /* server-database.c, likewise: on the operator's server */
	char role_password[64];    /* of that server; the application is told another */
	uint64_t disk;		   /* bytes that it holds there, in the end */
};

/* The generated Prisma client; filled by generate.c. */
struct prisma {
	char version[32];   /* "6.19.3"; empty: there is none */
	/* no native engine: its queries are compiled by wasm, an adapter runs them */
	bool client_engine;
	bool wasm_engine;   /* no native engine: the wasm one stands in for it, over an adapter */
	char engines[48];   /* the hash of the imported engines in use, or empty */
};

struct test_case {
	char *name, *group, *file;
	char *message, *expected, *actual, *request; /* NULL unless it failed */
	int line, failure_line, failure_column;
	double points;
	bool hidden, passed, skipped;
	bool reported, broken; /* for tests-report.c */
	double duration_ms;
};

/* The programs that run the hidden tests (tester.h); of each the cases [first, first + n). */
struct tester_kind;
struct tester {
	const struct tester_kind *kind;
	enum tests_runner runner;
	struct sbx_jail *jail;
	struct sbx_proc *proc;
	struct sbx_result result; /* valid once it has ended */
	bool ended;
	int report, go, log; /* memfd, write end of a pipe, memfd */
	int asks;	     /* -1, or our end of a socket pair: what it wants from us */
	int theirs;	     /* -1, or its end, until it is started */
	struct store_entry *suite, *packages, *own_packages; /* of test-suite.c */
	uint32_t first, n;
};
#define TESTERS_MAX 4

struct stage_time {
	const char *name;
	uint64_t start_ns; /* since the job began */
	uint64_t wall_ns;
	char note[96]; /* "npm ci, 71 packages", "stored", "port 8000 after 112 ms" */
};

/* What was found out about the submission by itself, for people: "start", "node src/server.js". */
struct detected {
	const char *what; /* static */
	char *text;
};

/* Memory and processor time over time: see samples.h. */
struct sample {
	uint64_t at_ns; /* since the job began */
	uint64_t memory[2], cpu_ns[2]; /* of the app's jail, of the database's */
};

struct undo {
	void (*run)(void *data);
	void *data;
};

struct job {
	const struct settings *settings;
	const struct challenge *challenge;
	const char *submission; /* path as given */
	struct sbx_ctx *ctx;
	struct store *store;
	struct plans *plans; /* NULL: compiled for this job alone */
	int cancel_fd; /* a signalfd: readable when the user wants to stop */
	/* databases come from there (database/keeper.h); -1: a Postgres of its own */
	int keeper_fd;
	uint64_t began_ns;

	enum reveal reveal;   /* the challenge's, unless the command says otherwise */
	int archive_fd; /* sealed memfd, a zip of at most 50 MiB; the job's, if it was given */
	struct facts facts;
	struct database database;
	struct prisma prisma;
	struct store_entry *deps; /* of node_modules, held by an undo; NULL: none */

	struct sbx_group *group; /* app + database; the tester is never in it */
	struct sbx_jail *app, *db;
	struct sbx_proc *server, *postgres; /* attended, with the testers: see job_attend() */
	bool server_ended, postgres_ended;
	struct tester testers[TESTERS_MAX];
	uint32_t n_testers;
	struct sbx_result server_result; /* valid once the process has ended */
	struct sbx_result postgres_result;
	int server_log; /* memfd with stdout and stderr of the server, capped */
	int keep_log;   /* -1, or a file that gets all of server_log before it is dropped */

	unsigned char *asked;	/* of test-asks.c: which lines have had their answer */
	struct test_case *cases;
	uint32_t n_cases;
	double points, max_points; /* of the tests; scaled by the challenge in verdict.c */
	double score, max_score;

	enum verdict verdict;
	char reason[512]; /* one or two sentences a student understands */
	char log_error[240]; /* the line of that output which says why it ended; "": none */
	/* last 20 lines of what the student's program printed, cleaned; may be NULL */
	char *log_tail;
	char *notes[16];  /* limits that were touched without deciding the verdict */
	uint32_t n_notes;
	struct sbx_error error; /* of an IE */
	const char *last_stage; /* NULL: all; else nothing is done, or judged, after this one */
	uint16_t server_port;   /* where it was found, if not on the challenge's port; else 0 */
	bool prepared;          /* by pipeline_prepare() */
	bool was_ready;         /* the server answered: later it can only crash */
	bool student_ran;       /* a build or a migration, which may have left processes */
	struct sbx_stats stats; /* of the app's jail, taken before it is torn down */
	bool has_stats;
	uint32_t unenforced; /* SBX_LIMIT_*: what some jail so far had to go without */
	bool heap_exhausted;    /* the log holds V8's own words for it (job_take_log) */
	char *inside_paths[4];

	struct detected detected[24];
	uint32_t n_detected;
	struct sample samples[400];
	uint32_t n_samples;
	uint64_t sample_interval_ns, sampled_ns;

	struct stage_time times[16];
	uint32_t n_times;
	/* of the stage that goes on: spent on making the database's template */
	uint64_t template_ns;
	struct undo undo[48];
	uint32_t n_undo;
	uint64_t wall_ns; /* of all, teardown included */
	void (*progress)(const struct job *job, const char *stage, bool done); /* may be NULL */
	void *progress_data;
};

struct stage {
	const char *name;
	int (*run)(struct job *job);
};

int stage_fetch(struct job *job);    /* fetch.c: folder or zip -> sealed memfd */
int stage_unpack(struct job *job);   /* unpack.c: app jail; archive -> its work tree; facts */
int stage_deps(struct job *job);     /* deps.c: store entry -> /app/node_modules */
int stage_generate(struct job *job); /* generate.c: store entry -> the generated Prisma client */
int stage_database(struct job *job); /* database.c: wait for the instance started by unpack */
int stage_build(struct job *job);    /* build.c */
int stage_migrate(struct job *job);  /* migrate.c */
int stage_start(struct job *job);    /* start.c */
int stage_ready(struct job *job);    /* ready.c; again after server_exec() */
int stage_test(struct job *job);     /* test.c */

/*
 * Are the tables those of schema.prisma, as `prisma db push` makes them? generate.c puts them where
 * the migration finds them.
 */
#define SCHEMA_PATH "/opt/schema"
bool migrate_pushes_schema(const struct job *job);

/*
 * Executes the student's server once more, as stage_start() did: job->server is NULL then. 0; 1 the
 * verdict is decided; <0.
 */
int server_exec(struct job *job);

/* The group and the app's jail: called by stage_unpack unless they were prepared. */
int jails_launch(struct job *job);
/* Begins the instance in the background: called by stage_unpack while the archive is unpacked. */
int database_launch(struct job *job);
/*
 * Creates and loads the testers ahead of time, each parked on its go descriptor: called by
 * stage_unpack when there is a database to wait for, else by stage_start.
 */
int testers_launch(struct job *job);
/* Waits until what database_launch() began is there; stage_database() does so otherwise. */
int database_await(struct job *job);

/* The descriptors of a job that has none yet; the other members are the caller's to set. */
#define JOB_NULL                                                                                   \
	(struct job){ .cancel_fd = -1, .keeper_fd = -1, .archive_fd = -1, .server_log = -1,        \
		      .keep_log = -1 }

/*
 * Does ahead, while nobody waits, what needs no byte of a submission: the jails, the database, the
 * testers, for the job's challenge. pipeline_run() goes on from there, in the same process.
 * `cancel_fd` cuts the waiting short. <0: nothing is left, and job->error says why.
 */
int pipeline_prepare(struct job *job);
/* It was prepared, and all of that is still alive; otherwise drop it. */
bool pipeline_is_fresh(struct job *job);
void pipeline_drop(struct job *job);

/* Runs all stages, decides the verdict, unwinds. 0, or <0 for a failure of ours (also in job). */
int pipeline_run(struct job *job);
void job_done(struct job *job);

/*
 * Undone in reverse. When the stack is full `run` is called at once and -ENOSPC returned, so that
 * the caller need not clean up by itself.
 */
int job_push_undo(struct job *job, void (*run)(void *data), void *data);
void job_note(struct job *job, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*
 * What people and results are told of what was found out: `what` is static; a second `what`
 * replaces.
 */
void job_detected(struct job *job, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* start.c: a command as the stage's note, and as what was detected; `from` may be NULL. */
void job_note_command(struct job *job, const char *what, char **argv, const char *from);
void job_stage_note(struct job *job, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int job_fail(struct job *job, int code, const char *stage, const char *fmt, ...)
	__attribute__((format(printf, 4, 5))); /* fills job->error, returns code */
/*
 * Fills verdict and reason unless a stronger verdict stands (the order of enum verdict), returns 1.
 * Bytes of a submission in the arguments need no care: the sentence is cleaned.
 */
int job_verdict(struct job *job, enum verdict v, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Moves the output and keeps the limits of all attended processes (server, postgres, tests) and of
 * `p` (may be NULL) until something happens: 1 one of them ended (see the *_ended members), `fd`
 * (-1: none) is ready for `events`, or `p` ended; 0 `timeout_ns` passed; -EINTR the user cancelled;
 * other <0 ours, in job->error.
 */
int job_attend(struct job *job, struct sbx_proc *p, int fd, short events, uint64_t timeout_ns);

/*
 * Waits until `p` has ended, attending to the others meanwhile. 0 ended and *ret filled;
 * -ETIMEDOUT; -EINTR when the user cancelled; other: ours, in job->error.
 */
int job_wait(struct job *job, struct sbx_proc *p, uint64_t timeout_ns, struct sbx_result *ret);

/* Has the user asked to stop? */
bool job_cancelled(const struct job *job);

/*
 * Loads policy `name` ("tester.json") from the policy directory, applies `n` key/value pairs and
 * `n_mounts` entries, and compiles it.
 */
int job_plan(struct job *job, const char *name, const char *const (*settings)[2], size_t n,
	     struct sbx_plan **ret);
int job_plan_with(struct job *job, const char *name, const char *const (*settings)[2], size_t n,
		  const struct sbx_mount *mounts, size_t n_mounts, struct sbx_plan **ret);

/*
 * Read-only binds of the programs that work inside jails, at /opt/sandbox/NAME. Writes at most
 * INSIDE_MOUNTS_MAX entries (they borrow from job->settings and static storage), returns how many.
 */
#define INSIDE_MOUNTS_MAX 4
#define INSIDE_PATH "/opt/sandbox/sandbox-inside"
uint32_t job_inside_mounts(struct job *job, struct sbx_mount ret[INSIDE_MOUNTS_MAX]);

/* A memfd for output or records. */
int job_memfd(struct job *job, const char *name);
/*
 * At most `max` bytes of `fd` from its start, terminated; the caller's. NULL: -ENOMEM or
 * unreadable.
 */
char *job_read_fd(int fd, size_t max, size_t *ret_size);
/* The last lines that were written to `fd`, cleaned for display; becomes job->log_tail. */
void job_take_log(struct job *job, int fd);

/*
 * The environment of the student's programs, built and not inherited: NULL-terminated, the caller's
 * (strv_free).
 */
char **job_app_env(struct job *job);

/*
 * processors.c: a file of the app's jail that tells Node how many processors there are. The mount's
 * content is in `text`.
 */
#define PROCESSORS_PATH "/opt/sandbox/processors.cjs"
#define PROCESSORS_TEXT 1024
void processors_mount(const struct challenge *c, char text[PROCESSORS_TEXT], struct sbx_mount *ret);

/*
 * Starts a program of the student in the app's jail. 0; 1 when it could not be started for a reason
 * that is the student's (no such program, process limit): `otherwise` is the verdict then, or
 * VERDICT_NONE when a missing program is our failure.
 */
int job_exec_student(struct job *job, struct sbx_proc **ret, const struct sbx_exec *e,
		     enum verdict otherwise, const char *what);

/*
 * Runs a command of the project (a build, a migration) in the app's jail to its end, at most for
 * `wall_ns`; `what` starts sentences about it. 0 it ended, as *ret says, and unless it succeeded
 * its last lines are job->log_tail; 1 it could not be started, CE; <0 ours.
 */
int job_run_command(struct job *job, char **argv, uint64_t wall_ns, const char *what,
		    struct sbx_result *ret);
static inline bool job_command_succeeded(const struct sbx_result *r)
{
	return r->verdict == SBX_VERDICT_EXITED && r->exit_code == 0;
}

/*
 * SIGKILL to all processes of the jailed user; the jail stays. 0, and *ret is how the process that
 * does it has ended (one of those may have killed it first); 1 there is no room for it; <0 ours.
 */
#define KILL_SERVER_WALL (3 * NSEC_PER_SEC)
int job_kill_all(struct job *job, struct sbx_jail *jail, uint64_t wall_ns, struct sbx_result *ret);

/*
 * Turns how a program of the student ended into a verdict in the stated precedence (SEC, MLE, DLE,
 * PLE, OLE, TLE) or, when no limit ended it, into `otherwise` with `what` in the sentence ("the
 * build"). `what` starts the sentence.
 */
int job_verdict_from(struct job *job, const struct sbx_result *r, enum verdict otherwise,
		     const char *what);
