/* SPDX-License-Identifier: MIT */
#pragma once

/* What the parts of `sandbox-run grade` share. */

#include "challenge/challenge.h"
#include "cli/options.h"
#include "database/keeper.h"
#include "pipeline/pipeline.h"
#include "report/report-files.h"

struct grade_options {
	const char *challenge, *bundle, *store, *reveal, *log, *allow_unenforced;
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

/* grade-bundle.c: of --bundle. */
struct grade_bundle {
	const char *path; /* NULL: there is none */
	int dir;
	char *challenge_dir, *archive;
	char tests[65], challenge[65]; /* by which it was judged; that is in it. "": not known */
	char version[32], unenforced[64];
};

/* All that one call holds; released in reverse by grade_done(). */
struct grade {
	const char *submission;
	struct grade_bundle bundle;
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

/* Submission, challenge and settings from a bundle. 0, or the exit code after a message. */
int grade_bundle_open(struct grade *g);
int grade_bundle_check(struct grade *g); /* the challenge, once it is loaded */
void grade_bundle_compare(const struct grade *g, const struct result *now);
void grade_bundle_done(struct grade_bundle *b);

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
