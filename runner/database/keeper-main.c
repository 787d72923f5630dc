/* SPDX-License-Identifier: MIT */

/*
 * sandbox-keeper: makes databases on a cluster for one judge, who has no right to do so himself and
 * talks to it over fd 3 (wire.h). One is made ahead while the judge is busy with another; while one
 * is in use its size is looked at, and it is shut when it holds more than it may; afterwards it is
 * dropped, when nobody waits for us. No byte of a submission comes here.
 *
 * One thing at a time, on one connection. If that breaks, the cluster was away: what the judge has
 * is lost, and said to be; what we had made belongs to an owner whose lock is gone, so the next
 * connection, or another keeper's, sweeps it.
 */

#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "database/server.h"
#include "util/util.h"

#define URL_MAX 4096
#define AHEAD_MAX 4
#define WASTE_MAX 64
/* Of one judge at once, in use or to be dropped. One that behaves has two or three. */
#define DATABASES_MAX 8
#define WATCH_INTERVAL (500 * NSEC_PER_MSEC)
#define WATCH_SHARE 20 /* watching takes at most one part in so many of the time */
#define SWEEP_INTERVAL (60 * NSEC_PER_SEC)
#define RETRY_INTERVAL (5 * NSEC_PER_SEC)
/* A backend that is just ending makes DROP DATABASE wait in steps of 100 ms. */
#define DROP_DELAY (30 * NSEC_PER_MSEC)
#define EXIT_TRIES 3

struct waste {
	char name[SERVER_NAME_MAX];
	uint64_t due_ns;
	bool empty; /* its database is gone, its role cannot be yet */
};

struct keeper {
	struct server_settings settings;
	struct server server;
	bool check, sweep, dry; /* sweep: then it ends; dry: and drops nothing */
	uint32_t ahead;         /* wanted */
	struct database_server made[AHEAD_MAX];
	uint32_t n_made;
	struct database_server taken;
	bool is_taken, lost, over;
	bool was_lost; /* what we had made bears a name that is not ours any more */
	uint64_t disk, disk_max, watch_ns, sweep_ns, retry_ns;
	int64_t empty; /* size of a new one */
	struct waste waste[WASTE_MAX];
	uint32_t n_waste;
};

/* ------------------------------------------------------------------------ the cluster */

static void connection_lost(struct keeper *k)
{
	k->was_lost |= k->is_taken || k->n_made > 0 || k->n_waste > 0;
	server_close(&k->server);
	k->lost |= k->is_taken;
	k->n_made = k->n_waste = 0;
}

static int need_server(struct keeper *k, struct sbx_error *err)
{
	int r;

	if (server_alive(&k->server))
		return 0;
	connection_lost(k);
	r = server_open(&k->server, &k->settings, err);
	if (r == 0)
		k->sweep_ns = now_ns();
	return r;
}

static int make_one(struct keeper *k, struct database_server *ret, struct sbx_error *err)
{
	int r = need_server(k, err);
	int64_t size;

	if (r == 0)
		r = server_prepare(&k->server, ret, err);
	if (r < 0)
		return r;
	if (k->empty == 0) {
		size = server_size(&k->server, ret->role);
		k->empty = size > 0 ? size : 0;
	}
	return 0;
}

static void add_waste(struct keeper *k, const char *name, uint64_t due_ns)
{
	struct waste *w = &k->waste[k->n_waste];

	/* What does not fit is swept once we are gone. */
	if (k->n_waste == WASTE_MAX)
		return;
	k->n_waste++;
	*w = (struct waste){ .due_ns = due_ns };
	copy_string(w->name, sizeof(w->name), name);
}

