/* SPDX-License-Identifier: MIT */

/*
 * The tester of the native engine: sandbox-inside-test with the Hurl files of the challenge, which
 * are files of its plan, so they are nowhere else, and never in the app's jail.
 */

#include <limits.h>

#include "pipeline/test-asks.h"
#include "pipeline/tester.h"
#include "util/util.h"

#define ROOT_SLACK (1u << 20)

static bool is_ours(const struct challenge_test *test)
{
	return test->runner == TESTS_HURL;
}

static struct sbx_mount file_mount(const char *target, const char *data, size_t size)
{
	return (struct sbx_mount){
		.size = sizeof(struct sbx_mount),
		.type = SBX_MOUNT_FILE,
		.mode = 0444,
		.target = target,
		.data = data,
		.data_len = size,
	};
}

static int tester_plan(struct job *job, struct sbx_plan **ret)
{
	const struct challenge *c = job->challenge;
	uint32_t most = c->n_tests + c->n_assets;
	_cleanup_free_ struct sbx_mount *mounts = calloc(most, sizeof(*mounts));
	_cleanup_free_ char *names = calloc(most, PATH_MAX);
	char root[32];
	const char *const settings[][2] = { { "root_size", root } };
	size_t bytes = ROOT_SLACK, n = 0;

	if (!mounts || !names)
		return job_fail(job, -ENOMEM, "tester", "out of memory");
	for (uint32_t i = 0; i < c->n_tests; i++) {
		char *target = names + (size_t)i * PATH_MAX;

		if (!is_ours(&c->tests[i]))
			continue;
		snprintf(target, PATH_MAX, "/tests/%s", c->tests[i].mount);
		bytes += c->tests[i].size + 4096;
		mounts[n++] = file_mount(target, c->tests[i].text, c->tests[i].size);
	}
	for (uint32_t i = 0; i < c->n_assets; i++) {
		char *target = names + (size_t)(c->n_tests + i) * PATH_MAX;

		snprintf(target, PATH_MAX, "/tests/%s", c->assets[i].mount);
		bytes += c->assets[i].size + 4096;
		mounts[n++] = file_mount(target, c->assets[i].data, c->assets[i].size);
	}
	snprintf(root, sizeof(root), "%zuK", bytes >> 10);
	return job_plan_with(job, "tester.json", settings, 1, mounts, n, ret);
}

static int make_jail(struct job *job, struct tester *t)
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
		r = sbx_jail_new(job->ctx, plan, &t->jail, &o, &job->error);
	sbx_plan_unref(plan);
	return r;
}

static int launch(struct job *job, struct tester *t, int go)
{
	const struct challenge *c = job->challenge;
	_cleanup_free_ const char **argv = calloc(c->n_tests + 12, sizeof(*argv));
	struct sbx_exec e = { .path = INSIDE_PATH "-test", .argv = argv, .cwd = "/tests" };
	char base[64], timeout[32];
	int n = 0, r;

	if (!argv)
		return job_fail(job, -ENOMEM, "tester", "out of memory");
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
	argv[n++] = "--ask-fd";
	argv[n++] = "5";
	argv[n++] = "--total-timeout";
	argv[n++] = timeout;
	for (uint32_t i = 0; i < c->n_tests; i++) {
		if (is_ours(&c->tests[i]))
			argv[n++] = c->tests[i].mount;
	}
	r = make_jail(job, t);
	return r < 0 ? r : tester_exec(job, t, go, &e);
}

const struct tester_kind tester_hurl = {
	.name = "tester",
	.launch = launch,
	.asked = hurl_asked,
};
