/* SPDX-License-Identifier: MIT */

/*
 * Making the template: initdb, settings, role and database, in a jail without a network, of which
 * only the staging directory outlives the end. Nothing of a submission has been near it.
 *
 * What the settings say: a cluster that dies with its jail needs no durability; memory is counted
 * by the page; the student's role owns the schema `public` of its one database but not the database
 * itself (an owner may drop it); the superuser exists only on the unix socket inside the database's
 * jail.
 *
 * Whoever can reach the port is that one submission (and its tester): a password would keep nobody
 * out, so none is asked for, and what a student wrote into the code is as good as ours. `postgres`,
 * the name most often written there, is an ordinary role that works as `app`; the superuser has a
 * name of its own, and so has the maintenance database. A client may insist on TLS: managed
 * databases do, and their users write `ssl: { rejectUnauthorized: false }`.
 *
 * The SQL runs in single-user mode: one statement a line, and any error ends it.
 */

#include "pipeline/template.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "pipeline/clean.h"
#include "store/key.h"
#include "util/util.h"

#define STEP_WALL (60 * NSEC_PER_SEC)
#define LOG_MAX (64u << 10)
#define LOCALE "C.UTF-8"

static const char configuration[] = "listen_addresses = '127.0.0.1,::1'\n"
				    "port = 5432\n"
				    "unix_socket_directories = '/run/postgresql'\n"
				    "unix_socket_permissions = 0700\n"
				    "max_connections = 50\n"
				    "password_encryption = scram-sha-256\n"
				    "bonjour = off\n"
				    "shared_buffers = 16MB\n"
				    "huge_pages = off\n"
				    "dynamic_shared_memory_type = mmap\n"
				    "work_mem = 4MB\n"
				    "maintenance_work_mem = 16MB\n"
				    "temp_file_limit = 64MB\n"
				    "max_worker_processes = 0\n"
				    "max_parallel_workers = 0\n"
				    "max_logical_replication_workers = 0\n"
				    "jit = off\n"
				    "autovacuum = off\n"
				    "fsync = off\n"
				    "synchronous_commit = off\n"
				    "full_page_writes = off\n"
				    "wal_level = minimal\n"
				    "max_wal_senders = 0\n"
				    "min_wal_size = 2MB\n"
				    "max_wal_size = 16MB\n"
				    "wal_recycle = off\n"
				    "wal_init_zero = off\n"
				    "log_destination = 'stderr'\n"
				    "logging_collector = off\n"
				    "log_min_messages = fatal\n"
				    "log_line_prefix = ''\n"
				    "update_process_title = off\n"
				    "track_activities = off\n" /* statements of tests */
				    "timezone = 'UTC'\n"
				    "log_timezone = 'UTC'\n"
				    "datestyle = 'iso, mdy'\n"
				    "default_text_search_config = 'pg_catalog.english'\n"
				    "lc_messages = '" LOCALE "'\n"
				    "lc_monetary = '" LOCALE "'\n"
				    "lc_numeric = '" LOCALE "'\n"
				    "lc_time = '" LOCALE "'\n";

static const char access_rules[] = "local all " POSTGRES_ADMIN " peer map=admin\n"
				   "local all all reject\n"
				   "host all " POSTGRES_ADMIN " all reject\n"
				   "host all all 127.0.0.1/32 trust\n"
				   "host all all ::1/128 trust\n"
				   "host all all all reject\n";

static const char user_map[] = "admin postgres " POSTGRES_ADMIN "\n";

#define PLAIN "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"

static const char cluster_sql[] =
	"ALTER DATABASE postgres RENAME TO " POSTGRES_ADMIN "\n"
	"CREATE ROLE app NOLOGIN " PLAIN "\n"
	"CREATE ROLE postgres LOGIN " PLAIN " CONNECTION LIMIT 40 IN ROLE app\n"
	"ALTER ROLE postgres SET role = app\n"
	"ALTER ROLE postgres SET temp_file_limit = '64MB'\n"
	"CREATE DATABASE app\n"
	"REVOKE ALL ON DATABASE app, " POSTGRES_ADMIN ", template1 FROM PUBLIC\n"
	"GRANT CONNECT, TEMPORARY, CREATE ON DATABASE app TO app\n";

