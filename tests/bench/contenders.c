/* SPDX-License-Identifier: MIT */

/* See contenders.h. */

#include "contenders.h"
#include "util/util.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

_Noreturn void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "spawn: %s: %s\n", what, why);
	exit(1);
}

static _Noreturn void die_error(const struct sbx_error *err)
{
	(void)fprintf(stderr, "spawn: %s %s: %s\n", err->stage, err->item, err->text);
	exit(1);
}

/* ---------------------------------------------------------------------- the library */

static void make_jail(struct sbx_ctx *ctx, struct bench *b, struct sbx_jail *netns_of,
		      struct sbx_jail **ret)
{
	struct sbx_jail_options o = { .size = sizeof(o), .netns_of = netns_of };
	struct sbx_error err = { 0 };

	if (sbx_jail_new(ctx, b->plan, ret, &o, &err) < 0)
		die_error(&err);
}

static void use_jail(struct sbx_jail *j, uint64_t at[PHASES + 1])
{
	static const char *const argv[] = { "/program", NULL };
	struct sbx_exec e = { .size = sizeof(e), .argv = argv };
	struct sbx_result result = { .size = sizeof(result) };
	struct sbx_error err = { 0 };
	struct sbx_proc *p;

	at[EXECUTE] = now_ns();
	if (sbx_jail_exec(j, &p, &e, &err) < 0)
		die_error(&err);
	at[REAP] = now_ns();
	if (sbx_proc_wait(p, UINT64_MAX, &result, &err) < 0)
		die_error(&err);
	sbx_proc_free(p);
	at[FREE] = now_ns();
	sbx_jail_free(j);
	at[PHASES] = now_ns();
	if (result.verdict != SBX_VERDICT_EXITED || result.exit_code != 0)
		die("library", "the program did not end with 0");
}

static void run_library(struct sbx_ctx *ctx, struct bench *b, struct sbx_jail *netns_of,
			double phase_us[PHASES])
{
	uint64_t at[PHASES + 1];
	struct sbx_jail *j = NULL;
	int i;

	at[CREATE] = now_ns();
	make_jail(ctx, b, netns_of, &j);
	use_jail(j, at);
	for (i = 0; phase_us && i < PHASES; i++)
		phase_us[i] = (double)(at[i + 1] - at[i]) / 1e3;
}

static void run_cold(struct bench *b, double phase_us[PHASES])
{
	run_library(b->ctx, b, NULL, phase_us);
}

static void run_joined(struct bench *b, double phase_us[PHASES])
{
	run_library(b->ctx, b, b->standing, NULL);
}

static void run_unprivileged(struct bench *b, double phase_us[PHASES])
{
	run_library(b->user_ctx, b, NULL, NULL);
}

static void run_pooled(struct bench *b, double phase_us[PHASES])
{
	struct sbx_error err = { 0 };
	uint64_t at[PHASES + 1];
	struct sbx_jail *j;

	if (sbx_pool_take(b->pool, &j, NULL, &err) < 0)
		die_error(&err);
	use_jail(j, at);
}

static void fill_pool(struct bench *b)
{
	struct sbx_error err = { 0 };

	if (sbx_pool_fill(b->pool, 0, &err) < 0)
		die_error(&err);
}

const struct contender cold = { "library, cold", run_cold, NULL, NULL };
const struct contender pooled = { "library, pooled", run_pooled, fill_pool, NULL };
const struct contender joined = { "library, in another's netns", run_joined, NULL, NULL };
const struct contender unprivileged = { "library, as an ordinary user", run_unprivileged, NULL,
					NULL };

/* -------------------------------------------------------------------------- commands */

