/* SPDX-License-Identifier: MIT */

/*
 * The life of jails and what they leave behind: nothing, whether they are freed, their caller is
 * killed, or its memory is a copy in a fork.
 */

#include "corner.h"
#include "fixture.h"
#include "util/util.h"
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static int new_ctx(struct sbx_ctx **ret)
{
	struct sbx_ctx_options o = fixture_ctx_options();

	return sbx_ctx_new(ret, &o, NULL);
}

static struct traces look(void)
{
	return corner_look(fixture_corner());
}

static void run_once(struct sbx_plan *plan)
{
	const char *argv[] = { "/probe", "orphans", "3", NULL };
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_proc *p = fixture_start(j, argv, -1);
	struct sbx_result r = { .size = sizeof(r) };
	struct sbx_error err;

	assert_int_equal(sbx_proc_wait(p, UINT64_MAX, &r, &err), 0);
	assert_int_equal(r.exit_code, 0);
	sbx_proc_free(p);
	sbx_jail_free(j);
}

/* 200 jails, each of which leaves three daemons that ignore SIGTERM. */
static void test_two_hundred_jails_leave_nothing(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct traces before;
	int i;

	run_once(plan);
	before = look();
	for (i = 0; i < 200; i++)
		run_once(plan);
	corner_assert_same(before, look());
	sbx_plan_unref(plan);
}

/* In a child: a jail with a running program; says so on `fd`, then waits to be killed. */
static void caller_with_a_jail(int fd, bool fork_a_copy, const char *procs)
{
	const char *argv[] = { "/probe", "sleep", "600", NULL };
	struct sbx_ctx *ctx;
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_mount probe = { .size = sizeof(probe),
				   .type = SBX_MOUNT_BIND,
				   .source = getenv("SANDBOX_PROBE"),
				   .target = "/probe" };
	struct sbx_jail_options o = { .size = sizeof(o), .mounts = &probe, .n_mounts = 1 };
	struct sbx_exec e = { .size = sizeof(e), .argv = argv };
	struct sbx_jail *j;
	struct sbx_proc *p;
	pid_t copy = 0;
	int group = procs ? open(procs, O_WRONLY | O_CLOEXEC) : -1;

	if (procs && (group < 0 || write(group, "0", 1) != 1))
		_exit(1);
	if (new_ctx(&ctx) < 0 || sbx_jail_new(ctx, plan, &j, &o, NULL) < 0 ||
	    sbx_jail_exec(j, &p, &e, NULL) < 0)
		_exit(1);
	if (fork_a_copy) {
		copy = fork();
		if (copy == 0) {
			(void)close(fd);
			for (;;)
				(void)pause();
		}
	}
	(void)!write(fd, &copy, sizeof(copy));
	for (;;)
		(void)pause();
}

static pid_t start(bool fork_a_copy, const char *procs, pid_t *ret_copy)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		caller_with_a_jail(ends[1], fork_a_copy, procs);
	(void)close(ends[1]);
	if (read(ends[0], ret_copy, sizeof(*ret_copy)) != (ssize_t)sizeof(*ret_copy))
		fail_msg("the caller could not make its jail");
	(void)close(ends[0]);
	return pid;
}

static pid_t start_caller(bool fork_a_copy, pid_t *ret_copy)
{
	return start(fork_a_copy, NULL, ret_copy);
}

static pid_t start_caller_in(const char *procs, pid_t *ret_copy)
{
	return start(false, procs, ret_copy);
}

