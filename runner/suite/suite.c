/* SPDX-License-Identifier: MIT */

/*
 * Getting a published suite: its key, its entry, and its tests as cases of the challenge.
 */

#include "suite/suite.h"

#include "deps/toolchain.h"
#include "embed/embed.h"
#include "store/key.h"
#include "suite/suite-plan.h"
#include "suite/suite-publish.h"
#include "util/util.h"

/* All that decides what is published. */
static int make_key(struct job *job, const struct challenge *c, enum tests_runner runner,
		    char ret[static KEY_SIZE])
{
	_cleanup_(toolchain_done) struct toolchain t = { 0 };
	struct key k;
	int r = toolchain_find(&t, job->settings->store_dir, &job->error);

	if (r < 0)
		return r;
	key_begin(&k, "suite 1");
	key_add_string(&k, suite_runner_name(runner));
	key_add_string(&k, t.node_version);
	key_add_string(&k, c->suite.no_fast ? "real" : "auto");
	for (const struct embedded *d = suite_data; d->name; d++)
		key_add(&k, d->data, d->size);
	for (uint32_t i = 0; i < c->n_tests; i++) {
		if (c->tests[i].runner != runner)
			continue;
		key_add_string(&k, c->tests[i].name);
		key_add(&k, c->tests[i].text, c->tests[i].size);
	}
	key_add_string(&k, "files");
	for (uint32_t i = 0; i < c->suite.n_files; i++) {
		key_add_string(&k, c->suite.files[i].name);
		key_add(&k, c->suite.files[i].text, c->suite.files[i].size);
	}
	if (c->suite.packages.manifest) {
		key_add_string(&k, "packages");
		key_add_string(&k, c->suite.packages.folder);
		key_add_string(&k, c->suite.packages.manifest);
		key_add(&k, c->suite.packages.lockfile, c->suite.packages.lockfile_size);
	}
	key_end(&k, ret);
	return 0;
}

static int make_entry(struct job *job, const struct challenge *c, enum tests_runner runner,
		      struct store_entry *e, char *why)
{
	_cleanup_(store_entry_freep) struct store_entry *packages = NULL, *own = NULL;
	_cleanup_(suite_publish_done) struct suite_publish p = {
		.job = job, .challenge = c, .runner = runner, .entry = e, .why = why
	};
	struct tree_sum sum;
	int r = suite_packages(job, &packages);

	if (r == 0)
		r = suite_own_packages(job, c, &own, why);
	if (r < 0)
		return r;
	p.packages = packages;
	p.own = own;
	snprintf(e->label, sizeof(e->label), "%s: %s", suite_runner_name(runner), c->title);
	r = suite_publish(&p, &sum);
	return r < 0 ? r : store_publish(e, &sum, &job->error);
}

int suite_get(struct job *job, const struct challenge *c, enum tests_runner runner,
	      struct store_entry **ret, char *why)
{
	_cleanup_(store_entry_freep) struct store_entry *e = NULL;
	char key[KEY_SIZE];
	int r = make_key(job, c, runner, key);

	if (r < 0)
		return r;
	r = store_get(job->store, "suite", key, job->cancel_fd, &e, &job->error);
	if (r > 0) {
		if (job->progress)
			job->progress(job, "publish", false);
		r = make_entry(job, c, runner, e, why);
	}
	if (r < 0)
		return r;
	*ret = steal_ptr(e);
	return 0;
}

static int publish_runner(struct job *job, struct challenge *c, enum tests_runner runner, char *why)
{
	_cleanup_(store_entry_freep) struct store_entry *e = NULL;
	_cleanup_(suite_plan_done) struct suite_plan plan = { 0 };
	int r = suite_get(job, c, runner, &e, why);

	if (r == 0)
		r = suite_plan_read(job, e, &plan);
	return r < 0 ? r : suite_plan_add_cases(job, &plan, c);
}

int suites_publish(struct job *job, struct challenge *c, char *why)
{
	enum tests_runner last = TESTS_HURL;
	uint32_t before = c->n_cases;
	int r = 0;

	if (c->suite.published)
		return 0;
	for (uint32_t i = 0; i < c->n_tests && r == 0; i++) {
		if (c->tests[i].runner == last)
			continue;
		last = c->tests[i].runner;
		r = publish_runner(job, c, last, why);
	}
	if (r < 0)
		return r;
	if (c->suite.total > 0 && c->suite.total != c->n_cases - before) {
		snprintf(why, CHALLENGE_ERROR_SIZE,
			 "%s/challenge.json: the suites have %u tests, not %u ($.suite.total)",
			 c->dir, c->n_cases - before, c->suite.total);
		return -EINVAL;
	}
	c->suite.published = true;
	return 0;
}
