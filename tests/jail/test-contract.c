/* SPDX-License-Identifier: MIT */

/*
 * What sandbox.h promises about failures: the errno, the stage, results that are not written, and
 * that `err` may be NULL. Each promise is a call that breaks one rule only.
 */

#include "fixture.h"
#include "util/util.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* A call failed as promised: with this errno, said in `err` as well, at this stage. */
static void assert_failed(int line, int r, int code, const struct sbx_error *err, const char *stage)
{
	if (r != code)
		fail_msg("line %d: %d (%s), not %d (%s)", line, r, fixture_error(err), code,
			 strerror(-code));
	if (err->code != code || !streq(err->stage, stage) || !err->text[0])
		fail_msg("line %d: %s, not the stage \"%s\"", line, fixture_error(err), stage);
}

#define FAILS(call, code, stage)                                                                   \
	do {                                                                                       \
		struct sbx_error err = { 0 };                                                      \
		int r_ = (call);                                                                   \
		assert_failed(__LINE__, r_, code, &err, stage);                                    \
	} while (0)

/* ------------------------------------------------------------------------- policies */

static int parse(const char *text, struct sbx_error *err)
{
	struct sbx_policy *p = (void *)text;
	int r = sbx_policy_parse(&p, text, strlen(text), "text", NULL, err);

	if (r < 0)
		assert_ptr_equal(p, text); /* written on success only */
	else
		sbx_policy_free(p);
	assert_int_equal(sbx_policy_parse(&p, text, strlen(text), NULL, NULL, NULL), r);
	if (r == 0)
		sbx_policy_free(p);
	return r;
}

static void test_policies_that_cannot_be_read(void **state)
{
	char path[] = "/tmp/sandbox-contract-XXXXXX", fifo[64], large[64];
	struct sbx_policy *p = NULL;
	int fd;

	assert_int_equal(parse("{}", NULL), 0);
	FAILS(parse("{", &err), -EINVAL, "policy");
	FAILS(parse("{\"memroy\": \"1G\"}", &err), -EINVAL, "policy");
	FAILS(parse("{\"memory\": 64}", &err), -EINVAL, "policy");
	FAILS(parse("{\"user\": 1, \"user\": 2}", &err), -EEXIST, "policy");
	FAILS(parse("{\"extends\": \"nobody\"}", &err), -ENOENT, "policy");
	FAILS(parse("{\"mounts\": [{\"remove\": \"/x\"}]}", &err), -ENOENT, "policy");
	FAILS(parse("{\"syscalls\": {\"allow\": [\"ptrace\"]}}", &err), -EPERM, "policy");
	assert_non_null(mkdtemp(path));
	(void)snprintf(fifo, sizeof(fifo), "%s/fifo", path);
	(void)snprintf(large, sizeof(large), "%s/large", path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	fd = open(large, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, (1 << 20) + 1), 0);
	(void)close(fd);
	FAILS(sbx_policy_load(&p, "/nonexistent.json", NULL, &err), -ENOENT, "policy");
	FAILS(sbx_policy_load(&p, path, NULL, &err), -EISDIR, "policy");
	FAILS(sbx_policy_load(&p, fifo, NULL, &err), -EISDIR, "policy");
	FAILS(sbx_policy_load(&p, large, NULL, &err), -EFBIG, "policy");
	assert_null(p);
	(void)unlink(fifo);
	(void)unlink(large);
	(void)rmdir(path);
}

static void test_policies_that_contradict_themselves(void **state)
{
	struct sbx_mount m = { .size = sizeof(m),
			       .type = SBX_MOUNT_TMPFS,
			       .target = "/t",
			       .bytes = 4096,
			       .inodes = 16 };
	struct sbx_mount host = {
		.size = sizeof(m), .type = SBX_MOUNT_BIND, .source = "/", .target = "/host"
	};
	struct sbx_plan *plan = NULL;
	struct sbx_policy *p;
	char target[32];

	assert_int_equal(sbx_policy_new(&p, NULL), 0);
	FAILS(sbx_policy_set(p, "memroy", "1G", &err), -EINVAL, "policy");
	FAILS(sbx_policy_set(p, "memory", "1", &err), -EINVAL, "policy");
	FAILS(sbx_policy_add_syscall(p, "opennat", SBX_SYSCALL_ALLOW, &err), -EINVAL, "policy");
	FAILS(sbx_policy_add_syscall(p, "read", 9, &err), -EINVAL, "policy");
	FAILS(sbx_policy_add_syscall(p, "mount", SBX_SYSCALL_ALLOW, &err), -EPERM, "policy");
	FAILS(sbx_policy_add_mount(p, &host, &err), -EINVAL, "mount");
	host.source = "/proc/1";
	FAILS(sbx_policy_add_mount(p, &host, &err), -EINVAL, "mount");
	m.inodes = 0;
	FAILS(sbx_policy_add_mount(p, &m, &err), -EINVAL, "mount");
	m.inodes = 16;
	m.size = 4;
	FAILS(sbx_policy_add_mount(p, &m, &err), -EINVAL, "policy");
	m.size = sizeof(m);
	for (int i = 0; i < 25; i++) {
		(void)snprintf(target, sizeof(target), "/t/%d", i);
		m.target = target;
		assert_int_equal(sbx_policy_add_mount(p, &m, NULL), 0);
	}
	FAILS(sbx_policy_compile(p, &plan, &err), -E2BIG, "mount");
	m.target = "/t";
	assert_int_equal(sbx_policy_add_mount(p, &m, NULL), 0);
	FAILS(sbx_policy_compile(p, &plan, &err), -EINVAL, "mount");
	assert_null(plan);
	sbx_policy_free(p);
}

