/* SPDX-License-Identifier: MIT */

/* Limits, the verdicts they give, and what the result says enforced them. */

#include "corner.h"
#include "fixture.h"
#include "util/util.h"
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char *const roomy[] = { "memory=1G", "pids=128", "wall=60s", "cpu_time=60s", NULL };

static struct sbx_result run(const char *setting, const char *name, const char *argument)
{
	const char *settings[] = { setting, NULL };

	return fixture_probe("exec", settings, name, argument);
}

static void test_success_has_no_verdict(void **state)
{
	struct sbx_result r = fixture_probe("exec", roomy, "memory", "64");

	assert_int_equal(r.verdict, SBX_VERDICT_EXITED);
	assert_int_equal(r.exit_code, 0);
	assert_int_equal(r.hit, 0);
	if (r.memory_by != SBX_BY_NONE) {
		assert_true(r.stats.memory_peak >= 64u << 20);
		assert_true(r.stats.memory_peak < 128u << 20);
	}
	assert_true(r.max_rss >= 64u << 20);
}

static void test_wall(void **state)
{
	struct sbx_result r = run("wall=50ms", "sleep", "60");

	assert_int_equal(r.verdict, SBX_VERDICT_WALL);
	assert_int_equal(r.wall_by, SBX_BY_TIMER);
	assert_true(r.wall_ns >= 50 * NSEC_PER_MSEC);
	assert_true(r.stats.cpu_ns < 5 * NSEC_PER_SEC);
}

/* Who is killed for a limit has still used something. Under load it may not be told in time. */
static void test_usage_of_the_killed(void **state)
{
	struct sbx_result r = { 0 };
	int i;

	for (i = 0; i < 20 && !r.max_rss; i++) {
		r = run("wall=50ms", "spin", "");
		assert_int_equal(r.verdict, SBX_VERDICT_WALL);
		assert_int_equal(r.term_signal, SIGKILL);
	}
	assert_true(r.max_rss > 0);
	assert_true(r.user_ns + r.system_ns > 0);
}

/* Starts the probe, and looks at it only when it has ended and `ns` have passed. */
static struct sbx_result look_late(const char *const *settings, const char *name,
				   const char *argument, uint64_t ns, uint32_t flags)
{
	const struct timespec pause = { .tv_sec = (time_t)(ns / NSEC_PER_SEC),
					.tv_nsec = (long)(ns % NSEC_PER_SEC) };
	const char *argv[] = { "/probe", name, argument, NULL };
	struct sbx_plan *plan = fixture_plan("exec", settings);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_result r = { .size = sizeof(r) };
	struct sbx_exec e = { .size = sizeof(e), .flags = flags, .argv = argv };
	struct sbx_proc *p = NULL;
	struct pollfd fd = { .events = POLLIN };
	struct sbx_error err;

	e.stdout_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	e.stdout_limit = flags & SBX_EXEC_STDOUT ? 1024 : 0;
	if (sbx_jail_exec(j, &p, &e, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	fd.fd = sbx_proc_pidfd(p);
	assert_int_equal(poll(&fd, 1, 60000), 1);
	(void)nanosleep(&pause, NULL);
	assert_int_equal(sbx_proc_wait(p, UINT64_MAX, &r, NULL), 0);
	sbx_proc_free(p);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
	(void)close(e.stdout_fd);
	return r;
}

/* What has happened decides, not when the caller looks. */
static void test_a_caller_that_looks_late(void **state)
{
	const int slow = corner_slowness();
	char wall[32];
	const char *const settings[] = { wall, NULL };
	struct sbx_result r;

	(void)snprintf(wall, sizeof(wall), "wall=%dms", 300 * slow);
	r = look_late(settings, "memory", "1", 400 * NSEC_PER_MSEC * slow, 0);
	assert_int_equal(r.verdict, SBX_VERDICT_EXITED);
	r = look_late(NULL, "output", "8", 0, SBX_EXEC_STDOUT | SBX_EXEC_OUTPUT_KILL);
	assert_int_equal(r.verdict, SBX_VERDICT_OUTPUT);
	r = look_late(NULL, "output", "8", 0, SBX_EXEC_STDOUT);
	assert_int_equal(r.verdict, SBX_VERDICT_EXITED);
	assert_int_equal(r.hit, SBX_HIT_OUTPUT);
}

/* Cpu time is that of the jail, wherever it was burnt; a sleeper uses none of it. */
static void test_cpu_time(void **state)
{
	struct sbx_result r = run("cpu_time=100ms", "spin", "");

	assert_int_equal(r.verdict, SBX_VERDICT_CPU);
	assert_true(r.stats.cpu_ns >= 100 * NSEC_PER_MSEC);
	r = run("cpu_time=10s", "sleep", "1");
	assert_int_equal(r.verdict, SBX_VERDICT_EXITED);
}

static void test_memory(void **state)
{
	struct sbx_result r = run("memory=16M", "memory", "900");

	assert_int_equal(r.verdict, SBX_VERDICT_MEMORY);
	assert_int_equal(r.hit & SBX_HIT_MEMORY, SBX_HIT_MEMORY);
	assert_true(r.stats.oom_kills > 0);
	assert_true(r.memory_by == SBX_BY_CGROUP1 || r.memory_by == SBX_BY_CGROUP2);
	assert_true(r.swap_by != SBX_BY_NONE);
}

/* A full disk is a full disk, although its pages are memory. */
static void test_disk(void **state)
{
	struct sbx_result r = run("disk=8M", "fill", "/box/f:32");

	assert_int_equal(r.verdict, SBX_VERDICT_DISK);
	assert_int_equal(r.stats.disk_full, 1);
	assert_int_equal(r.disk_by, SBX_BY_TMPFS);
	r = run("disk_inodes=64", "files", "/box:100");
	assert_int_equal(r.verdict, SBX_VERDICT_DISK);
	r = run("disk=64M", "fill", "/box/f:32");
	assert_int_equal(r.verdict, SBX_VERDICT_EXITED);
	assert_int_equal(r.stats.disk_full, 0);
}

static void test_pids(void **state)
{
	struct sbx_result r = run("pids=16", "forks", "40");

	if (fixture_is_user() && r.pids_by == SBX_BY_RLIMIT) {
		/* Enforced and not counted: the program has met it, the result cannot know. */
		assert_int_equal(r.exit_code, EAGAIN);
		assert_int_equal(run("pids=64", "forks", "40").exit_code, 0);
		return;
	}
	assert_int_equal(r.verdict, SBX_VERDICT_PIDS);
	assert_true(r.stats.pids_refused > 0);
	assert_true(r.pids_by == SBX_BY_CGROUP1 || r.pids_by == SBX_BY_CGROUP2);
}

static void test_file_size(void **state)
{
	struct sbx_result r = run("fsize=1M", "fill", "/box/f:2");

	assert_int_equal(r.term_signal, SIGXFSZ);
	assert_int_equal(r.hit & SBX_HIT_FSIZE, SBX_HIT_FSIZE);
}

static void test_foreign_abi(void **state)
{
	struct sbx_result r = run("wall=60s", "i386", "");

	assert_int_equal(r.verdict, SBX_VERDICT_SECURITY);
	assert_int_equal(r.term_signal, SIGSYS);
}

static char *read_all(int fd, size_t *ret_size)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);

	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)size, 0), size);
	*ret_size = (size_t)size;
	return text;
}

