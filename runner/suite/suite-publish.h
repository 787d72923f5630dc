/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "store/store.h"
#include "suite/suite.h"

/* One entry in the making. The members above `jail` are the caller's to set. */
struct suite_publish {
	struct job *job;
	const struct challenge *challenge;
	enum tests_runner runner;
	struct store_entry *entry;
	const struct store_entry *packages, *own;
	char *why; /* CHALLENGE_ERROR_SIZE bytes */
	struct sbx_jail *jail;
	json_t *plan;
	char *text; /* of the plan that the programs inside see meanwhile */
};

/* Fills the staging directory of the entry and seals it. Results as of suites_publish(). */
int suite_publish(struct suite_publish *p, struct tree_sum *ret);
void suite_publish_done(struct suite_publish *p);

/* The jail that all ways are run in, with p->text as the plan. */
int suite_publish_jail(struct suite_publish *p);

/* Runs one way where nothing listens; *ret is what it reported, the caller's. */
int suite_publish_run(struct suite_publish *p, enum suite_way way, char **ret, size_t *ret_size);

/* suite-collect.c: finds out which tests there are and which way is taken; completes p->plan. */
int suite_publish_collect(struct suite_publish *p);
