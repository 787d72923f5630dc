/* SPDX-License-Identifier: MIT */

/*
 * The hidden tests, run by testers (tester.h): programs in jails that share the network namespace
 * of the app's jail and nothing else. They are made and loaded while the server boots, wait for one
 * byte each, and run one after another within one deadline.
 *
 * What they say is not believed by itself: names, points and the number of the cases are the
 * challenge's, a case that nobody reports has failed, and the limits and the death of the server
 * come before what the tests say.
 */

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "pipeline/clean.h"
#include "pipeline/tester.h"
#include "pipeline/tests-report.h"
#include "pipeline/units.h"
#include "store/store.h"
#include "util/process.h"
#include "util/util.h"

/* After its own deadline a tester has this long to say so. */
#define GRACE (2 * NSEC_PER_SEC)

/* A server that may be ending, or is, has this long until its end is seen. */
#define SETTLE (500 * NSEC_PER_MSEC)
#define END (5 * NSEC_PER_SEC)

struct run {
	uint64_t deadline;
	uint32_t skipped; /* for want of time */
	bool cut;	  /* the time was over before all was done */
};

static void undo_tester(void *data)
{
	struct tester *t = data;

	t->proc = sbx_proc_free(t->proc);
	t->jail = sbx_jail_free(t->jail);
	t->suite = store_entry_free(t->suite);
	t->packages = store_entry_free(t->packages);
	t->own_packages = store_entry_free(t->own_packages);
	t->report = close_fd(t->report);
	t->log = close_fd(t->log);
	t->go = close_fd(t->go);
	t->asks = close_fd(t->asks);
	t->theirs = close_fd(t->theirs);
}

int tester_exec(struct job *job, struct tester *t, int go, struct sbx_exec *e)
{
	static const char *const env[] = { "LANG=C.UTF-8", "TZ=UTC", NULL };
	struct sbx_fd fds[] = {
		{ .fd = t->report, .target = TESTER_REPORT_FD },
		{ .fd = go, .target = TESTER_GO_FD },
		{ .fd = t->theirs, .target = TESTER_ASKS_FD },
	};
	int r;

	e->size = sizeof(*e);
	e->flags |= SBX_EXEC_STDERR;
	e->stderr_fd = t->log;
	e->stderr_limit = TESTER_LOG;
	e->env = e->env ? e->env : env;
	e->fds = fds;
	e->n_fds = t->theirs >= 0 ? 3 : 2;
	e->wall_ns = UINT64_MAX;
	r = sbx_jail_exec(t->jail, &t->proc, e, &job->error);
	t->theirs = close_fd(t->theirs);
	return r;
}

static int open_asks(struct job *job, struct tester *t)
{
	int ends[2];

	if (!t->kind->asked)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return job_fail(job, -errno, "tester", "socketpair: %m");
	t->asks = ends[0];
	t->theirs = ends[1];
	return 0;
}

static int launch(struct job *job, struct tester *t)
{
	_cleanup_close_ int go = -1;
	int ends[2], r;

	t->report = job_memfd(job, "tests-report");
	t->log = job_memfd(job, "tests-log");
	if (t->report < 0 || t->log < 0)
		return job->error.code;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return job_fail(job, -errno, "tester", "pipe: %m");
	go = ends[0];
	t->go = ends[1];
	r = open_asks(job, t);
	return r < 0 ? r : t->kind->launch(job, t, go);
}

/* The cases of one kind lie together: challenge-tests.c sorts them. */
static const struct tester_kind *kind_of(enum tests_runner runner)
{
	return runner == TESTS_HURL ? &tester_hurl : &tester_suite;
}

static int add_tester(struct job *job, enum tests_runner runner, uint32_t first, uint32_t n)
{
	struct tester *t = &job->testers[job->n_testers];
	int r;

	*t = (struct tester){ .kind = kind_of(runner),
			      .runner = runner,
			      .report = -1,
			      .go = -1,
			      .log = -1,
			      .asks = -1,
			      .theirs = -1,
			      .first = first,
			      .n = n };
	job->n_testers++;
	r = job_push_undo(job, undo_tester, t);
	return r < 0 ? r : launch(job, t);
}

int testers_launch(struct job *job)
{
	const struct challenge *c = job->challenge;
	uint32_t n, first = 0;
	int r = 0;

	for (uint32_t i = 0; i < c->n_tests && r == 0; first += n) {
		enum tests_runner runner = c->tests[i].runner;

		for (n = 0; i < c->n_tests && c->tests[i].runner == runner; i++)
			n += c->tests[i].cases;
		r = add_tester(job, runner, first, n);
	}
	return r;
}