static void test_killed_callers_leave_nothing(void **state)
{
	struct traces before = look();
	struct sbx_ctx *ctx = NULL;
	pid_t pid, copy;
	int i;

	for (i = 0; i < 20; i++) {
		pid = start_caller(false, &copy);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	corner_settle(before.descendants);
	/* The next context, whoever makes it, removes the control groups. */
	assert_int_equal(new_ctx(&ctx), 0);
	sbx_ctx_free(ctx);
	corner_assert_same(before, look());
}

/* A copy of the caller has the control socket too; the jail must not live on for it. */
static void test_a_forked_copy_keeps_no_jail_alive(void **state)
{
	int before = look().descendants;
	pid_t pid, copy;

	pid = start_caller(true, &copy);
	/* the caller and its copy, init, the probe, and a user's holder */
	assert_int_equal(look().descendants, before + 4 + fixture_is_user());
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	corner_settle(before + 1); /* the copy */
	assert_int_equal(kill(copy, SIGKILL), 0);
	corner_settle(before);
}

/* A live owner's groups and jails survive the sweep of another. */
static void test_a_live_owner_is_not_swept(void **state)
{
	const char *argv[] = { "/probe", "sleep", "600", NULL };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_proc *p = fixture_start(j, argv, -1);
	struct sbx_stats stats = { .size = sizeof(stats) };
	struct sbx_ctx *other = NULL;

	assert_int_equal(new_ctx(&other), 0);
	sbx_ctx_free(other);
	assert_int_equal(sbx_proc_dispatch(p, NULL), 0);
	assert_int_equal(sbx_jail_stats(j, &stats, NULL), 0);
	assert_true(stats.pids_now >= 1 || fixture_is_user());
	sbx_proc_free(p);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

static void test_several_processes_in_one_jail(void **state)
{
	const char *sleeper[] = { "/probe", "sleep", "600", NULL };
	const char *worker[] = { "/probe", "memory", "1", NULL };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_proc *first = fixture_start(j, sleeper, -1), *p;
	struct sbx_result r = { .size = sizeof(r) };
	int i;

	for (i = 0; i < 10; i++) {
		p = fixture_start(j, worker, -1);
		assert_int_equal(sbx_proc_wait(p, UINT64_MAX, &r, NULL), 0);
		assert_int_equal(r.exit_code, 0);
		sbx_proc_free(p);
	}
	assert_int_equal(sbx_proc_dispatch(first, NULL), 0);
	assert_int_equal(sbx_proc_kill(first, SIGKILL, NULL), 0);
	assert_int_equal(sbx_proc_wait(first, UINT64_MAX, &r, NULL), 0);
	assert_int_equal(r.verdict, SBX_VERDICT_KILLED);
	sbx_proc_free(first);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

static void reap_everything(int sig)
{
	int saved = errno;

	(void)sig;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	errno = saved;
}

/* Callers that ignore SIGCHLD, or whose handler waits for any child, take init away from us. */
static void test_a_caller_with_its_own_sigchld(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct traces before;

	run_once(plan);
	before = look();
	assert_true(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	run_once(plan);
	assert_true(signal(SIGCHLD, reap_everything) != SIG_ERR);
	run_once(plan);
	assert_true(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
	corner_assert_same(before, look());
	sbx_plan_unref(plan);
}

/*
 * An owner that ran in another memory group than the one who sweeps: its groups lie below its own.
 * Only v1 has such parents; on v2 the parent is the same for all.
 */
static void test_groups_below_another_parent_are_swept(void **state)
{
	char group[] = "/sys/fs/cgroup/memory/sandbox-test-owner", file[128];
	struct traces before = look();
	struct sbx_ctx *ctx = NULL;
	pid_t pid, copy;

	assert_true(mkdir(group, 0755) == 0 || errno == EEXIST);
	(void)snprintf(file, sizeof(file), "%s/cgroup.procs", group);
	pid = start_caller_in(file, &copy);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	corner_settle(before.descendants);
	assert_true(look().groups > before.groups);
	assert_int_equal(new_ctx(&ctx), 0);
	sbx_ctx_free(ctx);
	(void)snprintf(file, sizeof(file), "%s/%s", group, fixture_corner()->parent);
	assert_int_equal(rmdir(file), 0);
	assert_int_equal(rmdir(group), 0);
	corner_assert_same(before, look());
}

/* A caller that forgets its jails, and frees their ctx. */
static void test_a_ctx_takes_all_of_it_along(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_ctx *ctx = NULL;
	struct sbx_jail *j = NULL;
	struct traces before;
	int status;
	pid_t pid;

	(void)fixture_ctx();
	before = look();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (new_ctx(&ctx) < 0 || sbx_jail_new(ctx, plan, &j, NULL, NULL) < 0)
			_exit(1);
		sbx_ctx_free(ctx);
		_exit(look().groups > before.groups ? 2 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	corner_settle(before.descendants);
	corner_sweep(fixture_corner()); /* the lease of its ids */
	corner_assert_same(before, look());
	sbx_plan_unref(plan);
}

static void test_exec_failures_say_what(void **state)
{
	const char *missing[] = { "/no/such/program", NULL };
	const char *denied[] = { "/etc/passwd", NULL };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_exec e = { .size = sizeof(e), .argv = missing };
	struct sbx_proc *p = NULL;
	struct sbx_error err;

	assert_int_equal(sbx_jail_exec(j, &p, &e, &err), -ENOENT);
	assert_string_equal(err.stage, "exec");
	assert_string_equal(err.item, "/no/such/program");
	e.argv = denied;
	assert_int_equal(sbx_jail_exec(j, &p, &e, &err), -EACCES);
	e.cwd = "/nowhere";
	assert_int_equal(sbx_jail_exec(j, &p, &e, &err), -ENOENT);
	assert_string_equal(err.stage, "cwd");
	assert_null(p);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

/* A set-up that fails half way leaves no group, lease, process or descriptor. */
static void test_a_failed_jail_leaves_nothing(void **state)
{
	struct sbx_mount bad = { .size = sizeof(bad),
				 .type = SBX_MOUNT_BIND,
				 .source = "/no/such/source",
				 .target = "/x" };
	struct sbx_jail_options o = { .size = sizeof(o), .mounts = &bad, .n_mounts = 1 };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct traces before;
	struct sbx_jail *j = NULL;
	struct sbx_error err;
	int i;

	(void)fixture_ctx();
	before = look();
	for (i = 0; i < 5; i++) {
		assert_int_equal(sbx_jail_new(fixture_ctx(), plan, &j, &o, &err), -ENOENT);
		assert_string_equal(err.stage, "mount");
		assert_string_equal(err.item, "/no/such/source");
	}
	assert_null(j);
	corner_assert_same(before, look());
	sbx_plan_unref(plan);
}

static void test_a_larger_options_struct_is_refused(void **state)
{
	struct {
		struct sbx_jail_options o;
		uint64_t unknown;
	} o = { .o = { .size = sizeof(o) } };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = NULL;

	o.unknown = 1;
	assert_int_equal(sbx_jail_new(fixture_ctx(), plan, &j, &o.o, NULL), -E2BIG);
	o.unknown = 0;
	assert_int_equal(sbx_jail_new(fixture_ctx(), plan, &j, &o.o, NULL), 0);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

int main(void)
{
	const struct fixture_test tests[] = {
		FIXTURE_TEST(test_two_hundred_jails_leave_nothing),
		FIXTURE_TEST(test_killed_callers_leave_nothing),
		FIXTURE_TEST(test_a_forked_copy_keeps_no_jail_alive),
		FIXTURE_TEST(test_a_live_owner_is_not_swept),
		FIXTURE_TEST(test_several_processes_in_one_jail),
		FIXTURE_TEST(test_a_caller_with_its_own_sigchld),
		FIXTURE_TEST_NEEDS(test_groups_below_another_parent_are_swept,
				   FIXTURE_ROOT | FIXTURE_V1,
				   "it moves itself in the v1 hierarchies"),
		FIXTURE_TEST(test_a_ctx_takes_all_of_it_along),
		FIXTURE_TEST(test_exec_failures_say_what),
		FIXTURE_TEST(test_a_failed_jail_leaves_nothing),
		FIXTURE_TEST(test_a_larger_options_struct_is_refused),
	};

	return fixture_run("life", tests, ARRAY_SIZE(tests));
}
