/* SPDX-License-Identifier: MIT */

/*
 * A database on a server that others use, too. The keeper (database/keeper.h) has made a role and a
 * database for this submission alone and says its name and password; no right on the server is
 * here. The application sees what it would see of a Postgres of its own, a listener at
 * 127.0.0.1:5432: behind it is sandbox-inside-relay, which logs in as that role, in that database,
 * whatever it was asked for.
 *
 *	app's network | relay's jail, its own network                | host
 *	5432 <--------- fd 3, sandbox-inside-relay --> 127.0.0.1:5432 --> forward --> server
 *
 * The application is not told the role's password: it has no way to the server but the relay. The
 * relay's jail is not in the submission's group, where the application could exhaust its memory; it
 * ends when the server cannot be reached, which nobody but us answers for.
 */

#include "pipeline/server-database.h"

#include <poll.h>

#include "challenge/challenge.h"
#include "database/keeper.h"
#include "pipeline/units.h"
#include "util/util.h"

#define PORT 5432
#define POLICY "database-relay.json"
#define RELAY_PROGRAM INSIDE_PATH "-relay"
#define ANSWER_TIMEOUT (60 * NSEC_PER_SEC)
#define STATUS_TIMEOUT (15 * NSEC_PER_SEC)
#define BYTES_MAX (4ull << 30)
#define CONNECTIONS_MAX 60u
/* Of the role's connections: for what the tests ask, also when the application has the rest. */
#define OURS 2u

struct server_run {
	struct job *job;
	char *relay; /* the program */
	int listener;
	int64_t serial;
	struct keeper_reply answer;
	bool taken; /* the answer is there */
};

static void undo_server(void *data)
{
	struct server_run *run = data;
	struct job *job = run->job;
	struct sbx_error ignored;

	job->postgres = sbx_proc_free(job->postgres);
	job->db = sbx_jail_free(job->db);
	if (run->serial >= 0)
		(void)keeper_ask(job->keeper_fd, KEEPER_RELEASE, 0, &ignored);
	close_fd(run->listener);
	free(run->relay);
	explicit_bzero(&run->answer, sizeof(run->answer));
	free(steal_ptr(job->database.url));
	explicit_bzero(job->database.password, sizeof(job->database.password));
	explicit_bzero(job->database.role_password, sizeof(job->database.role_password));
	job->database.server = NULL;
	free(run);
}

static int make_jail(struct job *job, struct server_run *run)
{
	struct sbx_mount mounts[INSIDE_MOUNTS_MAX + 1];
	struct sbx_jail_options o = { .size = sizeof(o), .label = "relay", .mounts = mounts };
	struct sbx_plan *plan = NULL;
	int r;

	if (asprintf(&run->relay, "%s-relay", job->settings->inside) < 0) {
		run->relay = NULL;
		return job_fail(job, -ENOMEM, "database", "out of memory");
	}
	o.n_mounts = job_inside_mounts(job, mounts);
	mounts[o.n_mounts++] = (struct sbx_mount){ .size = sizeof(*mounts),
						   .type = SBX_MOUNT_BIND,
						   .source = run->relay,
						   .target = RELAY_PROGRAM };
	r = job_plan(job, POLICY, NULL, 0, &plan);
	if (r == 0)
		r = sbx_jail_new(job->ctx, plan, &job->db, &o, &job->error);
	sbx_plan_unref(plan);
	return r;
}

int server_database_launch(struct job *job)
{
	struct database *db = &job->database;
	struct server_run *run = calloc(1, sizeof(*run));
	int r;

	if (!run)
		return job_fail(job, -ENOMEM, "database", "out of memory");
	*run = (struct server_run){ .job = job, .listener = -1, .serial = -1 };
	r = job_push_undo(job, undo_server, run);
	if (r < 0)
		return r;
	db->server = run;
	db->wanted = true;
	db->port = PORT;
	run->serial = keeper_ask(job->keeper_fd, KEEPER_TAKE, job->challenge->limits.database_disk,
				 &job->error);
	if (run->serial < 0)
		return (int)run->serial;
	r = make_jail(job, run);
	if (r == 0)
		r = run->listener = sbx_jail_listen(job->app, PORT, 64, &job->error);
	return MIN_OF(r, 0);
}

/* ----------------------------------------------------------------------------- ready */

/* Output moves and Ctrl-C works meanwhile. */
int server_database_await(struct job *job)
{
	struct server_run *run = job->database.server;
	uint64_t deadline = deadline_after(ANSWER_TIMEOUT);
	int r;

	while (!run->taken) {
		r = keeper_answer(job->keeper_fd, run->serial, 0, &run->answer, &job->error);
		run->taken = r == 0;
		if (r != -ETIMEDOUT || now_ns() >= deadline)
			return r;
		r = job_attend(job, NULL, job->keeper_fd, POLLIN, deadline - now_ns());
		if (r < 0)
			return r;
	}
	return 0;
}