/*
 * A process that dies closes its sockets a moment before its end can be seen, and not all at once:
 * a tester that is done, or asks for a restart, may know of the crash first. The kernel's word that
 * it is ending, or nobody listening (it may be the child of what was started), is the sign to wait
 * for the end.
 */
static int settle(struct job *job)
{
	uint16_t port = job->server_port ? job->server_port : job->challenge->port;
	uint64_t deadline;
	int r = job_attend(job, NULL, -1, 0, 0);

	if (r < 0 || job->server_ended || !job->server)
		return MIN_OF(r, 0);
	if (pidfd_is_exiting(sbx_proc_pidfd(job->server)))
		deadline = deadline_after(END);
	else if (sbx_jail_listening(job->app, port, NULL) == 0)
		deadline = deadline_after(SETTLE);
	else
		return 0;
	while (r >= 0 && !job->server_ended) {
		uint64_t now = now_ns();

		if (now >= deadline)
			return 0;
		r = job_attend(job, NULL, -1, 0, deadline - now);
	}
	return MIN_OF(r, 0);
}

/* A wait that ends when something happens; what the tester asked for is answered. */
static int attend(struct job *job, struct tester *t, uint64_t timeout_ns)
{
	struct pollfd p = { .fd = t->asks, .events = POLLIN };
	int r = job_attend(job, NULL, t->asks, POLLIN, timeout_ns);

	if (r <= 0 || t->asks < 0 || t->ended || poll(&p, 1, 0) <= 0)
		return r;
	/* Nobody is left to ask: its end is about to be seen. */
	if (!(p.revents & POLLIN)) {
		t->asks = close_fd(t->asks);
		return r;
	}
	r = settle(job);
	if (r == 0 && !job->server_ended)
		r = t->kind->asked(job, t);
	return r < 0 ? r : 1;
}

/*
 * Until the tester has ended, the server has, or the time is over. What the tester writes from then
 * on is about a server that is gone: it counts up to *ret_size.
 */
static int wait_tester(struct job *job, struct tester *t, uint64_t deadline, size_t *ret_size)
{
	off_t end;
	int r = 1;

	while (r > 0 && !t->ended && !job->server_ended) {
		uint64_t now = now_ns();

		r = now < deadline ? attend(job, t, deadline - now) : 0;
		if (r < 0)
			return r;
	}
	end = lseek(t->report, 0, SEEK_END);
	*ret_size = end > 0 ? (size_t)end : 0;
	return 0;
}

static int tester_failed(struct job *job, struct tester *t, const char *why)
{
	_cleanup_free_ char *text = NULL, *clean = NULL;
	size_t size = 0;

	text = job_read_fd(t->log, TESTER_LOG, &size);
	clean = text && size > 0 ? clean_line(text, size, 100) : NULL;
	return job_fail(job, -EIO, "tester", "%s%s%s", why, clean ? ": " : "", clean ? clean : "");
}

/* Cases that nobody could run any more have failed, and say why. */
static int fill_rest(struct job *job, const struct tester *t, const char *why)
{
	for (uint32_t i = t->first; i < t->first + t->n; i++) {
		struct test_case *c = &job->cases[i];

		if (c->reported || c->message)
			continue;
		c->message = strdup(why);
		if (!c->message)
			return job_fail(job, -ENOMEM, "tester", "out of memory");
	}
	return 0;
}

/* Nothing of a report that makes no sense counts, neither what came before nor what came after. */
static int fail_all(struct job *job, const struct tester *t, const char *why)
{
	for (uint32_t i = t->first; i < t->first + t->n; i++) {
		job->cases[i].passed = job->cases[i].skipped = job->cases[i].reported = false;
		free(job->cases[i].message);
		job->cases[i].message = NULL;
	}
	return fill_rest(job, t, why);
}

