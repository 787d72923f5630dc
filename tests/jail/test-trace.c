/* SPDX-License-Identifier: MIT */

/* System calls as they are made: what is seen, by whom, and that nothing ever waits for nobody. */

#include "corner.h"
#include "fixture.h"
#include "util/util.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#define PATIENCE (60 * NSEC_PER_SEC)

struct house {
	struct sbx_plan *plan;
	struct sbx_jail *jail;
};

static struct house house_make(const char *policy, const char *const *settings)
{
	struct house h = { .plan = fixture_plan(policy, settings) };

	h.jail = fixture_jail(h.plan, NULL);
	return h;
}

static void house_free(struct house *h)
{
	sbx_jail_free(h->jail);
	sbx_plan_unref(h->plan);
}

static int try_start(struct house *h, struct sbx_proc **ret, const char *path, const char *name,
		     const char *argument, struct sbx_error *err)
{
	const char *argv[] = { path, name, argument, NULL };
	struct sbx_exec e = { .size = sizeof(e), .flags = SBX_EXEC_TRACE, .argv = argv };

	return sbx_jail_exec(h->jail, ret, &e, err);
}

static struct sbx_proc *start(struct house *h, const char *name, const char *argument)
{
	struct sbx_proc *p = NULL;
	struct sbx_error err;