/*
 * Makes the certificate: a key that only this machine has, for connections that never leave it.
 * Debian's Postgres brings openssl along; without it there is no TLS.
 */
#define MAKE_CERTIFICATE                                                                           \
	"if [ -x /usr/bin/openssl ] && "                                                           \
	"printf '[req]\\ndistinguished_name=d\\n[d]\\n' >openssl.cnf && "                          \
	"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 "   \
	"-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "                   \
	"-config openssl.cnf -keyout server.key -out server.crt && chmod 600 server.key; then "    \
	"echo 'ssl = on' >>postgresql.conf; else echo 'ssl = off' >>postgresql.conf; fi; "         \
	"rm -f openssl.cnf"

static const char database_sql[] = "ALTER SCHEMA public OWNER TO app\n"
				   "REVOKE ALL ON SCHEMA public FROM PUBLIC\n"
				   "VACUUM FREEZE ANALYZE\n";

const char *const postgres_env[] = { "PATH=/usr/bin:/bin", "HOME=/tmp", "LANG=" LOCALE,
				     "LC_ALL=" LOCALE,	   "TZ=UTC",	NULL };

struct build {
	struct job *job;
	struct store_entry *entry;
	struct sbx_plan *plan;
	struct sbx_jail *jail;
	char *initdb, *postgres;
	int log;
};

static void build_done(struct build *b)
{
	sbx_jail_free(b->jail);
	sbx_plan_unref(b->plan);
	free(b->initdb);
	free(b->postgres);
	close_fd(b->log);
}

uint32_t template_mounts(const struct job *job, struct sbx_mount *ret, char **owned)
{
	const char *dir = job->settings->postgres_dir;
	char *slash;

	*owned = NULL;
	if (starts_with(dir, "/usr/"))
		return 0;
	*owned = strdup(dir);
	slash = *owned ? strrchr(*owned, '/') : NULL;
	if (!slash || slash == *owned)
		return 0;
	*slash = '\0'; /* bin's parent holds lib and share, too */
	*ret = (struct sbx_mount){
		.size = sizeof(*ret), .type = SBX_MOUNT_BIND, .source = *owned, .target = *owned
	};
	return 1;
}

/* ------------------------------------------------------------------------------ key */

/*
 * A template is of use only to callers who can give its files to Postgres: those with the rights to
 * map ids, or those with just the ids, the group's included, that the files have.
 */
static void add_owner(struct key *k)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = { 0 };
	const uint32_t ids[] = { geteuid(), getegid() };
	uint32_t maps_ids;

	(void)syscall(SYS_capget, &header, caps);
	maps_ids = caps[0].effective >> CAP_SYS_ADMIN & 1;
	key_add(k, ids, sizeof(ids));
	key_add(k, &maps_ids, sizeof(maps_ids));
}

/* The binary stands for the version: an update, however small, changes its size or its time. */
static int make_key(struct job *job, char *ret, size_t size)
{
	const char *dir = job->settings->postgres_dir, *version = strstr(dir, "/postgresql/");
	_cleanup_free_ char *binary = NULL, *policy = NULL;
	char hash[KEY_SIZE];
	unsigned major = 0;
	struct stat st;
	struct key k;
	int r;

	if (asprintf(&binary, "%s/postgres", dir) < 0 ||
	    asprintf(&policy, "%s/%s", job->settings->policy_dir, POSTGRES_POLICY) < 0)
		return job_fail(job, -ENOMEM, "template", "out of memory");
	if (stat(binary, &st) < 0)
		return job_fail(job, -errno, "template", "cannot find %s: %m", binary);
	key_begin(&k, "postgres 4");
	add_owner(&k);
	key_add_string(&k, binary);
	key_add(&k, &st.st_size, sizeof(st.st_size));
	key_add(&k, &st.st_mtim, sizeof(st.st_mtim));
	key_add_string(&k, configuration);
	key_add_string(&k, access_rules);
	key_add_string(&k, user_map);
	key_add_string(&k, MAKE_CERTIFICATE);
	key_add_string(&k, cluster_sql);
	key_add_string(&k, database_sql);
	r = key_add_file(&k, policy);
	key_end(&k, hash);
	if (r < 0)
		return job_fail(job, r, "template", "cannot read %s: %s", policy, strerror(-r));
	if (version)
		(void)sscanf(version, "/postgresql/%5u", &major);
	(void)snprintf(ret, size, "%u-%.16s", major, hash);
	return 0;
}

