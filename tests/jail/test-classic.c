/* SPDX-License-Identifier: MIT */

/*
 * Judging programs that read standard input and write standard output, under the policy
 * "classic-judge": each verdict with its evidence, and the time and memory that programs used against
 * their own account of it. Times are compared with each other, never with a clock of ours.
 */

#include "corner.h"
#include "fixture.h"
#include "util/util.h"
#include <signal.h>
#include <sys/mman.h>

#define MIB (1ull << 20)
/* What a program needs besides what it touches: page tables, stack, what the kernel holds for it. */
#define OVERHEAD (4 * MIB)
/* The file system of the jail's root, which the policy makes as small as that. */
#define ROOT_SIZE (256ull * 1024)

struct run {
	struct sbx_result result;
	uint64_t cpu_ns; /* of the program, without the making of the jail */
	char output[256];
	off_t output_size;
};

static void collect(struct run *run, int out)
{
	ssize_t n = pread(out, run->output, sizeof(run->output) - 1, 0);

	assert_true(n >= 0);
	run->output[n] = '\0';
	run->output_size = lseek(out, 0, SEEK_END);
	(void)close(out);
}

static struct run run_with(const char *const *settings, const char *name, const char *argument)
{
	const char *argv[] = { "/probe", name, argument, NULL };
	struct run run = { .result = { .size = sizeof(run.result) } };
	struct sbx_stats before = { .size = sizeof(before) };
	int out = memfd_create("output", MFD_CLOEXEC);
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDOUT | SBX_EXEC_OUTPUT_KILL,
			      .argv = argv,
			      .stdout_fd = out };
	struct sbx_plan *plan = fixture_plan("classic-judge", settings);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_proc *p = NULL;
	struct sbx_error err;

	if (sbx_jail_stats(j, &before, &err) < 0 || sbx_jail_exec(j, &p, &e, &err) < 0 ||
	    sbx_proc_wait(p, UINT64_MAX, &run.result, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	run.cpu_ns = run.result.stats.cpu_ns - before.cpu_ns;
	sbx_proc_free(p);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
	collect(&run, out);
	return run;
}

/* With room to spare where a test is not about that limit: hosts are slow and busy. */
static struct run run(const char *setting, const char *name, const char *argument)
{
	const char *settings[] = { "cpu_time=60s", "wall=10m", setting, NULL };

	return run_with(settings, name, argument);
}

static void assert_verdict(const struct run *run, int verdict, uint32_t hit)
{
	assert_int_equal(run->result.verdict, verdict);
	assert_int_equal(run->result.hit, hit);
}

static void test_success(void **state)
{
	struct run r = run(NULL, "exit", "0");

	assert_verdict(&r, SBX_VERDICT_EXITED, 0);
	assert_int_equal(r.result.exit_code, 0);
	assert_int_equal(r.result.term_signal, 0);
	assert_int_equal(r.result.output_by, SBX_BY_PIPE);
	assert_int_equal(r.result.wall_by, SBX_BY_TIMER);
	assert_int_equal(r.result.disk_by, SBX_BY_NONE); /* there is nothing to write to */
	assert_int_equal(r.result.stats.disk_total, 0);
}

static void test_every_limit_is_enforced(void **state)
{
	struct run r = run(NULL, "exit", "0");

	assert_int_equal(r.result.unenforced, 0);
	assert_true(r.result.memory_by == SBX_BY_CGROUP1 || r.result.memory_by == SBX_BY_CGROUP2);
	assert_true(r.result.pids_by == SBX_BY_CGROUP1 || r.result.pids_by == SBX_BY_CGROUP2);
	assert_true(r.result.cpu_by == SBX_BY_CGROUP1 || r.result.cpu_by == SBX_BY_CGROUP2);
	assert_int_not_equal(r.result.swap_by, SBX_BY_NONE);
	assert_int_equal(r.result.cpu_time_by, SBX_BY_TIMER);
}

static void test_failure(void **state)
{
	struct run r = run(NULL, "exit", "7");

	assert_verdict(&r, SBX_VERDICT_EXITED, 0);
	assert_int_equal(r.result.exit_code, 7);
	r = run(NULL, "raise", "11");
	assert_verdict(&r, SBX_VERDICT_SIGNALED, 0);
	assert_int_equal(r.result.term_signal, SIGSEGV);
	assert_int_equal(r.result.exit_code, -1);
	/* Its own doing, not a limit's. */
	r = run(NULL, "raise", "9");
	assert_verdict(&r, SBX_VERDICT_SIGNALED, 0);
	assert_int_equal(r.result.term_signal, SIGKILL);
}

/* What starting a program and ending it may cost besides what it does; much of it is init's. */
static uint64_t surplus(void)
{
	return 60 * NSEC_PER_MSEC * corner_slowness();
}

/* Not less than the program's own account, and not more than the time that passed. */
static void test_cpu_time_is_exact(void **state)
{
	struct run r = run(NULL, "burn", "200");
	uint64_t own = strtoull(r.output, NULL, 10);

	assert_verdict(&r, SBX_VERDICT_EXITED, 0);
	assert_true(own >= 200 * NSEC_PER_MSEC);
	assert_in_range(r.cpu_ns, own, own + surplus());
	assert_true(r.cpu_ns <= r.result.wall_ns + surplus());
	/* The kernel keeps these in microseconds, each rounded down. */
	assert_in_range(r.result.user_ns + r.result.system_ns + 2000, own, r.cpu_ns + 2000);
}

static void test_cpu_limit(void **state)
{
	struct run r = run("cpu_time=300ms", "spin", "");

	assert_verdict(&r, SBX_VERDICT_CPU, SBX_HIT_CPU);
	assert_in_range(r.cpu_ns, 300 * NSEC_PER_MSEC, 300 * NSEC_PER_MSEC + surplus());
	assert_true(r.result.wall_ns >= 300 * NSEC_PER_MSEC);
}

static void test_wall_limit(void **state)
{
	struct run r = run("wall=300ms", "sleep", "1000");

	assert_verdict(&r, SBX_VERDICT_WALL, SBX_HIT_WALL);
	assert_true(r.result.wall_ns >= 300 * NSEC_PER_MSEC);
	assert_true(r.cpu_ns < r.result.wall_ns / 2);
}

static void test_memory_is_exact(void **state)
{
	struct run small = run("memory=256M", "memory", "64");
	struct run large = run("memory=256M", "memory", "128");
	uint64_t s = small.result.stats.memory_peak, l = large.result.stats.memory_peak;

	assert_verdict(&small, SBX_VERDICT_EXITED, 0);
	assert_verdict(&large, SBX_VERDICT_EXITED, 0);
	assert_in_range(s, 64 * MIB, 64 * MIB + OVERHEAD);
	assert_in_range(l, 128 * MIB, 128 * MIB + OVERHEAD);
	assert_in_range(large.result.max_rss, 128 * MIB, 128 * MIB + OVERHEAD);
}

/* The limit is where the policy says: a little less fits, a little more does not. */
static void test_memory_limit_is_exact(void **state)
{
	struct run fits = run("memory=64M", "memory", "60");
	struct run exceeds = run("memory=64M", "memory", "65");

	assert_verdict(&fits, SBX_VERDICT_EXITED, 0);
	assert_verdict(&exceeds, SBX_VERDICT_MEMORY, SBX_HIT_MEMORY);
	assert_true(exceeds.result.stats.oom_kills > 0);
	assert_int_equal(exceeds.result.term_signal, SIGKILL);
	assert_in_range(exceeds.result.stats.memory_peak, 64 * MIB - OVERHEAD,
			64 * MIB + ROOT_SIZE);
}

static void test_output_limit(void **state)
{
	struct run fits = run("output=64K", "output", "64");
	struct run exceeds = run("output=64K", "output", "1000000");

	assert_verdict(&fits, SBX_VERDICT_EXITED, 0);
	assert_int_equal(fits.output_size, 64 * 1024);
	assert_int_equal(fits.result.stdout_bytes, 64 * 1024);
	assert_verdict(&exceeds, SBX_VERDICT_OUTPUT, SBX_HIT_OUTPUT);
	assert_in_range(exceeds.output_size, 64 * 1024, 64 * 1024 + 100);
	assert_true(exceeds.result.stdout_bytes > 64 * 1024);
}

/* It may have ended before it could be stopped: then only `hit` tells. */
static void test_a_little_too_much_output(void **state)
{
	struct run r = run("output=64K", "output", "65");

	assert_true(r.result.verdict == SBX_VERDICT_EXITED ||
		    r.result.verdict == SBX_VERDICT_OUTPUT);
	assert_int_equal(r.result.hit, SBX_HIT_OUTPUT);
}

static void test_nothing_can_be_written(void **state)
{
	static const char *const paths[] = { "/box/x", "/tmp/x", "/dev/x", "/x", "/dev/shm/x" };
	struct run r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		r = run(NULL, "write", paths[i]);
		assert_int_equal(r.result.verdict, SBX_VERDICT_EXITED);
		assert_int_not_equal(r.result.exit_code, 0);
	}
}

int main(void)
{
	const uint32_t memory = SBX_LIMIT_MEMORY, time = SBX_LIMIT_CPU_TIME;
	const struct fixture_test tests[] = {
		FIXTURE_TEST(test_success),
		FIXTURE_TEST_NEEDS(test_every_limit_is_enforced, FIXTURE_LIMITS, NULL),
		FIXTURE_TEST(test_failure),
		FIXTURE_TEST_NEEDS(test_cpu_time_is_exact, time, NULL),
		FIXTURE_TEST_NEEDS(test_cpu_limit, time, NULL),
		FIXTURE_TEST(test_wall_limit),
		FIXTURE_TEST_NEEDS(test_memory_is_exact, memory, NULL),
		FIXTURE_TEST_NEEDS(test_memory_limit_is_exact, memory, NULL),
		FIXTURE_TEST(test_output_limit),
		FIXTURE_TEST(test_a_little_too_much_output),
		FIXTURE_TEST(test_nothing_can_be_written),
	};

	return fixture_run("classic", tests, ARRAY_SIZE(tests));
}