/* The tester ended by itself, and its report does not. */
static int judge_end(struct job *job, struct tester *t, const struct tests_report *report)
{
	const struct sbx_result *end = &t->result;

	if (!(t->kind->flags & TESTER_MAY_DIE) || !report->ready)
		return tester_failed(job, t,
				     end->verdict == SBX_VERDICT_EXITED
					     ? "the tester ended without a report"
					     : "the tester was ended before it was done");
	if (end->verdict == SBX_VERDICT_MEMORY)
		return fill_rest(job, t,
				 "not done: what the server answered filled the memory of "
				 "the tests");
	if (end->verdict == SBX_VERDICT_CPU || end->verdict == SBX_VERDICT_PIDS)
		return fill_rest(job, t,
				 "not done: the tests met their own limit of processor "
				 "time or processes");
	return fill_rest(job, t, "not done: the program that runs the tests ended before");
}

static int judge_report(struct job *job, struct tester *t, const struct tests_report *report)
{
	if (report->error)
		return tester_failed(job, t, report->error);
	if (report->ended)
		return fill_rest(job, t, "the suite did not report this test");
	if (job->server_ended)
		return fill_rest(job, t, "the server ended before this test was done");
	if (!t->ended)
		return fill_rest(job, t, "not run: the time for the tests was over");
	return judge_end(job, t, report);
}

static int take_report(struct job *job, struct tester *t, size_t size, struct run *run)
{
	_cleanup_free_ char *bytes = NULL;
	bool by_index = t->kind->flags & TESTER_BY_INDEX;
	struct tests_report report;
	char why[TESTS_REPORT_WHY];
	int r;

	bytes = job_read_fd(t->report, MIN_OF(size, TESTS_REPORT_MAX + 1u), &size);
	if (!bytes)
		return job_fail(job, -ENOMEM, "tester", "out of memory");
	r = tests_report_parse(&report, job->cases + t->first, t->n, by_index, bytes, size, why);
	if (r == -EBADMSG && report.ready && (t->kind->flags & TESTER_MAY_DIE))
		r = fail_all(job, t, "failed: what the tests reported makes no sense");
	else if (r < 0)
		r = job_fail(job, r, "tester", "%s", r == -EBADMSG ? why : "out of memory");
	else
		r = judge_report(job, t, &report);
	if (!by_index)
		run->skipped += report.skipped;
	tests_report_done(&report);
	return r;
}

static int run_tester(struct job *job, struct tester *t, struct run *run)
{
	uint64_t grace = t->kind->flags & TESTER_MAY_DIE ? 0 : GRACE;
	size_t size;
	int r;

	if (job->server_ended || now_ns() >= run->deadline) {
		run->cut = true;
		return fill_rest(job, t,
				 job->server_ended ? "not run: the server had ended"
						   : "not run: the time for the tests was over");
	}
	/* A tester that is gone already is found out below, by its missing report. */
	if (write(t->go, "g", 1) < 0 && errno != EPIPE)
		return job_fail(job, -errno, "tester", "the tester cannot be started: %m");
	r = wait_tester(job, t, run->deadline + grace, &size);
	if (r == 0)
		r = settle(job);
	if (r < 0)
		return r;
	run->cut |= !t->ended;
	return take_report(job, t, size, run);
}

/* Limits and the death of the server come before what the tests say. */
static int judge_run(struct job *job, const struct run *run)
{
	char text[UNITS_TEXT];

	if (job->server_ended) {
		job_take_log(job, job->server_log);
		return job_verdict_from(job, &job->server_result, VERDICT_CRASH,
					"During the tests, the server");
	}
	if (run->cut || run->skipped > 0)
		return job_verdict(job, VERDICT_TLE,
				   "The tests were not done within %s: the server answers too "
				   "slowly, or not at all.",
				   units_duration(text, job->challenge->limits.tests_ns));
	return 0;
}

static int run_testers(struct job *job, struct run *run)
{
	int r = 0;

	for (uint32_t i = 0; i < job->n_testers && r == 0; i++)
		r = run_tester(job, &job->testers[i], run);
	return r;
}

int stage_test(struct job *job)
{
	struct run run = { .deadline = deadline_after(job->challenge->limits.tests_ns) };
	uint32_t passed = 0;
	int r;

	job->cases = test_cases_declare(job->challenge);
	if (!job->cases)
		return job_fail(job, -ENOMEM, "tester", "out of memory");
	job->n_cases = job->challenge->n_cases;
	r = run_testers(job, &run);
	if (r < 0) {
		test_cases_free(job->cases, job->n_cases);
		job->cases = NULL;
		job->n_cases = 0;
		return r;
	}
	for (uint32_t i = 0; i < job->n_cases; i++)
		passed += job->cases[i].passed;
	job_stage_note(job, "%u of %u passed", passed, job->n_cases);
	return judge_run(job, &run);
}