/* ---------------------------------------------------------------------------- steps */

struct step {
	const char *what; /* for messages */
	const char *const *argv;
	const struct sbx_fd *fds;
	uint32_t n_fds;
	int stdin_fd; /* -1: none */
};

static int step_failed(struct build *b, const char *what, const struct sbx_result *result)
{
	_cleanup_free_ char *log = NULL, *line = NULL;
	size_t size = 0, from;

	log = job_read_fd(b->log, LOG_MAX, &size);
	from = size > 300 ? size - 300 : 0;
	line = log ? clean_line(log + from, size - from, 300) : NULL;
	return job_fail(b->job, -EIO, "template", "%s failed (verdict %d, exit code %d): %s", what,
			result->verdict, result->exit_code, line ? line : "");
}

static int run_step(struct build *b, const struct step *step)
{
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDOUT | SBX_EXEC_STDERR |
				       (step->stdin_fd >= 0 ? SBX_EXEC_STDIN : 0),
			      .argv = step->argv,
			      .env = postgres_env,
			      .cwd = POSTGRES_DATA,
			      .stdin_fd = step->stdin_fd,
			      .stdout_fd = b->log,
			      .stderr_fd = b->log,
			      .stdout_limit = LOG_MAX,
			      .stderr_limit = LOG_MAX,
			      .fds = step->fds,
			      .n_fds = step->n_fds,
			      .wall_ns = STEP_WALL };
	struct sbx_result result;
	struct sbx_proc *p = NULL;
	int r = sbx_jail_exec(b->jail, &p, &e, &b->job->error);

	if (r < 0)
		return r;
	r = job_wait(b->job, p, UINT64_MAX, &result);
	sbx_proc_free(p);
	if (r < 0)
		return r;
	return result.verdict == SBX_VERDICT_EXITED && result.exit_code == 0
		       ? 0
		       : step_failed(b, step->what, &result);
}

static int text_fd(struct job *job, const char *text)
{
	_cleanup_close_ int fd = job_memfd(job, "template");
	size_t n = strlen(text);

	if (fd < 0)
		return fd;
	if (write(fd, text, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) < 0)
		return job_fail(job, -EIO, "template", "cannot write a buffer in memory");
	return steal_fd(&fd);
}

static int run_initdb(struct build *b)
{
	const char *const argv[] = { b->initdb,		  "-D",
				     POSTGRES_DATA,	  "-U",
				     POSTGRES_ADMIN,	  "--auth=trust",
				     "--locale=" LOCALE,  "--encoding=UTF8",
				     "--no-sync",	  "--wal-segsize=1",
				     "--no-instructions", NULL };

	return run_step(b, &(struct step){ .what = "initdb", .argv = argv, .stdin_fd = -1 });
}

static int write_files(struct build *b)
{
	static const char *const argv[] = { "/bin/sh", "-ec",
					    "cat <&3 >postgresql.conf; cat <&4 >pg_hba.conf; "
					    "cat <&5 >pg_ident.conf; : >postgresql.auto.conf; "
					    MAKE_CERTIFICATE,
					    NULL };
	_cleanup_close_ int conf = text_fd(b->job, configuration);
	_cleanup_close_ int hba = conf < 0 ? -1 : text_fd(b->job, access_rules);
	_cleanup_close_ int map = hba < 0 ? -1 : text_fd(b->job, user_map);
	struct sbx_fd fds[] = { { conf, 3, 0 }, { hba, 4, 0 }, { map, 5, 0 } };

	if (map < 0)
		return b->job->error.code;
	return run_step(b, &(struct step){ .what = "writing the settings",
					   .argv = argv,
					   .fds = fds,
					   .n_fds = ARRAY_SIZE(fds),
					   .stdin_fd = -1 });
}

static int run_sql(struct build *b, const char *database, const char *sql)
{
	const char *const argv[] = { b->postgres, "--single",	      "-D",	POSTGRES_DATA,
				     "-c",	  "exit_on_error=on", database, NULL };
	_cleanup_close_ int text = text_fd(b->job, sql);

	if (text < 0)
		return text;
	return run_step(b, &(struct step){ .what = "preparing the database",
					   .argv = argv,
					   .stdin_fd = text });
}