static void measure(struct keeper *k)
{
	struct sbx_error err;
	uint64_t began = now_ns(), took;
	int64_t size;

	if (!server_alive(&k->server)) {
		connection_lost(k);
		return;
	}
	size = server_size(&k->server, k->taken.role);
	if (size >= 0)
		k->disk = size > k->empty ? (uint64_t)(size - k->empty) : 0;
	k->over |= k->disk > k->disk_max;
	if (k->over)
		(void)server_shut(&k->server, k->taken.role, &err);
	if (!server_alive(&k->server))
		connection_lost(k);
	took = now_ns() - began;
	k->watch_ns = deadline_after(MAX_OF(WATCH_INTERVAL, took * WATCH_SHARE));
}

/* Takes it out of the list first; it comes back where it cannot be dropped. */
static void drop(struct keeper *k, uint32_t i)
{
	struct sbx_error err;
	struct waste w = k->waste[i];
	int r;

	k->waste[i] = k->waste[--k->n_waste];
	r = server_drop(&k->server, w.name, &err);
	if (r < 0 && r != -EBUSY)
		server_say("%s cannot be dropped: %s", w.name, err.text);
	if (r < 0) {
		add_waste(k, w.name, now_ns() + RETRY_INTERVAL);
		k->waste[k->n_waste - 1].empty = r == -EBUSY;
	}
}

/* ------------------------------------------------------------------------ the judge */

static uint32_t count_databases(const struct keeper *k)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < k->n_waste; i++)
		n += !k->waste[i].empty;
	return n;
}

/*
 * What is dropped when nobody waits is dropped now: a judge that asks and asks waits for it, and
 * has no more than it may. 0; -EDQUOT.
 */
static int make_room(struct keeper *k, struct sbx_error *err)
{
	for (uint32_t i = k->n_waste; i-- > 0 && count_databases(k) >= DATABASES_MAX;)
		if (!k->waste[i].empty)
			drop(k, i);
	if (count_databases(k) < DATABASES_MAX)
		return 0;
	server_say("refused: a judge has %d databases already, and they cannot be dropped",
		   DATABASES_MAX);
	return server_fail(err, -EDQUOT, "",
			   "%d databases of earlier submissions cannot be dropped", DATABASES_MAX);
}

static void take(struct keeper *k, const struct keeper_request *q, struct keeper_reply *a)
{
	struct sbx_error err = { 0 };

	if (k->is_taken)
		add_waste(k, k->taken.role, now_ns() + DROP_DELAY);
	k->is_taken = k->lost = k->over = false;
	a->code = need_server(k, &err);
	if (a->code == 0)
		a->code = make_room(k, &err);
	if (a->code == 0 && k->n_made > 0)
		a->database = k->made[--k->n_made];
	else if (a->code == 0)
		a->code = make_one(k, &a->database, &err);
	if (a->code < 0) {
		copy_string(a->text, sizeof(a->text), err.text);
		return;
	}
	k->taken = a->database;
	k->is_taken = true;
	k->disk = 0;
	k->disk_max = q->disk;
	k->watch_ns = deadline_after(WATCH_INTERVAL);
}

/*
 * A server that is just going down may have ended the submission's sessions and not yet ours. It
 * takes no new one from the moment that it was told to; nor does one that is full.
 */
static bool takes_sessions(struct keeper *k)
{
	struct sbx_error err;
	PGconn *conn = server_connect(&k->settings, NULL, &err);
	bool ret = conn && PQstatus(conn) == CONNECTION_OK;

	PQfinish(conn);
	return ret;
}

static void status(struct keeper *k, struct keeper_reply *a, bool examine)
{
	if (!k->is_taken) {
		a->code = -ENOENT;
		return;
	}
	if (!k->lost)
		measure(k);
	if (!k->lost && examine)
		k->lost = !takes_sessions(k);
	a->over_disk = k->over;
	a->lost = k->lost;
	a->disk = k->disk;
}

static void release(struct keeper *k)
{
	if (k->is_taken && server_alive(&k->server))
		add_waste(k, k->taken.role, now_ns() + DROP_DELAY);
	k->is_taken = k->lost = k->over = false;
}

