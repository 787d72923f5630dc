/* SPDX-License-Identifier: MIT */

/*
 * The hidden tests, run by sandbox-inside in a jail that shares the network namespace of the app's
 * jail and nothing else. It is made and loaded while the server boots and waits for one byte.
 *
 * The tests are files of the tester's plan, so they are nowhere else, and never in the app's jail.
 */

#include "pipeline/pipeline.h"

#include <fcntl.h>
#include <limits.h>

#include "pipeline/clean.h"
#include "pipeline/tests-report.h"
#include "pipeline/units.h"
#include "util/util.h"

#define TESTER_LOG (64u << 10)
/* After its own deadline the tester has this long to say so. */
#define GRACE (2 * NSEC_PER_SEC)
#define SETTLE (500 * NSEC_PER_MSEC)
#define ROOT_SLACK (1u << 20)

static void undo_tester(void *data)
{
	struct job *job = data;

	job->tests = sbx_proc_free(job->tests);
	job->tester = sbx_jail_free(job->tester);
	job->tests_report = close_fd(job->tests_report);
	job->tests_log = close_fd(job->tests_log);
	job->tests_go = close_fd(job->tests_go);
}

static int tester_plan(struct job *job, struct sbx_plan **ret)
{
	const struct challenge *c = job->challenge;
	_cleanup_free_ struct sbx_mount *mounts = calloc(c->n_tests, sizeof(*mounts));
	_cleanup_free_ char *names = calloc(c->n_tests, PATH_MAX);
	char root[32];
	const char *const settings[][2] = { { "root_size", root } };
	size_t bytes = ROOT_SLACK;

	if (!mounts || !names)
		return job_fail(job, -ENOMEM, "tester", "out of memory");
	for (uint32_t i = 0; i < c->n_tests; i++) {
		char *target = names + (size_t)i * PATH_MAX;

		snprintf(target, PATH_MAX, "/tests/%s", c->tests[i].mount);
		bytes += c->tests[i].size + 4096;
		mounts[i] = (struct sbx_mount){
			.size = sizeof(*mounts),
			.type = SBX_MOUNT_FILE,
			.mode = 0444,
			.target = target,
			.data = c->tests[i].text,
			.data_len = c->tests[i].size,
		};
	}
	snprintf(root, sizeof(root), "%zuK", bytes >> 10);
	return job_plan_with(job, "tester.json", settings, 1, mounts, c->n_tests, ret);
}

static int make_tester(struct job *job)
{
	struct sbx_mount mounts[INSIDE_MOUNTS_MAX];
	struct sbx_plan *plan = NULL;
	struct sbx_jail_options o = {
		.size = sizeof(o),
		.netns_of = job->app,
		.label = "tester",
		.mounts = mounts,
		.n_mounts = job_inside_mounts(job, mounts),
	};
	int r = tester_plan(job, &plan);

	if (r == 0)
		r = sbx_jail_new(job->ctx, plan, &job->tester, &o, &job->error);
	sbx_plan_unref(plan);
	return r;
}

static int exec_tester(struct job *job, const char *const *argv, int go)
{
	static const char *const env[] = { "LANG=C.UTF-8", "TZ=UTC", NULL };
	struct sbx_fd fds[] = {
		{ .fd = job->tests_report, .target = 3 },
		{ .fd = go, .target = 4 },
	};
	struct sbx_exec e = {
		.size = sizeof(e),
		.flags = SBX_EXEC_STDERR,
		.path = INSIDE_PATH "-test",
		.argv = argv,
		.env = env,
		.cwd = "/tests",
		.stderr_fd = job->tests_log,
		.stderr_limit = TESTER_LOG,
		.fds = fds,
		.n_fds = ARRAY_SIZE(fds),
		.wall_ns = UINT64_MAX,
	};

	return sbx_jail_exec(job->tester, &job->tests, &e, &job->error);
}

static int start_tester(struct job *job)
{
	const struct challenge *c = job->challenge;
	_cleanup_free_ const char **argv = calloc(c->n_tests + 10, sizeof(*argv));
	_cleanup_close_ int go = -1;
	char base[64], timeout[32];
	int ends[2], n = 0;

	if (!argv)
		return job_fail(job, -ENOMEM, "tester", "out of memory");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return job_fail(job, -errno, "tester", "pipe: %m");
	go = ends[0];
	job->tests_go = ends[1];
	snprintf(base, sizeof(base), "http://localhost:%u", c->port);
	snprintf(timeout, sizeof(timeout), "%llums",
		 (unsigned long long)(c->limits.tests_ns / NSEC_PER_MSEC));
	argv[n++] = "sandbox-inside-test";
	argv[n++] = "--base";
	argv[n++] = base;
	argv[n++] = "--report-fd";
	argv[n++] = "3";
	argv[n++] = "--go-fd";
	argv[n++] = "4";
	argv[n++] = "--total-timeout";
	argv[n++] = timeout;
	for (uint32_t i = 0; i < c->n_tests; i++)
		argv[n++] = c->tests[i].mount;
	return exec_tester(job, argv, go);
}