static struct sbx_result run_output(const char *kibibytes, uint64_t limit, uint32_t flags, int out)
{
	const char *argv[] = { "/probe", "output", kibibytes, NULL };
	struct sbx_exec e = { .size = sizeof(e),
			      .argv = argv,
			      .flags = SBX_EXEC_STDOUT | flags,
			      .stdout_fd = out,
			      .stdout_limit = limit };
	struct sbx_result r = { .size = sizeof(r) };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_proc *p = NULL;
	struct sbx_error err;

	if (sbx_jail_exec(j, &p, &e, &err) < 0 || sbx_proc_wait(p, UINT64_MAX, &r, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	sbx_proc_free(p);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
	return r;
}

static void test_output_is_cut(void **state)
{
	int out = memfd_create("out", MFD_CLOEXEC);
	struct sbx_result r = run_output("1024", 16384, 0, out);
	size_t size;
	char *text = read_all(out, &size);

	assert_int_equal(r.verdict, SBX_VERDICT_EXITED);
	assert_int_equal(r.hit, SBX_HIT_OUTPUT);
	assert_int_equal(r.stdout_bytes, 1024 * 1024);
	assert_non_null(strstr(text, "[... 1032192 bytes of output cut ...]"));
	assert_true(size > 16384 && size < 16384 + 100);
	free(text);
	(void)close(out);
}

static void test_output_within_the_limit_is_whole(void **state)
{
	int out = memfd_create("out", MFD_CLOEXEC);
	struct sbx_result r = run_output("16", 16384, SBX_EXEC_OUTPUT_KILL, out);
	size_t size;
	char *text = read_all(out, &size);

	assert_int_equal(r.verdict, SBX_VERDICT_EXITED);
	assert_int_equal(r.hit, 0);
	assert_int_equal(size, 16384);
	assert_null(strstr(text, "cut"));
	free(text);
	(void)close(out);
}

static void test_output_may_end_the_run(void **state)
{
	int out = memfd_create("out", MFD_CLOEXEC);
	struct sbx_result r = run_output("100000", 16384, SBX_EXEC_OUTPUT_KILL, out);

	assert_int_equal(r.verdict, SBX_VERDICT_OUTPUT);
	(void)close(out);
}

/* A reader that never reads: the wall limit is kept all the same, nothing blocks. */
static void test_a_stalled_reader_stops_no_limit(void **state)
{
	const char *argv[] = { "/probe", "output", "100000", NULL };
	int ends[2];
	struct sbx_exec e = { .size = sizeof(e),
			      .argv = argv,
			      .flags = SBX_EXEC_STDOUT,
			      .stdout_limit = 64u << 20,
			      .wall_ns = 100 * NSEC_PER_MSEC };
	struct sbx_plan *plan = fixture_plan("exec", roomy);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_result r = { .size = sizeof(r) };
	struct sbx_proc *p = NULL;
	struct sbx_error err;
	pid_t reader;

	assert_int_equal(pipe(ends), 0);
	e.stdout_fd = ends[1];
	if (sbx_jail_exec(j, &p, &e, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	reader = fork();
	if (reader == 0) { /* reads nothing; goes once the program has been killed */
		struct pollfd killed = { .fd = sbx_proc_pidfd(p), .events = POLLIN };

		(void)alarm(300);
		(void)poll(&killed, 1, -1);
		_exit(0);
	}
	(void)close(ends[0]);
	assert_int_equal(sbx_proc_wait(p, UINT64_MAX, &r, &err), 0);
	assert_int_equal(waitpid(reader, NULL, 0), reader);
	assert_int_equal(r.verdict, SBX_VERDICT_WALL);
	(void)close(ends[1]);
	sbx_proc_free(p);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

/* A reader that is gone: the program gets its SIGPIPE, the caller gets none. */
static void test_a_reader_that_is_gone(void **state)
{
	int ends[2];
	struct sbx_result r;

	assert_int_equal(pipe(ends), 0);
	(void)close(ends[0]);
	r = run_output("100000", 1u << 20, 0, ends[1]);
	assert_int_equal(r.term_signal, SIGPIPE);
	assert_int_equal(r.verdict, SBX_VERDICT_SIGNALED);
	(void)close(ends[1]);
}

/* What cannot be enforced refuses the run: a group that does not exist cannot be limited. */
static void test_group_limits_the_sum(void **state)
{
	struct sbx_group_options o = {
		.size = sizeof(o), .label = "sum", .memory = 64u << 20, .pids = 64
	};
	struct sbx_jail_options jo = { .size = sizeof(jo) };
	const char *argv[] = { "/probe", "memory", "200", NULL };
	struct sbx_result r = { .size = sizeof(r) };
	struct sbx_plan *plan = fixture_plan("exec", roomy);
	struct sbx_group *g = NULL;
	struct sbx_error err;
	struct sbx_jail *j;
	struct sbx_proc *p;

	if (sbx_group_new(fixture_ctx(), &g, &o, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	jo.group = g;
	j = fixture_jail(plan, &jo);
	p = fixture_start(j, argv, -1);
	assert_int_equal(sbx_proc_wait(p, UINT64_MAX, &r, &err), 0);
	assert_int_equal(r.verdict, SBX_VERDICT_MEMORY);
	sbx_proc_free(p);
	sbx_jail_free(j);
	sbx_group_free(g);
	r = fixture_probe("exec", roomy, "memory", "200");
	assert_int_equal(r.verdict, SBX_VERDICT_EXITED);
	sbx_plan_unref(plan);
}

int main(void)
{
	const struct fixture_test tests[] = {
		FIXTURE_TEST(test_success_has_no_verdict),
		FIXTURE_TEST(test_wall),
		FIXTURE_TEST(test_usage_of_the_killed),
		FIXTURE_TEST(test_a_caller_that_looks_late),
		FIXTURE_TEST_NEEDS(test_cpu_time, SBX_LIMIT_CPU_TIME, NULL),
		FIXTURE_TEST_NEEDS(test_memory, SBX_LIMIT_MEMORY, NULL),
		FIXTURE_TEST(test_disk),
		FIXTURE_TEST(test_pids),
		FIXTURE_TEST(test_file_size),
		FIXTURE_TEST(test_foreign_abi),
		FIXTURE_TEST(test_output_is_cut),
		FIXTURE_TEST(test_output_within_the_limit_is_whole),
		FIXTURE_TEST(test_output_may_end_the_run),
		FIXTURE_TEST(test_a_stalled_reader_stops_no_limit),
		FIXTURE_TEST(test_a_reader_that_is_gone),
		FIXTURE_TEST_NEEDS(test_group_limits_the_sum, FIXTURE_GROUPS, NULL),
	};

	return fixture_run("limits", tests, ARRAY_SIZE(tests));
}