/* 0; 1: the judge is gone. */
static int serve(struct keeper *k)
{
	struct keeper_request q;
	struct keeper_reply a = { 0 };
	ssize_t n = recv(KEEPER_SOCKET_FD, &q, sizeof(q), 0);

	if (n < 0 && errno == EINTR)
		return 0;
	if (n != (ssize_t)sizeof(q))
		return 1;
	if (q.what == KEEPER_RELEASE) {
		release(k);
		return 0;
	}
	a.serial = q.serial;
	if (q.what == KEEPER_TAKE)
		take(k, &q, &a);
	else if (q.what == KEEPER_STATUS || q.what == KEEPER_EXAMINE)
		status(k, &a, q.what == KEEPER_EXAMINE);
	else
		a.code = -EINVAL;
	n = send(KEEPER_SOCKET_FD, &a, sizeof(a), MSG_NOSIGNAL);
	explicit_bzero(&a, sizeof(a));
	return n != (ssize_t)sizeof(a);
}

/* ------------------------------------------------------------------------- idle time */

/* Also what could not be dropped before. A cluster that is away drops nothing. */
static bool drop_due(struct keeper *k, uint64_t now)
{
	for (uint32_t i = 0; i < k->n_waste; i++) {
		if (k->waste[i].due_ns > now)
			continue;
		drop(k, i);
		return true;
	}
	return false;
}

static bool prepare_due(struct keeper *k)
{
	struct sbx_error err;

	if (k->n_made >= k->ahead || now_ns() < k->retry_ns)
		return false;
	if (make_one(k, &k->made[k->n_made], &err) == 0) {
		k->n_made++;
		return true;
	}
	server_say("no database can be made ahead: %s", err.text);
	k->retry_ns = now_ns() + RETRY_INTERVAL;
	return false;
}

static bool sweep_due(struct keeper *k, uint64_t now)
{
	struct sbx_error err;
	int n;

	if (now < k->sweep_ns)
		return false;
	n = server_sweep(&k->server, &err);
	if (n > 0)
		server_say("%d left over by others dropped", n);
	k->sweep_ns = now_ns() + SWEEP_INTERVAL;
	return true;
}

/* One thing that can wait. */
static bool work(struct keeper *k)
{
	if (prepare_due(k))
		return true;
	if (!server_alive(&k->server))
		return false;
	return drop_due(k, now_ns()) || sweep_due(k, now_ns());
}

/* This cannot wait, however much the judge asks: what a database may hold is the cluster's disk. */
static bool watch(struct keeper *k)
{
	if (!k->is_taken || k->lost || now_ns() < k->watch_ns)
		return false;
	measure(k);
	return true;
}

static uint64_t next_due(const struct keeper *k)
{
	uint64_t due = UINT64_MAX;

	if (k->is_taken && !k->lost)
		due = k->watch_ns;
	if (k->n_made < k->ahead)
		due = MIN_OF(due, k->retry_ns);
	if (!server_alive(&k->server))
		return due;
	for (uint32_t i = 0; i < k->n_waste; i++)
		due = MIN_OF(due, k->waste[i].due_ns);
	return MIN_OF(due, k->sweep_ns);
}

static int timeout_until(uint64_t due)
{
	uint64_t now = now_ns();

	if (due == UINT64_MAX)
		return -1;
	return due <= now ? 0 : (int)MIN_OF((due - now) / NSEC_PER_MSEC + 1, (uint64_t)60000);
}

static void loop(struct keeper *k)
{
	struct pollfd p = { .fd = KEEPER_SOCKET_FD, .events = POLLIN };

	for (;;) {
		int n = poll(&p, 1, 0);

		if (!watch(k) && n == 0 && !work(k))
			n = poll(&p, 1, timeout_until(next_due(k)));
		if (n > 0 && serve(k) != 0)
			return;
	}
}

/* The judge is gone, and with him all that he had. */
static void drop_all(struct keeper *k)
{
	struct sbx_error err;

	release(k);
	for (uint32_t i = 0; i < k->n_made; i++)
		add_waste(k, k->made[i].role, 0);
	for (int try = 0; try < EXIT_TRIES && k->n_waste > 0 && server_alive(&k->server); try++) {
		uint32_t n = k->n_waste;

		while (n-- > 0)
			(void)drop_due(k, UINT64_MAX);
	}
	if (k->was_lost && need_server(k, &err) == 0)
		(void)server_sweep(&k->server, &err);
	server_close(&k->server);
}