/* What a newer caller knows and this library does not is refused, unless it is 0. */
static void test_structs_of_a_newer_library(void **state)
{
	struct {
		struct sbx_ctx_options o;
		uint64_t more;
	} ctx = { .o.size = sizeof(ctx), .more = 1 };
	struct {
		struct sbx_stats s;
		uint64_t more;
	} stats = { .s.size = sizeof(stats), .more = 1 };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_ctx *none = NULL;

	FAILS(sbx_ctx_new(&none, &ctx.o, &err), -E2BIG, "ctx");
	ctx.o.size = 7;
	FAILS(sbx_ctx_new(&none, &ctx.o, &err), -EINVAL, "ctx");
	ctx.o = (struct sbx_ctx_options){ .size = sizeof(ctx.o), .flags = 1u << 31 };
	FAILS(sbx_ctx_new(&none, &ctx.o, &err), -EINVAL, "ctx");
	ctx.o = (struct sbx_ctx_options){ .size = sizeof(ctx.o), .cgroup_parent = "a/b" };
	FAILS(sbx_ctx_new(&none, &ctx.o, &err), -EINVAL, "ctx");
	assert_null(none);

	assert_int_equal(sbx_jail_stats(j, &stats.s, NULL), 0);
	assert_true(stats.more == 0);
	assert_int_equal(stats.s.size, sizeof(stats));
	stats.s.size = 0;
	FAILS(sbx_jail_stats(j, &stats.s, &err), -EINVAL, "stats");
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

/* ---------------------------------------------------------------------------- jails */

static void test_jails_that_cannot_be_made(void **state)
{
	struct sbx_mount absent = { .size = sizeof(absent),
				    .type = SBX_MOUNT_BIND,
				    .source = "/nonexistent",
				    .target = "/x" };
	struct sbx_mount file = { .size = sizeof(file),
				  .type = SBX_MOUNT_DEVICE,
				  .source = "/dev/shm",
				  .target = "/dev/x" };
	static char content[200 << 10];
	struct sbx_mount large = { .size = sizeof(large),
				   .type = SBX_MOUNT_FILE,
				   .target = "/x",
				   .data = content,
				   .data_len = sizeof(content) };
	struct sbx_jail_options o = { .size = sizeof(o), .label = "a b" };
	struct sbx_pool_options po = { .size = sizeof(po) };
	struct sbx_group_options go = { .size = sizeof(go), .label = "a/b" };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *dead = fixture_jail(plan, NULL), *j = NULL;
	struct sbx_ctx *ctx = fixture_ctx();
	struct sbx_group *g = NULL;
	struct sbx_pool *pool = NULL;

	FAILS(sbx_jail_new(ctx, plan, &j, &o, &err), -EINVAL, "jail");
	o = (struct sbx_jail_options){ .size = sizeof(o), .mounts = &absent, .n_mounts = 1 };
	FAILS(sbx_jail_new(ctx, plan, &j, &o, &err), -ENOENT, "mount");
	assert_int_equal(sbx_jail_new(ctx, plan, &j, &o, NULL), -ENOENT);
	o.mounts = &file;
	FAILS(sbx_jail_new(ctx, plan, &j, &o, &err), -ENODEV, "mount");
	o.n_mounts = 129;
	FAILS(sbx_jail_new(ctx, plan, &j, &o, &err), -E2BIG, "mount");
	o.mounts = &large;
	o.n_mounts = 1;
	FAILS(sbx_jail_new(ctx, plan, &j, &o, &err), -E2BIG, "mount");
	assert_int_equal(sbx_jail_kill(dead, NULL), 0);
	o = (struct sbx_jail_options){ .size = sizeof(o), .netns_of = dead };
	FAILS(sbx_jail_new(ctx, plan, &j, &o, &err), -ESRCH, "netns");
	FAILS(sbx_group_new(ctx, &g, &go, &err), -EINVAL, "group");
	FAILS(sbx_pool_new(ctx, plan, &pool, &po, &err), -EINVAL, "pool");
	po.jails = 1025;
	FAILS(sbx_pool_new(ctx, plan, &pool, &po, &err), -EINVAL, "pool");
	assert_null(j);
	assert_null(g);
	assert_null(pool);
	sbx_jail_free(dead);
	sbx_plan_unref(plan);
}

static void test_what_a_jail_refuses(void **state)
{
	struct sbx_mount m = { .size = sizeof(m), .type = SBX_MOUNT_DIR, .target = "/box/d" };
	struct sbx_forward f = { .size = sizeof(f), .port = 80 };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_listener none[1];
	char path[5000];

	FAILS(sbx_jail_mount(j, &m, &err), -EINVAL, "mount");
	m = (struct sbx_mount){
		.size = sizeof(m), .type = SBX_MOUNT_BIND, .source = "/usr", .target = "/sealed"
	};
	FAILS(sbx_jail_mount(j, &m, &err), -EROFS, "mount");
	m.target = "/bin/x"; /* a link on the way */
	FAILS(sbx_jail_mount(j, &m, &err), -ENOTDIR, "mount");

	FAILS(sbx_jail_open(j, "/nonexistent", O_RDONLY, &err), -ENOENT, "open");
	FAILS(sbx_jail_open(j, "/etc/passwd", O_WRONLY, &err), -EINVAL, "open");
	FAILS(sbx_jail_open(j, "/dev/null", O_RDONLY, &err), -EINVAL, "open");
	FAILS(sbx_jail_open(j, "/proc/self/status", O_RDONLY, &err), -EACCES, "open");
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	FAILS(sbx_jail_open(j, path, O_RDONLY, &err), -ENAMETOOLONG, "open");

	FAILS(sbx_jail_connect(j, 81, 1000000000, &err), -ECONNREFUSED, "connect");
	FAILS(sbx_jail_wait_listening(j, 81, 0, NULL, &err), -ETIMEDOUT, "wait");
	assert_int_equal(sbx_jail_listening(j, 81, NULL), 0);
	assert_int_equal(sbx_jail_listeners(j, none, 0, NULL), 0);
	FAILS(sbx_jail_socket(j, AF_INET, 99, 0, &err), -EINVAL, "jail");
	FAILS(sbx_jail_forward(j, &f, &err), -EINVAL, "forward");
	f.host = "127.0.0.1";
	f.host_port = 9;
	f.connections = 65;
	FAILS(sbx_jail_forward(j, &f, &err), -EINVAL, "forward");

	assert_int_equal(sbx_jail_kill(j, NULL), 0);
	assert_int_equal(sbx_jail_kill(j, NULL), 0);
	FAILS(sbx_jail_open(j, "/etc/passwd", O_RDONLY, &err), -ECHILD, "control");
	FAILS(sbx_jail_socket(j, AF_INET, SOCK_STREAM, 0, &err), -ECHILD, "control");
	assert_null(sbx_jail_free(j));
	sbx_plan_unref(plan);
}

/* Descriptors that a call returns are closed when the caller executes something. */
static void test_descriptors_are_close_on_exec(void **state)
{
	const char *argv[] = { "/probe", "spin", NULL };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_proc *p = fixture_start(j, argv, -1);
	const int fds[] = {
		sbx_proc_pidfd(p),
		sbx_proc_pollfd(p),
		sbx_jail_socket(j, AF_INET, SOCK_STREAM, 0, NULL),
		sbx_jail_listen(j, 80, 1, NULL),
		sbx_jail_connect(j, 80, UINT64_MAX, NULL),
		sbx_jail_open(j, "/etc/passwd", O_RDONLY, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		assert_true(fds[i] > 2);
		assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
		if (i > 1)
			(void)close(fds[i]);
	}
	assert_null(sbx_proc_free(p));
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

/* ------------------------------------------------------------------------ processes */

static int start(struct sbx_jail *j, const struct sbx_exec *e, struct sbx_error *err)
{
	struct sbx_proc *p = NULL;
	int r = sbx_jail_exec(j, &p, e, err);

	if (r < 0)
		assert_null(p);
	sbx_proc_free(p);
	return r;
}

static void test_programs_that_do_not_start(void **state)
{
	static const char *const none[] = { NULL }, *const absent[] = { "/nonexistent", NULL };
	static const char *const directory[] = { "/etc", NULL }, *const text[] = { "/etc/passwd",
										   NULL };
	static const char *const probe[] = { "/probe", NULL };
	const struct sbx_fd high = { .fd = 2, .target = 1024 };
	const struct sbx_fd twice[] = { { .fd = 2, .target = 5 }, { .fd = 2, .target = 5 } };
	struct sbx_fd many[33];
	struct sbx_exec e = { .size = sizeof(e), .argv = none };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);

	FAILS(start(j, &e, &err), -EINVAL, "exec");
	e.argv = absent;
	FAILS(start(j, &e, &err), -ENOENT, "exec");
	assert_int_equal(start(j, &e, NULL), -ENOENT);
	e.argv = directory;
	FAILS(start(j, &e, &err), -EACCES, "exec");
	e.argv = text; /* no x bit */
	FAILS(start(j, &e, &err), -EACCES, "exec");
	e.argv = probe;
	e.cwd = "/nonexistent";
	FAILS(start(j, &e, &err), -ENOENT, "cwd");
	e.cwd = NULL;
	e.flags = SBX_EXEC_IDS;
	FAILS(start(j, &e, &err), -EINVAL, "exec");
	e.flags = 0;
	e.fds = &high;
	e.n_fds = 1;
	FAILS(start(j, &e, &err), -EBADF, "fds");
	e.fds = twice;
	e.n_fds = 2;
	FAILS(start(j, &e, &err), -EEXIST, "fds");
	for (int i = 0; i < 33; i++)
		many[i] = (struct sbx_fd){ .fd = 2, .target = 3 + i };
	e.fds = many;
	e.n_fds = 33;
	FAILS(start(j, &e, &err), -EMFILE, "fds");
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

static void test_waiting(void **state)
{
	const char *argv[] = { "/probe", "spin", NULL };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_proc *p = fixture_start(j, argv, -1);
	struct sbx_result r = { .size = sizeof(r), .verdict = 99 }, again = r;
	struct sbx_syscall call = { .size = sizeof(call) };

	FAILS(sbx_proc_wait(p, 0, &r, &err), -ETIMEDOUT, "wait");
	assert_int_equal(r.verdict, 99);
	FAILS(sbx_proc_next_syscall(p, 0, &call, &err), -EINVAL, "trace");
	FAILS(sbx_proc_kill(p, 4711, &err), -EINVAL, "kill");
	assert_int_equal(sbx_proc_dispatch(p, NULL), 0);
	assert_int_equal(sbx_proc_kill(p, SIGKILL, NULL), 0);
	assert_int_equal(sbx_proc_wait(p, UINT64_MAX, &r, NULL), 0);
	assert_int_equal(r.verdict, SBX_VERDICT_KILLED);
	assert_int_equal(r.exit_code, -1);
	assert_int_equal(r.term_signal, SIGKILL);
	assert_int_equal(sbx_proc_dispatch(p, NULL), 1);
	assert_int_equal(sbx_proc_kill(p, SIGKILL, NULL), 0);
	assert_int_equal(sbx_proc_wait(p, 0, &again, NULL), 0);
	assert_int_equal(again.verdict, r.verdict);
	assert_true(again.wall_ns == r.wall_ns);
	FAILS(sbx_jail_wait_listening(j, 81, UINT64_MAX, p, &err), -ECHILD, "wait");
	sbx_proc_free(p);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

static void test_what_accepts_null(void **state)
{
	assert_null(sbx_ctx_free(NULL));
	assert_null(sbx_policy_free(NULL));
	assert_null(sbx_plan_ref(NULL));
	assert_null(sbx_plan_unref(NULL));
	assert_null(sbx_group_free(NULL));
	assert_null(sbx_pool_free(NULL));
	assert_null(sbx_jail_free(NULL));
	assert_null(sbx_proc_free(NULL));
	assert_true(sbx_probe(NULL, 0) > 0);
}

int main(void)
{
	static const struct fixture_test tests[] = {
		FIXTURE_TEST(test_policies_that_cannot_be_read),
		FIXTURE_TEST(test_policies_that_contradict_themselves),
		FIXTURE_TEST(test_structs_of_a_newer_library),
		FIXTURE_TEST(test_jails_that_cannot_be_made),
		FIXTURE_TEST(test_what_a_jail_refuses),
		FIXTURE_TEST(test_descriptors_are_close_on_exec),
		FIXTURE_TEST(test_programs_that_do_not_start),
		FIXTURE_TEST(test_waiting),
		FIXTURE_TEST(test_what_accepts_null),
	};

	return fixture_run("contract", tests, ARRAY_SIZE(tests));
}
