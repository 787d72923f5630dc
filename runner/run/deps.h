/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of `sandbox-run deps` share. */

#include <sandbox/sandbox.h>

#include "cli/options.h"
#include "run/run.h"
#include "pipeline/settings.h"
#include "store/store.h"

struct deps_options {
	const char *store, *challenge, *allow_unenforced;
	uint32_t unenforced; /* SBX_LIMIT_*, of the list */
	struct option_optional json;
	const char *older; /* "30d" */
	uint64_t older_seconds;
	struct option_measure cap, jobs;
	enum color color;
	bool repair, quiet, dedupe;
	int verbose;
};
extern struct deps_options deps_options;

int deps_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int deps_complain_error(const struct sbx_error *e);

/* The words after the subcommand, and what they amount to; exit codes. */
int deps_list(struct store *s);
int deps_gc(struct store *s);
int deps_verify(struct store *s);
int deps_warm(const struct settings *settings, struct store *s, char **words, int n);
int deps_engines_import(const struct settings *settings, struct store *s, const char *dir);
