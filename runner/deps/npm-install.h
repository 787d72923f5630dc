/* SPDX-License-Identifier: MIT */
#pragma once

#include "pipeline/pipeline.h"
#include "store/store.h"

#define NPM_POLICY "npm-install.json"

/*
 * Installs the packages of job->facts into the staging directory of `entry`, in a jail of its own.
 * 0: sealed, *ret_sum filled, *ret_packages is what npm counted (0: it did not say). 1: the verdict
 * is decided (the packages cannot be had). <0: ours, the registry's included.
 */
int npm_install(struct job *job, struct store_entry *entry, struct tree_sum *ret_sum,
		unsigned *ret_packages);

/* The words after "npm" that decide what is installed; they are part of the entry's key. */
const char *const *npm_install_words(const struct challenge *c);