static int check(const struct keeper *k)
{
	struct sbx_check rows[KEEPER_CHECKS_MAX];
	uint32_t n = server_check(&k->settings, rows, KEEPER_CHECKS_MAX);

	for (uint32_t i = 0; i < n; i++)
		if (send(KEEPER_SOCKET_FD, &rows[i], sizeof(rows[i]), MSG_NOSIGNAL) < 0)
			return 1;
	return 0;
}

static void report_name(const char *name)
{
	struct keeper_swept one = { .code = 0 };

	copy_string(one.text, sizeof(one.text), name);
	(void)send(KEEPER_SOCKET_FD, &one, sizeof(one), MSG_NOSIGNAL);
}

/* The last message is the end, and how it went. */
static int sweep(struct keeper *k)
{
	struct keeper_swept end = { .end = 1 };
	struct sbx_error err = { 0 };
	int r = server_open(&k->server, &k->settings, &err);

	if (r == 0)
		r = server_sweep_each(&k->server, k->dry, report_name, &err);
	server_close(&k->server);
	end.code = MIN_OF(r, 0);
	if (r < 0)
		(void)snprintf(end.text, sizeof(end.text), "%s%s%s", err.item,
			       *err.item ? ": " : "", err.text);
	return send(KEEPER_SOCKET_FD, &end, sizeof(end), MSG_NOSIGNAL) < 0;
}

/* ----------------------------------------------------------------------- command line */

static int read_url(char url[URL_MAX])
{
	ssize_t n = read_full(KEEPER_URL_FD, url, URL_MAX - 1);

	close_fd(KEEPER_URL_FD);
	if (n <= 0)
		return -EINVAL;
	url[n] = '\0';
	return 0;
}

static int parse(struct keeper *k, int argc, char **argv)
{
	static const struct option options[] = {
		{ "ahead", required_argument, NULL, 'a' },
		{ "connections", required_argument, NULL, 'c' },
		{ "shared", required_argument, NULL, 's' },
		{ "template", required_argument, NULL, 't' },
		{ "temp-file-limit", required_argument, NULL, 'l' },
		{ "check", no_argument, NULL, 'k' },
		{ "sweep", no_argument, NULL, 'w' },
		{ "dry-run", no_argument, NULL, 'n' },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		unsigned long n = optarg ? strtoul(optarg, NULL, 10) : 0;

		if (option == 'a' && n <= AHEAD_MAX)
			k->ahead = (uint32_t)n;
		else if (option == 'c' && n >= 1 && n <= 60)
			k->settings.connections = (uint32_t)n;
		else if (option == 'k')
			k->check = true;
		else if (option == 'w')
			k->sweep = true;
		else if (option == 'n')
			k->dry = true;
		else if (option == 's')
			k->settings.shared = optarg;
		else if (option == 't')
			k->settings.template = optarg;
		else if (option == 'l' && !strpbrk(optarg, "'\\"))
			k->settings.temp_file_limit = optarg;
		else
			return -EINVAL;
	}
	return optind == argc ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	static char url[URL_MAX];
	static struct keeper k = {
		.settings = { .url = url, .temp_file_limit = "64MB", .connections = 20 }
	};

	/* Before there is anything in it to be read. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (parse(&k, argc, argv) < 0 || read_url(url) < 0) {
		(void)fprintf(stderr,
			      "sandbox-keeper is started by sandbox-run and sandbox-runner\n");
		return 2;
	}
	(void)setsid();
	(void)signal(SIGPIPE, SIG_IGN);
	if (k.check)
		return check(&k);
	if (k.sweep)
		return sweep(&k);
	loop(&k);
	drop_all(&k);
	return 0;
}