static int make_jail(struct build *b, const char *data)
{
	struct job *job = b->job;
	_cleanup_free_ char *owned = NULL;
	struct sbx_mount mounts[2] = { { .size = sizeof(*mounts),
					 .type = SBX_MOUNT_BIND,
					 .flags = SBX_MOUNT_RW | SBX_MOUNT_IDMAP,
					 .source = data,
					 .target = POSTGRES_DATA } };
	struct sbx_jail_options o = { .size = sizeof(o), .label = "template", .mounts = mounts };
	int r = job_plan(job, POSTGRES_POLICY, NULL, 0, &b->plan);

	if (r < 0)
		return r;
	o.n_mounts = 1 + template_mounts(job, &mounts[1], &owned);
	return sbx_jail_new(job->ctx, b->plan, &b->jail, &o, &job->error);
}

/*
 * Postgres runs only in a directory of its own. Where ids on the disk are mapped, that is one of
 * the policy's user; an ordinary user cannot map them, and is that user himself. The jail shows
 * which: a directory of ours, seen through its mount, is somebody else's where they are mapped.
 */
static int give_data(struct build *b)
{
	struct job *job = b->job;
	_cleanup_close_ int seen = sbx_jail_open(b->jail, POSTGRES_DATA, O_PATH | O_DIRECTORY,
						 &job->error);
	struct stat st;

	if (seen < 0)
		return seen;
	if (fstat(seen, &st) < 0 ||
	    (st.st_uid != geteuid() && fchownat(b->entry->dir, "data", POSTGRES_UID, POSTGRES_UID,
						AT_SYMLINK_NOFOLLOW) < 0))
		return job_fail(job, -errno, "template", "cannot give the data to Postgres: %m");
	return 0;
}

static int prepare(struct build *b, const char *data)
{
	const char *dir = b->job->settings->postgres_dir;
	int r;

	if (asprintf(&b->initdb, "%s/initdb", dir) < 0 ||
	    asprintf(&b->postgres, "%s/postgres", dir) < 0)
		return job_fail(b->job, -ENOMEM, "template", "out of memory");
	b->log = job_memfd(b->job, "template-log");
	if (b->log < 0)
		return b->log;
	r = make_jail(b, data);
	if (r == 0)
		r = give_data(b);
	if (r == 0)
		r = run_initdb(b);
	if (r == 0)
		r = write_files(b);
	if (r == 0)
		r = run_sql(b, "template1", cluster_sql);
	if (r == 0)
		r = run_sql(b, "app", database_sql);
	return r == 0 ? sbx_jail_kill(b->jail, &b->job->error) : r;
}

static int build_template(struct job *job, struct store_entry *e)
{
	_cleanup_(build_done) struct build b = { .job = job, .entry = e, .log = -1 };
	_cleanup_free_ char *data = NULL;
	struct tree_sum sum;
	int r;

	if (asprintf(&data, "%s/data", e->path) < 0)
		return job_fail(job, -ENOMEM, "template", "out of memory");
	if (mkdirat(e->dir, "data", 0700) < 0)
		return job_fail(job, -errno, "template", "cannot make %s: %m", data);
	r = prepare(&b, data);
	if (r < 0)
		return r;
	r = tree_sum(e->dir, &sum);
	if (r < 0)
		return job_fail(job, r, "template", "cannot add up %s: %s", data, strerror(-r));
	copy_string(e->label, sizeof(e->label), "template of all databases");
	return store_publish(e, &sum, &job->error);
}

int template_get(struct job *job, struct store_entry **ret)
{
	uint64_t began = now_ns();
	struct store_entry *e = NULL;
	char key[64];
	int r;

	if (!job->settings->postgres_dir)
		return job_fail(job, -ENOENT, "database",
				"the challenge wants Postgres and none was found: "
				"apt-get install postgresql (no cluster need run)");
	r = make_key(job, key, sizeof(key));
	if (r < 0)
		return r;
	r = store_get(job->store, "postgres", key, job->cancel_fd, &e, &job->error);
	if (r == 1) {
		r = build_template(job, e);
		job->template_ns = now_ns() - began;
	}
	if (r < 0) {
		store_entry_free(e);
		return r;
	}
	*ret = e;
	return 0;
}
