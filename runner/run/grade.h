/* SPDX-License-Identifier: MIT */
#pragma once

/* What the parts of `sandbox-run grade` share. */

#include "challenge/challenge.h"
#include "database/keeper.h"
#include "pipeline/pipeline.h"
#include "report/report-files.h"
#include "cli/options.h"

struct grade_options {
	const char *challenge, *store, *reveal, *log, *allow_unenforced;
	const char *database, *database_shared;
	uint32_t unenforced; /* SBX_LIMIT_*, of the list */
	struct option_optional json;
	struct option_list reports;
	struct option_measure store_size;
	enum color color;
	bool quiet, watch;
	int verbose;
};
extern struct grade_options grade_opt;

/* All that one call holds; released in reverse by grade_done(). */
struct grade {
	const char *submission;
	struct settings settings;
	struct challenge *challenge;
	enum reveal reveal;
	struct sbx_ctx *ctx;
	struct store *store;
	struct report_files reports;
	struct keeper keeper;
	int signals, log;
};

/* "sandbox-run grade: ..."; returns EXIT_INFRASTRUCTURE. */
int grade_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Reads the challenge. 0, or the exit code after a message. */
int grade_load_challenge(struct grade *g);
/* What the host must have; a failure is told as a result, too. 0, or the exit code. */
int grade_open_installation(struct grade *g);
/*
 * One submission from archive to verdict, told to people and in files. `cancel_fd` ends it when it
 * is readable. The exit code; *ret_result (may be NULL) is the caller's, NULL after a failure.
 */
int grade_judge(struct grade *g, int cancel_fd, struct result **ret_result);

/* Judges again whenever the submission or the challenge changes, until a signal. */
int grade_watch(struct grade *g);