static int open_way(struct job *job, const struct database_server *d)
{
	char path[sizeof(d->host) + 32];
	struct sbx_forward f = {
		.size = sizeof(f), .port = PORT, .connections = 64, .bytes = UINT64_MAX
	};

	if (d->host[0] == '/') {
		(void)snprintf(path, sizeof(path), "%s/.s.PGSQL.%u", d->host, d->port);
		f.unix_path = path;
	} else {
		f.host = d->host;
		f.host_port = d->port;
	}
	return MIN_OF(sbx_jail_forward(job->db, &f, &job->error), 0);
}

static int start_relay(struct job *job, struct server_run *run, const struct database_server *d)
{
	char port[8], connections[8], bytes[24], user[80], name[80], password[80];
	const char *const argv[] = { "sandbox-inside-relay", port, connections, bytes, NULL };
	const char *const env[] = { user, name, password, NULL };
	const struct sbx_fd fd = { .fd = run->listener, .target = 3 };
	const struct sbx_exec e = { .size = sizeof(e),
				    .path = RELAY_PROGRAM,
				    .argv = argv,
				    .env = env,
				    .fds = &fd,
				    .n_fds = 1,
				    .wall_ns = UINT64_MAX,
				    .cpu_ns = UINT64_MAX };
	unsigned n = MIN_OF((unsigned)d->connections, CONNECTIONS_MAX);
	int r;

	(void)snprintf(port, sizeof(port), "%u", PORT);
	(void)snprintf(connections, sizeof(connections), "%u", n > OURS + 1 ? n - OURS : n);
	(void)snprintf(bytes, sizeof(bytes), "%llu", BYTES_MAX);
	(void)snprintf(user, sizeof(user), "PGUSER=%s", d->role);
	(void)snprintf(name, sizeof(name), "PGDATABASE=%s", d->name);
	(void)snprintf(password, sizeof(password), "PGPASSWORD=%s", d->password);
	r = sbx_jail_exec(job->db, &job->postgres, &e, &job->error);
	explicit_bzero(password, sizeof(password));
	run->listener = close_fd(run->listener);
	return r;
}

int server_database_ready(struct job *job)
{
	struct database *db = &job->database;
	struct server_run *run = db->server;
	const struct database_server *d = &run->answer.database;
	int r = server_database_await(job);

	if (r < 0)
		return r;
	copy_string(db->user, sizeof(db->user), d->role);
	copy_string(db->name, sizeof(db->name), d->name);
	copy_string(db->role_password, sizeof(db->role_password), d->password);
	r = database_password(db->password, sizeof(db->password));
	if (r < 0)
		return job_fail(job, r, "database", "no random bytes for a password");
	r = open_way(job, d);
	return r == 0 ? start_relay(job, run, d) : r;
}

/* ----------------------------------------------------------------------------- judging */

static int ask_status(struct job *job, enum keeper_what what, struct keeper_reply *ret)
{
	int64_t serial = keeper_ask(job->keeper_fd, what, 0, &job->error);

	return serial < 0 ? (int)serial
			  : keeper_answer(job->keeper_fd, serial, STATUS_TIMEOUT, ret, &job->error);
}

bool server_database_is_fresh(struct job *job)
{
	struct keeper_reply a;

	return job->database.server->taken && ask_status(job, KEEPER_STATUS, &a) == 0 && !a.lost;
}

static int relay_ended(struct job *job)
{
	const struct sbx_result *r = &job->postgres_result;

	if (r->verdict == SBX_VERDICT_EXITED && r->exit_code == 4)
		return job_fail(job, -EAGAIN, "database",
				"the database server could not be reached while it was in use");
	if (r->verdict == SBX_VERDICT_EXITED && r->exit_code == 5)
		return job_fail(job, -EACCES, "database",
				"the database server does not take the role's password: its "
				"pg_hba.conf must say scram-sha-256 for it");
	return job_fail(job, -EIO, "database", "the relay to the database ended (verdict %d, %d)",
			r->verdict, r->exit_code);
}

static bool all_passed(const struct job *job)
{
	uint32_t passed = 0;

	for (uint32_t i = 0; i < job->n_cases; i++)
		passed += job->cases[i].passed;
	return job->verdict == VERDICT_NONE && !job->server_ended && passed == job->n_cases &&
	       passed > 0;
}

int server_database_judge(struct job *job)
{
	const struct server_run *run = job->database.server;
	struct keeper_reply a;
	char text[UNITS_TEXT];
	int r;

	if (!run->taken)
		return 0;
	r = ask_status(job, all_passed(job) ? KEEPER_STATUS : KEEPER_EXAMINE, &a);
	if (r < 0)
		return r;
	job->database.disk = a.disk;
	if (a.lost)
		return job_fail(job, -EAGAIN, "database",
				"the database server was away, or full, while it was in use");
	if (a.over_disk)
		return job_verdict(job, VERDICT_DLE,
				   "The database filled its disk space of %s. Are rows inserted or "
				   "updated without end?",
				   units_size(text, job->challenge->limits.database_disk));
	return job->postgres_ended ? relay_ended(job) : 0;
}