/* Its words on stderr are not ours to print; how it ended says enough. */
static int try_command(char *const argv[], int quiet_fd)
{
	static char *const env[] = { "PATH=/usr/bin:/bin:/usr/sbin:/sbin", NULL };
	posix_spawn_file_actions_t actions;
	int status, fd, r;
	pid_t pid;

	(void)posix_spawn_file_actions_init(&actions);
	for (fd = quiet_fd; fd <= 2; fd++)
		(void)posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
	r = posix_spawnp(&pid, argv[0], &actions, NULL, argv, env);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static void run_command(char *const argv[])
{
	if (try_command(argv, 2) != 0)
		die(argv[0], "the program did not end with 0");
}

static void run_bare_spawn(struct bench *b, double phase_us[PHASES])
{
	char *const argv[] = { b->program, NULL };

	run_command(argv);
}

static void run_bare_fork(struct bench *b, double phase_us[PHASES])
{
	char *const argv[] = { b->program, NULL }, *const env[] = { NULL };
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		(void)execve(b->program, argv, env);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		die("fork", "the program did not end with 0");
}

static void run_bwrap(struct bench *b, double phase_us[PHASES])
{
	char *const argv[] = { "bwrap",  "--unshare-all", "--ro-bind", b->program, "/program",
			       "--proc", "/proc",         "--dev",     "/dev",     "--tmpfs",
			       "/tmp",   "--remount-ro",  "/",         "/program", NULL };

	run_command(argv);
}

static void run_unshare(struct bench *b, double phase_us[PHASES])
{
	char *const argv[] = { "unshare", "--user",   "--map-root-user", "--mount",
			       "--pid",   "--fork",   "--ipc",           "--net",
			       "--uts",   "--cgroup", "--mount-proc",    b->program,
			       NULL };

	run_command(argv);
}

static void run_firejail(struct bench *b, double phase_us[PHASES])
{
	char *const argv[] = { "firejail",
			       "--quiet",
			       "--noprofile",
			       "--net=none",
			       "--private-dev",
			       "--ipc-namespace",
			       "--caps.drop=all",
			       "--nonewprivs",
			       "--seccomp",
			       b->program,
			       NULL };

	run_command(argv);
}

static void run_nspawn(struct bench *b, double phase_us[PHASES])
{
	char *const argv[] = { "systemd-nspawn",
			       "-q",
			       "-D",
			       b->root,
			       "--register=no",
			       "--keep-unit",
			       "--private-network",
			       "--read-only",
			       "--as-pid2",
			       "/program",
			       NULL };

	run_command(argv);
}

const struct contender bare_spawn = { "bare posix_spawn", run_bare_spawn, NULL, NULL };
const struct contender bare_fork = { "bare fork and exec", run_bare_fork, NULL, NULL };
const struct contender bwrap = { "bwrap --unshare-all", run_bwrap, NULL, "bwrap" };
const struct contender plain_unshare = { "unshare, all namespaces", run_unshare, NULL, "unshare" };
const struct contender firejail = { "firejail", run_firejail, NULL, "firejail" };
const struct contender nspawn = { "systemd-nspawn", run_nspawn, NULL, "systemd-nspawn" };

/* Whether it is there, and whether it can do what is asked of it on this host. */
const char *contender_missing(struct bench *b, const struct contender *c)
{
	char *const version[] = { (char *)c->command, "--version", NULL };
	int status = -1;
	pid_t pid;

	if (c == &unprivileged)
		return b->user_ctx ? NULL : "this host makes no jails without privileges";
	if (!c->command)
		return NULL;
	if (try_command(version, 1) != 0)
		return "not installed";
	pid = fork();
	if (pid == 0) {
		(void)!freopen("/dev/null", "w", stderr);
		c->run(b, NULL);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return "does not run on this host";
	return NULL;
}

/* ------------------------------------------------------------------------ the set-up */

static struct sbx_plan *make_plan(const struct bench *b, bool limits)
{
	static const char *const settings[][2] = {
		{ "memory", "64M" }, { "pids", "16" },     { "cpu", "1" },
		{ "wall", "10s" },   { "cpu_time", "5s" },
	};
	struct sbx_mount program = { .size = sizeof(program),
				     .type = SBX_MOUNT_BIND,
				     .source = b->program,
				     .target = "/program" };
	struct sbx_error err = { 0 };
	struct sbx_policy *policy;
	struct sbx_plan *plan;
	size_t i;

	if (sbx_policy_load(&policy, b->policy, NULL, &err) < 0 ||
	    sbx_policy_add_mount(policy, &program, &err) < 0)
		die_error(&err);
	for (i = 0; limits && i < ARRAY_SIZE(settings); i++)
		if (sbx_policy_set(policy, settings[i][0], settings[i][1], &err) < 0)
			die_error(&err);
	if (sbx_policy_compile(policy, &plan, &err) < 0)
		die_error(&err);
	sbx_policy_free(policy);
	return plan;
}

void bench_plan(struct bench *b, bool limits, int loops)
{
	struct sbx_pool_options o = { .size = sizeof(o), .jails = (uint32_t)loops };
	struct sbx_error err = { 0 };

	b->plan = make_plan(b, limits);
	if (sbx_pool_new(b->ctx, b->plan, &b->pool, &o, &err) < 0)
		die_error(&err);
	make_jail(b->ctx, b, NULL, &b->standing);
}

void bench_done_plan(struct bench *b)
{
	b->standing = sbx_jail_free(b->standing);
	b->pool = sbx_pool_free(b->pool);
	b->plan = sbx_plan_unref(b->plan);
}

/* systemd-nspawn wants a tree, and in it the places that it mounts on. */
static void make_root(struct bench *b)
{
	static const char *const dirs[] = {
		"usr", "etc", "proc", "dev", "tmp", "sys", "run", "var"
	};
	static const char *const files[] = { "etc/os-release", "etc/localtime" };
	char command[PATH_MAX + 128];
	size_t i;
	int fd;

	copy_string(b->root, sizeof(b->root), "/tmp/sandbox-bench-XXXXXX");
	if (!mkdtemp(b->root))
		die(b->root, strerror(errno));
	for (i = 0; i < ARRAY_SIZE(dirs) + ARRAY_SIZE(files); i++) {
		(void)snprintf(command, sizeof(command), "%s/%s", b->root,
			       i < ARRAY_SIZE(dirs) ? dirs[i] : files[i - ARRAY_SIZE(dirs)]);
		if (i < ARRAY_SIZE(dirs)) {
			(void)mkdir(command, 0755);
			continue;
		}
		fd = open(command, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		close_fd(fd);
	}
	(void)snprintf(command, sizeof(command), "cp '%s' '%s/program'", b->program, b->root);
	if (system(command) != 0)
		die(b->root, "the program cannot be copied there");
}

void bench_open(struct bench *b)
{
	struct sbx_ctx_options o = { .size = sizeof(o),
				     .flags = SBX_CTX_UNPRIVILEGED,
				     .allow_unenforced = ~0u >> 27 };
	struct sbx_error err = { 0 };

	if (sbx_ctx_new(&b->ctx, NULL, &err) < 0)
		die_error(&err);
	if (sbx_ctx_new(&b->user_ctx, &o, NULL) < 0)
		b->user_ctx = NULL;
	make_root(b);
}

void bench_close(struct bench *b)
{
	char command[128];

	sbx_ctx_free(b->user_ctx);
	sbx_ctx_free(b->ctx);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", b->root);
	(void)!system(command);
}
