/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * JavaScript test suites: Vitest, Jest, node:test. A suite is *published* once, when its challenge
 * is first used: in a jail where nothing listens it is run as it is, which tells which tests it
 * has; where the fast way (docs/suites.md) may be taken, what that needs is made, and both ways
 * have to agree. The result is an entry of the content store:
 *
 *   suite/KEY/tests/     the files of the challenge
 *   suite/KEY/fast/      bundles, and V8's code cache of them
 *   suite/KEY/plan.json  the tests in order, which way, what else the programs inside need to know
 *
 * So the tests that count are known before a submission runs, and no submission can change them.
 */

#include "challenge/challenge.h"
#include "pipeline/pipeline.h"

struct store_entry;

#define SUITE_POLICY "tester-node.json"
#define SUITE_PACKAGES "/suite/node_modules"
#define SUITE_FAST "/suite/fast"
#define SUITE_PLAN_MAX (1u << 20)

/*
 * Publishes what is not stored yet and adds the tests of the suites to the cases of `c`; once for a
 * challenge that was loaded, nothing to do without suites. 0; -EINVAL with `why` (of
 * CHALLENGE_ERROR_SIZE) when the challenge is wrong; other <0: ours, in job->error. Of the job are
 * used: ctx, settings, store, cancel_fd, error.
 */
int suites_publish(struct job *job, struct challenge *c, char *why);

/*
 * The entry of the suites of `runner`, made if it is not there. Results as of suites_publish(); the
 * entry is the caller's.
 */
int suite_get(struct job *job, const struct challenge *c, enum tests_runner runner,
	      struct store_entry **ret, char *why);

/* The packages that suites are run with (runner/toolchain/suite). The entry is the caller's. */
int suite_packages(struct job *job, struct store_entry **ret);

/*
 * Those that the challenge brings along (challenge_packages), installed if nobody has them yet.
 * *ret is NULL where it brings none. Results as of suites_publish().
 */
int suite_own_packages(struct job *job, const struct challenge *c, struct store_entry **ret,
		       char *why);

/* What a run in a jail needs; borrowed. */
struct suite_box {
	const struct store_entry *suite, *packages;
	const struct store_entry *own; /* the challenge's packages; NULL: none */
	const char *own_folder;	       /* where its package.json is */
	struct sbx_jail *netns_of; /* NULL: a network of its own, where nothing listens */
	const char *plan;          /* JSON for the programs inside; NULL: plan.json of the entry */
	bool publish;              /* fast/ is writable */
};
int suite_jail(struct job *job, const struct suite_box *box, struct sbx_jail **ret);

enum suite_way {
	SUITE_PUBLISH,  /* js/publish.mjs */
	SUITE_REAL,     /* the real runner */
	SUITE_CHECK,    /* the same, where the fast way will be taken: without a code cache */
	SUITE_FAST_WAY, /* js/fast.mjs, bundled */
	SUITE_FINISH,   /* js/publish.mjs, once all others have run */
};
/* argv, env (strv_free) and cwd of what is executed. 0 or -ENOMEM. */
int suite_command(const struct challenge *c, enum tests_runner runner, enum suite_way way,
		  struct sbx_exec *ret, char ***ret_env);
const char *suite_runner_name(enum tests_runner runner);