int tester_launch(struct job *job)
{
	int r;

	job->tests_report = job_memfd(job, "tests-report");
	job->tests_log = job_memfd(job, "tests-log");
	r = job_push_undo(job, undo_tester, job);
	if (r < 0)
		return r;
	if (job->tests_report < 0 || job->tests_log < 0)
		return job->error.code;
	r = make_tester(job);
	return r < 0 ? r : start_tester(job);
}

/*
 * Until the tester has ended, the server has, or the time is over. What the tester writes from then
 * on is about a server that is gone: it counts up to *ret_size.
 */
static int wait_tests(struct job *job, size_t *ret_size)
{
	uint64_t deadline = deadline_after(job->challenge->limits.tests_ns + GRACE);
	off_t end;
	int r = 1;

	while (r > 0 && !job->tests_ended && !job->server_ended) {
		uint64_t now = now_ns();

		r = now < deadline ? job_attend(job, NULL, -1, 0, deadline - now) : 0;
		if (r < 0)
			return r;
	}
	end = lseek(job->tests_report, 0, SEEK_END);
	*ret_size = end > 0 ? (size_t)end : 0;
	return 0;
}

static int tester_failed(struct job *job, const char *why)
{
	_cleanup_free_ char *text = NULL, *clean = NULL;
	size_t size = 0;

	text = job_read_fd(job->tests_log, TESTER_LOG, &size);
	clean = text && size > 0 ? clean_line(text, size, 100) : NULL;
	return job_fail(job, -EIO, "tester", "%s%s%s", why, clean ? ": " : "", clean ? clean : "");
}

/* Cases that nobody could run any more have failed, and say why. */
static int fill_rest(struct job *job, const struct tests_report *report, const char *why)
{
	for (uint32_t i = report->n; i < job->n_cases; i++) {
		job->cases[i].message = strdup(why);
		if (!job->cases[i].message)
			return job_fail(job, -ENOMEM, "tester", "out of memory");
	}
	return 0;
}

static int judge_report(struct job *job, struct tests_report *report)
{
	const struct sbx_result *t = &job->tests_result;

	if (report->error)
		return tester_failed(job, report->error);
	if (report->ended)
		return 0;
	if (job->server_ended)
		return fill_rest(job, report, "the server ended before this test was done");
	if (!job->tests_ended)
		return fill_rest(job, report, "not run: the time for the tests was over");
	if (t->verdict == SBX_VERDICT_EXITED)
		return tester_failed(job, "the tester ended without a report");
	return tester_failed(job, "the tester was ended before it was done");
}

static int take_report(struct job *job, size_t size, uint32_t *ret_skipped)
{
	_cleanup_free_ char *bytes = NULL;
	struct tests_report report;
	char why[128];
	int r;

	bytes = job_read_fd(job->tests_report, MIN_OF(size, TESTS_REPORT_MAX + 1u), &size);
	if (!bytes)
		return job_fail(job, -ENOMEM, "tester", "out of memory");
	r = tests_report_parse(&report, job->challenge, bytes, size, why);
	if (r < 0) {
		tests_report_done(&report, job->challenge);
		return job_fail(job, r, "tester", "%s", r == -EBADMSG ? why : "out of memory");
	}
	job->cases = steal_ptr(report.cases);
	job->n_cases = job->challenge->n_cases;
	*ret_skipped = report.skipped;
	r = judge_report(job, &report);
	tests_report_done(&report, job->challenge);
	return r;
}

/* Limits and the death of the server come before what the tests say. */
static int judge_run(struct job *job, bool out_of_time)
{
	char text[UNITS_TEXT];

	if (job->server_ended) {
		job_take_log(job, job->server_log);
		return job_verdict_from(job, &job->server_result, VERDICT_CRASH,
					"During the tests, the server");
	}
	if (out_of_time)
		return job_verdict(job, VERDICT_TLE, "The tests were not done within %s.",
				   units_duration(text, job->challenge->limits.tests_ns));
	return 0;
}

/*
 * A process that dies closes its sockets a moment before its end can be seen: a tester that is done
 * may know of the crash first. Nobody listening is the sign to wait for the end.
 */
static int settle(struct job *job)
{
	uint64_t deadline = deadline_after(SETTLE);
	int r = job_attend(job, NULL, -1, 0, 0);

	if (r < 0 || job->server_ended ||
	    sbx_jail_listening(job->app, job->challenge->port, NULL) != 0)
		return MIN_OF(r, 0);
	while (r >= 0 && !job->server_ended) {
		uint64_t now = now_ns();

		if (now >= deadline)
			return 0;
		r = job_attend(job, NULL, -1, 0, deadline - now);
	}
	return MIN_OF(r, 0);
}

int stage_test(struct job *job)
{
	uint32_t skipped = 0, passed = 0;
	size_t size;
	bool cut;
	int r;

	/* A tester that is gone already is found out below, by its missing report. */
	if (write(job->tests_go, "g", 1) < 0 && errno != EPIPE)
		return job_fail(job, -errno, "tester", "the tester cannot be started: %m");
	r = wait_tests(job, &size);
	if (r < 0)
		return r;
	r = settle(job);
	if (r < 0)
		return r;
	cut = !job->tests_ended;
	r = take_report(job, size, &skipped);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < job->n_cases; i++)
		passed += job->cases[i].passed;
	job_stage_note(job, "%u of %u passed", passed, job->n_cases);
	return judge_run(job, cut || skipped > 0);
}