	if (try_start(h, &p, "/probe", name, argument, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	return p;
}

static int next(struct sbx_proc *p, uint64_t timeout_ns, struct sbx_syscall *ret)
{
	struct sbx_error err;
	int r;

	*ret = (struct sbx_syscall){ .size = sizeof(*ret) };
	r = sbx_proc_next_syscall(p, timeout_ns, ret, &err);
	if (r < 0 && r != -ETIMEDOUT)
		fail_msg("%s", fixture_error(&err));
	return r;
}

/* Skips calls until the one of that number; fails the test if there is none. */
static struct sbx_syscall find(struct sbx_proc *p, int nr)
{
	struct sbx_syscall c;

	while (next(p, PATIENCE, &c) == 1)
		if (c.nr == nr)
			return c;
	fail_msg("call %d was not seen", nr);
	return c;
}

static void expect(struct sbx_proc *p, int nr, const char *name, int32_t action,
		   const uint64_t *args, int n_args)
{
	struct sbx_syscall c = find(p, nr);

	assert_string_equal(c.name, name);
	assert_int_equal(c.action, action);
	assert_int_equal(c.arch, AUDIT_ARCH_X86_64);
	assert_true(c.pid > 0);
	for (int i = 0; i < n_args; i++)
		assert_int_equal(c.args[i], args[i]);
}

static struct sbx_result wait_for(struct sbx_proc *p)
{
	struct sbx_result r = { .size = sizeof(r) };
	struct sbx_error err;

	if (sbx_proc_wait(p, PATIENCE, &r, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	return r;
}

static void assert_usable(struct house *h)
{
	const char *argv[] = { "/probe", "output", "0", NULL };
	struct sbx_proc *p = fixture_start(h->jail, argv, -1);

	assert_int_equal(wait_for(p).verdict, SBX_VERDICT_EXITED);
	sbx_proc_free(p);
}

static void test_calls_are_seen(void **state)
{
	const uint64_t unix_socket[] = { AF_UNIX, SOCK_STREAM, 0 };
	const uint64_t vsock[] = { AF_VSOCK, SOCK_STREAM, 0 };
	const uint64_t seek[] = { (uint64_t)-1, 0x123456789abcull, 2 };
	const uint64_t unknown[] = { 1, 2, 3, 4, 5, 6 };
	struct house h = house_make("exec", NULL);
	struct sbx_proc *p = start(&h, "calls", NULL);
	struct sbx_syscall c;

	assert_int_equal(next(p, PATIENCE, &c), 1);
	assert_string_equal(c.name, "execve"); /* its own, first of all */
	assert_int_equal(c.action, SBX_SYSCALL_ALLOW);
	expect(p, SYS_getppid, "getppid", SBX_SYSCALL_ALLOW, NULL, 0);
	c = find(p, SYS_mount);
	assert_string_equal(c.name, "mount");
	assert_int_equal(c.action, SBX_SYSCALL_EPERM);
	assert_int_equal(c.args[3], 0x1234);
	expect(p, SYS_openat2, "openat2", SBX_SYSCALL_ENOSYS, NULL, 0);
	expect(p, SYS_socket, "socket", SBX_SYSCALL_ALLOW, unix_socket, 3);
	expect(p, SYS_socket, "socket", SBX_SYSCALL_EPERM, vsock, 3);
	expect(p, SYS_lseek, "lseek", SBX_SYSCALL_ALLOW, seek, 3);
	expect(p, 1000, "#1000", SBX_SYSCALL_ENOSYS, unknown, 6);
	(void)find(p, SYS_exit_group);
	assert_int_equal(next(p, PATIENCE, &c), 0);
	assert_int_equal(next(p, PATIENCE, &c), 0);
	assert_int_equal(wait_for(p).exit_code, 42);
	sbx_proc_free(p);
	assert_usable(&h);
	house_free(&h);
}

/* What is refused is the plan's affair: the same program, another policy. */
static void test_actions_are_those_of_the_plan(void **state)
{
	const uint64_t unix_socket[] = { AF_UNIX, SOCK_STREAM, 0 };
	struct house h = house_make("classic-judge", NULL);
	struct sbx_proc *p = start(&h, "calls", NULL);

	expect(p, SYS_socket, "socket", SBX_SYSCALL_EPERM, unix_socket, 3);
	sbx_proc_free(p);
	house_free(&h);
}

static void test_threads_and_children(void **state)
{
	struct house h = house_make("exec", NULL);
	struct sbx_proc *p = start(&h, "family", NULL);
	struct sbx_syscall first, thread, child, exited, last;

	assert_int_equal(next(p, PATIENCE, &first), 1);
	thread = find(p, SYS_getsid);
	child = find(p, SYS_getpgid);
	do
		exited = find(p, SYS_exit_group);
	while (exited.pid != first.pid);
	last = find(p, SYS_getpgrp);
	assert_int_not_equal(thread.pid, first.pid);
	assert_int_not_equal(child.pid, first.pid);
	assert_int_not_equal(child.pid, thread.pid);
	assert_int_not_equal(last.pid, first.pid);
	(void)find(p, SYS_exit_group);
	assert_int_equal(next(p, PATIENCE, &last), 0);
	assert_int_equal(wait_for(p).exit_code, 0);
	sbx_proc_free(p);
	assert_usable(&h);
	house_free(&h);
}

/* A caller that only waits gets what it would get without tracing, only later. */
static void test_nobody_asks(void **state)
{
	struct house h = house_make("exec", NULL);
	struct sbx_proc *p = start(&h, "calls", NULL);
	struct sbx_syscall c;
	struct sbx_result r = wait_for(p);

	assert_int_equal(r.verdict, SBX_VERDICT_EXITED);
	assert_int_equal(r.exit_code, 42);
	assert_int_equal(next(p, PATIENCE, &c), 0);
	sbx_proc_free(p);
	assert_usable(&h);
	house_free(&h);
}

static void test_timeout(void **state)
{
	struct house h = house_make("exec", NULL);
	struct sbx_proc *p = start(&h, "sleep", "1000");
	struct sbx_syscall c;

	(void)find(p, SYS_clock_nanosleep);
	assert_int_equal(next(p, 0, &c), -ETIMEDOUT);
	assert_int_equal(next(p, 20 * NSEC_PER_MSEC, &c), -ETIMEDOUT);
	assert_int_equal(sbx_jail_kill(h.jail, NULL), 0);
	assert_int_equal(next(p, PATIENCE, &c), 0);
	assert_int_equal(wait_for(p).verdict, SBX_VERDICT_KILLED);
	sbx_proc_free(p);
	house_free(&h);
}

static void trace_until_wall(const char *name, const char *argument, int verdict)
{
	char wall[32];
	const char *const settings[] = { wall, NULL };
	struct house h;
	struct sbx_proc *p;
	uint64_t n = 0;
	struct sbx_syscall c;
	int r;

	/* One of them must have ended before. */
	(void)snprintf(wall, sizeof(wall), "wall=%dms", 300 * corner_slowness());
	h = house_make("exec", settings);
	p = start(&h, name, argument);
	while ((r = next(p, PATIENCE, &c)) == 1)
		n++;
	assert_int_equal(r, 0);
	assert_true(n > 0);
	assert_int_equal(wait_for(p).verdict, verdict);
	sbx_proc_free(p);
	house_free(&h);
}

/* Asleep in a call; making calls without end; ended, but for a child that does not. */
static void test_limits_are_kept(void **state)
{
	trace_until_wall("sleep", "1000", SBX_VERDICT_WALL);
	trace_until_wall("calls-forever", NULL, SBX_VERDICT_WALL);
	trace_until_wall("family", "outlive", SBX_VERDICT_EXITED);
}

static void test_output_is_moved(void **state)
{
	const char *argv[] = { "/probe", "output", "1000", NULL };
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_TRACE | SBX_EXEC_STDOUT | SBX_EXEC_OUTPUT_KILL,
			      .argv = argv,
			      .stdout_limit = 65536 };
	struct house h = house_make("exec", NULL);
	FILE *out = tmpfile();
	struct sbx_proc *p = NULL;
	struct sbx_syscall c;
	struct sbx_error err;

	e.stdout_fd = fileno(out);
	if (sbx_jail_exec(h.jail, &p, &e, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	while (next(p, PATIENCE, &c) == 1)
		;
	assert_int_equal(wait_for(p).verdict, SBX_VERDICT_OUTPUT);
	sbx_proc_free(p);
	(void)fclose(out);
	house_free(&h);
}

/* Freed while a call waits for its answer, while it runs, and with a child left behind. */
static void test_free_at_any_time(void **state)
{
	struct house h = house_make("exec", NULL);
	struct sbx_proc *p = start(&h, "calls-forever", NULL);
	struct sbx_error err;

	sbx_proc_free(p);
	assert_int_equal(try_start(&h, &p, "/probe", "calls", NULL, &err), -ECHILD);
	house_free(&h);

	h = house_make("exec", NULL);
	p = start(&h, "sleep", "1000");
	(void)find(p, SYS_clock_nanosleep);
	sbx_proc_free(p);
	house_free(&h);

	h = house_make("exec", NULL);
	p = start(&h, "family", "outlive");
	(void)wait_for(p);
	sbx_proc_free(p);
	assert_int_equal(try_start(&h, &p, "/probe", "calls", NULL, &err), -ECHILD);
	house_free(&h);
}

static void test_failures_to_start(void **state)
{
	struct house h = house_make("exec", NULL);
	struct sbx_proc *p = NULL;
	struct sbx_syscall c = { .size = sizeof(c) };
	struct sbx_error err;

	assert_int_equal(try_start(&h, &p, "/absent", NULL, NULL, &err), -ENOENT);
	assert_string_equal(err.stage, "exec");
	assert_int_equal(try_start(&h, &p, "absent", NULL, NULL, &err), -ENOENT);
	assert_int_equal(try_start(&h, &p, "/etc/passwd", NULL, NULL, &err), -EACCES);
	assert_usable(&h);
	/* Searched in several directories: only what was executed is reported. */
	assert_int_equal(try_start(&h, &p, "true", NULL, NULL, &err), 0);
	assert_int_equal(next(p, PATIENCE, &c), 1);
	assert_string_equal(c.name, "execve");
	assert_int_equal(next(p, PATIENCE, &c), 1);
	assert_string_not_equal(c.name, "execve");
	sbx_proc_free(p);
	house_free(&h);
}

static void test_misuse(void **state)
{
	const char *argv[] = { "/probe", "sleep", "1000", NULL };
	struct house h = house_make("exec", NULL);
	struct sbx_proc *p = fixture_start(h.jail, argv, -1);
	struct sbx_syscall c = { .size = sizeof(c) }, small = { .size = 12, .action = 99 };
	struct sbx_error err;

	assert_int_equal(sbx_proc_next_syscall(p, 0, &c, &err), -EINVAL);
	sbx_proc_free(p);
	p = start(&h, "calls", NULL);
	c.size = 4;
	assert_int_equal(sbx_proc_next_syscall(p, 0, &c, &err), -EINVAL);
	assert_int_equal(sbx_proc_next_syscall(p, PATIENCE, &small, &err), 1);
	assert_int_equal(small.nr, SYS_execve);
	assert_int_equal(small.action, 99); /* beyond its size */
	assert_int_equal(small.size, 12);
	sbx_proc_free(p);
	house_free(&h);
}

/* Other ABIs are what the trace's own filter still ends a process for. */
static void test_foreign_abi(void **state)
{
	struct house h = house_make("exec", NULL);
	struct sbx_proc *p = start(&h, "i386", NULL);
	struct sbx_syscall c;

	while (next(p, PATIENCE, &c) == 1)
		assert_int_not_equal(c.action, SBX_SYSCALL_KILL);
	assert_int_equal(wait_for(p).verdict, SBX_VERDICT_SECURITY);
	assert_int_equal(SBX_SYSCALL_KILL, 4);
	sbx_proc_free(p);
	house_free(&h);
}

static void test_asking_the_plan(void **state)
{
	static const uint64_t vsock[6] = { AF_VSOCK, SOCK_STREAM };
	static const uint64_t tcp[6] = { AF_INET, SOCK_STREAM };
	static const struct {
		int32_t nr;
		uint32_t arch;
		const uint64_t *args;
		int32_t action, by_args, error;
	} rows[] = {
		{ SYS_read, AUDIT_ARCH_X86_64, NULL, SBX_SYSCALL_ALLOW, 0, 0 },
		{ SYS_mount, AUDIT_ARCH_X86_64, NULL, SBX_SYSCALL_EPERM, 0, EPERM },
		{ SYS_clone3, AUDIT_ARCH_X86_64, NULL, SBX_SYSCALL_ENOSYS, 0, ENOSYS },
		{ SYS_socket, AUDIT_ARCH_X86_64, tcp, SBX_SYSCALL_ALLOW, 1, 0 },
		{ SYS_socket, AUDIT_ARCH_X86_64, vsock, SBX_SYSCALL_EPERM, 1, EAFNOSUPPORT },
		{ SYS_read, AUDIT_ARCH_I386, NULL, SBX_SYSCALL_KILL, 0, 0 },
		{ SYS_read | 0x40000000, AUDIT_ARCH_X86_64, NULL, SBX_SYSCALL_KILL, 0, 0 },
	};
	struct sbx_plan *plan = fixture_plan("exec", NULL);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int32_t by_args = -1, error = -1;

		assert_int_equal(sbx_plan_syscall(plan, rows[i].arch, rows[i].nr, rows[i].args,
						  &by_args, &error),
				 rows[i].action);
		assert_int_equal(by_args, rows[i].by_args);
		assert_int_equal(error, rows[i].error);
		assert_int_equal(
			sbx_plan_syscall(plan, rows[i].arch, rows[i].nr, rows[i].args, NULL, NULL),
			rows[i].action);
	}
	sbx_plan_unref(plan);
}

/* A process whose own calls somebody listens to, as in some containers. It ends with the outcome. */
static void be_listened_to(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };
	struct sbx_ctx_options o = fixture_ctx_options();
	const char *argv[] = { "/bin/true", NULL };
	struct sbx_exec e = { .size = sizeof(e), .flags = SBX_EXEC_TRACE, .argv = argv };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_ctx *ctx = NULL;
	struct sbx_jail *j = NULL;
	struct sbx_proc *p = NULL;
	struct sbx_error err = { 0 };
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		    &program) < 0)
		_exit(1);
	if (sbx_ctx_new(&ctx, &o, &err) < 0 || sbx_jail_new(ctx, plan, &j, NULL, &err) < 0)
		_exit(2);
	r = sbx_jail_exec(j, &p, &e, &err);
	if (r != -EBUSY || strcmp(err.stage, "seccomp") != 0)
		_exit(3);
	e.flags = 0;
	_exit(sbx_jail_exec(j, &p, &e, &err) < 0 ? 4 : 0);
}

static void test_somebody_listens_already(void **state)
{
	int status, before = corner_look(fixture_corner()).descendants;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		be_listened_to();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	corner_settle(before);
	corner_sweep(fixture_corner());
}

/* Two programs of one jail, each with calls of its own. */
static void test_two_at_once(void **state)
{
	struct house h = house_make("exec", NULL);
	struct sbx_proc *a = start(&h, "calls", NULL), *b = start(&h, "calls", NULL);
	struct sbx_syscall of_a, of_b, c;

	of_a = find(a, SYS_mount);
	of_b = find(b, SYS_mount);
	assert_int_not_equal(of_a.pid, of_b.pid);
	while (next(b, PATIENCE, &c) == 1)
		assert_int_equal(c.pid, of_b.pid);
	while (next(a, PATIENCE, &c) == 1)
		assert_int_equal(c.pid, of_a.pid);
	assert_int_equal(wait_for(a).exit_code, 42);
	assert_int_equal(wait_for(b).exit_code, 42);
	sbx_proc_free(a);
	sbx_proc_free(b);
	house_free(&h);
}

int main(void)
{
	const struct fixture_test tests[] = {
		FIXTURE_TEST(test_calls_are_seen),
		FIXTURE_TEST(test_actions_are_those_of_the_plan),
		FIXTURE_TEST(test_threads_and_children),
		FIXTURE_TEST(test_nobody_asks),
		FIXTURE_TEST(test_timeout),
		FIXTURE_TEST(test_limits_are_kept),
		FIXTURE_TEST(test_output_is_moved),
		FIXTURE_TEST(test_free_at_any_time),
		FIXTURE_TEST(test_failures_to_start),
		FIXTURE_TEST(test_misuse),
		FIXTURE_TEST(test_foreign_abi),
		FIXTURE_TEST(test_two_at_once),
		FIXTURE_TEST(test_asking_the_plan),
		FIXTURE_TEST(test_somebody_listens_already),
	};

	return fixture_run("trace", tests, ARRAY_SIZE(tests));
}
