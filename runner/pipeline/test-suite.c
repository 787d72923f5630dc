/* SPDX-License-Identifier: MIT */

/*
 * The tester of JavaScript suites: what was published is run in a jail beside the app's. It is one
 * process that has loaded its runner and waits; only HTTP responses of the submission ever reach
 * it.
 *
 * A response may bring it down (a huge body, a prototype that is changed): what was not reported by
 * then has failed, like any test that a wrong answer fails. Only a tester that was never ready is
 * our failure.
 */

#include "pipeline/strv.h"
#include "pipeline/tester.h"
#include "suite/suite-plan.h"
#include "util/util.h"

static int get_entries(struct job *job, struct tester *t)
{
	char why[CHALLENGE_ERROR_SIZE] = "";
	int r = suite_get(job, job->challenge, t->runner, &t->suite, why);

	if (r == 0)
		r = suite_own_packages(job, job->challenge, &t->own_packages, why);
	if (r < 0)
		return *why ? job_fail(job, r, "suite", "%s", why) : r;
	return suite_packages(job, &t->packages);
}

static int launch(struct job *job, struct tester *t, int go)
{
	_cleanup_(suite_plan_done) struct suite_plan plan = { 0 };
	_cleanup_(strv_freep) char **env = NULL;
	struct suite_box box = { .netns_of = job->app };
	struct sbx_exec e;
	int r;

	if (!job->challenge->suite.published)
		return job_fail(job, -EINVAL, "suite", "the suites are not published");
	r = get_entries(job, t);
	if (r == 0)
		r = suite_plan_read(job, t->suite, &plan);
	if (r < 0)
		return r;
	box.suite = t->suite;
	box.packages = t->packages;
	box.own = t->own_packages;
	box.own_folder = job->challenge->suite.packages.folder;
	r = suite_jail(job, &box, &t->jail);
	if (r < 0)
		return r;
	r = suite_command(job->challenge, t->runner, plan.fast ? SUITE_FAST_WAY : SUITE_REAL, &e,
			  &env);
	return r < 0 ? job_fail(job, r, "suite", "out of memory") : tester_exec(job, t, go, &e);
}

const struct tester_kind tester_suite = {
	.name = "tester-suite",
	.flags = TESTER_MAY_DIE | TESTER_BY_INDEX,
	.launch = launch,
};
